"""Box deltas of Faster R-CNN (Ren et al., NIPS 2015, Eq. 2), which JDE uses without a sigmoid.

``dx = (x - xa) / wa``, ``dy = (y - ya) / ha``, ``dw = log(w / wa)``, ``dh = log(h / ha)``, with
(x, y) the centre; boxes are xyxy px, ``width = right - left``.
"""

import math

import torch
from torch import Tensor

MAX_LOG_RATIO = math.log(1000 / 16)
"""Bound of ``|dw|`` and ``|dh|`` when decoding, so that an untrained network gives finite boxes."""


def _centre_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    size = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + 0.5 * size, size


def encode_boxes(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Deltas ``(..., 4)`` that turn ``anchors`` ``(..., 4)`` xyxy into ``boxes`` ``(..., 4)`` xyxy.

    Both need positive width and height.
    """
    anchor_centre, anchor_size = _centre_size(anchors)
    centre, size = _centre_size(boxes)
    return torch.cat(((centre - anchor_centre) / anchor_size, (size / anchor_size).log()), dim=-1)


def decode_boxes(anchors: Tensor, deltas: Tensor) -> Tensor:
    """Boxes ``(..., 4)`` xyxy px of ``deltas`` ``(..., 4)`` at ``anchors`` ``(..., 4)`` xyxy px."""
    anchor_centre, anchor_size = _centre_size(anchors)
    centre = anchor_centre + deltas[..., :2] * anchor_size
    half = 0.5 * anchor_size * deltas[..., 2:].clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp()
    return torch.cat((centre - half, centre + half), dim=-1)
