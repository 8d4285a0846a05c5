"""The bridge between tracker and follower: by hand, then through a whole TrackingModel."""

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample

from mmdeepmot.models.mot.follower import Follower, Found, Targets
from mmdeepmot.models.mot.propagation import Propagation

CPU = torch.device("cpu")
SAMPLE = DetDataSample(metainfo=dict(scale_factor=(0.5, 0.25), pad_offset=(3, 4)))


class Shifter(Follower):
    """Moves every target by its image (dx, dy px of the input); remembers its age and birth box.

    Rows come back in reversed order; a target whose box starts right of 1000 is lost.
    """

    def __init__(self):
        super().__init__()
        self.asked = []
        self.started = []

    def start(self, image, boxes, ids):
        self.started.append(ids.tolist())
        age = torch.zeros(len(ids), dtype=torch.int64)
        return Targets.at(image, boxes, ids, age=age, birth=boxes)

    def advance(self, image, targets):
        self.asked.append((targets.ids.tolist(), targets.memory["age"].tolist()))
        boxes = targets.near + torch.tensor(image).repeat(2)
        back = torch.arange(len(targets) - 1, -1, -1)
        valid = boxes[:, 0] <= 1000
        scores = 0.5 + targets.ids / 100
        found = Found(boxes[back], scores[back], targets.ids[back], valid[back])
        return found, targets.moved(image, boxes, age=targets.memory["age"] + 1)


def to_input(boxes):
    return np.asarray(boxes, float) * [0.5, 0.25, 0.5, 0.25] + [3, 4, 3, 4]


@pytest.fixture
def bridge():
    return Propagation(Shifter())


A, B, C = [10.0, 20, 30, 60], [100.0, 40, 140, 80], [300.0, 0, 340, 90]


def test_boxes_travel_through_the_pixels_of_the_input(bridge):
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(np.array([4, 9]), np.array([A, B]))
    np.testing.assert_allclose(bridge._targets.boxes.numpy(), to_input([A, B]))
    propagate = bridge.frame((2.0, 1.0), SAMPLE, CPU)  # 4 px and 4 px of the original
    boxes, scores = propagate(np.array([B, A]), np.array([9, 4]))
    np.testing.assert_allclose(boxes, np.array([B, A]) + 4)
    np.testing.assert_allclose(scores, [0.59, 0.54], rtol=1e-6)


def test_near_is_where_the_tracker_says(bridge):
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(np.array([1]), np.array([A]))
    propagate = bridge.frame((2.0, 1.0), SAMPLE, CPU)
    boxes, _ = propagate(np.array([A]) + 50, np.array([1]))  # the camera moved
    np.testing.assert_allclose(boxes, np.array([A]) + 54)


def test_ended_ones_are_dropped_new_ones_started_others_moved(bridge):
    follower = bridge.follower
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(np.array([1, 2]), np.array([A, B]))
    propagate = bridge.frame((1.0, 0.0), SAMPLE, CPU)
    propagate(np.array([A, B]), np.array([1, 2]))
    bridge.settle(np.array([2, 3]), np.array([C, A]))  # 1 ended, 2 refined to C, 3 born at A
    assert follower.started == [[1, 2], [3]]
    targets = bridge._targets
    assert targets.ids.tolist() == [2, 3]
    assert targets.image == (1.0, 0.0)
    np.testing.assert_allclose(targets.boxes.numpy(), to_input([C, A]))
    np.testing.assert_allclose(targets.near.numpy(), to_input([C, A]))
    assert targets.memory["age"].tolist() == [1, 0]
    np.testing.assert_allclose(targets.memory["birth"].numpy(), to_input([B, A]))


def test_tracks_that_are_not_asked_for_keep_their_memory(bridge):
    follower = bridge.follower
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(np.array([5, 6, 7]), np.array([A, B, C]))
    for _ in range(2):
        propagate = bridge.frame((1.0, 0.0), SAMPLE, CPU)
        propagate(np.array([B]), np.array([6]))  # 5 and 7 are lost
        bridge.settle(np.array([5, 6, 7]), np.array([A, B, C]))
    propagate = bridge.frame((1.0, 0.0), SAMPLE, CPU)
    propagate(np.array([C, A, B]), np.array([7, 5, 6]))
    assert follower.asked == [([6], [0]), ([6], [1]), ([7, 5, 6], [0, 0, 2])]
    assert follower.started == [[5, 6, 7]]


