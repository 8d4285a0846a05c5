"""Which boxes overlap, without a matrix: the candidates of an association."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.structures.boxes import box_area, iou_matrix
from mmdeepmot.structures.sweep import meeting_intervals

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
        rows, columns = meeting_intervals(a[:, 0], a[:, 2], b[:, 0], b[:, 2])
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
