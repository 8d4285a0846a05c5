"""Trackers that move their own tracks (Tracktor, MOT-by-SOT) on the same engine, with a toy.

The toy ``propagate`` knows the true flow of the scene: it moves every box that it is asked for by
the motion of the object under it, and scores it by whether that object is visible.
"""

import numpy as np
import pytest

from mmdeepmot.errors import InputError
from mmdeepmot.registry import TRACKERS
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.boxes import iou_matrix

SIZE = np.array([30.0, 60.0])


class ToyWorld:
    """Objects on straight lines; ``visible (T, K)`` says when each is in sight."""

    def __init__(self, start, speed, visible):
        self.start, self.speed = np.asarray(start, float), np.asarray(speed, float)
        self.visible = np.asarray(visible, dtype=bool)
        self.asked = []

    def boxes(self, t):
        centre = self.start + t * self.speed
        return np.concatenate([centre - SIZE / 2, centre + SIZE / 2], axis=1)

    def frame(self, t, detected=None, looks=False):
        shown = self.visible[t].nonzero()[0] if detected is None else np.asarray(detected, int)

        def propagate(bboxes, ids):
            self.asked.append((t, ids.tolist()))
            overlap = iou_matrix(bboxes, self.boxes(t - 1))
            nearest = overlap.argmax(axis=1)
            found = overlap.max(axis=1) > 0.5
            scores = np.where(found & self.visible[t][nearest], 0.9, 0.1)
            return bboxes + np.tile(self.speed[nearest] * found[:, None], 2), scores

        embeddings = np.eye(len(self.start), 8, dtype=np.float32)[shown] if looks else None
        detections = Detections(
            self.boxes(t)[shown], np.ones(len(shown)), np.zeros(len(shown), int), embeddings
        )
        return Frame(t, (640, 480), detections=detections, propagate=propagate)


TRACKTOR = [
    {"type": "Propagate", "states": ["tracked"], "min_score": 0.5},
    {"type": "Suppress", "tracks": 0.6, "detections": 0.3, "states": ["tracked"]},
    {"type": "Birth", "min_score": 0.5},
    {"type": "Confirm", "hits": 1},
    {"type": "Retire", "buffer": 0},
]


def tracker(*steps, **kwargs):
    return TRACKERS.build({"type": "Tracker", "steps": list(steps), **kwargs})


def test_tracks_follow_the_flow_without_detections():
    """Fast objects that never overlap themselves from frame to frame: no association could."""
    world = ToyWorld([[50, 50], [400, 400]], [[40, 30], [-35, -35]], np.ones((10, 2)))
    engine = tracker(*TRACKTOR)
    for t in range(10):
        tracks = engine.step(world.frame(t, detected=None if t == 0 else []))
        np.testing.assert_array_equal(tracks.ids, [1, 2])
        np.testing.assert_allclose(tracks.bboxes, world.boxes(t))
        np.testing.assert_allclose(tracks.scores, 1.0 if t == 0 else 0.9)
    assert world.asked == [(t, [1, 2]) for t in range(1, 10)]  # one call a frame, all tracks


def test_detections_on_tracks_start_nothing_and_free_ones_do():
    world = ToyWorld([[50, 50], [400, 400]], [[4, 3], [-3, -3]], np.ones((6, 2)))
    engine = tracker(*TRACKTOR)
    ids = [engine.step(world.frame(t, [0] if t < 3 else [0, 1])).ids.tolist() for t in range(6)]
    assert ids == [[1]] * 3 + [[1, 2]] * 3


def test_invisible_tracks_end_and_come_back_as_new():
    visible = np.ones((8, 2))
    visible[3:5, 0] = 0
    world = ToyWorld([[50, 50], [400, 400]], [[4, 3], [-3, -3]], visible)
    engine = tracker(*TRACKTOR)
    ids = [engine.step(world.frame(t)).ids.tolist() for t in range(8)]
    assert ids == [[1, 2]] * 3 + [[2]] * 2 + [[2, 3]] * 3


