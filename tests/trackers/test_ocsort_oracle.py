"""The OC-SORT config against OC-SORT written plainly, one filter and one diary a track.

Cao et al. 2023: SORT's filter; momentum of the observed way in the cost (Sec. 4.2, OCM), a second
chance at the place last seen (OCR), and after a gap the filter led along a straight line of
imagined detections (Sec. 4.1, ORU). Pairs that overlap by 0.01 take part in the assignment, those
that overlap by less than 0.3 are parted afterwards; leaving alone costs 1; detections from 0.6 on;
a track's first detection belongs to its diary. The published code (``code``) differs in three ways.
"""

import math
from collections import Counter

import numpy as np
import pytest
from plain_filters import AreaFilter
from plain_tracks import (
    assert_same,
    build,
    found,
    overlap,
    pair_up,
    tracker_config,
    with_scores,
)

from mmdeepmot.registry import TRACKERS

SPAN = 3


def centre(box):
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])


class Target:
    def __init__(self, number, box, t, code=False):
        self.number, self.idle, self.streak, self.code = number, 0, 0, code
        self.filter = AreaFilter(box)
        self.last = box
        self.diary = {} if code else {t: box}
        self.way = np.zeros(2)
        self.saved = self.filter.save()  # as it was when last seen

    def predict(self):
        self.filter.predict()
        if self.idle > 0:
            self.streak = 0
        self.idle += 1

    def place(self, t):
        """Where it was SPAN frames before t, or as soon after as it was seen, or last."""
        for back in range(SPAN, 0, -1):
            if t - back in self.diary:
                return self.diary[t - back]
        return self.last

    def turn(self, box, t):
        """Angle between the way so far and the way to the box, from -0.5 to 0.5."""
        step = centre(box) - centre(self.place(t))
        lengths = np.linalg.norm(step) * np.linalg.norm(self.way)
        if lengths == 0:
            return 0.0
        return math.acos(np.clip(step @ self.way / lengths, -1, 1)) / math.pi - 0.5

    def update(self, box, t):
        if self.idle > 1:
            self.filter.restore(self.saved)
            self.filter.predict()
            start, end = np.array(self.last), np.array(box)
            for step in range(1, self.idle):
                self.filter.update(tuple(start + (end - start) * step / self.idle))
                self.filter.predict()
            if self.code:
                self.filter.update(box)
        self.filter.update(box)
        self.saved = self.filter.save()
        if self.diary:
            step = centre(box) - centre(self.place(t))
            length = np.linalg.norm(step)
            self.way = step / length if length else np.zeros(2)
        self.diary[t] = self.last = box
        self.idle = 0
        self.streak += 1


def part(pairs, alone, left, targets, detections):
    """Part the pairs that overlap too little; everyone left over in the old order."""
    met = [(k, d) for k, d in pairs if overlap(k.filter.box, d.box) >= 0.3]
    taken = {id(one) for pair in met for one in pair}
    return (
        met,
        [k for k in targets if id(k) not in taken],
        [d for d in detections if id(d) not in taken],
    )


def ocsort(frames, weight=0.2, fuse_score=False, filtered=False, code=False):
    """``{id: box}`` of every frame, and how often each case occurred.

    ``weight``: of the momentum; ``fuse_score``: times the detection's score; ``filtered``: the
    filters' boxes in place of the detections.
    """
    targets, count, out, cases = [], 0, [], Counter()
    for t, frame in enumerate(frames):
        strong = [d for d in found(frame) if d.score >= 0.6]
        for k in targets:
            k.predict()

        def on_its_way(k, d, t=t):
            iou = overlap(k.filter.box, d.box)
            share = weight * d.score if fuse_score else weight
            return math.inf if iou < 0.01 else 1 - iou + share * k.turn(d.box, t)

        def where_last_seen(k, d):
            return 1 - overlap(k.last, d.box)

        pairs = pair_up(targets, strong, on_its_way, 1.0)
        met, alone, left = part(*pairs, targets, strong)
        cases["parted"] += len(pairs[0]) - len(met)
        more, _, left = pair_up(alone, left, where_last_seen, 0.7)
        cases["recovered"] += len(more)
        for k, d in met + more:
            cases["after a gap"] += k.idle > 1
            k.update(d.box, t)
        for d in left:
            count += 1
            targets.append(Target(count, d.box, t, code))
        shown = [k for k in targets if k.idle == 0 and (k.streak >= 3 or t < 3)]
        out.append({k.number: k.filter.box if filtered else k.last for k in shown})
        targets = [k for k in targets if k.idle <= 30]
    return out, cases


