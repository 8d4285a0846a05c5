"""Camera motion between the frames of a training clip.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020: the trackers compensate
camera motion in training as they do in use. Tracks are looked for where the camera has moved them.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.camera import input_image
from mmdeepmot.motion import CameraFeed
from mmdeepmot.motion.affine import Affine, affine_scale

MoveBoxes = Callable[[Tensor], Tensor]


def clip_motions(
    feed: CameraFeed,
    clip: Tensor,
    samples: Sequence[DetDataSample],
    objects: Sequence[Tensor],
    preprocessor: Any,
) -> list[MoveBoxes]:
    """For each frame of a clip, what moves boxes of the frame before with the camera.

    Args:
        feed: Estimates; its state is set back.
        clip: ``(T, 3, H, W)``, as the network sees it.
        samples: Of each frame, with ``scale_factor`` and ``pad_offset`` (x, y).
        objects: Of each frame boxes ``(N, 4)`` xyxy px of the input: what moves by itself.
        preprocessor: What normalised the frames.

    Returns:
        T functions of boxes ``(N, 4)`` xyxy px of the input; the first of them moves nothing.

    Raises:
        InputError: It is not known where in the input the images lie.
    """
    missing = {"scale_factor", "pad_offset"} - set(samples[0].metainfo_keys())
    if missing:
        raise InputError(
            "camera motion in training needs frames that were scaled and padded alike, with "
            f"scale_factor and pad_offset; these have no {', '.join(sorted(missing))}: use "
            "Letterbox in place of RandomAffineLetterbox in the pipeline, or compensate=False"
        )
    feed.reset()
    moves = []
    for index, (image, sample, boxes) in enumerate(zip(clip, samples, objects, strict=True)):
        offset = boxes.new_tensor(sample.pad_offset)
        inner = (boxes - offset.repeat(2)).cpu().numpy()
        pixels = functools.partial(input_image, image, sample, preprocessor)
        affine = feed.frame(index, pixels, inner)()
        moves.append(_mover(affine, offset))
    return moves


def _mover(affine: Affine, offset: Tensor) -> MoveBoxes:
    """``move_boxes`` of tensors, for boxes that stand ``offset (2,)`` px further (x, y)."""
    scale = affine_scale(affine)

    def move(boxes: Tensor) -> Tensor:
        turn = torch.as_tensor(affine[:, :2], dtype=boxes.dtype, device=boxes.device)
        shift = torch.as_tensor(affine[:, 2], dtype=boxes.dtype, device=boxes.device)
        start = offset.to(boxes)
        # No matrix product: in mixed precision it would round pixels.
        middle = 0.5 * (boxes[:, :2] + boxes[:, 2:]) - start
        centre = (middle[:, None] * turn).sum(dim=-1) + shift + start
        half = 0.5 * scale * (boxes[:, 2:] - boxes[:, :2])
        return torch.cat((centre - half, centre + half), dim=1)

    return move
