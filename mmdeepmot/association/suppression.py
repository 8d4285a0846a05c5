"""Suppression of overlapping boxes, vectorised."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.overlap import overlapping
from mmdeepmot.structures.boxes import iou_matrix

Floats = NDArray[np.floating]


def greedy_nms(bboxes: Floats, scores: Floats, threshold: float) -> NDArray[np.bool_]:
    """Greedy non-maximum suppression: which boxes stay.

    A box goes if it overlaps a box that stays and scores higher (on equal scores: comes first) by
    more than ``threshold``. Solved as the fixed point of that sentence: every round settles at
    least one more box in the order of scores, usually all within three or four rounds.

    Args:
        bboxes: ``(N, 4)`` xyxy px.
        scores: ``(N,)``.
        threshold: IoU above which the lower score goes.

    Returns:
        ``(N,)`` bool.
    """
    order = np.argsort(-scores, kind="stable")
    conflict = np.tril(iou_matrix(bboxes[order], bboxes[order]) > threshold, -1)
    keep = np.ones(len(bboxes), dtype=bool)
    while True:
        settled = ~np.any(conflict & keep, axis=1)
        if (settled == keep).all():
            break
        keep = settled
    out = np.empty_like(keep)
    out[order] = keep
    return out


def covered(bboxes: Floats, others: Floats, threshold: float) -> NDArray[np.bool_]:
    """``(N,)``: which of ``bboxes (N, 4)`` overlap any of ``others (M, 4)`` by more than
    ``threshold`` (IoU)."""
    hit = np.zeros(len(bboxes), dtype=bool)
    if len(bboxes) and len(others):
        rows, _, overlap = overlapping(bboxes, others)
        hit[rows[overlap > threshold]] = True
    return hit


def duplicates(
    bboxes: Floats, ages: NDArray, others: Floats, other_ages: NDArray, max_distance: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which tracks of two groups are duplicates of an older one in the other group.

    Of two tracks whose IoU distance is below ``max_distance`` the younger goes; of two of equal
    age the one in the first group (published JDE code).

    Args:
        bboxes: ``(N, 4)`` xyxy px.
        ages: ``(N,)`` frames that each has lived.
        others: ``(M, 4)`` xyxy px.
        other_ages: ``(M,)``.
        max_distance: Bound on ``1 - IoU``, at most 1.

    Returns:
        Duplicates in the first group ``(N,)`` and in the second ``(M,)``, bool.
    """
    first, second = np.zeros(len(bboxes), dtype=bool), np.zeros(len(others), dtype=bool)
    if len(bboxes) and len(others):
        rows, columns, overlap = overlapping(bboxes, others)
        close = 1 - overlap < max_distance
        rows, columns = rows[close], columns[close]
        older = ages[rows] > other_ages[columns]
        first[rows[~older]] = True
        second[columns[older]] = True
    return first, second
