"""Non-maximum suppression of a batch, which becomes ONNX's ``NonMaxSuppression``."""

from typing import Any

import torch
from mmcv.ops import nms
from torch import Tensor
from torch.onnx.symbolic_helper import parse_args

OPERATOR = "mmdeepmot::batched_nms"
"""Name under which torch's tracer sees it as one operator."""


@torch.library.custom_op(OPERATOR, mutates_args=())
def _suppress(boxes: Tensor, scores: Tensor, iou_thr: float, score_thr: float) -> Tensor:
    """What ``NonMaxSuppression`` gives: ``(N, 3)`` int64 of image, class (0) and box."""
    found = []
    for image, (of_image, score) in enumerate(zip(boxes, scores, strict=True)):
        candidates = (score > score_thr).nonzero().squeeze(1)
        kept = candidates[nms(of_image[candidates], score[candidates], iou_thr)[1]]
        found.append(
            torch.stack((torch.full_like(kept, image), torch.zeros_like(kept), kept), dim=1)
        )
    return torch.cat(found)


@parse_args("v", "v", "f", "f")
def _in_onnx(g: Any, boxes: Any, scores: Any, iou_thr: float, score_thr: float) -> Any:
    limits = (
        torch.tensor([torch.iinfo(torch.int32).max]),  # boxes of an image
        torch.tensor([iou_thr]),
        torch.tensor([score_thr]),
    )
    axis = g.op("Constant", value_t=torch.tensor([1]))
    constants = (g.op("Constant", value_t=limit) for limit in limits)
    return g.op("NonMaxSuppression", boxes, g.op("Unsqueeze", scores, axis), *constants)


def register(opset: int) -> None:
    """Tell torch's exporter how the suppression is written."""
    torch.onnx.register_custom_op_symbolic(OPERATOR, _in_onnx, opset)


def batched_nms(
    boxes: Tensor, scores: Tensor, iou_thr: float, score_thr: float
) -> tuple[Tensor, Tensor]:
    """Boxes above a score that no better box of their image overlaps too much.

    Args:
        boxes: ``(B, K, 4)`` xyxy px.
        scores: ``(B, K)``.
        iou_thr: IoU above which the worse of two boxes goes.
        score_thr: Score that a box must exceed.

    Returns:
        Image ``(N,)`` and number in [0, K) ``(N,)`` of those that stay: image by image, by falling
        score.
    """
    kept = _suppress(boxes, scores, iou_thr, score_thr)
    return kept[:, 0], kept[:, 2]
