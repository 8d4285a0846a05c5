"""Remember, and what Suppress can do for propagated tracks, by hand."""

import numpy as np
import pytest

from mmdeepmot.registry import TRACKERS
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.track_table import TrackState

A, B, C = [0.0, 0, 10, 20], [50.0, 0, 60, 20], [200.0, 0, 210, 20]
MEMORY = {"type": "GalleryMemory", "size": 3, "reduce": "mean"}
PROPAGATE = {"type": "Propagate", "states": ["tracked"]}


def build(*steps, memory=MEMORY):
    return TRACKERS.build({"type": "Tracker", "memory": memory, "steps": list(steps)})


class Network:
    """Looks of boxes: the direction of their left edge, in degrees; counts its calls."""

    def __init__(self):
        self.calls = []

    def __call__(self, bboxes):
        self.calls.append(bboxes[:, 0].tolist())
        angle = np.deg2rad(bboxes[:, 0])
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def frame(index, boxes, network, move=0.0, scores=None, embeddings=None):
    boxes = np.array(boxes, dtype=float).reshape(-1, 4)
    scores = np.ones(len(boxes)) if scores is None else np.array(scores)
    labels = np.zeros(len(boxes), dtype=int)
    return Frame(
        index, (640, 480), detections=Detections(boxes, scores, labels, embeddings),
        propagate=lambda bboxes, ids: (bboxes + np.tile([move, 0], 2), np.full(len(bboxes), 0.9)),
        embed=network,
    )  # fmt: skip


def test_one_call_a_frame_for_tracks_and_free_detections():
    tracker = build(PROPAGATE, {"type": "Suppress", "tracks": None}, "Remember", "Birth",
                    {"type": "Confirm", "hits": 1})  # fmt: skip
    network = Network()
    tracker.step(frame(0, [A, B], network))
    assert network.calls == [[0, 50]]
    tracker.step(frame(1, [A, C, B], network, move=3))  # A and B lie on tracks
    assert network.calls[1:] == [[3, 53, 200]]
    tracker.step(frame(2, [], network, move=3))
    assert network.calls[2:] == [[6, 56, 203]]
    assert tracker.table["gallery_counts"].tolist() == [3, 3, 2]
    looks = tracker.table["gallery"]
    np.testing.assert_allclose(looks[0], network(np.array([A, [3, 0, 0, 0], [6, 0, 0, 0]])))
    np.testing.assert_allclose(looks[2, :2], network(np.array([C, [203.0, 0, 0, 0]])))


def test_embeddings_of_the_detector_are_kept():
    tracker = build(PROPAGATE, "Remember", "Birth", {"type": "Confirm", "hits": 1})
    network = Network()
    own = np.array([[0.6, 0.8]], dtype=np.float32)
    tracker.step(frame(0, [A], network, embeddings=own))
    assert network.calls == []
    tracker.step(frame(1, [C], network, embeddings=own))
    assert network.calls == [[0]]  # the track alone
    np.testing.assert_allclose(tracker.table["gallery"][1, 0], own[0])


def test_memory_is_needed():
    tracker = build("Remember", memory=None)
    with pytest.raises(ValueError, match=r"steps\[0\] Remember needs .* appearance memory"):
        tracker.step(frame(0, [A], Network()))


def test_detections_suppress_each_other_before_tracks_do():
    """The better of two goes to the track, and the weaker, which would be free, is gone with it."""
    suppress = {"type": "Suppress", "tracks": None, "among": 0.3, "detections": 0.3}
    tracker = build(PROPAGATE, suppress, "Birth", {"type": "Confirm", "hits": 1}, memory=None)
    network = Network()
    tracker.step(frame(0, [A], network))
    near, far = [4.0, 0, 14, 20], [8.5, 0, 18.5, 20]
    assert len(tracker.step(frame(1, [near, far], network, scores=[0.9, 0.8]))) == 1
    assert len(tracker.step(frame(2, [near, far], network, scores=[0.8, 0.9]))) == 2


def test_weak_detections_are_not_used():
    tracker = build({"type": "Suppress", "min_score": 0.5}, {"type": "Birth", "min_score": 0.0},
                    {"type": "Confirm", "hits": 1}, memory=None)  # fmt: skip
    assert len(tracker.step(frame(0, [A, B], Network(), scores=[0.4, 0.6]))) == 1


def test_a_suppressed_track_was_not_found():
    """It is kept for as long as one that faded in the same frame."""
    tracker = build(PROPAGATE, {"type": "Suppress", "tracks": 0.6, "detections": None}, "Birth",
                    {"type": "Confirm", "hits": 1}, {"type": "Retire", "buffer": 2},
                    memory=None)  # fmt: skip
    network = Network()
    tracker.step(frame(0, [A, B], network))
    both = frame(1, [], network)
    both.propagate = lambda bboxes, ids: (np.array([A, A]), np.array([0.8, 0.9]))
    tracker.step(both)
    assert tracker.table.states.tolist() == [TrackState.LOST, TrackState.TRACKED]
    assert tracker.table.last_frames.tolist() == [0, 1]
    lengths = []
    for index in (2, 3):
        tracker.step(frame(index, [], network))
        lengths.append(len(tracker.table))
    assert lengths == [2, 1]