def test_two_calls_in_a_frame_each_see_the_frame_before(bridge):
    """As of two Propagate steps: GOTURN's crop of the second is cut from the last image, too."""
    before = []
    advance = bridge.follower.advance
    bridge.follower.advance = lambda image, t: (before.append(t.image), advance(image, t))[1]
    ids, boxes = np.array([1, 2, 3]), np.array([A, B, C])
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(ids, boxes)
    propagate = bridge.frame((1.0, 0.0), SAMPLE, CPU)
    first, second = propagate(boxes[1:2], ids[1:2])[0], propagate(boxes[2:], ids[2:])[0]
    assert before == [(0.0, 0.0)] * 2
    np.testing.assert_allclose([first[0], second[0]], np.add([B, C], [2, 0, 2, 0]))
    with pytest.raises(ValueError, match=r"\[2\], or has moved them in this frame"):
        propagate(boxes[1:2], ids[1:2])
    bridge.settle(ids, boxes)
    assert sorted(bridge._targets.ids.tolist()) == [1, 2, 3]
    assert bridge._targets.image == (1.0, 0.0)
    age = dict(
        zip(bridge._targets.ids.tolist(), bridge._targets.memory["age"].tolist(), strict=True)
    )
    assert age == {1: 0, 2: 1, 3: 1}


@pytest.mark.parametrize("answer", [5, 0, 99])
def test_rows_of_ids_that_were_not_asked_for_are_named(bridge, answer):
    bridge.follower.advance = lambda image, t: (
        Found(t.boxes, t.boxes[:, 0], torch.tensor([1, answer]), t.ids > 0), t,
    )  # fmt: skip
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(np.array([1, 9]), np.array([A, B]))
    propagate = bridge.frame((0.0, 0.0), SAMPLE, CPU)
    with pytest.raises(ValueError, match=rf"Shifter.advance .* row_ids \[{answer}\], only for"):
        propagate(np.array([A, B]), np.array([1, 9]))


def test_only_those_due_are_started(bridge):
    """A track to be confirmed first (1) starts when it is, where it then stands; 2 goes on."""
    ids, boxes = np.array([1, 2]), np.array([A, B])
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(ids, boxes, np.array([False, True]))
    bridge.frame((1.0, 0.0), SAMPLE, CPU)(boxes[1:], ids[1:])
    bridge.settle(ids, np.array([C, B]), np.array([True, False]))
    assert bridge.follower.started == [[2], [1]]
    assert bridge._targets.ids.tolist() == [2, 1]
    assert bridge._targets.memory["age"].tolist() == [1, 0]
    np.testing.assert_allclose(bridge._targets.memory["birth"].numpy(), to_input([B, C]))


def test_what_the_follower_loses_has_score_zero_and_stays(bridge):
    far = [5000.0, 0, 5040, 90]
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(np.array([1, 2]), np.array([far, A]))
    boxes, scores = bridge.frame((1.0, 0.0), SAMPLE, CPU)(np.array([far, A]), np.array([1, 2]))
    assert scores[0] == 0 and scores[1] > 0.5
    np.testing.assert_allclose(boxes[0], far)
    np.testing.assert_allclose(boxes[1], np.add(A, [2, 0, 2, 0]))


def test_no_tracks_then_some_then_none(bridge):
    none = np.zeros((0, 4)), np.zeros(0, dtype=np.int64)
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(none[1], none[0])
    boxes, scores = bridge.frame((1.0, 0.0), SAMPLE, CPU)(*none)
    assert boxes.shape == (0, 4) and scores.shape == (0,)
    bridge.settle(np.array([1]), np.array([A]))
    bridge.frame((1.0, 0.0), SAMPLE, CPU)
    bridge.settle(none[1], none[0])
    assert len(bridge._targets) == 0
    bridge.reset()
    assert bridge._targets is None


def test_unknown_ids_are_named(bridge):
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(np.array([1]), np.array([A]))
    propagate = bridge.frame((0.0, 0.0), SAMPLE, CPU)
    with pytest.raises(ValueError, match=r"knows no targets with the ids \[8\], or .* call settle"):
        propagate(np.array([A, B]), np.array([1, 8]))


def test_targets_that_vanish_on_the_way_are_named(bridge):
    bridge.follower.advance = lambda image, t: (
        Found(t.boxes, t.boxes[:, 0], t.ids, t.ids > 0), t[:1],
    )  # fmt: skip
    bridge.frame((0.0, 0.0), SAMPLE, CPU)
    bridge.settle(np.array([1, 2]), np.array([A, B]))
    propagate = bridge.frame((0.0, 0.0), SAMPLE, CPU)
    with pytest.raises(ValueError, match=r"Shifter.advance was given 2 targets .* got 1"):
        propagate(np.array([A, B]), np.array([1, 2]))
