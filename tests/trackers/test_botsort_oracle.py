"""The BoT-SORT configs against BoT-SORT written plainly, one filter a track.

Aharon et al. 2022: ByteTrack's two bands over a filter of centre, width and height, moved with the
camera by the whole 8x8 matrix (Eq. 5 to 8); with appearance, costs of strong detections are the
smaller of overlap and half the cosine distance, the latter only within reach (Eq. 12 and 13).
"""

from collections import Counter
from math import inf

import numpy as np
import pytest
from plain_filters import SizeFilter
from plain_tracks import (
    Person,
    assert_same,
    build,
    by_iou,
    found,
    overlap,
    pair_up,
    seen_by,
    with_scores,
    without_doubles,
)

CONFIGS = ["botsort", "botsort_reid"]


def by_iou_and_score(person, detection):
    return 1 - overlap(person.filter.box, detection.box) * detection.score


def by_iou_or_look(person, detection):
    distance = 1 - person.look @ detection.look
    near = by_iou(person, detection) <= 0.5
    half = 0.5 * distance if near and distance <= 0.25 else inf
    return min(by_iou_and_score(person, detection), half)


def botsort(frames, reid):
    """``{id: box}`` of every frame, and how often each case occurred."""
    cost = by_iou_or_look if reid else by_iou_and_score
    people, count, out, cases = [], 0, [], Counter()
    for t, frame in enumerate(frames):
        buffer = int(frame.fps / 30 * 30)
        detections = found(frame)
        strong = [d for d in detections if d.score >= 0.6]
        weak = [d for d in detections if 0.1 <= d.score < 0.6]
        for p in people:
            p.filter.predict()
            if frame.warp is not None:
                p.filter.warp(frame.warp())

        known = [p for p in people if p.state != "new"]
        met, alone, left = pair_up(known, strong, cost, 0.8)
        more, missed, _ = pair_up([p for p in alone if p.state == "on"], weak, by_iou, 0.5)
        new = [p for p in people if p.state == "new"]
        again, gone, left = pair_up(new, left, cost, 0.7)
        cases.update(weak=len(more), again=len(again), gone=len(gone))
        cases["back"] += sum(p.state == "lost" for p, _ in met)

        for p, d in met + more + again:
            p.filter.update(d.box)
            if d.score >= 0.6:
                p.blend(d.look)
            p.state, p.seen = "on", t
        for p in missed:
            p.state = "lost"
        for d in left:
            if d.score >= 0.7:
                count += 1
                state = "on" if t == 0 else "new"
                people.append(Person(count, SizeFilter(d.box), d.look, t, t, state))
        people = [p for p in people if p not in gone]
        people = [p for p in people if p.state != "lost" or t - p.seen <= buffer]
        people = without_doubles(people)
        out.append({p.number: p.filter.box for p in people if p.state == "on"})
    return out, cases


def warps(seed, count, turning):
    """A camera that shakes and zooms, and turns too."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        angle = rng.normal(0, 0.02) * turning
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        yield np.column_stack([rng.uniform(0.98, 1.02) * turn, rng.normal(0, 8, 2)])


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("seed", range(5))
def test_random_scenes(config, seed, random_scene):
    fps = [30.0, 14.0, 7.0][seed % 3]
    frames = with_scores(random_scene(seed, people=15 + 8 * seed, fps=fps, noise=0.75), seed)
    expected, cases = botsort(frames, config == "botsort_reid")
    assert assert_same(build(f"botsort/{config}"), frames, expected) > 150
    assert min(cases[case] for case in ("weak", "again", "gone", "back")) >= 5, cases


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("seed", range(3))
def test_moving_camera(config, seed, random_scene):
    """Shake and zoom leave nothing out of the four blocks of the covariance."""
    still = with_scores(random_scene(seed, people=15, noise=0.4), seed)
    frames = seen_by(still, warps(seed, len(still), turning=False))
    expected, _ = botsort(frames, config == "botsort_reid")
    assert assert_same(build(f"botsort/{config}"), frames, expected) > 150


@pytest.mark.parametrize("seed", range(3))
def test_turning_camera(seed, random_scene):
    """A turn couples x and y: the whole covariance."""
    still = with_scores(random_scene(seed, people=15, noise=0.4), seed)
    frames = seen_by(still, warps(seed, len(still), turning=True))
    tracker = build("botsort/botsort", motion=dict(full_covariance=True))
    assert assert_same(tracker, frames, botsort(frames, reid=False)[0]) > 150


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-11"])
def test_public_detections(config, name, public_scene):
    frames = public_scene(name, frames=150, noise=0.4)
    reid = config == "botsort_reid"
    assert_same(build(f"botsort/{config}"), frames, botsort(frames, reid)[0])
    frames = with_scores(frames[:100], 0)
    expected, cases = botsort(frames, reid)
    assert_same(build(f"botsort/{config}"), frames, expected)
    assert cases["weak"] >= 100, cases


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-05", "MOT17-10", "MOT17-11"])
@pytest.mark.parametrize("detector", ["det.txt", "det_SDPclean.txt", "det_DPM.txt"])
def test_whole_sequences(config, name, detector, public_scene):
    reid = config == "botsort_reid"
    frames = public_scene(name, detector, noise=0.4)
    assert_same(build(f"botsort/{config}"), frames, botsort(frames, reid)[0])
    frames = with_scores(frames, 1)
    assert_same(build(f"botsort/{config}"), frames, botsort(frames, reid)[0])
