"""Average precision against cases worked by hand and a plain implementation of its own."""

import time

import numpy as np
import pytest

from mmdeepmot.evaluation.functional import DetectionImage, average_precision
from mmdeepmot.structures.boxes import iou_matrix


def image(
    gt: list, detections: list, ignore: list | None = None, name: str = "i"
) -> DetectionImage:
    """gt, ignore: xyxy boxes; detections: (score, box). All of class 0."""
    regions = ignore or []
    return DetectionImage(
        name,
        np.array([*gt, *regions], dtype=float).reshape(-1, 4),
        np.zeros(len(gt) + len(regions), dtype=np.int64),
        np.array([False] * len(gt) + [True] * len(regions), dtype=bool),
        np.array([box for _, box in detections], dtype=float).reshape(-1, 4),
        np.array([score for score, _ in detections], dtype=float),
        np.zeros(len(detections), dtype=np.int64),
    )


A, B, FAR = [0, 0, 10, 20], [50, 0, 60, 20], [200, 0, 210, 20]


def test_hand_worked_cases() -> None:
    perfect = average_precision([image([A, B], [(0.9, A), (0.8, B)])])
    assert perfect.average_precision.tolist() == [100.0]
    assert (perfect.precision, perfect.recall, perfect.num_gt) == (100.0, 100.0, 2)

    # One of two found: precision 1 for the 51 recall points 0, 0.01, ..., 0.5, then 0.
    half = average_precision([image([A, B], [(0.9, A)])])
    assert half.average_precision == pytest.approx([100 * 51 / 101])
    assert (half.precision, half.recall) == (100.0, 50.0)

    # Right, wrong, right: precision 1 up to recall 1/2, then 2/3.
    mixed = average_precision([image([A, B], [(0.9, A), (0.8, FAR), (0.7, B)])])
    assert mixed.average_precision == pytest.approx([100 * (51 + 50 * 2 / 3) / 101])
    assert (mixed.precision, mixed.recall) == (pytest.approx(100 * 2 / 3), 100.0)
    # At score 0.75 only the right one and the wrong one remain.
    strict = average_precision(
        [image([A, B], [(0.9, A), (0.8, FAR), (0.7, B)])], score_threshold=0.75
    )
    assert (strict.precision, strict.recall) == (50.0, 50.0)


def test_a_second_detection_of_an_object_is_wrong() -> None:
    scores = average_precision([image([A], [(0.9, A), (0.8, A)])])
    assert scores.average_precision == pytest.approx([100.0])  # it comes after full recall
    assert scores.precision == 50.0


def test_images_are_pooled_not_averaged() -> None:
    # Image 2 has a false alarm above all right ones: averaged over images AP would be 75.
    images = [image([A], [(0.8, A)]), image([A], [(0.9, FAR), (0.7, A)])]
    assert average_precision(images).average_precision == pytest.approx([100 * 2 / 3])


def test_detections_on_ignored_boxes_do_not_count() -> None:
    scores = average_precision([image([A], [(0.95, B), (0.9, A), (0.85, [50, 0, 60, 11])], [B])])
    assert scores.average_precision == pytest.approx([100.0])
    assert (scores.precision, scores.num_gt, scores.num_detections) == (100.0, 1, 3)


def test_empty_predictions_and_empty_ground_truth() -> None:
    nothing = average_precision([image([A], []), image([], [])])
    assert nothing.average_precision.tolist() == [0.0]
    assert np.isnan(nothing.precision)
    assert nothing.recall == 0.0
    with pytest.raises(ValueError, match="none of 1 images has a box that counts"):
        average_precision([image([], [(0.9, A)], ignore=[B])])


def test_more_than_a_hundred_detections_an_image_all_count() -> None:
    boxes = [[20 * i, 0, 20 * i + 10, 20] for i in range(150)]
    scores = average_precision([image(boxes, [(0.9, box) for box in boxes])])
    assert scores.average_precision.tolist() == [100.0]


def test_classes_are_matched_and_averaged() -> None:
    both = image([A, B], [(0.9, A), (0.8, B)])
    both.gt_labels = np.array([0, 1])
    both.labels = np.array([0, 0])  # the second has the wrong class
    assert average_precision([both]).average_precision == pytest.approx([50.0])


def naive_ap(images: list[DetectionImage], threshold: float) -> float:
    """Greedy matching image by image, then precision at 101 recalls; one class, no ignored."""
    found = []
    for one in images:
        overlaps = iou_matrix(one.bboxes, one.gt_bboxes)
        free = np.ones(len(one.gt_bboxes), dtype=bool)
        for row in np.argsort(-one.scores):
            candidates = np.where(free, overlaps[row], -1.0)
            best = int(candidates.argmax()) if len(candidates) else -1
            hit = best >= 0 and candidates[best] >= threshold
            if hit:
                free[best] = False
            found.append((one.scores[row], hit))
    hits = np.array([hit for _, hit in sorted(found, key=lambda pair: -pair[0])])
    total = sum(len(one.gt_bboxes) for one in images)
    recall = np.cumsum(hits) / total
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    points = [max(precision[recall >= r], default=0.0) for r in np.linspace(0, 1, 101)]
    return 100 * float(np.mean(points))


def random_images(seed: int, count: int, objects: int) -> list[DetectionImage]:
    rng = np.random.default_rng(seed)
    images = []
    for index in range(count):
        corner = rng.uniform(0, 300, (objects, 2))
        gt = np.concatenate([corner, corner + rng.uniform(20, 60, (objects, 2))], axis=1)
        kept = gt[rng.random(objects) < 0.8]
        boxes = np.concatenate([kept + rng.normal(0, 4, kept.shape), gt[:3] + 500])
        scores = rng.permutation(len(boxes)) + rng.random(len(boxes))
        images.append(image(gt.tolist(), list(zip(scores, boxes, strict=True)), name=str(index)))
    return images


@pytest.mark.parametrize("seed", range(3))
def test_against_a_plain_implementation(seed: int) -> None:
    images = random_images(seed, count=12, objects=15)
    got = average_precision(images, iou_thresholds=(0.5, 0.75)).average_precision
    assert got == pytest.approx([naive_ap(images, 0.5), naive_ap(images, 0.75)])
    assert 5 < got[1] < got[0] < 95
    assert average_precision(images[::-1]).average_precision == pytest.approx(got[:1])


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    average_precision([image([A], [(0.9, A)])])
    assert capsys.readouterr().out == ""


def test_errors_name_the_image() -> None:
    with pytest.raises(ValueError, match=r"frame 3: expected finite numbers, got NaN .* scores"):
        image([A], [(float("nan"), A)], name="frame 3")
    with pytest.raises(ValueError, match="frame 3: labels has 0 rows where bboxes has 1"):
        DetectionImage(
            "frame 3",
            np.zeros((0, 4)),
            np.zeros(0),
            np.zeros(0, dtype=bool),
            np.zeros((1, 4)),
            np.zeros(1),
            np.zeros(0),
        )


def test_speed() -> None:
    images = random_images(0, count=300, objects=45)
    start = time.perf_counter()
    average_precision(images)
    assert time.perf_counter() - start < 5  # about 0.5 s on a free core
