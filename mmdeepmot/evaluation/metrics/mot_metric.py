"""CLEAR MOT, identity metrics and HOTA of tracked sequences."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.by_area import switches_by_area
from mmdeepmot.evaluation.classes import evaluate_classes
from mmdeepmot.evaluation.functional.sequence import GtRole, TrackingSequence
from mmdeepmot.evaluation.metrics.base import (
    Classes,
    FrameRecord,
    SequenceMetric,
    check_classes,
    get_array,
    get_field,
    merge_whole_sequences,
)
from mmdeepmot.evaluation.tracking import (
    METRICS,
    Evaluator,
    check_tracking_options,
    evaluate_tracking,
)
from mmdeepmot.io.mot import MOTRows, write_mot_text
from mmdeepmot.registry import METRICS as METRIC_REGISTRY


@METRIC_REGISTRY.register_module()
class MOTMetric(SequenceMetric):
    """Scores ``pred_track_instances`` against ``gt_instances``, both in px of the original image.

    CLEAR and Identity by motmetrics (the papers' convention) or trackeval (the benchmark server's),
    HOTA always by trackeval; the table's caption says which. MOTP is the mean overlap (IoU) of the
    matches in percent with both. Results matched (IoU >= 0.5) to ``ignored_instances``, or to
    ground truth without identity (-1), are removed first. Samples do not hold the ground truth of
    other classes (cars, occluders), which in the benchmark's matching can claim a result before an
    ignored box does: beside :func:`~mmdeepmot.evaluation.folder.evaluate_folder`, which has them,
    a false positive more or less is possible (1 among 76,749 boxes of four MOT17 sequences).

    Args:
        metrics: Some of 'CLEAR', 'Identity', 'HOTA'.
        evaluator: 'motmetrics' or 'trackeval'.
        iou_threshold: Least overlap of a match (CLEAR and Identity).
        format_only: Write results as MOTChallenge text and score nothing (test sets without ground
            truth).
        outfile_prefix: Folder to write ``SEQ.txt`` files to; needed with ``format_only``.
        prefix: Put before the name of each figure; 'track' by default.
        print_table: Whether to log the table.
        areas: Limits in px^2 between small, medium and large objects, whose identity switches are
            counted apart; see :func:`~mmdeepmot.evaluation.by_area.switches_by_area`. By
            motmetrics only: trackeval does not tell at which frames it counts.
        classes: ``apart``: where the dataset has several classes, a result can only match ground
            truth of its class, and there is a table of them; ``together``: labels do not count.

    Raises:
        InputError: An unknown option, ``format_only`` without a folder, or ``areas`` with
            trackeval.
        ImportError: The evaluator is not installed. Both at once, before any inference.
    """

    default_prefix = "track"

    def __init__(
        self,
        metrics: Sequence[str] = METRICS,
        evaluator: Evaluator = "motmetrics",
        iou_threshold: float = 0.5,
        format_only: bool = False,
        outfile_prefix: str | None = None,
        prefix: str | None = None,
        print_table: bool = True,
        areas: Sequence[float] | None = None,
        classes: Classes = "apart",
    ) -> None:
        super().__init__(prefix, print_table, areas)
        self.classes = check_classes(classes)
        metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics)
        if not format_only:
            check_tracking_options(metrics, evaluator, iou_threshold)
        elif outfile_prefix is None:
            raise InputError("format_only needs outfile_prefix: the folder to write SEQ.txt to")
        if areas is not None and evaluator != "motmetrics":
            raise InputError(
                "identity switches by area are counted by motmetrics (trackeval does not tell at "
                f"which frames they are), got evaluator {evaluator!r}: leave one of the two out"
            )
        self.metrics = metrics
        self.evaluator: Evaluator = evaluator
        self.iou_threshold = iou_threshold
        self.format_only = format_only
        self.outfile_prefix = outfile_prefix

    def record(self, frame: Any, where: FrameRecord) -> dict[str, NDArray]:
        """Boxes, identities and roles of the frame."""
        tracks = get_field(
            frame,
            "pred_track_instances",
            where,
            "MOTMetric scores tracks: use TrackingModel with task='track' and a tracker",
        )
        arrays = {
            "pred_bboxes": get_array(tracks, "bboxes", where, (-1, 4), np.float64),
            "pred_scores": get_array(tracks, "scores", where, (-1,), np.float64),
            "pred_ids": get_array(tracks, "instances_id", where, (-1,), np.int64),
        }
        arrays["pred_labels"] = _labels(tracks, len(arrays["pred_ids"]), where)
        _check_once(arrays["pred_ids"], where)
        if not self.format_only:
            arrays |= _ground_truth(frame, where)
        return arrays

    def merge(self, gathered: Sequence[Sequence[FrameRecord]]) -> list[FrameRecord]:
        """Whole sequences, each from one process."""
        return merge_whole_sequences(gathered)

    def compute_metrics(self, results: list[FrameRecord]) -> dict[str, float]:
        """Figures of the row OVERALL; the table with all rows is left in ``self.table``."""
        sequences = {
            name: list(records)
            for name, records in groupby(results, lambda record: record.sequence)
        }
        if self.outfile_prefix is not None and is_main_process():
            self._write(sequences, Path(self.outfile_prefix))
        if self.format_only:
            return {}
        options = (self.metrics, self.evaluator, self.iou_threshold)
        apart = self.classes == "apart" and len(self.class_names) > 1
        if apart:
            scores = evaluate_classes(_tracking_sequences(sequences), self.class_names, *options)
            self.table, self.class_table = scores.sequences, scores.classes
        else:
            self.table = evaluate_tracking(_tracking_sequences(sequences), *options)
        if self.areas is not None:
            every: Iterable[TrackingSequence] = _tracking_sequences(sequences)
            if apart:
                labels = range(len(self.class_names))
                every = (one.of_class(label) for one in every for label in labels)
            self.area_table = switches_by_area(every, self.areas, self.iou_threshold)
        return self.figures()

    def _write(self, sequences: dict[str, list[FrameRecord]], folder: Path) -> None:
        numbers = np.asarray((self.dataset_meta or {}).get("class_numbers", ()), dtype=np.int64)
        for name, records in sequences.items():
            rows = MOTRows.from_arrays(
                _repeat([record.number for record in records], records, "pred_ids"),
                _stack(records, "pred_ids"),
                _stack(records, "pred_bboxes"),
                _stack(records, "pred_scores"),
                numbers[_stack(records, "pred_labels")] if len(numbers) > 1 else None,
            )
            write_mot_text(folder / f"{name}.txt", rows, with_classes=len(numbers) > 1)
        print_log(f"wrote results of {len(sequences)} sequences to {folder}", logger="current")


def _check_once(ids: NDArray, where: FrameRecord) -> None:
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"{where.where}: each identity may be given to one box of a frame, got "
            f"{values[counts > 1].tolist()} more than once"
        )


def _ground_truth(frame: Any, where: FrameRecord) -> dict[str, NDArray]:
    truth = get_field(
        frame,
        "gt_instances",
        where,
        "to write results without ground truth use MOTMetric with format_only=True",
    )
    bboxes = get_array(truth, "bboxes", where, (-1, 4), np.float64)
    ids = get_array(truth, "instances_ids", where, (len(bboxes),), np.int64)
    labels = _labels(truth, len(bboxes), where)
    roles = np.where(ids >= 0, GtRole.COUNTED, GtRole.IGNORED)
    ignored = frame.get("ignored_instances")
    if ignored is not None:
        more = get_array(ignored, "bboxes", where, (-1, 4), np.float64)
        bboxes = np.concatenate([bboxes, more])
        ids = np.concatenate([ids, np.full(len(more), -1)])
        labels = np.concatenate([labels, np.zeros(len(more), dtype=np.int64)])
        roles = np.concatenate([roles, np.full(len(more), GtRole.IGNORED)])
    return {
        "gt_bboxes": bboxes,
        "gt_ids": ids,
        "gt_roles": roles.astype(np.int64),
        "gt_labels": labels,
    }


def _labels(instances: Any, count: int, where: FrameRecord) -> NDArray[np.int64]:
    """Labels ``(count,)``; 0 where there are none."""
    if instances.get("labels") is None:
        return np.zeros(count, dtype=np.int64)
    return get_array(instances, "labels", where, (count,), np.int64)


def _stack(records: list[FrameRecord], name: str) -> NDArray:
    return np.concatenate([record.arrays[name] for record in records])


def _repeat(values: list[int], records: list[FrameRecord], name: str) -> NDArray[np.int64]:
    counts = [len(record.arrays[name]) for record in records]
    return np.repeat(np.array(values, dtype=np.int64), counts)


def _tracking_sequences(sequences: dict[str, list[FrameRecord]]) -> Iterator[TrackingSequence]:
    for name, records in sequences.items():
        numbers = [record.number for record in records]
        yield TrackingSequence(
            name,
            _repeat(numbers, records, "gt_ids"),
            _stack(records, "gt_ids"),
            _stack(records, "gt_bboxes"),
            _stack(records, "gt_roles"),
            _repeat(numbers, records, "pred_ids"),
            _stack(records, "pred_ids"),
            _stack(records, "pred_bboxes"),
            _stack(records, "gt_labels"),
            _stack(records, "pred_labels"),
        )
