"""The ByteTrack config against ByteTrack written plainly, one filter a track.

Zhang et al. 2022, Algorithm 1: strong detections (from 0.6 on) first, then weak ones (from 0.1 on)
for those tracks of the last frame that are left. Where the paper is silent, as its code: costs of
strong detections are ``1 - IoU * score``; what was seen once must be seen again in the next frame,
except in the first; a height of a lost track does not change; doubles are dropped.
"""

from collections import Counter

import numpy as np
import pytest
from plain_filters import HeldAspectFilter
from plain_tracks import (
    Person,
    assert_same,
    build,
    by_iou,
    found,
    overlap,
    pair_up,
    with_scores,
    without_doubles,
)


def by_iou_and_score(person, detection):
    return 1 - overlap(person.filter.box, detection.box) * detection.score


def bytetrack(frames):
    """``{id: box}`` of every frame, and how often each case occurred."""
    people, count, out, cases = [], 0, [], Counter()
    for t, frame in enumerate(frames):
        buffer = int(frame.fps / 30 * 30)
        detections = found(frame)
        strong = [d for d in detections if d.score >= 0.6]
        weak = [d for d in detections if 0.1 <= d.score < 0.6]
        known = [p for p in people if p.state != "new"]
        for p in known:
            p.filter.predict(lost=p.state == "lost")

        met, alone, left = pair_up(known, strong, by_iou_and_score, 0.8)
        more, missed, _ = pair_up([p for p in alone if p.state == "on"], weak, by_iou, 0.5)
        new = [p for p in people if p.state == "new"]
        again, gone, left = pair_up(new, left, by_iou_and_score, 0.7)
        cases.update(weak=len(more), again=len(again), gone=len(gone))
        cases["back"] += sum(p.state == "lost" for p, _ in met)

        for p, d in met + more + again:
            p.filter.update(d.box)
            p.state, p.seen = "on", t
        for p in missed:
            p.state = "lost"
        for d in left:
            if d.score >= 0.7:
                count += 1
                state = "on" if t == 0 else "new"
                people.append(Person(count, HeldAspectFilter(d.box), d.look, t, t, state))
        people = [p for p in people if p not in gone]
        people = [p for p in people if p.state != "lost" or t - p.seen <= buffer]
        single = without_doubles(people)
        cases["doubles"] += len(people) - len(single)
        people = single
        out.append({p.number: p.filter.box for p in people if p.state == "on"})
    return out, cases


@pytest.mark.parametrize("seed", range(6))
def test_random_scenes(seed, random_scene):
    fps = [30.0, 14.0, 7.0][seed % 3]
    frames = with_scores(random_scene(seed, people=10 + 4 * seed, fps=fps), seed)
    expected, cases = bytetrack(frames)
    assert assert_same(build("bytetrack/bytetrack"), frames, expected) > 150
    assert min(cases[case] for case in ("weak", "again", "gone", "back")) >= 5, cases


@pytest.mark.parametrize("seed", range(2))
def test_doubles(seed, random_scene):
    """A careless detector: many people twice, so that one of two tracks is lost on the other."""
    rng = np.random.default_rng(seed)
    frames = []
    for frame in with_scores(random_scene(seed, people=15, frames=60), seed):
        d = frame.detections
        again = d[np.concatenate([np.arange(len(d)), np.flatnonzero(rng.random(len(d)) < 0.4)])]
        again.bboxes += rng.normal(0, 1, again.bboxes.shape)
        frames.append(frame.with_detections(again))
    expected, cases = bytetrack(frames)
    assert_same(build("bytetrack/bytetrack"), frames, expected)
    assert cases["doubles"] >= 5, cases


@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-11"])
def test_public_detections(name, public_scene):
    frames = public_scene(name, dim=2, frames=150)
    assert_same(build("bytetrack/bytetrack"), frames, bytetrack(frames)[0])
    frames = with_scores(frames[:100], 0)
    expected, cases = bytetrack(frames)
    assert_same(build("bytetrack/bytetrack"), frames, expected)
    assert cases["weak"] >= 100, cases


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-05", "MOT17-10", "MOT17-11"])
@pytest.mark.parametrize("detector", ["det.txt", "det_SDPclean.txt", "det_DPM.txt"])
def test_whole_sequences(name, detector, public_scene):
    frames = public_scene(name, detector, dim=2)
    assert_same(build("bytetrack/bytetrack"), frames, bytetrack(frames)[0])
    frames = with_scores(frames, 1)
    assert_same(build("bytetrack/bytetrack"), frames, bytetrack(frames)[0])
