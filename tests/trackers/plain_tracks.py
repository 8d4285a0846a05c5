"""What the oracles of the trackers have in common: people, pairs, and the comparison."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.config import Config
from scipy.optimize import linear_sum_assignment

from mmdeepmot.registry import TRACKERS
from mmdeepmot.structures import Detections

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
CHI2 = 9.4877  # chi-square, 4 degrees of freedom, 95%


class Found(NamedTuple):
    """A detection."""

    box: tuple[float, float, float, float]
    score: float
    look: np.ndarray


@dataclass(eq=False)
class Person:
    """A track of the trackers that tell new, confirmed ("on") and lost ones apart."""

    number: int
    filter: object
    look: np.ndarray
    born: int
    seen: int
    state: str = "new"

    def blend(self, look):
        """JDE, Eq. 7."""
        mixed = 0.9 * self.look + 0.1 * look
        self.look = mixed / np.linalg.norm(mixed)


def found(frame):
    d = frame.detections
    looks = d.embeddings.astype(np.float64)
    return [
        Found(tuple(box), float(score), look)
        for box, score, look in zip(d.bboxes.tolist(), d.scores, looks, strict=True)
    ]


def overlap(a, b):
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def by_iou(person, detection):
    return 1 - overlap(person.filter.box, detection.box)


def pair_up(people, detections, cost: Callable, limit: float):
    """Least sum of ``cost - limit``, as the square problem in which everyone may stay alone.

    Returns pairs, people left, detections left.
    """
    n, m = len(people), len(detections)
    table = np.full((n + m, n + m), limit / 2)
    table[n:, m:] = 0
    for i, person in enumerate(people):
        for j, detection in enumerate(detections):
            table[i, j] = min(cost(person, detection), 1e5)
    pairs = [
        (i, j)
        for i, j in zip(*linear_sum_assignment(table), strict=True)
        if i < n and j < m and table[i, j] < limit
    ]
    rows, columns = {i for i, _ in pairs}, {j for _, j in pairs}
    return (
        [(people[i], detections[j]) for i, j in pairs],
        [p for i, p in enumerate(people) if i not in rows],
        [d for j, d in enumerate(detections) if j not in columns],
    )


def without_doubles(people):
    """Of a living and a lost one on the same spot the younger goes, the living one if equal."""
    gone = set()
    for a in people:
        for b in people:
            if a.state != "lost" and b.state == "lost" and by_iou(a, b.filter) < 0.15:
                gone.add(b.number if a.seen - a.born > b.seen - b.born else a.number)
    return [p for p in people if p.number not in gone]


def with_scores(frames, seed):
    """The frames with scores of all bands: most detections strong, many weak, some too weak."""
    rng = np.random.default_rng(seed)
    out = []
    for frame in frames:
        d = frame.detections
        scores = np.sqrt(rng.uniform(0.0025, 1, len(d)))
        out.append(frame.with_detections(Detections(d.bboxes, scores, d.labels, d.embeddings)))
    return out


def tracker_config(name):
    """The tracker in ``configs/NAME.py``."""
    return Config.fromfile(CONFIGS / f"{name}.py").tracker


def build(name, **changes):
    """The tracker of ``configs/NAME.py``; ``changes`` of its parts, e.g. ``motion=dict(...)``."""
    config = tracker_config(name)
    for part, values in changes.items():
        config[part].update(values)
    return TRACKERS.build(config)


def assert_same(tracker, frames, expected):
    """Same ids and boxes in every frame; ``expected``: ``{id: box}`` of each. Number of boxes."""
    count = 0
    for frame, truth in zip(frames, expected, strict=True):
        tracks = tracker.step(frame)
        assert tracks.ids.tolist() == sorted(truth), f"frame {frame.index}"
        if truth:
            boxes = [truth[i] for i in tracks.ids.tolist()]
            np.testing.assert_allclose(
                tracks.bboxes, boxes, rtol=1e-6, atol=1e-6, err_msg=f"frame {frame.index}"
            )
        count += len(tracks)
    return count


def seen_by(frames, warps):
    """The frames as a camera sees them that moves by ``warps``, one ``(2, 3)`` a frame."""
    view = np.eye(3)
    out = []
    for frame, warp in zip(frames, warps, strict=True):
        view = np.vstack([warp, [0, 0, 1]]) @ view
        d = frame.detections
        centre = 0.5 * (d.bboxes[:, :2] + d.bboxes[:, 2:]) @ view[:2, :2].T + view[:2, 2]
        half = 0.5 * np.sqrt(np.linalg.det(view)) * (d.bboxes[:, 2:] - d.bboxes[:, :2])
        boxes = np.concatenate([centre - half, centre + half], axis=1)
        moved = Detections(boxes, d.scores, d.labels, d.embeddings)
        out.append(replace(frame, detections=moved, warp=lambda warp=warp: warp))
    return out
