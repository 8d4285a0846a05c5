"""Average precision of detections."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.by_area import area_table
from mmdeepmot.evaluation.functional.ap import (
    DetectionImage,
    average_precision,
    average_precision_by_area,
)
from mmdeepmot.evaluation.metrics.base import (
    Classes,
    FrameRecord,
    SequenceMetric,
    check_classes,
    get_array,
    get_field,
)
from mmdeepmot.evaluation.table import OVERALL, ScoreTable
from mmdeepmot.registry import METRICS


@METRICS.register_module()
class DetectionMetric(SequenceMetric):
    """AP of ``pred_instances`` against ``gt_instances``, both in px of the original image.

    By pycocotools: detections of all frames are pooled. The published JDE code averages the
    precision of single images instead; its figures are not comparable. ``ignored_instances`` are
    COCO's crowd regions: detections on them are neither rewarded nor punished. See
    :func:`~mmdeepmot.evaluation.functional.ap.average_precision`.

    Args:
        iou_thresholds: Thresholds to match at; one column ``AP@t`` each.
        score_threshold: Least score of the detections that precision and recall are taken of.
        prefix: Put before the name of each figure; 'detection' by default.
        print_table: Whether to log the table.
        areas: Limits in px^2 between small, medium and large objects; see
            :func:`~mmdeepmot.evaluation.functional.ap.average_precision_by_area`.
        classes: ``apart``: AP is the mean over the dataset's classes, and there is a table of them;
            ``together``: labels do not count, all objects are of one class.
    """

    default_prefix = "detection"

    def __init__(
        self,
        iou_thresholds: Sequence[float] = (0.5,),
        score_threshold: float = 0.5,
        prefix: str | None = None,
        print_table: bool = True,
        areas: Sequence[float] | None = None,
        classes: Classes = "apart",
    ) -> None:
        super().__init__(prefix, print_table, areas)
        self.classes = check_classes(classes)
        self.iou_thresholds = tuple(iou_thresholds)
        if not self.iou_thresholds or not all(0 < value <= 1 for value in self.iou_thresholds):
            raise InputError(f"iou_thresholds must lie in (0, 1], got {self.iou_thresholds}")
        self.score_threshold = score_threshold

    def record(self, frame: Any, where: FrameRecord) -> dict[str, NDArray]:
        """Boxes, scores and labels of the frame."""
        truth = get_field(frame, "gt_instances", where, "average precision needs ground truth")
        found = get_field(
            frame,
            "pred_instances",
            where,
            "DetectionMetric scores detections: use TrackingModel with task='detection'",
        )
        arrays = {
            "gt_bboxes": get_array(truth, "bboxes", where, (-1, 4), np.float64),
            "gt_labels": get_array(truth, "labels", where, (-1,), np.int64),
            "bboxes": get_array(found, "bboxes", where, (-1, 4), np.float64),
            "scores": get_array(found, "scores", where, (-1,), np.float64),
            "labels": get_array(found, "labels", where, (-1,), np.int64),
        }
        if self.classes == "together":
            for name in ("gt_labels", "labels"):
                arrays[name] = np.zeros_like(arrays[name])
        arrays["gt_ignore"] = np.zeros(len(arrays["gt_bboxes"]), dtype=bool)
        ignored = frame.get("ignored_instances")
        if ignored is not None:
            more = get_array(ignored, "bboxes", where, (-1, 4), np.float64)
            arrays["gt_bboxes"] = np.concatenate([arrays["gt_bboxes"], more])
            arrays["gt_labels"] = np.concatenate([arrays["gt_labels"], np.full(len(more), -1)])
            arrays["gt_ignore"] = np.concatenate([arrays["gt_ignore"], np.ones(len(more), bool)])
        return arrays

    def compute_metrics(self, results: list[FrameRecord]) -> dict[str, float]:
        """AP at each threshold, precision, recall, and what they were taken of."""
        images = [DetectionImage(record.where, **record.arrays) for record in results]
        scores = average_precision(images, self.iou_thresholds, self.score_threshold)
        ap = {
            f"AP@{threshold:g}": float(value)
            for threshold, value in zip(self.iou_thresholds, scores.average_precision, strict=True)
        }
        rates = {**ap, "Prec": scores.precision, "Rec": scores.recall}
        counts = {"GT": scores.num_gt, "Dets": scores.num_detections, "Images": len(images)}
        self.table = ScoreTable(
            "Detection: AP by pycocotools, all images pooled (the published JDE code averages over "
            f"images); Prec and Rec at score >= {self.score_threshold:g}, IoU >= "
            f"{self.iou_thresholds[0]:g}. Rates in percent.",
            {**dict.fromkeys(rates, 2), **dict.fromkeys(counts, 0)},
            {OVERALL: {**rates, **counts}},
        )
        if self.classes == "apart" and len(self.class_names) > 1:
            self.class_table = self._class_table(images, scores.by_class)
        if self.areas is not None:
            sizes = average_precision_by_area(images, self.areas, self.iou_thresholds)
            by_size = dict(zip(ap, sizes.average_precision.T.tolist(), strict=True))
            self.area_table = area_table(
                self.areas,
                "AP: ground truth of other sizes, and unmatched detections of other sizes, are "
                "ignored.",
                {**dict.fromkeys(ap, 2), "GT": 0},
                {**by_size, "GT": sizes.num_gt.tolist()},
                self.table.overall,
            )
        return self.figures()

    def _class_table(
        self, images: list[DetectionImage], by_class: dict[int, NDArray[np.float64]]
    ) -> ScoreTable:
        """AP of each class; that of the table is their mean."""
        labels = np.concatenate([image.gt_labels[~image.gt_ignore] for image in images])
        names = self.class_names
        counts = np.bincount(labels, minlength=len(names)).tolist()
        columns = [f"AP@{threshold:g}" for threshold in self.iou_thresholds]
        unknown = np.full(len(columns), np.nan)
        rows = {
            name: {
                **dict(zip(columns, by_class.get(label, unknown).tolist(), strict=True)),
                "GT": counts[label],
            }
            for label, name in enumerate(names)
        }
        assert self.table is not None
        rows[OVERALL] = {column: self.table.overall[column] for column in (*columns, "GT")}
        digits = {**dict.fromkeys(columns, 2), "GT": 0}
        caption = "AP of each class; OVERALL: mean over the classes that have ground truth."
        return ScoreTable(caption, digits, rows, rows_are="Class")
