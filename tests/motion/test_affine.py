"""Affine motions of points, boxes and directions; between resolutions and pixel conventions."""

import numpy as np
import pytest

from mmdeepmot.motion.affine import (
    IDENTITY,
    affine_scale,
    checked_affine,
    determinant,
    from_pixel_centres,
    move_boxes,
    move_points,
    rescale_affine,
    turn_directions,
)

QUARTER_TURN = np.array([[0.0, -2, 100], [2, 0, 0]])  # by 90 degrees, twice as large, shifted


def test_points_and_boxes_by_hand():
    assert move_points(np.array([3.0, 4.0]), QUARTER_TURN).tolist() == [92, 6]
    # centre (10, 20) goes to (60, 20); width 4 and height 8 are doubled, and not swapped
    assert move_boxes(np.array([[8.0, 16, 12, 24]]), QUARTER_TURN).tolist() == [[56, 12, 64, 28]]
    assert (determinant(QUARTER_TURN), affine_scale(QUARTER_TURN)) == (4, 2)


def test_boxes_of_any_shape_and_none():
    boxes = np.arange(24.0).reshape(2, 3, 4)
    moved = move_boxes(boxes, QUARTER_TURN)
    np.testing.assert_allclose(moved[1, 2], move_boxes(boxes[1, 2], QUARTER_TURN))
    assert move_boxes(np.zeros((0, 4)), QUARTER_TURN).shape == (0, 4)
    np.testing.assert_array_equal(move_boxes(boxes, IDENTITY), boxes)


def test_directions_turn_and_keep_their_length():
    turned = turn_directions(np.array([[1.0, 0], [0.6, 0.8], [0, 0]]), QUARTER_TURN)
    np.testing.assert_allclose(turned, [[0, 1], [-0.8, 0.6], [0, 0]], atol=1e-15)


def test_pixel_centres_lie_half_a_pixel_inside():
    """A zoom by 3 that leaves the first pixel's corner in place moves its centre by 1 px."""
    np.testing.assert_allclose(from_pixel_centres([[3, 0, 1], [0, 3, 1]]), [[3, 0, 0], [0, 3, 0]])
    rng = np.random.default_rng(0)
    affine, point = rng.normal(size=(2, 3)), rng.normal(size=2)
    np.testing.assert_allclose(
        move_points(point + 0.5, from_pixel_centres(affine)), move_points(point, affine) + 0.5
    )


def test_another_resolution_sees_the_same_motion():
    rng = np.random.default_rng(1)
    affine, point, scale = rng.normal(size=(2, 3)), rng.normal(size=2), np.array([0.5, 0.25])
    np.testing.assert_allclose(
        move_points(point, rescale_affine(affine, scale)) * scale,
        move_points(point * scale, affine),
    )


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.eye(3), r"shape \(2, 3\).*got shape \(3, 3\)"),
        (np.full((2, 3), np.nan), "finite and invertible"),
        (np.zeros((2, 3)), "finite and invertible"),
    ],
)
def test_what_is_no_camera_motion_is_refused(bad, message):
    with pytest.raises(ValueError, match=f"^here: .*{message}"):
        checked_affine(bad, "here")
