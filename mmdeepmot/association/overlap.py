"""Which boxes overlap, without a matrix: the candidates of an association."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.structures.boxes import box_area, iou_matrix

Floats = NDArray[np.floating]
Candidates = tuple[NDArray[np.intp], NDArray[np.intp], Floats]

#: Up to this many pairs a matrix of all is faster than a sweep.
_FEW = 2500


def overlapping(a: Floats, b: Floats) -> Candidates:
    """All pairs of boxes that overlap, and by how much.

    Many boxes are swept along x: each meets only those whose left side lies within reach, so that a
    scene that grows sideways costs ``n log n`` and not ``n^2``.

    Args:
        a: ``(N, 4)`` xyxy px.
        b: ``(M, 4)`` xyxy px.

    Returns:
        rows ``(K,)`` ascending, columns ``(K,)`` ascending within a row, IoU ``(K,)`` > 0.
    """
    if len(a) * len(b) > _FEW:
        rows, columns = _within_reach(a, b)
    else:
        matrix = iou_matrix(a, b)
        rows, columns = matrix.nonzero()
        return rows, columns, matrix[rows, columns]
    first, second = a[rows], b[columns]
    size = np.minimum(first[:, 2:], second[:, 2:])
    size -= np.maximum(first[:, :2], second[:, :2])
    np.maximum(size, 0, out=size)
    overlap = size[:, 0] * size[:, 1]
    meet = overlap.nonzero()[0]
    rows, columns, overlap = rows[meet], columns[meet], overlap[meet]
    order = (rows * len(b) + columns).argsort()
    rows, columns, overlap = rows[order], columns[order], overlap[order]
    union = box_area(a)[rows] + box_area(b)[columns] - overlap
    return rows, columns, overlap / union


def _within_reach(a: Floats, b: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs whose intervals in x can meet: rows (K,) ascending, columns (K,)."""
    order = b[:, 0].argsort()
    left = b[order, 0]
    reach = (b[:, 2] - b[:, 0]).max()
    first = left.searchsorted(a[:, 0] - reach, side="right")
    count = np.maximum(left.searchsorted(a[:, 2]) - first, 0)
    rows = np.arange(len(a)).repeat(count)
    begin = first + count - count.cumsum()  # of a row, less where its pairs begin
    return rows, order[np.arange(rows.size) + begin.repeat(count)]
