"""Each step by itself, on hand-made tables."""

import numpy as np
import pytest

from mmdeepmot.motion import AspectKalman, Motion
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.track_table import TrackState, TrackTable
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps import (
    Associate,
    Birth,
    Confirm,
    Predict,
    Refine,
    RemoveDuplicates,
    Report,
    Retire,
    Suppress,
)
from mmdeepmot.trackers.votes import vote_columns

TENTATIVE, TRACKED, LOST, REMOVED = TrackState


def squares(*lefts, size=10.0, top=0.0):
    left = np.array(lefts, dtype=np.float64)
    return np.stack([left, left * 0 + top, left + size, left * 0 + top + size], axis=1)


def context(
    tracks=(), detections=(), states=TRACKED, time=5, fps=30.0, motion=None, apart=False, **columns
):
    """A frame with squares at these left edges, detections of classes 0, 1, 2, ...; every track
    was last found one frame ago."""
    motion = motion or Motion()
    table = TrackTable(motion.columns() | vote_columns())
    rows = table.append(len(tracks), states=states)
    motion.initiate(table, rows, squares(*tracks))
    table["last_frames"] = time - 1
    for name, values in columns.items():
        table[name] = values
    boxes = squares(*detections)
    found = Detections(boxes, np.linspace(1, 0.2, len(boxes)), np.arange(len(boxes)))
    frame = Frame(time, (100, 100), fps, found)
    return FrameContext(frame, time, table, motion, None, found, apart)


def test_predict_moves_only_wanted_states():
    c = context([0, 100, 200], states=[TENTATIVE, TRACKED, LOST], motion=AspectKalman())
    c.table["mean"][:, 4] = 7
    Predict(states=["tracked", "lost"])(c)
    np.testing.assert_allclose(c.table.bboxes[:, 0], [0, 107, 207])
    Predict()(c)
    np.testing.assert_allclose(c.table.bboxes[:, 0], [7, 114, 214])


def test_cascade_gives_each_stage_what_the_last_left():
    c = context([0, 50, 52, 90], [1, 51, 91], states=[TRACKED, LOST, TRACKED, TENTATIVE])
    Associate("iou", 0.5, states=["tracked"])(c)
    assert [p[0].tolist() for p in c.pending] == [[0, 2]]
    assert [p[1].tolist() for p in c.pending] == [[0, 1]]
    np.testing.assert_array_equal(c.free_tracks, [False, True, False, True])
    np.testing.assert_array_equal(c.free_detections, [False, False, True])
    Associate("iou", 0.5, states=["lost", "tentative"])(c)
    rows, columns = c.take_pending()
    assert (rows.tolist(), columns.tolist()) == ([0, 2, 3], [0, 1, 2])
    assert c.take_pending()[0].size == 0


def test_score_bands():
    c = context([0, 30, 60], [0, 30, 60])  # scores 1, 0.6, 0.2
    Associate("iou", 0.5, below_score=0.6)(c)
    Associate("iou", 0.5, min_score=0.6)(c)
    assert [p[1].tolist() for p in c.pending] == [[2], [0, 1]]


def test_gate_with_weight_zero():
    cost = [{"type": "iou"}, {"type": "label", "weight": 0, "max": 0.5}]
    c = context([0, 0], [0, 1], labels=[1, 1])  # detections have labels 0 and 1
    Associate(cost, 0.9)(c)
    assert c.pending[0][1].tolist() == [1]


@pytest.mark.parametrize(("tracks", "detections"), [([], [1, 2]), ([1, 2], []), ([], [])])
def test_steps_on_nothing(tracks, detections):
    c = context(tracks, detections, motion=AspectKalman())
    for step in (
        Predict(),
        Suppress(),
        Associate("iou", 0.5),
        Refine(),
        Confirm(),
        Retire(),
        RemoveDuplicates(),
        Report(),
    ):
        step(c)
    assert len(c.tracks) == 0
    assert len(c.table) == len(tracks)


def test_refine_updates_what_was_matched():
    c = context([0, 50, 90], [4, 94], states=[TENTATIVE, TRACKED, LOST], hits=3)
    c.match(np.array([2, 0]), np.array([1, 0]))
    Refine(weight=0.5)(c)
    np.testing.assert_allclose(c.table.bboxes[:, 0], [2, 50, 92])
    np.testing.assert_array_equal(c.table.states, [TENTATIVE, TRACKED, TRACKED])
    np.testing.assert_array_equal(c.table.hits, [4, 3, 4])
    np.testing.assert_array_equal(c.table.last_frames, [5, 4, 5])
    np.testing.assert_allclose(c.table.scores, [1, 0, 0.2])
    Refine()(c)  # nothing is pending any more
    np.testing.assert_array_equal(c.table.hits, [4, 3, 4])


