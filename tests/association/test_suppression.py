import numpy as np
import pytest

from mmdeepmot.association import covered, duplicates, greedy_nms
from mmdeepmot.structures.boxes import iou_matrix


def nms_one_by_one(bboxes, scores, threshold):
    keep = np.zeros(len(bboxes), dtype=bool)
    overlap = iou_matrix(bboxes, bboxes)
    for i in np.argsort(-scores, kind="stable"):
        keep[i] = not (overlap[i, keep] > threshold).any()
    return keep


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.6, 1.0])
def test_nms_equals_the_loop(threshold):
    rng = np.random.default_rng(0)
    for count in (0, 1, 2, 30, 120):
        corner = rng.uniform(0, 150, (count, 2))
        bboxes = np.concatenate([corner, corner + rng.uniform(20, 60, (count, 2))], axis=1)
        scores = rng.integers(0, 10, count) / 10  # with ties
        np.testing.assert_array_equal(
            greedy_nms(bboxes, scores, threshold), nms_one_by_one(bboxes, scores, threshold)
        )


def test_nms_of_a_chain_keeps_every_second():
    left = 6.0 * np.arange(40)
    bboxes = np.stack([left, 0 * left, left + 10, 0 * left + 10], axis=1)
    keep = greedy_nms(bboxes, np.linspace(1, 0.5, 40), 0.2)
    np.testing.assert_array_equal(keep, np.arange(40) % 2 == 0)


def test_covered():
    boxes = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])
    np.testing.assert_array_equal(covered(boxes, boxes[:1] + 1, 0.3), [True, False])
    np.testing.assert_array_equal(covered(boxes, boxes[:0], 0.3), [False, False])
    assert covered(boxes[:0], boxes, 0.3).shape == (0,)


def test_duplicates_end_the_younger_and_on_a_tie_the_first():
    box = np.array([[0.0, 0, 100, 100]])
    far = np.array([[500.0, 0, 600, 100]])
    first, second = duplicates(
        np.concatenate([box, far]), np.array([3, 9]), box + 2, np.array([7]), 0.15
    )
    np.testing.assert_array_equal(first, [True, False])
    np.testing.assert_array_equal(second, [False])
    assert duplicates(box, np.array([8]), box, np.array([7]), 0.15)[1].tolist() == [True]
    assert duplicates(box, np.array([7]), box, np.array([7]), 0.15)[0].tolist() == [True]
    # IoU 90 * 100 / (110 * 100): distance 0.18
    shifted = box + np.array([10, 0, 10, 0])
    assert not duplicates(box, np.array([1]), shifted, np.array([7]), 0.15)[0].any()
