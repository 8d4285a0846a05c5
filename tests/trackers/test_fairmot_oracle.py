"""The FairMOT config against FairMOT's association written plainly, one filter a track.

Zhang et al. 2020, Sec. 3.4: first by appearance and motion, then by overlap for tracks of the last
frame, then by overlap for new ones; tracks of the first frame count at once, others from their
second frame in a row on.
"""

from collections import Counter
from math import inf

import pytest
from plain_filters import HeldAspectFilter
from plain_tracks import (
    CHI2,
    Person,
    assert_same,
    build,
    by_iou,
    found,
    pair_up,
    without_doubles,
)


def by_look_and_motion(person, detection):
    motion = person.filter.mahalanobis(detection.box)
    if motion > CHI2:
        return inf
    return 0.98 * (1 - person.look @ detection.look) + 0.02 * motion


def fairmot(frames):
    """``{id: box}`` of every frame, and how often each case occurred."""
    people, count, out, cases = [], 0, [], Counter()
    for t, frame in enumerate(frames):
        buffer = int(frame.fps / 30 * 30)
        known = [p for p in people if p.state != "new"]
        for p in known:
            p.filter.predict(lost=p.state == "lost")
        met, alone, left = pair_up(known, found(frame), by_look_and_motion, 0.4)
        more, missed, left = pair_up([p for p in alone if p.state == "on"], left, by_iou, 0.5)
        new = [p for p in people if p.state == "new"]
        again, gone, left = pair_up(new, left, by_iou, 0.7)
        cases.update(overlap=len(more), again=len(again), gone=len(gone))
        cases["back"] += sum(p.state == "lost" for p, _ in met)

        for p, d in met + more + again:
            p.filter.update(d.box)
            p.blend(d.look)
            p.state, p.seen = "on", t
        for p in missed:
            p.state = "lost"
        for d in left:
            if d.score >= 0.4:
                count += 1
                state = "on" if t == 0 else "new"
                people.append(Person(count, HeldAspectFilter(d.box), d.look, t, t, state))
        people = [p for p in people if p not in gone]
        people = [p for p in people if p.state != "lost" or t - p.seen <= buffer]
        people = without_doubles(people)
        out.append({p.number: p.filter.box for p in people if p.state == "on"})
    return out, cases


@pytest.mark.parametrize("seed", range(6))
def test_random_scenes(seed, random_scene):
    fps = [30.0, 14.0, 7.0][seed % 3]
    frames = random_scene(seed, people=8 + 4 * seed, fps=fps, noise=0.8)
    expected, cases = fairmot(frames)
    assert assert_same(build("fairmot/fairmot"), frames, expected) > 150
    assert min(cases[case] for case in ("overlap", "again", "gone", "back")) >= 3, cases


@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-11"])
def test_public_detections(name, public_scene):
    frames = public_scene(name, frames=150, noise=0.8)
    expected, cases = fairmot(frames)
    assert_same(build("fairmot/fairmot"), frames, expected)
    assert cases["overlap"] >= 10, cases


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-05", "MOT17-10", "MOT17-11"])
@pytest.mark.parametrize("detector", ["det.txt", "det_SDPclean.txt", "det_DPM.txt"])
def test_whole_sequences(name, detector, public_scene):
    frames = public_scene(name, detector)
    assert_same(build("fairmot/fairmot"), frames, fairmot(frames)[0])
