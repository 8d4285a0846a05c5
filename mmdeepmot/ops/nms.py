"""Greedy non-maximum suppression in plain PyTorch, on any device.

Boxes are taken in blocks of descending score: within a block a sweep over the rows of its IoU
matrix decides who stays, then those who stay suppress all later boxes at once. The blocks bound
the memory (block x N), and the sweep is one NumPy operation per surviving box.
"""

import numpy as np
import torch
from torch import Tensor

BLOCK = 512


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
    order = scores.argsort(descending=True, stable=True)
    boxes = boxes[order]
    alive = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    for first in range(0, len(boxes), BLOCK):
        last = min(first + BLOCK, len(boxes))
        block = boxes[first:last]
        overlaps = (_iou(block, block, offset) > iou_threshold).cpu().numpy()
        keep = _sweep(overlaps, alive[first:last].cpu().numpy())
        alive[first:last] = torch.from_numpy(keep).to(alive.device)
        if last < len(boxes):
            kept = block[alive[first:last]]
            alive[last:] &= ~(_iou(kept, boxes[last:], offset) > iou_threshold).any(dim=0)
    return order[alive]


def _iou(left: Tensor, right: Tensor, offset: int) -> Tensor:
    """IoU (M, N) of boxes (M, 4) and (N, 4), xyxy; NaN where both are empty."""
    corner = torch.maximum(left[:, None, :2], right[:, :2])
    extent = (torch.minimum(left[:, None, 2:], right[:, 2:]) - corner + offset).clamp_(min=0)
    inter = extent[..., 0] * extent[..., 1]
    return inter / (_area(left, offset)[:, None] + _area(right, offset) - inter)


def _area(boxes: Tensor, offset: int) -> Tensor:
    """Areas (N,) of boxes (N, 4) xyxy."""
    return (boxes[:, 2] - boxes[:, 0] + offset) * (boxes[:, 3] - boxes[:, 1] + offset)


def _sweep(overlaps: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Greedy choice within one block.

    Args:
        overlaps: (B, B) bool, who overlaps whom too much, by descending score.
        alive: (B,) bool, who was not suppressed by an earlier block.

    Returns:
        (B,) bool, who stays.
    """
    keep = alive.copy()
    for row in range(len(keep)):
        if keep[row]:
            keep[row + 1 :] &= ~overlaps[row, row + 1 :]
    return keep
