"""Scores of tracking results with several classes: each by itself, and all of them together."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.functional.sequence import GtRole, TrackingSequence
from mmdeepmot.evaluation.scoring import METRICS, Evaluator, Scorer, SequenceScores, score_all
from mmdeepmot.evaluation.table import MEAN, OVERALL, ScoreTable


@dataclass(frozen=True, slots=True)
class TrackingScores:
    """Scores of sequences with objects of several classes.

    Attributes:
        sequences: A row a sequence, all classes together, and OVERALL.
        classes: A row a class, all sequences together; MEAN over the classes; and OVERALL, the same
            as of ``sequences``: counts are added up, so that every box weighs the same.
    """

    sequences: ScoreTable
    classes: ScoreTable


def evaluate_classes(
    sequences: Iterable[TrackingSequence],
    classes: Sequence[str],
    metrics: Sequence[str] = METRICS,
    evaluator: Evaluator = "motmetrics",
    iou_threshold: float = 0.5,
) -> TrackingScores:
    """Scores each class by itself: a result can only match ground truth of its class.

    A trajectory that changes its class is lost for the first and new to the second.

    Args:
        sequences: With ``gt_labels`` and ``pred_labels``.
        classes: Names of the classes, by label.
        metrics: As of :func:`evaluate_tracking`, as are the others.
        evaluator: Likewise.
        iou_threshold: Likewise.

    Raises:
        InputError: As of :func:`evaluate_tracking`; or a label that is no class.
        ValueError: A sequence has no labels.
    """
    how = Scorer(tuple(metrics), evaluator, iou_threshold)
    names = list(classes)

    def split(sequence: TrackingSequence) -> list[TrackingSequence]:
        _check_labels(sequence, names)
        return [sequence.of_class(label) for label in range(len(names))]

    scored = score_all(sequences, split, how)
    by_sequence = {name: SequenceScores.total(parts) for name, parts in scored.parts.items()}
    whole = how.table(by_sequence, scored.notes())
    columns = zip(*scored.parts.values(), strict=True)
    totals = [SequenceScores.total(parts) for parts in columns]
    rows = {
        name: {key: value for key, value in total.row().items() if key in whole.columns}
        for name, total in zip(names, totals, strict=True)
    }
    there = [rows[name] for name, total in zip(names, totals, strict=True) if total.boxes]
    rows[MEAN] = {
        key: _mean([row[key] for row in there]) if digits else math.nan
        for key, digits in whole.columns.items()
    }
    rows[OVERALL] = whole.overall
    note = f"{MEAN}: of the {len(there)} classes that occur; {OVERALL}: counts added up."
    return TrackingScores(
        whole, ScoreTable(whole.caption, whole.columns, rows, (note,), rows_are="Class")
    )


def _mean(values: Sequence[float]) -> float:
    """Of the values that are defined; NaN if none is."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _check_labels(sequence: TrackingSequence, names: Sequence[str]) -> None:
    counted = sequence.gt_roles == GtRole.COUNTED
    for side, labels in (
        ("ground truth", None if sequence.gt_labels is None else sequence.gt_labels[counted]),
        ("results", sequence.pred_labels),
    ):
        if (
            labels is not None
            and len(labels)
            and not 0 <= labels.min() <= labels.max() < len(names)
        ):
            raise InputError(
                f"sequence {sequence.name}: the {side} have labels from {labels.min()} to "
                f"{labels.max()}, and there are {len(names)} classes: {', '.join(names)}"
            )
