"""CLEAR MOT, identity and HOTA counts by trackeval: the rules of the benchmark's server.

Matches of the frame before (and only these) are kept first; a trajectory is mostly tracked above
80%.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmdeepmot.evaluation.functional.counts import ClearCounts, IdentityCounts
from mmdeepmot.evaluation.functional.preprocess import ScoringFrames

HotaParts = Mapping[str, Any]
"""trackeval's results of HOTA: arrays over its 19 thresholds of localisation."""


def _data(frames: ScoringFrames) -> dict[str, Any]:
    return {
        "num_timesteps": len(frames.overlaps),
        "num_gt_ids": frames.num_gt_ids,
        "num_tracker_ids": frames.num_pred_ids,
        "num_gt_dets": frames.num_gt,
        "num_tracker_dets": frames.num_pred,
        "gt_ids": frames.gt_ids,
        "tracker_ids": frames.pred_ids,
        "similarity_scores": frames.overlaps,
    }


def count_by_trackeval(
    frames: ScoringFrames, iou_threshold: float = 0.5, *, clear: bool = True, identity: bool = True
) -> tuple[ClearCounts, IdentityCounts]:
    """Counts of one sequence; arguments as of
    :func:`~mmdeepmot.evaluation.functional.by_motmetrics.count_by_motmetrics`."""
    from trackeval.metrics import CLEAR, Identity

    config = {"THRESHOLD": iou_threshold, "PRINT_CONFIG": False}
    counts, identities = ClearCounts(), IdentityCounts()
    if clear:
        values = CLEAR(dict(config)).eval_sequence(_data(frames))
        counts = ClearCounts(
            matches=int(values["CLR_TP"]),
            misses=int(values["CLR_FN"]),
            false_positives=int(values["CLR_FP"]),
            switches=int(values["IDSW"]),
            overlap=float(values["MOTP_sum"]),
            mostly_tracked=int(values["MT"]),
            partly_tracked=int(values["PT"]),
            mostly_lost=int(values["ML"]),
            fragments=int(values["Frag"]),
        )
    if identity:
        values = Identity(dict(config)).eval_sequence(_data(frames))
        identities = IdentityCounts(*(int(values[name]) for name in ("IDTP", "IDFP", "IDFN")))
    return counts, identities


def hota_parts(frames: ScoringFrames) -> HotaParts:
    """HOTA of one sequence (Luiten et al. 2020), over thresholds 0.05, 0.10, ..., 0.95."""
    from trackeval.metrics import HOTA

    return HOTA().eval_sequence(_data(frames))


def combine_hota(parts: Sequence[HotaParts]) -> HotaParts:
    """HOTA of several sequences together: counts add up, association weighs by true positives."""
    from trackeval.metrics import HOTA

    return HOTA().combine_sequences(dict(enumerate(parts)))


def hota_rates(parts: HotaParts) -> dict[str, float]:
    """HOTA, DetA and AssA in percent, each the mean over the thresholds."""
    return {name: 100.0 * float(np.mean(parts[name])) for name in ("HOTA", "DetA", "AssA")}
