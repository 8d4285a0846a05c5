"""Counts of sequences, and tables made of them: what scores of any kind are put together from."""

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mmdeepmot.errors import InputError, MissingPackageError
from mmdeepmot.evaluation.functional.by_motmetrics import count_by_motmetrics
from mmdeepmot.evaluation.functional.by_trackeval import (
    HotaParts,
    combine_hota,
    count_by_trackeval,
    hota_parts,
    hota_rates,
)
from mmdeepmot.evaluation.functional.counts import ClearCounts, IdentityCounts
from mmdeepmot.evaluation.functional.preprocess import ScoringFrames, scoring_frames
from mmdeepmot.evaluation.functional.sequence import TrackingSequence
from mmdeepmot.evaluation.table import OVERALL, ScoreTable

Evaluator = Literal["motmetrics", "trackeval"]

METRICS = ("CLEAR", "Identity", "HOTA")
EVALUATORS = ("motmetrics", "trackeval")

_COUNTERS = {"motmetrics": count_by_motmetrics, "trackeval": count_by_trackeval}
_COLUMNS = {
    "MOTA": ("CLEAR", 2),
    "IDF1": ("Identity", 2),
    "HOTA": ("HOTA", 2),
    "DetA": ("HOTA", 2),
    "AssA": ("HOTA", 2),
    "MOTP": ("CLEAR", 2),
    "IDs": ("CLEAR", 0),
    "FP": ("CLEAR", 0),
    "FN": ("CLEAR", 0),
    "Frag": ("CLEAR", 0),
    "MT": ("CLEAR", 0),
    "PT": ("CLEAR", 0),
    "ML": ("CLEAR", 0),
    "Prec": ("CLEAR", 2),
    "Rec": ("CLEAR", 2),
    "IDP": ("Identity", 2),
    "IDR": ("Identity", 2),
    "GT": ("CLEAR", 0),
    "Tracks": ("CLEAR", 0),
}


@dataclass(slots=True)
class SequenceScores:
    """Counts of a sequence, of a class of it, or of several.

    Attributes:
        clear: For CLEAR MOT.
        identity: For the identity metrics.
        hota: For HOTA; None: not asked for.
        boxes: Counted boxes of the ground truth and results, together.
    """

    clear: ClearCounts
    identity: IdentityCounts
    hota: HotaParts | None
    boxes: int

    def row(self) -> dict[str, float]:
        """Every column's value; rates in percent."""
        hota = {} if self.hota is None else hota_rates(self.hota)
        return {**self.clear.rates(), **self.identity.rates(), **hota}

    @classmethod
    def total(cls, parts: Sequence["SequenceScores"]) -> "SequenceScores":
        """Counts of all parts added up; association by HOTA weighed by true positives."""
        hota = [one.hota for one in parts if one.hota is not None]
        return cls(
            sum((one.clear for one in parts), ClearCounts()),
            sum((one.identity for one in parts), IdentityCounts()),
            combine_hota(hota) if hota else None,
            sum(one.boxes for one in parts),
        )


def check_tracking_options(
    metrics: Sequence[str] = METRICS, evaluator: str = "motmetrics", iou_threshold: float = 0.5
) -> None:
    """Finds a wrong option or a missing library before any work is done.

    Raises:
        InputError: An unknown metric or evaluator, no metric, or a threshold outside (0, 1].
        MissingPackageError: The library of the evaluator (or of HOTA) is not installed.
    """
    unknown = [name for name in metrics if name not in METRICS]
    if unknown or not metrics:
        raise InputError(f"metrics must be some of {METRICS}, got {tuple(metrics)}")
    if evaluator not in EVALUATORS:
        raise InputError(f"evaluator must be one of {EVALUATORS}, got {evaluator!r}")
    if not 0 < iou_threshold <= 1:
        raise InputError(f"iou_threshold must lie in (0, 1], got {iou_threshold}")
    needed = {evaluator} if set(metrics) - {"HOTA"} else set()
    if "HOTA" in metrics:
        needed.add("trackeval")
    for library in sorted(needed):
        if importlib.util.find_spec(library) is None:
            raise MissingPackageError(
                f"metrics {tuple(metrics)} with evaluator {evaluator!r} need the package "
                f"{library}, which is not installed: pip install {library}"
            )


