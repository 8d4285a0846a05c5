"""Scores a folder of result files against a folder of ground truth. Imports no torch."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.functional.sequence import GtRole, Ints, TrackingSequence
from mmdeepmot.evaluation.table import ScoreTable
from mmdeepmot.evaluation.tracking import (
    METRICS,
    Evaluator,
    check_tracking_options,
    evaluate_tracking,
)
from mmdeepmot.io.mot import (
    IGNORED_CLASSES,
    MOT20_IGNORED_CLASSES,
    PEDESTRIAN,
    MOTRows,
    read_mot_text,
    read_seqinfo,
)
from mmdeepmot.io.names import choose_names

logger = logging.getLogger(__name__)

Benchmark = Literal["auto", "MOT15", "MOT16", "MOT17", "MOT20", "DanceTrack"]


def gt_roles(rows: MOTRows, benchmark: Benchmark, name: str) -> Ints:
    """:class:`GtRole` ``(N,)`` of ground truth rows by the rules of the benchmark.

    A file without a class column (MOT15) has no ignored boxes: boxes with flag 0 do not count.
    With one, boxes of class 1 and flag other than 0 count, those of the distractor classes are
    ignored whatever their flag. 'auto': MOT15 where there are no classes, MOT20 by the sequence's
    name, else as MOT17.
    """
    counted = rows.scores != 0
    has_classes = bool((rows.classes >= 0).any()) and benchmark != "MOT15"
    if not has_classes:
        return np.where(counted, GtRole.COUNTED, GtRole.BYSTANDER).astype(np.int64)
    mot20 = benchmark == "MOT20" or (benchmark == "auto" and name.startswith("MOT20"))
    ignored = np.isin(rows.classes, MOT20_IGNORED_CLASSES if mot20 else IGNORED_CLASSES)
    roles = np.full(len(rows), GtRole.BYSTANDER, dtype=np.int64)
    roles[ignored] = GtRole.IGNORED
    roles[counted & (rows.classes == PEDESTRIAN)] = GtRole.COUNTED
    return roles


def evaluate_folder(
    results_dir: str | os.PathLike[str],
    gt_dir: str | os.PathLike[str],
    evaluator: Evaluator = "motmetrics",
    sequences: Sequence[str] | None = None,
    *,
    metrics: Sequence[str] = METRICS,
    iou_threshold: float = 0.5,
    benchmark: Benchmark = "auto",
    frame_ranges: Mapping[str, tuple[int, int]] | None = None,
) -> ScoreTable:
    """Scores ``results_dir/SEQ.txt`` against ``gt_dir/SEQ/gt/gt.txt`` for every sequence.

    Args:
        results_dir: Result files in MOTChallenge text; an empty file is a sequence without tracks.
        gt_dir: Sequence folders of MOT15, MOT16, MOT17, MOT20 or DanceTrack.
        evaluator: See :func:`~mmdeepmot.evaluation.tracking.evaluate_tracking`.
        sequences: Names or patterns (``MOT17-*-FRCNN``) of the sequences to score; by default all
            that have ``gt/gt.txt``. Result files of other sequences are left out with a warning.
        metrics: See ``evaluate_tracking``.
        iou_threshold: See ``evaluate_tracking``.
        benchmark: Whose rules say which boxes count, see :func:`gt_roles`.
        frame_ranges: First and last frame (from 1, both included) by sequence: frames outside are
            left out of the ground truth and the results (a half of each sequence, say).

    Returns:
        A row a sequence, the last row OVERALL.

    Raises:
        FileNotFoundError: A folder, the ground truth of a sequence or a result file is missing.
        InputError: A result row is bad (file and line named), a frame lies beyond the sequence's
            end, no sequence has ground truth, or a wrong option.
    """
    check_tracking_options(metrics, evaluator, iou_threshold)
    if benchmark not in get_args(Benchmark):
        raise InputError(f"benchmark must be one of {get_args(Benchmark)}, got {benchmark!r}")
    results_dir, gt_dir = Path(results_dir), Path(gt_dir)
    names = _sequence_names(gt_dir, sequences)
    _check_results(results_dir, gt_dir, names)
    ranges = frame_ranges or {}
    return evaluate_tracking(
        (_read(results_dir, gt_dir, name, benchmark, ranges.get(name)) for name in names),
        metrics,
        evaluator,
        iou_threshold,
    )


def _sequence_names(gt_dir: Path, sequences: Sequence[str] | None) -> list[str]:
    if not gt_dir.is_dir():
        raise FileNotFoundError(
            f"{gt_dir}: expected the folder of the ground truth (SEQ/gt/gt.txt in it), found none"
        )
    found = sorted(path.parent.parent.name for path in gt_dir.glob("*/gt/gt.txt"))
    if not found:
        raise FileNotFoundError(f"{gt_dir}: expected sequences (SEQ/gt/gt.txt), found none")
    return choose_names(found, sequences, str(gt_dir))


def _check_results(results_dir: Path, gt_dir: Path, names: Iterable[str]) -> None:
    if not results_dir.is_dir():
        raise FileNotFoundError(
            f"{results_dir}: expected a folder of results (SEQ.txt in it), found none"
        )
    wanted = set(names)
    found = {path.stem for path in results_dir.glob("*.txt")}
    missing = sorted(wanted - found)
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(wanted)} result files are missing from {results_dir}: "
            f"{', '.join(f'{name}.txt' for name in missing)} (one for each sequence of {gt_dir}; "
            "an empty file stands for no tracks; name the sequences to score only some)"
        )
    extra = sorted(found - wanted)
    if extra:
        logger.warning(
            "%d result files in %s belong to no sequence that is scored and are left out: %s",
            len(extra),
            results_dir,
            ", ".join(f"{name}.txt" for name in extra),
        )


def _read(
    results_dir: Path,
    gt_dir: Path,
    name: str,
    benchmark: Benchmark,
    frame_range: tuple[int, int] | None,
) -> TrackingSequence:
    gt = read_mot_text(gt_dir / name / "gt" / "gt.txt", "gt")
    path = results_dir / f"{name}.txt"
    results = read_mot_text(path, "result", strict=True)
    if (gt_dir / name / "seqinfo.ini").is_file():
        length = read_seqinfo(gt_dir / name).length
        beyond = results.frames[results.frames > length]
        if len(beyond):
            raise InputError(
                f"{path}: expected frames 1 to {length} (seqLength of {gt_dir / name}), got frame "
                f"{beyond[0]} ({len(beyond)} such rows): are these results of this sequence?"
            )
    if frame_range is not None:
        first, last = frame_range
        gt = gt[(gt.frames >= first) & (gt.frames <= last)]
        results = results[(results.frames >= first) & (results.frames <= last)]
    return TrackingSequence(
        name,
        gt.frames,
        gt.ids,
        gt.bboxes,
        gt_roles(gt, benchmark, name),
        results.frames,
        results.ids,
        results.bboxes,
    )
