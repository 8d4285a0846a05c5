"""The Tracktor configs against Tracktor written plainly, one object a track.

Bergmann et al. 2019, Sec. 2, and the published code where the paper is silent: camera motion moves
active and lost tracks; the regressed box of an active track, cut to the image, is kept if its score
is above 0.5, then NMS at 0.6 by those scores; detections from 0.5 on, NMS at 0.3 among them, then
those that overlap an active track by more than 0.3 go; what is left goes to lost tracks (lost at
most 10 frames ago, IoU >= 0.2), as many pairs as can be, by the distance of looks, and the rest are
born.
"""

from collections import Counter, deque

import numpy as np
import pytest
from plain_tracks import assert_same, build, overlap, seen_by
from scipy.optimize import linear_sum_assignment
from scripted_network import scripted


class Track:
    """One object of the published program."""

    def __init__(self, number, box, look):
        self.number = number
        self.looks = deque(maxlen=10)
        self.missed = 0
        self.velocity = np.zeros(2)
        self.place(box, look)

    def place(self, box, look):
        """Stands here, at rest."""
        self.box = np.array(box)
        self.trail = deque([self.box.copy()], maxlen=2)
        if look is not None:
            self.looks.append(look)

    def distance(self, look):
        mean = np.mean(self.looks, axis=0, dtype=np.float64)
        return np.linalg.norm(mean / np.linalg.norm(mean) - look)


def centre(box):
    return 0.5 * (box[:2] + box[2:])


def warped(box, warp):
    """The centre goes with the camera, the size by its scale."""
    middle = warp[:, :2] @ centre(box) + warp[:, 2]
    half = 0.5 * np.sqrt(np.linalg.det(warp[:, :2])) * (box[2:] - box[:2])
    return np.concatenate([middle - half, middle + half])


def nms(items, threshold):
    """Of (score, box, what) the ones that stay, the highest score first."""
    kept = []
    for item in sorted(items, key=lambda item: -item[0]):
        if all(overlap(item[1], other[1]) <= threshold for other in kept):
            kept.append(item)
    return kept


def tracktor(frames, reid=False, motion=False, limit=1.4, patience=10):
    """``{id: box}`` of every frame, and how often each case occurred."""
    active, lost, count, out, cases = [], [], 0, [], Counter()
    for frame in frames:
        warp = frame.warp() if frame.warp is not None else None
        if warp is not None:
            for track in active + lost:
                track.box = warped(track.box, warp)
                track.trail = deque([warped(box, warp) for box in track.trail], maxlen=2)
        if motion:
            for track in active:
                track.trail.append(track.box.copy())
                track.velocity = centre(track.trail[-1]) - centre(track.trail[0])
            for track in active + lost:
                track.box = track.box + np.tile(track.velocity, 2)
        going = []
        for track in active:
            (box,), (score,) = frame.propagate(track.box[None], np.array([track.number]))
            box = np.clip(box, 0, np.tile(frame.size, 2))
            if score > 0.5 and (box[2:] > box[:2]).all():
                track.box = box
                going.append((score, box, track))
            else:
                lost.append(track)
                cases["faded"] += 1
        stay = [track for _, _, track in nms(going, 0.6)]
        for _, _, track in going:
            if track not in stay:
                lost.append(track)
                cases["covered"] += 1
        active = stay
        if reid:
            for track in active:
                track.looks.append(frame.embed(track.box[None])[0])

        d = frame.detections
        strong = [(s, d.bboxes[j], j) for j, s in enumerate(d.scores) if s >= 0.5]
        single = sorted(nms(strong, 0.3), key=lambda item: item[2])  # ids by the detections' order
        cases["doubles"] += len(strong) - len(single)
        new = [b for _, b, _ in single if all(overlap(b, t.box) <= 0.3 for t in active)]
        looks = [frame.embed(box[None])[0] for box in new] if reid else [None] * len(new)
        taken = set()
        if reid and lost and new:
            table = np.array([
                [t.distance(look) if overlap(t.box, box) >= 0.2 else 1000.0
                 for box, look in zip(new, looks, strict=True)]
                for t in lost
            ])  # fmt: skip
            for i, j in zip(*linear_sum_assignment(table), strict=True):
                if table[i, j] < limit:
                    lost[i].place(new[j], looks[j])
                    lost[i].missed = 0
                    active.append(lost[i])
                    taken.add(j)
                    cases["back"] += 1
                elif table[i, j] < 1000:
                    cases["unlike"] += 1
        lost = [track for track in lost if track not in active]
        for j, (box, look) in enumerate(zip(new, looks, strict=True)):
            if j not in taken:
                count += 1
                active.append(Track(count, box, look))
        for track in lost:
            track.missed += 1
        cases["ended"] += sum(track.missed > patience for track in lost)
        lost = [track for track in lost if track.missed <= patience] if reid else []
        out.append({track.number: tuple(track.box) for track in active})
    return out, cases


def camera(count, seed):
    """Affines of a shaking camera, the first one identity."""
    rng = np.random.default_rng(seed)
    warps = [np.eye(2, 3)]
    for _ in range(count - 1):
        angle, scale = rng.normal(0, 0.004), rng.uniform(0.995, 1.005)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        push = rng.normal(0, 6, 2)
        warps.append(np.array([[cos, -sin, push[0]], [sin, cos, push[1]]]))
    return warps


def scene(random_scene, seed, shaking):
    frames = random_scene(seed, people=26 + 4 * seed, frames=80, noise=0.4, empty=0.02)
    if shaking:
        frames = seen_by(frames, camera(len(frames), seed))
    return scripted(frames, seed)


@pytest.mark.parametrize("shaking", [False, True], ids=["still", "shaking"])
@pytest.mark.parametrize("seed", range(3))
def test_base(seed, shaking, random_scene):
    frames = scene(random_scene, seed, shaking)
    expected, cases = tracktor(frames)
    assert assert_same(build("_base_/trackers/tracktor"), frames, expected) > 300
    assert min(cases[case] for case in ("faded", "covered", "doubles")) >= 5, cases


@pytest.mark.parametrize("shaking", [False, True], ids=["still", "shaking"])
@pytest.mark.parametrize("seed", range(3))
def test_with_appearance(seed, shaking, random_scene):
    frames = scene(random_scene, seed, shaking)
    expected, cases = tracktor(frames, reid=True)
    assert assert_same(build("_base_/trackers/tracktor_reid"), frames, expected) > 300
    seen = ("faded", "covered", "doubles", "back", "unlike", "ended")
    assert min(cases[case] for case in seen) >= 3, cases


@pytest.mark.parametrize("shaking", [False, True], ids=["still", "shaking"])
@pytest.mark.parametrize("seed", range(2))
def test_with_motion(seed, shaking, random_scene):
    frames = scene(random_scene, seed, shaking)
    expected, _ = tracktor(frames, motion=True)
    assert assert_same(build("_base_/trackers/tracktor_motion"), frames, expected) > 300


@pytest.mark.parametrize("seed", range(2))
def test_with_motion_and_appearance(seed, random_scene):
    """Lost tracks go on with the velocity that they had."""
    frames = scene(random_scene, seed, False)
    expected, cases = tracktor(frames, reid=True, motion=True)
    assert assert_same(build("_base_/trackers/tracktor_reid_motion"), frames, expected) > 300
    assert cases["back"] >= 3
