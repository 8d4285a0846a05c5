"""From a sequence to frames ready for scoring: results on ignored boxes removed, overlaps taken.

The rule is MOTChallenge's from MOT16 on (https://arxiv.org/abs/1603.00831), in the form of its
present server (trackeval's ``MotChallenge2DBox``): in each frame results are matched one to one
with *all* boxes of the ground truth (Hungarian algorithm, IoU >= 0.5, the sum of overlaps
maximal); a result matched to an ignored box is removed. Then all boxes but the counted ones are
dropped.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mmdeepmot.evaluation.functional.sequence import Floats, GtRole, Ints, TrackingSequence
from mmdeepmot.structures.boxes import box_area, iou_matrix

IGNORE_IOU = 0.5
"""Overlap from which a result can be matched to an ignored box (fixed by the benchmark)."""

EPS = float(np.finfo(np.float64).eps)
"""Slack of the thresholds, so that an overlap of exactly the threshold is a match."""


@dataclass(slots=True)
class ScoringFrames:
    """Frames of one sequence as the metrics take them. Identities are numbered from 0 without gaps.

    Attributes:
        name: Name of the sequence.
        gt_ids: For each frame ``(G_t,)``: the counted objects.
        pred_ids: For each frame ``(P_t,)``: the results that remain.
        overlaps: For each frame ``(G_t, P_t)`` IoU.
        gt_areas: For each frame ``(G_t,)`` px^2 of the counted objects' boxes.
        num_gt_ids: Identities of the ground truth.
        num_pred_ids: Identities of the results.
        num_removed: Results that were taken out because they lie on ignored boxes.
    """

    name: str
    gt_ids: list[Ints]
    pred_ids: list[Ints]
    overlaps: list[Floats]
    gt_areas: list[Floats]
    num_gt_ids: int
    num_pred_ids: int
    num_removed: int

    @property
    def num_gt(self) -> int:
        """Boxes of the ground truth."""
        return sum(map(len, self.gt_ids))

    @property
    def num_pred(self) -> int:
        """Boxes of the results."""
        return sum(map(len, self.pred_ids))


def matched_to_ignored(overlaps: NDArray[np.floating], roles: Ints) -> NDArray[np.bool_]:
    """Which results of one frame lie on ignored boxes.

    Args:
        overlaps: ``(G, P)`` IoU of all boxes of the ground truth with all results.
        roles: ``(G,)`` :class:`GtRole`.

    Returns:
        ``(P,)`` true for results whose partner in the best matching is an ignored box.
    """
    out = np.zeros(overlaps.shape[1], dtype=bool)
    ignored = roles == GtRole.IGNORED
    if not (overlaps[ignored] >= IGNORE_IOU - EPS).any():
        return out
    scores = np.where(overlaps >= IGNORE_IOU - EPS, overlaps, 0.0)
    rows, cols = linear_sum_assignment(scores, maximize=True)
    out[cols[(scores[rows, cols] > 0) & ignored[rows]]] = True
    return out


def _split(frames: Ints, all_frames: Ints) -> tuple[Ints, list[slice]]:
    """An order of the rows, and for each of ``all_frames`` its slice of the rows so ordered."""
    order = np.argsort(frames, kind="stable")
    ordered = frames[order]
    starts = np.searchsorted(ordered, all_frames, side="left").tolist()
    ends = np.searchsorted(ordered, all_frames, side="right").tolist()
    return order, [slice(start, end) for start, end in zip(starts, ends, strict=True)]


def _renumber(parts: list[Ints]) -> tuple[list[Ints], int]:
    """Identities to 0..n-1 in the order of their values, frame by frame; and n."""
    if not parts:
        return [], 0
    values, numbers = np.unique(np.concatenate(parts), return_inverse=True)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    return np.split(numbers.astype(np.int64), ends), len(values)


def scoring_frames(sequence: TrackingSequence) -> ScoringFrames:
    """Applies the rule for ignored boxes and computes the overlaps that every metric needs."""
    all_frames = np.union1d(sequence.gt_frames, sequence.pred_frames)
    gt_order, gt_slices = _split(sequence.gt_frames, all_frames)
    pred_order, pred_slices = _split(sequence.pred_frames, all_frames)
    gt_ids, gt_roles = sequence.gt_ids[gt_order], sequence.gt_roles[gt_order]
    gt_bboxes = sequence.gt_bboxes[gt_order].astype(np.float64, copy=False)
    pred_ids = sequence.pred_ids[pred_order]
    pred_bboxes = sequence.pred_bboxes[pred_order].astype(np.float64, copy=False)
    gt_parts, pred_parts, overlap_parts, area_parts, removed = [], [], [], [], 0
    for gt, pred in zip(gt_slices, pred_slices, strict=True):
        overlaps = iou_matrix(gt_bboxes[gt], pred_bboxes[pred])
        drop = matched_to_ignored(overlaps, gt_roles[gt])
        counted = gt_roles[gt] == GtRole.COUNTED
        removed += int(np.count_nonzero(drop))
        gt_parts.append(gt_ids[gt][counted])
        pred_parts.append(pred_ids[pred][~drop])
        overlap_parts.append(overlaps[np.ix_(counted, ~drop)].astype(np.float64, copy=False))
        areas = box_area(gt_bboxes[gt][counted])
        area_parts.append(areas.astype(np.float64, copy=False))
    gt_numbers, num_gt_ids = _renumber(gt_parts)
    pred_numbers, num_pred_ids = _renumber(pred_parts)
    return ScoringFrames(
        name=sequence.name,
        gt_ids=gt_numbers,
        pred_ids=pred_numbers,
        overlaps=overlap_parts,
        gt_areas=area_parts,
        num_gt_ids=num_gt_ids,
        num_pred_ids=num_pred_ids,
        num_removed=removed,
    )