def tracking_caption(metrics: Sequence[str], evaluator: str, iou_threshold: float) -> str:
    """Who counted, and under which conventions."""
    by_library: dict[str, list[str]] = {}
    for name in METRICS:
        if name in metrics:
            by_library.setdefault("trackeval" if name == "HOTA" else evaluator, []).append(name)
    counted = [name for name in ("CLEAR", "Identity") if name in metrics]
    parts = [f"{', '.join(names)} by {_version(lib)}" for lib, names in by_library.items()]
    text = "Tracking: " + "; ".join(parts) + "."
    if counted:
        text += f" Matches at IoU >= {iou_threshold:g}."
    if "CLEAR" in metrics:
        text += " MOTP: mean overlap (IoU) of matches."
    return text + " Rates in percent."


def _version(library: str) -> str:
    try:
        return f"{library} {importlib.metadata.version(library)}"
    except importlib.metadata.PackageNotFoundError:
        return library


@dataclass(frozen=True, slots=True)
class Scorer:
    """What is counted, by whom; checked when made."""

    metrics: tuple[str, ...]
    evaluator: Evaluator
    iou_threshold: float

    def __post_init__(self) -> None:
        check_tracking_options(self.metrics, self.evaluator, self.iou_threshold)

    def score(self, frames: ScoringFrames) -> SequenceScores:
        clear, identity = _COUNTERS[self.evaluator](
            frames,
            self.iou_threshold,
            clear="CLEAR" in self.metrics,
            identity="Identity" in self.metrics,
        )
        hota = hota_parts(frames) if "HOTA" in self.metrics else None
        return SequenceScores(clear, identity, hota, frames.num_gt + frames.num_pred)

    def table(self, scores: dict[str, SequenceScores], notes: tuple[str, ...]) -> ScoreTable:
        """A row for each of the scores, and OVERALL."""
        columns = {
            key: digits for key, (metric, digits) in _COLUMNS.items() if metric in self.metrics
        }
        every = {**scores, OVERALL: SequenceScores.total(list(scores.values()))}
        rows = {
            name: {key: row[key] for key in columns}
            for name, row in ((name, one.row()) for name, one in every.items())
        }
        caption = tracking_caption(self.metrics, self.evaluator, self.iou_threshold)
        return ScoreTable(caption, columns, rows, notes)


@dataclass(slots=True)
class Scored:
    """Scores of the parts of each sequence that has ground truth."""

    parts: dict[str, list[SequenceScores]] = field(default_factory=dict)
    without_gt: list[str] = field(default_factory=list)
    removed: int = 0

    def notes(self) -> tuple[str, ...]:
        return _notes(self.without_gt, self.removed)


def score_all(
    sequences: Iterable[TrackingSequence],
    split: Callable[[TrackingSequence], list[TrackingSequence]],
    how: Scorer,
) -> Scored:
    """Scores of the parts into which ``split`` divides each sequence."""
    scored = Scored()
    scores, without_gt = scored.parts, scored.without_gt
    for sequence in sequences:
        if sequence.name in scores or sequence.name in without_gt or sequence.name == OVERALL:
            raise InputError(
                f"each sequence needs a name of its own, other than {OVERALL}; got "
                f"{sequence.name!r} again"
            )
        if sequence.num_counted == 0:
            without_gt.append(sequence.name)
            continue
        parts = [scoring_frames(part) for part in split(sequence)]
        scored.removed += sum(part.num_removed for part in parts)
        scores[sequence.name] = [how.score(part) for part in parts]
    if not scores:
        raise InputError(
            "expected ground truth to score against, but none of "
            f"{len(without_gt)} sequences has a box that counts: {without_gt}"
        )
    return scored


def _notes(without_gt: list[str], removed: int) -> tuple[str, ...]:
    notes = []
    if removed:
        notes.append(f"{removed} results on ignored boxes (IoU >= 0.5) were removed first.")
    if without_gt:
        notes.append(
            f"{len(without_gt)} sequences without ground truth were left out: "
            + ", ".join(without_gt)
        )
    return tuple(notes)
