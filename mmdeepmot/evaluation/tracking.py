"""Scores of tracking results: sequences in, table out. No files, no torch."""

from collections.abc import Iterable, Sequence

from mmdeepmot.evaluation.functional.sequence import TrackingSequence
from mmdeepmot.evaluation.scoring import (
    EVALUATORS,
    METRICS,
    Evaluator,
    Scorer,
    check_tracking_options,
    score_all,
    tracking_caption,
)
from mmdeepmot.evaluation.table import ScoreTable

__all__ = [
    "EVALUATORS",
    "METRICS",
    "Evaluator",
    "check_tracking_options",
    "evaluate_tracking",
    "tracking_caption",
]


def evaluate_tracking(
    sequences: Iterable[TrackingSequence],
    metrics: Sequence[str] = METRICS,
    evaluator: Evaluator = "motmetrics",
    iou_threshold: float = 0.5,
) -> ScoreTable:
    """Scores sequences one by one and together; classes are not told apart.

    Args:
        sequences: Ground truth and results. Those without a counted box are left out and named in
            the table's notes.
        metrics: Some of 'CLEAR', 'Identity', 'HOTA' (HOTA always by trackeval).
        evaluator: 'motmetrics' (the papers' convention) or 'trackeval' (the benchmark server's)
            for CLEAR and Identity. They disagree on identity switches after gaps and on MT at
            exactly 80%.
        iou_threshold: Least overlap of a match (CLEAR and Identity).

    Returns:
        A row for each sequence, in the order given, and OVERALL (counts added up over sequences,
        rates made of the sums). Columns: MOTA, IDF1, HOTA, DetA, AssA, MOTP (mean IoU of the
        matches), IDs, FP, FN, Frag, MT, PT, ML, Prec, Rec, IDP, IDR, GT (boxes), Tracks (of the
        ground truth). Rates in percent, NaN where undefined (MOTP without a match).

    Raises:
        InputError: No sequence has ground truth, two have the same name, or a wrong option.
        ImportError: A library is missing.
    """
    how = Scorer(tuple(metrics), evaluator, iou_threshold)
    scored = score_all(sequences, lambda sequence: [sequence], how)
    return how.table({name: parts[0] for name, parts in scored.parts.items()}, scored.notes())