def test_patience_with_appearance_gives_the_old_identity_back():
    """Tracktor with ReID: lost tracks meet new detections by appearance, near where they were."""
    visible = np.ones((9, 2))
    visible[3:6, 0] = 0
    world = ToyWorld([[50, 50], [400, 400]], [[2, 1], [-3, -3]], visible)
    engine = tracker(
        *TRACKTOR[:2],
        {
            "type": "Associate",
            "states": ["lost"],
            "cost": [{"type": "cosine"}, {"type": "iou", "weight": 0, "max": 0.8}],
            "limit": 0.3,
        },
        "Refine",
        *TRACKTOR[2:4],
        {"type": "Retire", "buffer": 10},
        memory={"type": "GalleryMemory", "size": 10, "reduce": "mean"},
    )
    ids = [engine.step(world.frame(t, looks=True)).ids.tolist() for t in range(9)]
    assert ids == [[1, 2]] * 3 + [[2]] * 3 + [[1, 2]] * 3


def test_two_tracks_on_one_object_leave_one():
    world = ToyWorld([[100, 100], [300, 100]], [[0, 0], [-25, 0]], np.ones((10, 2)))
    engine = tracker(*TRACKTOR)
    counts = [len(engine.step(world.frame(t, None if t == 0 else []))) for t in range(10)]
    assert counts[:7] == [2] * 7
    assert counts[8:] == [1] * 2  # at t = 8 they lie on each other
    assert len(engine.table) == 1


