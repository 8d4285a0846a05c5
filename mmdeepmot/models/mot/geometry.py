"""Boxes between the original image, the network's input, and the arrays of a tracker."""

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from numpy.typing import NDArray
from torch import Tensor

from mmdeepmot.structures import Detections


def input_affine(sample: DetDataSample) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``(4,)`` scale and ``(4,)`` offset of boxes: ``input = original * scale + offset``."""
    scale = np.tile(np.asarray(sample.scale_factor, dtype=np.float64), 2)
    offset = np.tile(np.asarray(sample.pad_offset, dtype=np.float64), 2)
    return scale, offset


def boxes_to_input(boxes: Tensor, sample: DetDataSample) -> Tensor:
    """``(N, 4)`` xyxy boxes from px of the original image to px of the network's input.

    ``input = original * scale_factor + pad_offset``, both (x, y), from the sample's meta data.
    """
    scale, offset = (boxes.new_tensor(part) for part in input_affine(sample))
    return boxes * scale + offset


def boxes_to_original(boxes: Tensor, sample: DetDataSample) -> Tensor:
    """``(N, 4)`` xyxy boxes from px of the network's input to px of the original image."""
    scale, offset = (boxes.new_tensor(part) for part in input_affine(sample))
    return (boxes - offset) / scale


def in_original(
    boxes: Tensor, scores: Tensor, labels: Tensor, sample: DetDataSample
) -> InstanceData:
    """Boxes of the input as detections of the original image, clipped to it."""
    height, width = sample.ori_shape[:2]
    boxes = boxes_to_original(boxes, sample)
    limit = boxes.new_tensor([width, height, width, height])
    return InstanceData(
        bboxes=boxes.clamp(min=0).minimum(limit), scores=scores.detach(), labels=labels
    )


def split_detections(instances: Sequence[InstanceData]) -> list[Detections]:
    """Detections of T frames as arrays, moved off the device in one transfer a field.

    Args:
        instances: One a frame: ``bboxes`` (N, 4) xyxy px, ``scores`` (N,), ``labels`` (N,) and,
            where the detector makes them, ``embeddings`` (N, D).

    Returns:
        One :class:`Detections` a frame, boxes and scores in float64.
    """
    if not instances:
        return []
    ends = np.cumsum([len(one) for one in instances])[:-1]

    def rows(name: str, dtype: type) -> list[np.ndarray]:
        joined = torch.cat([getattr(one, name) for one in instances]).detach()
        if joined.is_floating_point():
            joined = joined.float()
        return np.split(joined.cpu().numpy().astype(dtype, copy=False), ends)

    boxes, scores = rows("bboxes", np.float64), rows("scores", np.float64)
    labels = rows("labels", np.int64)
    with_embeddings = all("embeddings" in one for one in instances)
    embeddings = rows("embeddings", np.float32) if with_embeddings else [None] * len(instances)
    return [Detections(*fields) for fields in zip(boxes, scores, labels, embeddings, strict=True)]
