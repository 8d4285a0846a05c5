"""Objects of several classes: kept apart, or together."""

import numpy as np
import pytest

from mmdeepmot.errors import InputError
from mmdeepmot.registry import TRACKERS
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.trackers.votes import tally

STEPS = (
    {"type": "Predict"},
    {"type": "Associate", "cost": "iou", "limit": 0.7},
    {"type": "Refine"},
    {"type": "Birth", "min_score": 0.1},
    {"type": "Confirm", "hits": 1},
    {"type": "Retire", "buffer": 30},
)


def frame(index, *objects):
    """Squares of 10 px: (left, label) or (left, label, score)."""
    left = np.array([one[0] for one in objects], dtype=float)
    boxes = np.stack([left, left * 0, left + 10, left * 0 + 10], axis=1)
    scores = np.array([one[2] if len(one) > 2 else 0.9 for one in objects])
    labels = np.array([one[1] for one in objects], dtype=np.int64)
    return Frame(index, (200, 100), detections=Detections(boxes, scores, labels))


def run(frames, steps=STEPS, **options):
    tracker = TRACKERS.build({"type": "Tracker", "steps": list(steps), **options})
    return [tracker.step(one) for one in frames]


def test_apart_a_truck_does_not_take_over_a_cars_track():
    frames = [frame(0, (0, 0)), frame(1, (1, 1)), frame(2, (2, 0), (2, 1))]
    ids = [tracks.ids.tolist() for tracks in run(frames)]
    assert ids == [[1], [2], [1, 2]]
    last = run(frames)[-1]
    assert dict(zip(last.ids.tolist(), last.labels.tolist(), strict=True)) == {1: 0, 2: 1}


def test_apart_the_nearer_detection_of_another_class_is_left_alone():
    tracks = run([frame(0, (0, 3)), frame(1, (0, 5), (4, 3))])[-1]
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.labels.tolist() == [3, 5]
    np.testing.assert_allclose(tracks.bboxes[:, 0], [4, 0])


def test_together_one_object_may_change_its_class():
    frames = [frame(0, (0, 0, 0.9)), frame(1, (1, 1, 0.6)), frame(2, (2, 1, 0.6))]
    found = run(frames, classes="together")
    assert [tracks.ids.tolist() for tracks in found] == [[1]] * 3
    # 0 leads by 0.9, then by 0.3, then 1 leads by 0.3
    assert [tracks.labels.tolist() for tracks in found] == [[0], [0], [1]]


def test_one_class_is_tracked_alike_either_way():
    rng = np.random.default_rng(0)
    frames = [frame(t, *((float(x), 0) for x in rng.uniform(0, 150, 6))) for t in range(30)]
    for one, other in zip(run(frames), run(frames, classes="together"), strict=True):
        np.testing.assert_array_equal(one.ids, other.ids)
        np.testing.assert_array_equal(one.bboxes, other.bboxes)


def test_apart_is_one_tracker_for_each_class():
    rng = np.random.default_rng(1)
    scenes = [
        [[(float(x), label) for x in rng.uniform(0, 150, 5)] for _ in range(40)]
        for label in range(3)
    ]
    steps = [*STEPS[:5], {"type": "RemoveDuplicates", "max_distance": 0.5}, STEPS[5]]
    mixed = [
        frame(t, *(one for scene in scenes for one in scene[t])) for t in range(len(scenes[0]))
    ]
    together = run(mixed, steps)
    for label, scene in enumerate(scenes):
        alone = run([frame(t, *moment) for t, moment in enumerate(scene)], steps)
        renamed: dict[int, int] = {}
        for one, other in zip(alone, together, strict=True):
            here = other.labels == label
            np.testing.assert_allclose(one.bboxes, other.bboxes[here])
            for mine, theirs in zip(one.ids.tolist(), other.ids[here].tolist(), strict=True):
                assert renamed.setdefault(mine, theirs) == theirs


@pytest.mark.parametrize(("classes", "left"), [("apart", [0, 1]), ("together", [0])])
def test_boxes_suppress_each_other_within_a_class(classes, left):
    steps = [{"type": "Suppress", "tracks": None, "among": 0.5, "detections": None}, *STEPS]
    tracks = run([frame(0, (0, 0, 0.9), (1, 1, 0.8))], steps, classes=classes)[0]
    assert tracks.labels.tolist() == left


@pytest.mark.parametrize(("classes", "count"), [("apart", 2), ("together", 1)])
def test_detections_are_covered_by_tracks_of_their_class(classes, count):
    steps = [{"type": "Suppress", "tracks": None, "detections": 0.5}, *STEPS[3:]]
    frames = [frame(0, (0, 0)), frame(1, (1, 1))]
    tracker = TRACKERS.build({"type": "Tracker", "steps": steps, "classes": classes})
    for one in frames:
        tracker.step(one)
    assert len(tracker.table) == count


def test_the_vote_goes_on_after_an_interruption():
    config = {"type": "Tracker", "steps": list(STEPS), "classes": "together"}
    frames = [frame(0, (0, 0)), frame(1, (0, 1)), frame(2, (0, 1, 0.5))]
    first, second = TRACKERS.build(config), TRACKERS.build(config)
    for one in frames[:2]:
        first.step(one)
    second.load_state_dict(first.state_dict())
    assert first.step(frames[2]).labels.tolist() == second.step(frames[2]).labels.tolist() == [1]


def test_tally():
    labels, voted = np.array([0, 0, 0]), np.array([0, 1, 1])
    lead, changed = tally(labels, np.array([0.5, 0.5, 0.25]), voted, np.array([0.25, 0.25, 1.0]))
    np.testing.assert_allclose(lead, [0.75, 0.25, 0.75])
    assert changed.tolist() == [False, False, True]


def test_unknown_choice():
    with pytest.raises(InputError, match=r"Tracker\.classes must be one of .*got 'mixed'"):
        run([], classes="mixed")
