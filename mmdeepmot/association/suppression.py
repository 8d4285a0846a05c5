"""Suppression of overlapping boxes, vectorised."""

import numpy as np
from numpy.typing import NDArray

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
    if not len(bboxes) or not len(others):
        return np.zeros(len(bboxes), dtype=bool)
    return np.any(iou_matrix(bboxes, others) > threshold, axis=1)


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
        max_distance: Bound on ``1 - IoU``.

    Returns:
        Duplicates in the first group ``(N,)`` and in the second ``(M,)``, bool.
    """
    close = 1 - iou_matrix(bboxes, others) < max_distance
    older = ages[:, None] > other_ages
    return np.any(close & ~older, axis=1), np.any(close & older, axis=0)