def changed(**changes):
    """The config with the first step of a type changed, ``Report=dict(boxes='bboxes')``."""
    config = tracker_config("ocsort/ocsort")
    for kind, values in changes.items():
        next(step for step in config.steps if step.type == kind).update(values)
    return TRACKERS.build(config)


@pytest.mark.parametrize("seed", range(6))
def test_random_scenes(seed, random_scene):
    frames = with_scores(random_scene(seed, people=10 + 4 * seed), seed)
    expected, cases = ocsort(frames)
    assert assert_same(build("ocsort/ocsort"), frames, expected) > 100
    assert min(cases["recovered"], cases["after a gap"]) >= 5, cases


@pytest.mark.parametrize("seed", range(4))
def test_published_code(seed, random_scene):
    frames = with_scores(random_scene(seed, people=10 + 4 * seed), seed)
    expected, cases = ocsort(frames, fuse_score=True, code=True)
    assert assert_same(build("ocsort/ocsort_code"), frames, expected) > 100
    assert min(cases["recovered"], cases["after a gap"]) >= 5, cases
    expected, _ = ocsort(frames, fuse_score=True, code=True, filtered=True)
    tracker = TRACKERS.build(tracker_config("ocsort/ocsort_code"))
    tracker.steps[-1].boxes = "bboxes"
    assert_same(tracker, frames, expected)


@pytest.mark.parametrize("seed", range(3))
def test_filters_behind_the_observations(seed, random_scene):
    frames = with_scores(random_scene(seed, people=15 + 8 * seed), seed)
    expected, _ = ocsort(frames, filtered=True)
    tracker = changed(Report=dict(boxes="bboxes"))
    assert assert_same(tracker, frames, expected) > 100


@pytest.mark.parametrize("fuse_score", [False, True])
@pytest.mark.parametrize("weight", [0.6, 2.0])
def test_strong_momentum(weight, fuse_score, random_scene):
    """Near pairs may be out of reach if they lie off the way."""
    cost = [
        dict(type="iou", max=0.99, reject=0.7),
        dict(type="direction", weight=weight, fuse_score=fuse_score),
    ]
    for seed in range(3):
        frames = with_scores(random_scene(seed, people=15 + 8 * seed), seed)
        expected, _ = ocsort(frames, weight, fuse_score)
        assert assert_same(changed(Associate=dict(cost=cost)), frames, expected) > 80


@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-11"])
def test_public_detections(name, public_scene):
    frames = public_scene(name, dim=2, frames=150)
    assert_same(build("ocsort/ocsort"), frames, ocsort(frames)[0])
    frames = with_scores(frames, 0)  # a third of them too weak
    expected, cases = ocsort(frames)
    assert_same(build("ocsort/ocsort"), frames, expected)
    assert cases["after a gap"] >= 100, cases


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-05", "MOT17-10", "MOT17-11"])
@pytest.mark.parametrize("detector", ["det.txt", "det_SDPclean.txt", "det_DPM.txt"])
def test_whole_sequences(name, detector, public_scene):
    frames = public_scene(name, detector, dim=2)
    assert_same(build("ocsort/ocsort"), frames, ocsort(frames)[0])
    frames = with_scores(frames, 1)
    assert_same(build("ocsort/ocsort"), frames, ocsort(frames)[0])
