"""The DeepSORT config against DeepSORT written plainly, one filter and one gallery a track.

Wojke et al. 2017: confirmed tracks meet detections by appearance within the gate of the motion,
those seen last first (Alg. 1); then what was seen in the last frame, new tracks included, by
overlap. Detections from 0.3 on; tracks are confirmed by their third hit in a row.
"""

from collections import Counter
from math import inf

import pytest
from plain_filters import AspectFilter
from plain_tracks import CHI2, Person, assert_same, build, by_iou, found, pair_up, with_scores


def by_look(person, detection):
    if person.filter.mahalanobis(detection.box) > CHI2:
        return inf
    return min(1 - look @ detection.look for look in person.look)


def deepsort(frames):
    """``{id: box}`` of every frame, and how often each case occurred."""
    people, hits, count, out, cases = [], {}, 0, [], Counter()
    for t, frame in enumerate(frames):
        for p in people:
            p.filter.predict()
        left = [d for d in found(frame) if d.score >= 0.3]
        met, alone = [], [p for p in people if p.state == "new"]
        for age in range(1, 32):
            level = [p for p in people if p.state == "on" and t - p.seen == age]
            pairs, missed, left = pair_up(level, left, by_look, 0.2)
            met += pairs
            if age == 1:
                alone += missed
            else:
                cases["back"] += len(pairs)
        more, _, left = pair_up(alone, left, by_iou, 0.7)
        cases["by overlap"] += sum(p.state == "on" for p, _ in more)

        for p, d in met + more:
            p.filter.update(d.box)
            p.look = [*p.look, d.look][-100:]
            p.seen = t
            hits[p.number] += 1
            if hits[p.number] >= 3:
                p.state = "on"
        people = [p for p in people if t - p.seen <= (30 if p.state == "on" else 0)]
        for d in left:
            count += 1
            hits[count] = 1
            people.append(Person(count, AspectFilter(d.box), [d.look], t, t))
        out.append({p.number: p.filter.box for p in people if p.state == "on" and p.seen == t})
    return out, cases


@pytest.mark.parametrize("seed", range(6))
def test_random_scenes(seed, random_scene):
    frames = with_scores(random_scene(seed, people=8 + 3 * seed, noise=0.5), seed)
    expected, cases = deepsort(frames)
    assert assert_same(build("deepsort/deepsort"), frames, expected) > 150
    assert min(cases["back"], cases["by overlap"]) >= 3, cases


def test_gallery_forgets(random_scene):
    """Longer than a gallery, with noise in which old looks make a difference."""
    frames = random_scene(3, people=4, frames=260, noise=0.75, empty=0)
    assert assert_same(build("deepsort/deepsort"), frames, deepsort(frames)[0]) > 200


@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-11"])
def test_public_detections(name, public_scene):
    frames = public_scene(name, frames=120, noise=0.5)
    assert_same(build("deepsort/deepsort"), frames, deepsort(frames)[0])
    frames = with_scores(frames, 0)
    expected, cases = deepsort(frames)
    assert_same(build("deepsort/deepsort"), frames, expected)
    assert cases["back"] >= 50, cases


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-05", "MOT17-10", "MOT17-11"])
@pytest.mark.parametrize("detector", ["det.txt", "det_SDPclean.txt", "det_DPM.txt"])
def test_whole_sequences(name, detector, public_scene):
    frames = public_scene(name, detector, noise=0.5)
    assert_same(build("deepsort/deepsort"), frames, deepsort(frames)[0])
