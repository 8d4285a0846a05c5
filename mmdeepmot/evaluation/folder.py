"""Scores a folder of result files against a folder of ground truth. Imports no torch."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.classes import TrackingScores, evaluate_classes
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
    MOTRows,
    read_mot_text,
    read_seqinfo,
)
from mmdeepmot.io.mot_classes import ClassTable, class_table
from mmdeepmot.io.names import choose_names

logger = logging.getLogger(__name__)

Benchmark = Literal["auto", "MOT15", "MOT16", "MOT17", "MOT20", "DanceTrack"]


def gt_roles(
    rows: MOTRows, benchmark: Benchmark, name: str, classes: ClassTable | None = None
) -> Ints:
    """:class:`GtRole` ``(N,)`` of ground truth rows by the rules of the benchmark.

    A file without a class column (MOT15) has no ignored boxes: boxes with flag 0 do not count.
    With one, boxes of class 1 and flag other than 0 count, those of the distractor classes are
    ignored whatever their flag. 'auto': MOT15 where there are no classes, MOT20 by the sequence's
    name, else as MOT17. ``classes`` are the classes that count instead of class 1.
    """
    classes = classes or ClassTable()
    counted = rows.scores != 0
    has_classes = bool((rows.classes >= 0).any()) and benchmark != "MOT15"
    if not has_classes:
        return np.where(counted, GtRole.COUNTED, GtRole.BYSTANDER).astype(np.int64)
    mot20 = benchmark == "MOT20" or (benchmark == "auto" and name.startswith("MOT20"))
    numbers = classes.ignored(MOT20_IGNORED_CLASSES if mot20 else IGNORED_CLASSES)
    ignored = np.isin(rows.classes, np.asarray(numbers, dtype=np.int64))
    roles = np.full(len(rows), GtRole.BYSTANDER, dtype=np.int64)
    roles[ignored] = GtRole.IGNORED
    wanted = (classes.labels(rows.classes) >= 0) & (rows.classes >= 0)
    roles[wanted & (counted | classes.any_flag)] = GtRole.COUNTED
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
    how = (metrics, evaluator, iou_threshold)
    options = FolderOptions(sequences, benchmark, frame_ranges or {})
    return evaluate_tracking(read_folder(results_dir, gt_dir, options, how), *how)


def evaluate_folder_classes(
    results_dir: str | os.PathLike[str],
    gt_dir: str | os.PathLike[str],
    classes: Sequence[str] | Mapping[str, int],
    evaluator: Evaluator = "motmetrics",
    sequences: Sequence[str] | None = None,
    *,
    metrics: Sequence[str] = METRICS,
    iou_threshold: float = 0.5,
    benchmark: Benchmark = "auto",
    frame_ranges: Mapping[str, tuple[int, int]] | None = None,
    any_flag: bool = False,
) -> TrackingScores:
    """As :func:`evaluate_folder`, each class by itself; column 8 of the results is their class.

    Args:
        results_dir: As of :func:`evaluate_folder`, as are those that are not named here.
        gt_dir: Likewise.
        classes: Names of MOT16's classes, or names and numbers in the files of one's own.
        evaluator: Likewise.
        sequences: Likewise.
        metrics: Likewise.
        iou_threshold: Likewise.
        benchmark: Likewise.
        frame_ranges: Likewise.
        any_flag: Boxes of the ground truth count whatever their flag.

    Raises:
        FileNotFoundError: As of :func:`evaluate_folder`.
        InputError: Likewise, or a result is of none of the classes.
    """
    how = (metrics, evaluator, iou_threshold)
    table = class_table(classes, any_flag)
    options = FolderOptions(sequences, benchmark, frame_ranges or {}, table)
    return evaluate_classes(read_folder(results_dir, gt_dir, options, how), table.names, *how)


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """What is read of two folders; see :func:`evaluate_folder`."""

    sequences: Sequence[str] | None = None
    benchmark: Benchmark = "auto"
    frame_ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    classes: ClassTable | None = None


def read_folder(
    results_dir: str | os.PathLike[str],
    gt_dir: str | os.PathLike[str],
    options: FolderOptions,
    how: tuple[Sequence[str], Evaluator, float],
) -> Iterator[TrackingSequence]:
    """The sequences of two folders; all that can be is checked before the first is read."""
    check_tracking_options(*how)
    benchmark = options.benchmark
    if benchmark not in get_args(Benchmark):
        raise InputError(f"benchmark must be one of {get_args(Benchmark)}, got {benchmark!r}")
    results_dir, gt_dir = Path(results_dir), Path(gt_dir)
    names = _sequence_names(gt_dir, options.sequences)
    _check_results(results_dir, gt_dir, names)
    return (_read(results_dir, gt_dir, name, options) for name in names)


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
    options: FolderOptions,
) -> TrackingSequence:
    classes, frame_range = options.classes, options.frame_ranges.get(name)
    gt = read_mot_text(gt_dir / name / "gt" / "gt.txt", "gt")
    path = results_dir / f"{name}.txt"
    with_classes = classes is not None
    results = read_mot_text(path, "result", strict=True, with_classes=with_classes)
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
        gt_roles(gt, options.benchmark, name, classes),
        results.frames,
        results.ids,
        results.bboxes,
        None if classes is None else classes.labels(gt.classes),
        None if classes is None else _result_labels(path, results, classes),
    )


def _result_labels(path: Path, results: MOTRows, classes: ClassTable) -> Ints:
    labels = classes.labels(results.classes)
    bad = np.flatnonzero((labels < 0) | (results.classes < 0))
    if len(bad):
        names = ", ".join(
            f"{name} ({n})" for name, n in zip(classes.names, classes.numbers, strict=True)
        )
        raise InputError(
            f"{path}: expected in column 8 one of the classes {names}, got "
            f"{results.classes[bad[0]]} in frame {results.frames[bad[0]]} ({len(bad)} such rows)"
        )
    return labels
