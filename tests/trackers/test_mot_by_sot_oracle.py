"""The MOT-by-SOT configs against their rules written plainly, one track after another."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from scipy.optimize import linear_sum_assignment

from mmdeepmot.registry import TRACKERS
from mmdeepmot.structures import Detections, Frame

FOLDER = Path(__file__).parents[2] / "configs/_base_/trackers"


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    inner = max(w, 0) * max(h, 0)
    return inner / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner)


def drift(box, t):
    """A network that follows badly: every box goes its own way, some collapse."""
    wave = np.sin(box[0] * 0.37 + box[1] * 0.11 + t)
    moved = box + 3 * wave
    moved[2:] *= 1 + 0.02 * np.cos(box[1] + t)
    score = 0.0 if wave > 0.999 else 0.5 + 0.4 * wave
    return moved, score


def best_pairs(tracks, boxes, free, least):
    """Pairs with an IoU above ``least``, at the greatest sum of what they lie above it."""
    if not tracks or not free:
        return []
    gain = np.array([[max(iou(k["box"], boxes[j]) - least, 0) for j in free] for k in tracks])
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [(tracks[i], free[j]) for i, j in zip(rows, columns, strict=True) if gain[i, j] > 0]


def plain(frames, patience=60, visible_first=False):
    tracks, count, out = [], 0, []
    for t, boxes in enumerate(frames):
        followed = [k for k in tracks if k["confirmed"]]
        for track in followed:
            box, score = drift(track["box"], t)
            centre = 0.5 * (box[:2] + box[2:])
            box += np.tile(np.clip(centre, 0, (640, 480)) - centre, 2)
            if score > 0 and box[2] > box[0] and box[3] > box[1]:
                track["box"] = box
        free = list(range(len(boxes)))
        later = [k for k in followed if visible_first and k["seen"] < t - 1]
        first = [k for k in followed if not visible_first or k["seen"] == t - 1]
        for group in (first, later):
            for track, j in best_pairs(group, boxes, free, 0.5):
                if iou(track["box"], boxes[j]) > 0.6:
                    track["box"] = 0.5 * (track["box"] + boxes[j])
                track["seen"] = t
                free.remove(j)
        free = [j for j in free if all(iou(k["box"], boxes[j]) <= 0.5 for k in followed)]
        candidates = [k for k in tracks if not k["confirmed"]]
        for track, j in best_pairs(candidates, boxes, free, 0.3):
            track.update(box=boxes[j], seen=t, hits=track["hits"] + 1)
            free.remove(j)
        for j in free:
            count += 1
            tracks.append({"id": count, "box": boxes[j], "seen": t, "hits": 1, "confirmed": False})
        for track in tracks:
            track["confirmed"] = track["confirmed"] or track["hits"] >= 3
        tracks = [k for k in tracks if t - k["seen"] <= (patience if k["confirmed"] else 0)]
        out.append({k["id"]: k["box"].copy() for k in tracks if k["confirmed"] and k["seen"] == t})
    return out


def scene(seed, frames=90, people=9):
    """Detections of people who walk, are missed for a while, and of nobody."""
    rng = np.random.default_rng(seed)
    place, speed = rng.random((people, 2)) * (500, 250), rng.normal(0, 2.5, (people, 2))
    size = rng.uniform((25, 60), (45, 120), (people, 2))
    gone = rng.random((people, frames // 10 + 1)).repeat(10, axis=1) < 0.3
    out = []
    for t in range(frames):
        place = place + speed
        shown = (rng.random(people) < 0.93) & ~gone[:, t]
        tlbr = np.concatenate([place, place + size], axis=1)[shown]
        tlbr += rng.normal(0, 2, tlbr.shape)
        false = rng.random((rng.poisson(0.7), 2)) * (500, 250)
        boxes = np.concatenate([tlbr, np.concatenate([false, false + np.array([30, 70])], axis=1)])
        out.append(boxes[rng.permutation(len(boxes))])
    return out


def engine(patience=60, config="mot_by_sot"):
    tracker = Config.fromfile(FOLDER / f"{config}.py").tracker.to_dict()
    tracker["steps"][-2]["buffer"] = patience
    return TRACKERS.build(tracker)


def propagate(t, asked):
    def move(bboxes, ids):
        asked.append(len(ids))
        moved = [drift(box, t) for box in bboxes]
        return np.array([box for box, _ in moved]), np.array([score for _, score in moved])

    return move


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("config", "fps", "patience", "kept"),
    [
        ("mot_by_sot", 15, 4, 4),
        ("mot_by_sot", 30, 60, 60),
        ("mot_by_sot_visible_first", 15, 9, 4),
        ("mot_by_sot_visible_first", 30, 60, 60),
    ],
)
def test_equals_the_plain_program(seed, config, fps, patience, kept):
    frames, tracker, asked = scene(seed), engine(patience, config), []
    expected = plain(frames, kept, visible_first=config.endswith("visible_first"))
    shown = set()
    for t, boxes in enumerate(frames):
        count = len(boxes)
        detections = Detections(boxes, np.full(count, -0.3), np.zeros(count, int))
        tracks = tracker.step(
            Frame(t, (640, 480), fps, detections=detections, propagate=propagate(t, asked))
        )
        assert sorted(tracks.ids.tolist()) == sorted(expected[t])
        for number, box in zip(tracks.ids.tolist(), tracks.bboxes, strict=True):
            np.testing.assert_allclose(box, expected[t][number], rtol=1e-9, atol=1e-9)
        shown |= set(tracks.ids.tolist())
    assert len(shown) > 8
    assert len(asked) <= len(frames)  # one call a frame


def test_verified_and_averaged_by_hand():
    """Above 0.6 the mean is shown, between 0.5 and 0.6 the network's box, below nothing."""
    tracker = engine()
    box = np.array([0.0, 0, 40, 100])
    shown = []
    for t, shift in enumerate([0, 0, 0, 5, 10, 12, 15, 0]):
        here = box + np.array([shift, 0, shift, 0])
        frame = Frame(
            t, (640, 480),
            detections=Detections(here[None], np.ones(1), np.zeros(1, int)),
            propagate=lambda bboxes, ids: (box[None], np.full(1, 0.7)),
        )  # fmt: skip
        tracks = tracker.step(frame)
        shown.append(tracks.bboxes[:, 0].tolist())
    # IoU with 5: 35/45, 10: 30/50 = 0.6 (not above), 12: 28/52 = 0.54, 15: 25/55 = 0.45
    assert shown == [[], [], [0.0], [2.5], [0.0], [0.0], [], [0.0]]