def test_single_object_trackers_verified_by_detections():
    """DeepMOT's management: three detections in a row start a track, detections average with it,
    without them it goes on unseen and ends after ``buffer`` frames."""
    world = ToyWorld([[50, 50]], [[10, 5]], np.ones((14, 1)))
    engine = tracker(
        {
            "type": "Propagate",
            "states": ["tentative", "tracked", "lost"],
            "min_score": 0.0,
            "counts": False,
        },
        {"type": "Associate", "states": ["tracked", "lost"], "cost": "iou", "limit": 0.4},
        {"type": "Associate", "states": ["tentative"], "cost": "iou", "limit": 0.7},
        {"type": "Refine", "weight": 0.5},
        {"type": "Confirm", "hits": 3},
        "Birth",
        {"type": "Retire", "buffer": 3},
    )
    seen = [0, 1, 2, 3, 6, 7]
    lengths, boxes = [], []
    for t in range(14):
        frame = world.frame(t, [0] if t in seen else [])
        if t == 3:
            frame.detections.bboxes[:] += 4
        tracks = engine.step(frame)
        lengths.append(len(tracks))
        boxes.append(tracks.bboxes)
    # confirmed at t = 2, unseen at 4 and 5, verified again at 6 and 7, ended after 10
    assert lengths == [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(boxes[2][0], world.boxes(2)[0])
    np.testing.assert_allclose(boxes[3][0], world.boxes(3)[0] + 2)
    np.testing.assert_allclose(boxes[6][0], world.boxes(6)[0] + 1)
    assert [t for t, _ in world.asked] == list(range(1, 12))
    assert len(engine.table) == 0


def test_propagation_through_a_kalman_filter_is_a_measurement():
    world = ToyWorld([[50, 50]], [[10, 5]], np.ones((30, 1)))
    engine = tracker("Predict", *TRACKTOR, motion="AspectKalman")
    for t in range(30):
        frame = world.frame(t, None if t == 0 else [])
        frame.propagate = lambda bboxes, ids, t=t: (world.boxes(t), np.ones(1))
        tracks = engine.step(frame)
    np.testing.assert_allclose(tracks.bboxes, world.boxes(29), atol=0.5)
    np.testing.assert_allclose(engine.table["mean"][0, 4:6], [10, 5], rtol=0.02)


def test_state_is_restored_in_the_middle():
    visible = np.random.default_rng(0).random((20, 4)) < 0.8
    world = ToyWorld(
        [[50, 50], [400, 400], [200, 300], [300, 90]], [[4, 3], [-3, -3], [2, -4], [0, 2]], visible
    )
    expected = [(lambda e: [e.step(world.frame(t)) for t in range(20)])(tracker(*TRACKTOR))][0]
    first, second = tracker(*TRACKTOR), tracker(*TRACKTOR)
    for t in range(11):
        first.step(world.frame(t))
    second.load_state_dict(first.state_dict())
    for t in range(11, 20):
        tracks = second.step(world.frame(t))
        np.testing.assert_array_equal(tracks.ids, expected[t].ids)
        np.testing.assert_array_equal(tracks.bboxes, expected[t].bboxes)


@pytest.mark.parametrize(
    ("propagate", "message"),
    [
        (None, r"steps\[0\] Propagate needs frame.propagate, and frame 1 has none"),
        (lambda b, i: (b[:0], np.ones(1)), r"asked for 1 tracks.*got \(0, 4\), \(1,\)"),
        (lambda b, i: (b * np.nan, np.ones(1)), "frame.propagate gave NaN or inf.*frame 1"),
    ],
)
def test_bad_networks_are_named(propagate, message):
    world = ToyWorld([[50, 50]], [[0, 0]], np.ones((2, 1)))
    engine = tracker(*TRACKTOR)
    engine.step(world.frame(0))
    frame = world.frame(1)
    frame.propagate = propagate
    with pytest.raises(ValueError, match=message):
        engine.step(frame)


def test_box_turned_inside_out_ends_the_track():
    world = ToyWorld([[50, 50]], [[0, 0]], np.ones((2, 1)))
    engine = tracker(*TRACKTOR)
    engine.step(world.frame(0))
    frame = world.frame(1, [])
    frame.propagate = lambda b, i: (b[:, [2, 1, 0, 3]], np.ones(1))
    assert len(engine.step(frame)) == 0
    assert len(engine.table) == 0


@pytest.mark.parametrize(
    ("inside", "left", "beyond"),
    [
        ("clip", [0.0, 20, 10, 60], None),
        ("centre", [-15.0, 20, 15, 60], [625.0, 450, 655, 510]),
        (None, [-20.0, 20, 10, 60], [650.0, 470, 680, 530]),
    ],
)
def test_boxes_stay_in_the_image(inside, left, beyond):
    """One track reaches out of the image at its left, one leaves it at its right."""
    world = ToyWorld([[50, 50], [600, 400]], [[0, 0], [0, 0]], np.ones((2, 2)))
    given = np.array([[-20.0, 20, 10, 60], [650, 470, 680, 530]])
    engine = tracker({**TRACKTOR[0], "inside": inside}, *TRACKTOR[1:])
    engine.step(world.frame(0))
    frame = world.frame(1, [])
    frame.propagate = lambda bboxes, ids: (given.copy(), np.full(2, 0.9))
    expected = [box for box in (left, beyond) if box is not None]
    np.testing.assert_allclose(engine.step(frame).bboxes, expected)


def test_who_stands_half_out_of_the_image_is_covered_by_his_track():
    """A network that sees the bars of a letterbox says where he goes on; detections end with the
    image."""
    world = ToyWorld([[-40, 200]], [[0, 0]], np.ones((5, 1)))
    inside = np.array([[0.0, 100, 20, 300]])
    engine = tracker(*TRACKTOR)
    for t in range(5):
        frame = world.frame(t).with_detections(Detections(inside, np.ones(1), np.zeros(1, int)))
        frame.propagate = lambda bboxes, ids: (np.array([[-80.0, 100, 20, 300]]), np.full(1, 0.9))
        tracks = engine.step(frame)
        assert tracks.ids.tolist() == [1]
        np.testing.assert_allclose(tracks.bboxes, inside)


def test_unknown_ways_to_stay_inside_are_named():
    with pytest.raises(InputError, match=r"inside: expected 'clip', 'centre' or None, got 'cut'"):
        tracker({**TRACKTOR[0], "inside": "cut"}, *TRACKTOR[1:])
