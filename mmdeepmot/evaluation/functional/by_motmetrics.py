"""CLEAR MOT and identity counts by py-motmetrics: the convention of the papers.

An object keeps its last partner for ever: found again by it after any gap, it is matched to it
first; found by another, it counts as switched. A trajectory is mostly tracked from 80% on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.evaluation.functional.counts import ClearCounts, IdentityCounts
from mmdeepmot.evaluation.functional.preprocess import EPS, ScoringFrames

_CLEAR = (
    "num_detections",
    "num_misses",
    "num_false_positives",
    "num_switches",
    "motp",
    "mostly_tracked",
    "partially_tracked",
    "mostly_lost",
    "num_fragmentations",
)
_IDENTITY = ("idtp", "idfp", "idfn")


def count_by_motmetrics(
    frames: ScoringFrames, iou_threshold: float = 0.5, *, clear: bool = True, identity: bool = True
) -> tuple[ClearCounts, IdentityCounts]:
    """Counts of one sequence.

    Args:
        frames: From :func:`~mmdeepmot.evaluation.functional.preprocess.scoring_frames`.
        iou_threshold: Least overlap of a match.
        clear: Whether to count for CLEAR MOT (else zeros).
        identity: Whether to count for the identity metrics (else zeros).
    """
    import motmetrics

    if frames.num_pred == 0:  # the library's sums over no result are NaN
        lost = ClearCounts(misses=frames.num_gt, mostly_lost=frames.num_gt_ids)
        return lost, IdentityCounts(idfn=frames.num_gt)
    if frames.num_gt == 0:  # a class that is not there
        wrong = ClearCounts(false_positives=frames.num_pred)
        return wrong, IdentityCounts(idfp=frames.num_pred)
    accumulator = _accumulate(frames, iou_threshold)
    with motmetrics.lap.set_default_solver("scipy"):
        values = motmetrics.metrics.create().compute(
            accumulator,
            metrics=[*(_CLEAR if clear else ()), *(_IDENTITY if identity else ())],
            return_dataframe=False,
        )
    counts, identities = ClearCounts(), IdentityCounts()
    if clear:
        matches = int(values["num_detections"])
        counts = ClearCounts(
            matches=matches,
            misses=int(values["num_misses"]),
            false_positives=int(values["num_false_positives"]),
            switches=int(values["num_switches"]),
            overlap=matches * (1.0 - float(values["motp"])) if matches else 0.0,
            mostly_tracked=int(values["mostly_tracked"]),
            partly_tracked=int(values["partially_tracked"]),
            mostly_lost=int(values["mostly_lost"]),
            fragments=int(values["num_fragmentations"]),
        )
    if identity:
        identities = IdentityCounts(*(round(values[name]) for name in _IDENTITY))
    return counts, identities


def switch_areas(frames: ScoringFrames, iou_threshold: float = 0.5) -> NDArray[np.float64]:
    """Areas ``(S,)`` px^2 of the boxes of the ground truth at whose frames an identity switches.

    As many as :func:`count_by_motmetrics` counts switches. The box is the object's in the frame in
    which it is found by another identity for the first time, not in the one where it was lost.
    """
    events = _accumulate(frames, iou_threshold).mot_events.reset_index()
    switches = events[events["Type"] == "SWITCH"]
    areas = [
        frames.gt_areas[frame][frames.gt_ids[frame] == identity].item()
        for frame, identity in zip(
            switches["FrameId"].tolist(), switches["OId"].astype(int).tolist(), strict=True
        )
    ]
    return np.array(areas, dtype=np.float64)


def _accumulate(frames: ScoringFrames, iou_threshold: float) -> Any:
    """The library's accumulator of what happened in every frame (numbered from 0)."""
    import motmetrics

    accumulator = motmetrics.MOTAccumulator()
    with motmetrics.lap.set_default_solver("scipy"):
        for index, overlaps in enumerate(frames.overlaps):
            distances = np.where(overlaps >= iou_threshold - EPS, 1.0 - overlaps, np.nan)
            accumulator.update(
                frames.gt_ids[index], frames.pred_ids[index], distances, frameid=index
            )
    return accumulator
