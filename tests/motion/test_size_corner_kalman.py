"""BoT-SORT's filter and the filter of corners: their noise, and boxes that stay boxes."""

import numpy as np
import pytest

from mmdeepmot.motion import CornerKalman, SizeKalman
from mmdeepmot.structures.track_table import TrackState, TrackTable

BOX = np.array([[80.0, 150, 120, 250]])  # centre (100, 200), 40 x 100
ONE = slice(0, 1)


def table_with(motion, boxes=BOX):
    table = TrackTable(motion.columns())
    motion.initiate(table, table.append(len(boxes)), boxes)
    return table


def test_botsorts_noise_by_hand():
    motion = SizeKalman()
    table = table_with(motion)
    np.testing.assert_allclose(table["mean"], [[100, 200, 40, 100, 0, 0, 0, 0]])
    # standard deviations 2/20 of 40 and 100; 10/160 of them for velocities
    np.testing.assert_allclose(table["covariance"][0, 0], [16, 100, 16, 100])
    np.testing.assert_allclose(table["covariance"][0, 2], [6.25, 39.0625, 6.25, 39.0625])
    mean = table["mean"]
    np.testing.assert_allclose(
        motion.process_variance(mean)[0], [4, 25, 4, 25, 0.0625, 0.390625, 0.0625, 0.390625]
    )
    np.testing.assert_allclose(motion.measurement_variance(mean), [[4, 25, 4, 25]])


def test_corner_noise_by_hand():
    motion = CornerKalman(process=(0.5, 0.25), measurement=3, initial=(2, 7))
    table = table_with(motion)
    np.testing.assert_allclose(table["mean"][0, :4], BOX[0])
    np.testing.assert_allclose(table["covariance"][0], [[2] * 4, [0] * 4, [7] * 4])
    motion.predict(table, ONE)
    np.testing.assert_allclose(table["covariance"][0], [[9.5] * 4, [7] * 4, [7.25] * 4])
    # innovation 12.5 a side for a variance of 9.5 + 3
    np.testing.assert_allclose(motion.distance(table, ONE, BOX + 12.5), 4 * 12.5)


@pytest.mark.parametrize("bad", [{"process": (1,)}, {"initial": (1, -1)}, {"measurement": 0}])
def test_corner_noise_that_is_none(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must be .* got"):
        CornerKalman(**bad)


def test_a_size_that_would_vanish_stops_shrinking():
    motion = SizeKalman()
    table = table_with(motion)
    table["mean"][0, 4:] = [5, 0, -41, -10]
    motion.predict(table, ONE)
    np.testing.assert_allclose(table["mean"][0], [105, 200, 40, 90, 5, 0, 0, -10])
    np.testing.assert_allclose(table.bboxes, [[85, 155, 125, 245]])


def test_sides_that_would_pass_each_other_move_on_together():
    motion = CornerKalman()
    table = table_with(motion)
    table["mean"][0, 4:] = [30, 1, -20, 3]
    motion.predict(table, ONE)
    np.testing.assert_allclose(table.bboxes, [[85, 151, 125, 253]])  # x: 5 both; y: 1 and 3
    np.testing.assert_allclose(table["mean"][0, 4:], [5, 1, 5, 3])


@pytest.mark.parametrize("motion", [SizeKalman(), CornerKalman()])
@pytest.mark.parametrize("coordinates", [[9.0, 9, -4, 0], [9.0, 9, 3, -2]])
def test_boxes_are_never_turned_inside_out(motion, coordinates):
    (box,) = motion.boxes(np.array([coordinates]))
    assert box[2] >= box[0] and box[3] >= box[1]


def test_lost_sizes_are_held_only_where_asked():
    for hold, expected in ((True, [[2.0, 3], [0, 0]]), (False, [[2.0, 3], [2, 3]])):
        motion = SizeKalman(hold_lost_size=hold)
        table = table_with(motion, BOX.repeat(2, axis=0))
        table["mean"][:, 6:] = [2, 3]
        table.states[:] = [TrackState.TRACKED, TrackState.LOST]
        motion.predict(table, slice(0, 2))
        np.testing.assert_array_equal(table["mean"][:, 6:], expected)


def test_sizes_turn_as_in_the_paper_or_not_at_all():
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0]])
    sizes = {}
    for rotate in (True, False):
        motion = SizeKalman(rotate_size=rotate)
        table = table_with(motion, np.array([[50.0, 50, 150, 90]]))  # 100 x 40
        motion.warp(table, ONE, turn)
        sizes[rotate] = table["mean"][0, 2:4]
    np.testing.assert_allclose(sizes[True], [0.8 * 100 - 0.6 * 40, 0.6 * 100 + 0.8 * 40])
    np.testing.assert_allclose(sizes[False], [100, 40])


def test_a_size_that_would_turn_negative_is_scaled():
    motion = SizeKalman()
    table = table_with(motion)
    motion.warp(table, ONE, np.array([[-2.0, 0, 0], [0, -2, 0]]))  # the camera stands on its head
    np.testing.assert_allclose(table["mean"][0, :4], [-200, -400, 80, 200])
    np.testing.assert_allclose(table.bboxes, [[-240, -500, -160, -300]])
