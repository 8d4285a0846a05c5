"""Scores of tracking results: sequences in, table out. No files, no torch."""

import importlib.metadata
import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from mmdeepmot.evaluation.functional.preprocess import scoring_frames
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
class _Scores:
    clear: ClearCounts
    identity: IdentityCounts
    hota: HotaParts | None

    def row(self) -> dict[str, float]:
        hota = {} if self.hota is None else hota_rates(self.hota)
        return {**self.clear.rates(), **self.identity.rates(), **hota}


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


def evaluate_tracking(
    sequences: Iterable[TrackingSequence],
    metrics: Sequence[str] = METRICS,
    evaluator: Evaluator = "motmetrics",
    iou_threshold: float = 0.5,
) -> ScoreTable:
    """Scores sequences one by one and together.

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
    check_tracking_options(metrics, evaluator, iou_threshold)
    count = _COUNTERS[evaluator]
    scores: dict[str, _Scores] = {}
    without_gt: list[str] = []
    removed = 0
    for sequence in sequences:
        if sequence.name in scores or sequence.name in without_gt or sequence.name == OVERALL:
            raise InputError(
                f"each sequence needs a name of its own, other than {OVERALL}; got "
                f"{sequence.name!r} again"
            )
        if sequence.num_counted == 0:
            without_gt.append(sequence.name)
            continue
        frames = scoring_frames(sequence)
        removed += frames.num_removed
        clear, identity = count(
            frames, iou_threshold, clear="CLEAR" in metrics, identity="Identity" in metrics
        )
        hota = hota_parts(frames) if "HOTA" in metrics else None
        scores[sequence.name] = _Scores(clear, identity, hota)
    if not scores:
        raise InputError(
            "expected ground truth to score against, but none of "
            f"{len(without_gt)} sequences has a box that counts: {without_gt}"
        )
    total = _Scores(
        sum((one.clear for one in scores.values()), ClearCounts()),
        sum((one.identity for one in scores.values()), IdentityCounts()),
        combine_hota([one.hota for one in scores.values() if one.hota is not None])
        if "HOTA" in metrics
        else None,
    )
    columns = {key: digits for key, (metric, digits) in _COLUMNS.items() if metric in metrics}
    rows = {
        name: {key: row[key] for key in columns}
        for name, row in ((name, one.row()) for name, one in {**scores, OVERALL: total}.items())
    }
    return ScoreTable(
        tracking_caption(metrics, evaluator, iou_threshold),
        columns,
        rows,
        _notes(without_gt, removed),
    )


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
