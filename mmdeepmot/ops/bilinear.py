"""Bilinear sampling of single points: the part that RoIAlign and DCN share."""

import torch.nn.functional as F
from torch import Tensor, stack, where


def corners(y: Tensor, x: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The four pixels around each point and how much of each the point takes.

    Pixels outside the image count as zero. A point on an integer coordinate belongs to the cell
    that begins there, so derivatives at integers are those from the right, as in mmcv.

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
    indices, weights = [], []
    for row, row_weight in ((top, 1 - down), (top + 1, down)):
        for column, column_weight in ((left, 1 - right), (left + 1, right)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
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
