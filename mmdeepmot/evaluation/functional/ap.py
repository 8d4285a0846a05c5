"""Average precision of detections by pycocotools, on arrays in memory."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.functional.areas import AreaLimits
from mmdeepmot.evaluation.functional.counts import percent
from mmdeepmot.structures.boxes import box_area, xyxy_to_tlwh


@dataclass(slots=True)
class DetectionImage:
    """Ground truth and detections of one image.

    Attributes:
        name: For messages, such as "sequence MOT17-02, frame 12".
        gt_bboxes: ``(G, 4)`` xyxy px.
        gt_labels: ``(G,)`` class index from 0.
        gt_ignore: ``(G,)`` true for regions in which detections are neither rewarded nor punished.
        bboxes: ``(P, 4)`` xyxy px, detected.
        scores: ``(P,)``.
        labels: ``(P,)`` class index from 0.
    """

    name: str
    gt_bboxes: NDArray
    gt_labels: NDArray
    gt_ignore: NDArray
    bboxes: NDArray
    scores: NDArray
    labels: NDArray

    def __post_init__(self) -> None:
        for side, names in (
            ("gt_bboxes", ("gt_labels", "gt_ignore")),
            ("bboxes", ("scores", "labels")),
        ):
            count = len(getattr(self, side))
            for name in names:
                if len(getattr(self, name)) != count:
                    raise ValueError(
                        f"{self.name}: {name} has {len(getattr(self, name))} rows where {side} "
                        f"has {count}"
                    )
        for name in ("gt_bboxes", "bboxes", "scores"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{self.name}: expected finite numbers, got NaN or inf in {name}")


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """Scores of detections, in percent; means over the classes that have ground truth.

    Attributes:
        average_precision: ``(T,)`` for each IoU threshold.
        precision: At the score threshold and the first IoU threshold, pooled over classes; NaN
            without a detection above the score threshold.
        recall: Likewise.
        num_gt: Boxes that count.
        num_detections: Detections given.
        by_class: Class index -> ``(T,)`` average precision, of the classes with ground truth.
    """

    average_precision: NDArray[np.float64]
    precision: float
    recall: float
    num_gt: int
    num_detections: int
    by_class: dict[int, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class AreaPrecision:
    """Average precision of small, medium and large objects, in percent.

    Attributes:
        average_precision: ``(3, T)`` for each size and IoU threshold; NaN for a size without
            ground truth.
        num_gt: ``(3,)`` boxes of each size that count.
    """

    average_precision: NDArray[np.float64]
    num_gt: NDArray[np.int64]


def average_precision(
    images: Sequence[DetectionImage],
    iou_thresholds: Sequence[float] = (0.5,),
    score_threshold: float = 0.5,
) -> DetectionScores:
    """Average precision over all images together, as COCO computes it (101 recall points).

    Detections of all images are pooled and ranked by score. The published JDE code instead averages
    the precision of single images, which is not comparable. Ignored boxes enter as COCO's crowd
    regions (of every class): a detection at least half of whose own area (for IoU threshold 0.5)
    lies in one is left out of the account. The number of detections an image is not limited.

    Args:
        images: Ground truth and detections.
        iou_thresholds: Thresholds to match at.
        score_threshold: Least score of the detections that precision and recall are taken of.

    Raises:
        InputError: No image has ground truth that counts.
    """
    num_gt = sum(int(np.count_nonzero(~image.gt_ignore.astype(bool))) for image in images)
    classes = _classes(images)
    evaluation = _match(images, classes, iou_thresholds, [[0.0, float("inf")]])
    precision = evaluation.eval["precision"][:, :, :, 0, 0]  # (T, 101, classes)
    true, false = _hits(evaluation.evalImgs, score_threshold)
    return DetectionScores(
        average_precision=100.0 * precision.mean(axis=(1, 2)),
        precision=percent(true, true + false),
        recall=percent(true, num_gt),
        num_gt=num_gt,
        num_detections=sum(len(image.bboxes) for image in images),
        by_class=dict(zip(classes, 100.0 * precision.mean(axis=1).T, strict=True)),
    )


def average_precision_by_area(
    images: Sequence[DetectionImage],
    limits: AreaLimits,
    iou_thresholds: Sequence[float] = (0.5,),
) -> AreaPrecision:
    """Average precision of each size by itself, as COCO computes it.

    For one size, ground truth of the others is ignored: a detection on it is neither right nor
    wrong. So is a detection that matches nothing and is itself of another size. A detection that
    matches a box of this size counts, whatever its own size. A class without ground truth of a
    size is left out of that size's mean.

    Args:
        images: As of :func:`average_precision`.
        limits: Between the sizes, px^2.
        iou_thresholds: Thresholds to match at.

    Raises:
        InputError: No image has ground truth that counts.
    """
    classes = _classes(images)
    ranges = limits.closed_ranges
    evaluation = _match(images, classes, iou_thresholds, ranges)
    precision = evaluation.eval["precision"][..., 0]  # (T, 101, classes, sizes)
    scores = np.full((len(ranges), len(precision)), np.nan)
    for size in range(len(ranges)):
        known = precision[0, 0, :, size] >= 0  # pycocotools writes -1 where no box counts
        if known.any():
            scores[size] = 100.0 * precision[:, :, known, size].mean(axis=(1, 2))
    areas = [box_area(image.gt_bboxes[~image.gt_ignore.astype(bool)]) for image in images]
    counts = np.bincount(limits.sizes(np.concatenate(areas)), minlength=len(ranges))
    return AreaPrecision(scores, counts)


def _classes(images: Sequence[DetectionImage]) -> list[int]:
    """The classes that have ground truth."""
    labels = [image.gt_labels[~image.gt_ignore.astype(bool)] for image in images]
    classes = np.unique(np.concatenate(labels)).tolist() if labels else []
    if not classes:
        raise InputError(
            f"expected ground truth to score detections against, but none of {len(images)} images "
            "has a box that counts"
        )
    return classes


def _match(
    images: Sequence[DetectionImage],
    classes: list[int],
    iou_thresholds: Sequence[float],
    areas: list[list[float]],
) -> Any:
    """pycocotools' evaluation, run, for ranges of area given by their ends (both included)."""
    from pycocotools.cocoeval import COCOeval

    truth, detected = _coco(images, classes)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, detected, "bbox")
        evaluation.params.iouThrs = np.asarray(iou_thresholds, dtype=np.float64)
        evaluation.params.areaRng = areas
        evaluation.params.areaRngLbl = [str(number) for number in range(len(areas))]
        evaluation.params.maxDets = [max(1, *(len(image.bboxes) for image in images), 1)]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _coco(images: Sequence[DetectionImage], classes: list[int]) -> tuple[Any, Any]:
    """Two COCO objects, ground truth and detections. Annotation ids start at 1, as COCO needs."""
    truth: list[dict] = []
    detected: list[dict] = []
    for index, image in enumerate(images):
        boxes, areas = xyxy_to_tlwh(image.gt_bboxes).tolist(), box_area(image.gt_bboxes).tolist()
        for box, area, label, ignore in zip(
            boxes, areas, image.gt_labels.tolist(), image.gt_ignore.tolist(), strict=True
        ):
            for category in classes if ignore else [label]:
                truth.append(_annotation(len(truth) + 1, index, category, box, area, bool(ignore)))
        boxes, areas = xyxy_to_tlwh(image.bboxes).tolist(), box_area(image.bboxes).tolist()
        for box, area, label, score in zip(
            boxes, areas, image.labels.tolist(), image.scores.tolist(), strict=True
        ):
            one = _annotation(len(detected) + 1, index, label, box, area, False)
            detected.append({**one, "score": score})
    header = {
        "images": [{"id": index} for index in range(len(images))],
        "categories": [{"id": category} for category in classes],
    }
    return _index({**header, "annotations": truth}), _index({**header, "annotations": detected})


def _annotation(
    number: int, image: int, category: int, box: list[float], area: float, crowd: bool
) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": box,
        "area": area,
        "iscrowd": int(crowd),
    }


def _index(dataset: dict[str, Any]) -> Any:
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = dataset
        coco.createIndex()
    return coco


def _hits(results: list[dict | None], score_threshold: float) -> tuple[int, int]:
    """True and false detections from the score threshold up, at the first IoU threshold."""
    true = false = 0
    for result in results:
        if result is None:
            continue
        chosen = np.asarray(result["dtScores"]) >= score_threshold
        chosen &= ~np.asarray(result["dtIgnore"][0], dtype=bool)
        matched = np.asarray(result["dtMatches"][0]) > 0
        true += int(np.count_nonzero(chosen & matched))
        false += int(np.count_nonzero(chosen & ~matched))
    return true, false
