"""Tracktor's motion model, by hand."""

import numpy as np
import pytest

from mmdeepmot.motion import ConstantVelocity
from mmdeepmot.structures.track_table import TrackState, TrackTable

BOX = np.array([[10.0, 10, 20, 30]])


def table_of(motion):
    table = TrackTable(motion.columns())
    rows = table.append(1, states=TrackState.TRACKED)
    motion.initiate(table, rows, BOX)
    return table


def go(motion, table, boxes):
    """Predicts and is then found at each of the boxes; the predictions."""
    out = []
    for box in boxes:
        motion.predict(table, slice(0, 1))
        out.append(table.bboxes[0].tolist())
        motion.update(table, slice(0, 1), np.array([box], dtype=float))
    return out


def test_a_new_track_rests_then_goes_on_as_it_went():
    motion = ConstantVelocity()
    seen = go(motion, table_of(motion), [[14, 11, 24, 31], [18, 12, 28, 32], [30, 12, 40, 32]])
    assert seen == [BOX[0].tolist(), [18, 12, 28, 32], [22, 13, 32, 33]]


def test_the_size_stays_unless_all_edges_count():
    wider = [[10, 10, 24, 30], [10, 10, 28, 30]]
    motion = ConstantVelocity()
    assert go(motion, table_of(motion), wider)[1] == [12, 10, 26, 30]  # the centre's 2 px
    motion = ConstantVelocity(center_only=False)
    assert go(motion, table_of(motion), wider)[1] == [10, 10, 28, 30]


def test_mean_over_the_frames_that_there_are():
    motion = ConstantVelocity(span=3)
    steps = [[12, 10, 22, 30], [18, 10, 28, 30], [30, 10, 40, 30], [50, 10, 60, 30], [50] * 4]
    lefts = [box[0] for box in go(motion, table_of(motion), steps)]
    # mean differences: 0; (0 + 2)/2; (0 + 2 + 6)/3; (2 + 6 + 12)/3
    np.testing.assert_allclose(lefts, [10, 12 + 1, 18 + 8 / 3, 30 + 20 / 3, 50 + 38 / 3])


def test_lost_tracks_go_on_and_rest_when_found_again():
    motion = ConstantVelocity()
    table = table_of(motion)
    go(motion, table, [[14, 10, 24, 30]])
    motion.predict(table, slice(0, 1))
    table.states[0] = TrackState.LOST
    assert table.bboxes[0, 0] == 18
    motion.predict(table, slice(0, 1))
    assert table.bboxes[0, 0] == 22
    motion.update(table, np.array([0]), BOX)
    table.states[0] = TrackState.TRACKED
    motion.predict(table, slice(0, 1))
    assert table.bboxes[0].tolist() == BOX[0].tolist()


def test_the_camera_moves_the_past_too():
    motion = ConstantVelocity()
    table = table_of(motion)
    go(motion, table, [[14, 10, 24, 30]])
    motion.warp(table, slice(0, 1), np.array([[1.0, 0, 100], [0, 1, 0]]))
    motion.predict(table, slice(0, 1))
    assert table.bboxes[0, 0] == 118  # on by the 4 px of its own


def test_no_tracks():
    motion = ConstantVelocity()
    table = TrackTable(motion.columns())
    motion.predict(table, slice(0, 0))
    motion.update(table, np.zeros(0, dtype=int), np.zeros((0, 4)))
    assert len(table) == 0


def test_span_is_checked():
    with pytest.raises(ValueError, match="span must be at least 1, got 0"):
        ConstantVelocity(span=0)