def test_birth_takes_free_detections_of_enough_score():
    c = context([0], [0, 30, 60, 90])  # scores 1, 0.73, 0.47, 0.2
    c.free_detections[0] = False
    Birth(min_score=0.4)(c)
    np.testing.assert_array_equal(c.table.ids, [1, 2, 3])
    np.testing.assert_allclose(c.table.bboxes[1:], squares(30, 60))
    np.testing.assert_array_equal(c.table.labels, [0, 1, 2])
    np.testing.assert_array_equal(c.table.states, [TRACKED, TENTATIVE, TENTATIVE])
    np.testing.assert_array_equal(c.table.start_frames, [0, 5, 5])
    np.testing.assert_array_equal(c.table.hits, [0, 1, 1])
    Associate("iou", 0.5)(c)  # new tracks have had their detection
    assert not c.pending
    Birth(min_score=0.4)(c)
    assert len(c.table) == 3


def test_confirm():
    c = context([0, 1, 2], states=[TENTATIVE, TENTATIVE, LOST], hits=[1, 2, 9])
    Confirm(hits=2, first_frame=True)(c)
    np.testing.assert_array_equal(c.table.states, [TENTATIVE, TRACKED, LOST])
    c = context([0], states=TENTATIVE, time=0, hits=1)
    Confirm(hits=2)(c)
    np.testing.assert_array_equal(c.table.states, [TENTATIVE])
    Confirm(hits=2, first_frame=True)(c)
    np.testing.assert_array_equal(c.table.states, [TRACKED])


@pytest.mark.parametrize(("fps", "kept"), [(30.0, 30), (25.0, 25), (14.0, 14), (60.0, 60)])
def test_buffer_counts_frames_or_seconds(fps, kept):
    ages = np.array([kept, kept + 1, 30, 31])
    for scaled, expected in ((True, ages <= kept), (False, ages <= 30)):
        c = context([0] * 4, states=LOST, time=100, fps=fps, last_frames=100 - ages)
        Retire(buffer=30, scale_with_fps=scaled)(c)
        np.testing.assert_array_equal(c.table.states != REMOVED, expected)


def test_retire_by_state():
    states = [TENTATIVE, TRACKED, TRACKED, LOST, REMOVED]
    c = context([0] * 5, states=states, last_frames=[4, 5, 4, 3, 5])
    Retire(buffer=2)(c)
    np.testing.assert_array_equal(c.table.states, [REMOVED, TRACKED, LOST, LOST, REMOVED])
    c = context([0] * 3, states=[TENTATIVE, TRACKED, TRACKED], last_frames=[3, 4, 5], hits=7)
    Retire(buffer=9, tentative_buffer=1, demote=True)(c)
    np.testing.assert_array_equal(c.table.states, [REMOVED, TENTATIVE, TRACKED])
    np.testing.assert_array_equal(c.table.hits, [0, 0, 7])


def test_suppress_among_tracks_and_detections():
    c = context([0, 2, 50], [1, 90], scores=[0.5, 0.9, 0.4])
    Suppress(tracks=0.6, detections=0.3)(c)
    np.testing.assert_array_equal(c.table.states, [LOST, TRACKED, TRACKED])
    np.testing.assert_array_equal(c.free_detections, [False, True])
    c = context([0, 2, 50], [1, 90], scores=[0.5, 0.9, 0.4])
    Suppress(tracks=None, detections=None)(c)
    assert c.free_detections.all()
    assert (c.table.states == TRACKED).all()
    c = context([0, 2], [], scores=[0.5, 0.9])
    Suppress(to="removed")(c)
    np.testing.assert_array_equal(c.table.states, [REMOVED, TRACKED])


def test_remove_duplicates_ends_the_younger():
    c = context(
        [0, 0.2, 50, 50.2, 90],
        states=[TRACKED, LOST, TENTATIVE, LOST, LOST],
        start_frames=[0, 2, 4, 1, 0],
    )
    RemoveDuplicates(0.15)(c)
    np.testing.assert_array_equal(c.table.states, [TRACKED, REMOVED, REMOVED, LOST, LOST])


def test_report_filters():
    c = context([0, 30, 60], states=[TRACKED, TENTATIVE, TRACKED], last_frames=[5, 5, 4])
    for step, expected in (
        (Report(), [1]),
        (Report(warm_up=6), [1, 2]),
        (Report(states=["tentative"]), [2]),
        (Report(min_area=100), [1]),
        (Report(min_area=101), []),
        (Report(max_aspect=1.0), [1]),
        (Report(max_aspect=0.9), []),
    ):
        step(c)
        assert c.tracks.ids.tolist() == expected


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Refine(weight=2), r"weight must lie in \[0, 1\], got 2"),
        (lambda: Retire(buffer=-1), "must not be negative, got -1 and 0"),
        (lambda: Suppress(to="dead"), "to must be 'lost' or 'removed', got 'dead'"),
    ],
)
def test_bad_parameters(build, message):
    with pytest.raises(ValueError, match=message):
        build()
