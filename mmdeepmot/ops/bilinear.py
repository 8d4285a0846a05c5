"""Bilinear sampling of single points: the part that RoIAlign and DCN share."""

import torch.nn.functional as F
from torch import Tensor, stack, where


def corners(y: Tensor, x: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The four pixels around each point and how much of each the point takes.

    Pixels outside the image count as zero. At integer coordinates, where the derivative jumps, it
    is mmcv's: that from the right, but zero at exactly -1, which counts as outside (so do kernel
    points over the padding when the offsets are zero; torchvision takes the right one there too).

    Args:
        y: (...) row coordinates, px, pixel centres at integers.
        x: (...) column coordinates, px.
        size: (height, width) of the image, px.

    Returns:
        ``index (..., 4)`` int64, row * width + column (0 where outside), and ``weight (..., 4)``,
        differentiable in ``y`` and ``x`` (0 where outside; NaN for a NaN coordinate).
    """
    height, width = size
    top, left = y.detach().floor(), x.detach().floor()
    down, right = y - top, x - left
    near = (y > -1) & (x > -1)
    indices, weights = [], []
    for row, row_weight in ((top, 1 - down), (top + 1, down)):
        for column, column_weight in ((left, 1 - right), (left + 1, right)):
            inside = near & (row >= 0) & (row < height) & (column >= 0) & (column < width)
            indices.append(where(inside, row * width + column, 0).long())
            weights.append(row_weight * column_weight * inside)
    return stack(indices, -1), stack(weights, -1)


def weighted_rows(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Weighted sums of rows of a table, without materialising the rows.

    Args:
        table: (R, C) rows.
        index: (B, J) int64, the J rows of each sum.
        weight: (B, J) their weights.

    Returns:
        (B, C), differentiable in ``table`` and ``weight``.
    """
    return F.embedding_bag(index, table, mode="sum", per_sample_weights=weight)
