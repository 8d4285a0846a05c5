"""Metrics as pure functions on arrays in memory: no files, no prints, no torch."""

from mmdeepmot.evaluation.functional.ap import (
    AreaPrecision,
    DetectionImage,
    DetectionScores,
    average_precision,
    average_precision_by_area,
)
from mmdeepmot.evaluation.functional.areas import FAIRMOT_LIMITS, SIZES, AreaLimits
from mmdeepmot.evaluation.functional.assignment import (
    ASSIGNMENT_SCORES,
    assignment_scores,
    discretize_rows,
)
from mmdeepmot.evaluation.functional.by_motmetrics import count_by_motmetrics, switch_areas
from mmdeepmot.evaluation.functional.by_trackeval import (
    combine_hota,
    count_by_trackeval,
    hota_parts,
    hota_rates,
)
from mmdeepmot.evaluation.functional.counts import ClearCounts, IdentityCounts
from mmdeepmot.evaluation.functional.preprocess import (
    ScoringFrames,
    matched_to_ignored,
    scoring_frames,
)
from mmdeepmot.evaluation.functional.sequence import GtRole, TrackingSequence
from mmdeepmot.evaluation.functional.tpr_far import VerificationScores, tpr_at_far, tpr_by_area

__all__ = [
    "ASSIGNMENT_SCORES",
    "FAIRMOT_LIMITS",
    "SIZES",
    "AreaLimits",
    "AreaPrecision",
    "ClearCounts",
    "DetectionImage",
    "DetectionScores",
    "GtRole",
    "IdentityCounts",
    "ScoringFrames",
    "TrackingSequence",
    "VerificationScores",
    "assignment_scores",
    "average_precision",
    "average_precision_by_area",
    "combine_hota",
    "count_by_motmetrics",
    "count_by_trackeval",
    "discretize_rows",
    "hota_parts",
    "hota_rates",
    "matched_to_ignored",
    "scoring_frames",
    "switch_areas",
    "tpr_at_far",
    "tpr_by_area",
]
