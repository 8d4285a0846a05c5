import numpy as np
import pytest

from mmdeepmot.structures.boxes import (
    box_area,
    clip_boxes,
    cxcyah_to_xyxy,
    iou_matrix,
    tlwh_to_xyxy,
    xyxy_to_cxcyah,
    xyxy_to_tlwh,
)

BOX = np.array([[10.0, 20, 40, 80]])


def test_conversions_by_hand():
    np.testing.assert_array_equal(xyxy_to_tlwh(BOX), [[10, 20, 30, 60]])
    np.testing.assert_array_equal(xyxy_to_cxcyah(BOX), [[25, 50, 0.5, 60]])
    np.testing.assert_array_equal(tlwh_to_xyxy(xyxy_to_tlwh(BOX)), BOX)
    np.testing.assert_array_equal(cxcyah_to_xyxy(xyxy_to_cxcyah(BOX)), BOX)
    np.testing.assert_array_equal(BOX, [[10, 20, 40, 80]])  # inputs stay as they are


def test_area_and_clip():
    np.testing.assert_array_equal(box_area(np.array([[0, 0, 2, 3], [2, 2, 1, 9]])), [6, 0])
    np.testing.assert_array_equal(
        clip_boxes(np.array([[-5.0, -5, 300, 50]]), (200, 100)), [[0, 0, 200, 50]]
    )


def test_iou_by_hand():
    a = np.array([[0.0, 0, 10, 10], [100, 100, 110, 110], [5, 5, 5, 9]])
    b = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [5, 5, 5, 9]])
    expected = [[1, 1 / 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(iou_matrix(a, b), expected)
    assert iou_matrix(a[:0], b).shape == (0, 4)
    assert iou_matrix(a, b[:0]).shape == (3, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_iou_is_symmetric_and_bounded(dtype):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 100, (30, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0, 60, (30, 2))], axis=1).astype(dtype)
    overlap = iou_matrix(boxes, boxes)
    np.testing.assert_allclose(overlap, overlap.T, rtol=1e-6)
    np.testing.assert_allclose(np.diag(overlap), 1, rtol=1e-6)
    assert overlap.min() >= 0
    assert overlap.max() <= 1 + 1e-6
    assert overlap.dtype == dtype


def test_iou_of_crowds_is_the_same():
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, 500, (200, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(-5, 60, (200, 2))], axis=1)
    whole = iou_matrix(boxes, boxes[::-1])
    parts = np.concatenate([iou_matrix(boxes[i : i + 20], boxes[::-1]) for i in range(0, 200, 20)])
    np.testing.assert_array_equal(whole, parts)
    assert (whole > 0).sum() > 500
