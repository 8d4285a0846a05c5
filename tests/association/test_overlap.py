"""Overlapping pairs by the sweep against the matrix of all pairs."""

import numpy as np
import pytest

from mmdeepmot.association import overlap, overlapping
from mmdeepmot.structures.boxes import iou_matrix, iou_pairs


def boxes(rng, count, span, largest=150):
    corner = rng.uniform(0, span, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(1, largest, (count, 2))], axis=1)


@pytest.mark.parametrize("span", [50.0, 600.0, 20_000.0])
@pytest.mark.parametrize("shape", [(70, 60), (1, 3000), (3000, 1)])
def test_sweep_equals_the_matrix(span, shape):
    rng = np.random.default_rng(0)
    a, b = boxes(rng, shape[0], span), boxes(rng, shape[1], span)
    assert shape[0] * shape[1] > overlap._FEW
    matrix = iou_matrix(a, b)
    rows, columns, value = overlapping(a, b)
    np.testing.assert_array_equal([rows, columns], matrix.nonzero())
    np.testing.assert_allclose(value, matrix[rows, columns], rtol=1e-12)


def test_odd_boxes():
    rng = np.random.default_rng(1)
    a, b = boxes(rng, 60, 500), boxes(rng, 80, 500)
    a[3] = [-1e6, -1e6, 1e6, 1e6]  # over everything
    a[4, 2:] = a[4, :2]  # a point
    a[5] = [300, 300, 200, 200]  # inside out
    b[7] = [-1e6, 0, 1e6, 500]
    b[8] = a[10]  # the same box
    b[9] = [a[11, 2], a[11, 1], a[11, 2] + 20, a[11, 3]]  # touches, does not overlap
    matrix = iou_matrix(a, b)
    rows, columns, value = overlapping(a, b)
    np.testing.assert_array_equal([rows, columns], matrix.nonzero())
    np.testing.assert_allclose(value, matrix[rows, columns], rtol=1e-12)
    assert matrix[10, 8] == 1
    assert matrix[11, 9] == 0


def test_far_scene_has_no_pairs():
    rng = np.random.default_rng(2)
    rows, columns, value = overlapping(boxes(rng, 60, 100), boxes(rng, 60, 100) + 1e4)
    assert rows.size == columns.size == value.size == 0


def test_pairs_are_the_matrix_row_by_row():
    rng = np.random.default_rng(3)
    a, b = boxes(rng, 50, 200), boxes(rng, 50, 200)
    a[0], b[0] = 5, 5  # empty union
    np.testing.assert_allclose(iou_pairs(a, b), np.diag(iou_matrix(a, b)), rtol=1e-12)
