"""Greedy non-maximum suppression in plain PyTorch, on any device.

Boxes are taken in blocks of descending score: within a block a sweep over the rows of its IoU
matrix decides who stays, then those who stay suppress all later boxes at once. The blocks bound
the memory (block x N), and the sweep is one NumPy operation per surviving box.
"""

import numpy as np
import torch
from torch import Tensor

BLOCK = 256


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Indices of the boxes that no better box overlaps by more than the threshold.

    Equal scores keep their order. The IoU is computed as mmcv does, in the precision of ``boxes``.

    Args:
        boxes: (N, 4) xyxy, px.
        scores: (N,).
        iou_threshold: A box is dropped if its IoU with a better one exceeds this.
        offset: 1 if widths are ``x2 - x1 + 1`` (the convention of integer boxes), else 0.

    Returns:
        (K,) int64 indices by descending score, on the device of ``boxes``.
    """
    left = scores.argsort(descending=True, stable=True)
    kept = []
    while len(left):
        block, left = left[:BLOCK], left[BLOCK:]
        overlaps = _iou(boxes[block], boxes[block], offset) > iou_threshold
        block = block[torch.from_numpy(_sweep(overlaps.cpu().numpy())).to(block.device)]
        kept.append(block)
        overlaps = _iou(boxes[block], boxes[left], offset) > iou_threshold
        left = left[~overlaps.any(dim=0)]
    return torch.cat(kept) if kept else left


def _iou(left: Tensor, right: Tensor, offset: int) -> Tensor:
    """IoU (M, N) of boxes (M, 4) and (N, 4), xyxy; NaN where both are empty."""
    inter = _extent(left, right, 0, offset).mul_(_extent(left, right, 1, offset))
    union = (_area(left, offset)[:, None] + _area(right, offset)).sub_(inter)
    return inter.div_(union)


def _extent(left: Tensor, right: Tensor, axis: int, offset: int) -> Tensor:
    """Length (M, N) of the intersections of boxes (M, 4) and (N, 4) along x (0) or y (1)."""
    first = torch.maximum(left[:, axis, None], right[:, axis])
    last = torch.minimum(left[:, axis + 2, None], right[:, axis + 2])
    return last.sub_(first).add_(offset).clamp_(min=0)


def _area(boxes: Tensor, offset: int) -> Tensor:
    """Areas (N,) of boxes (N, 4) xyxy."""
    return (boxes[:, 2] - boxes[:, 0] + offset) * (boxes[:, 3] - boxes[:, 1] + offset)


def _sweep(overlaps: np.ndarray) -> np.ndarray:
    """Greedy choice within one block.

    Args:
        overlaps: (B, B) bool, who overlaps whom too much, by descending score.

    Returns:
        (B,) bool, who stays.
    """
    keep = np.ones(len(overlaps), dtype=bool)
    for row in range(len(keep)):
        if keep[row]:
            keep[row + 1 :] &= ~overlaps[row, row + 1 :]
    return keep
