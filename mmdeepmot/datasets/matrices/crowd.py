"""Simulated crowds and what a detector or a tracker makes of them, as boxes.

People stand on a plane seen in perspective: the lower in the image, the larger. A detector misses
some, shifts and rescales the others, sees some twice and some where nobody is; the boxes that a
tracker carries over are also shifted by motion. How much of all that is drawn anew for each scene.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]

_ASPECTS = (16 / 9, 16 / 9, 4 / 3, 1.0)  # width / height of images
_MIN_HEIGHT = 0.02  # of the image
_TRACKED = 0.3  # share of the scenes


@dataclass(frozen=True, slots=True)
class Scene:
    """Boxes of one frame, in units of the image's height.

    Attributes:
        tracks: ``(N, 4)`` xyxy, what a detector or tracker has; in random order.
        objects: ``(M, 4)`` xyxy, who is there.
        size: (width, height) of the image.
    """

    tracks: Boxes
    objects: Boxes
    size: tuple[float, float]


def simulate_scene(rng: np.random.Generator, num_tracks: int, num_objects: int) -> Scene:
    """A random scene with a given number of boxes on both sides."""
    width = _ASPECTS[rng.integers(len(_ASPECTS))]
    view = _View(rng, width)
    objects = view.people(num_objects)
    seen = _choose_seen(rng, objects, min(num_tracks, num_objects))
    rows = [_disturb(rng, objects[seen], width)]
    more = num_tracks - len(seen)
    doubled = int(rng.binomial(more, rng.choice([0.0, 0.3, 0.8]))) if len(seen) else 0
    if doubled:
        rows.append(_disturb(rng, objects[rng.choice(seen, doubled)], width))
    rows.append(view.people(more - doubled))
    return Scene(rng.permutation(np.concatenate(rows)), objects, (width, 1.0))


class _View:
    """One camera: where people stand, and how large they are there."""

    def __init__(self, rng: np.random.Generator, width: float) -> None:
        self.rng = rng
        self.width = width
        self.horizon = rng.uniform(-0.6, 0.55)
        # Height of a person whose feet are at the lower edge.
        self.tallest = np.exp(rng.uniform(np.log(0.12), np.log(0.9)))
        self.spread = rng.uniform(0.03, 0.2)
        self.extent = rng.uniform((0.5, 0.3), 1.0)  # of the part of the street where people are
        self.corner = rng.uniform(0, 1 - self.extent)
        clusters = int(rng.integers(1, 9))
        self.clusters = rng.uniform(0, 1, (clusters, 2))
        self.share = rng.choice([0.0, 0.5, 0.9])  # of people who stand in groups
        self.radius = np.exp(rng.uniform(np.log(0.02), np.log(0.2)))

    def people(self, count: int) -> Boxes:
        """Boxes ``(count, 4)`` of people, some in groups, some near the edges."""
        rng = self.rng
        place = rng.uniform(0, 1, (count, 2))
        grouped = rng.uniform(size=count) < self.share
        centre = self.clusters[rng.integers(len(self.clusters), size=count)]
        near = np.clip(centre + rng.normal(0, self.radius, (count, 2)), 0, 1)
        place = np.where(grouped[:, None], near, place)
        place = self.corner + place * self.extent
        top = max(self.horizon + 0.05, 0.05)  # feet no higher than this
        feet = top + place[:, 1] * (1.1 - top)
        height = self.tallest * (feet - self.horizon) / (1 - self.horizon)
        height = np.maximum(height * np.exp(rng.normal(0, self.spread, count)), _MIN_HEIGHT)
        half = 0.5 * height * np.clip(rng.normal(0.4, 0.05, count), 0.25, 0.6)
        x = place[:, 0] * self.width
        return np.stack([x - half, feet - height, x + half, feet], axis=1)


def _choose_seen(rng: np.random.Generator, objects: Boxes, most: int) -> NDArray[np.intp]:
    """Which objects a detector has found: ``most`` of them in most scenes, fewer in some."""
    share = 1.0 if rng.uniform() < 0.5 else rng.beta(2.0, 0.7)
    count = round(share * most)
    if not count:
        return np.zeros(0, dtype=np.intp)
    height = objects[:, 3] - objects[:, 1]  # the nearer, the likelier
    key = rng.exponential(size=len(objects)) / height ** rng.uniform(0, 2)
    return np.argsort(key)[:count]


def _disturb(rng: np.random.Generator, boxes: Boxes, width: float) -> Boxes:
    """What a detector, or (in some scenes) a tracker, makes of boxes."""
    count = len(boxes)
    size = boxes[:, 2:] - boxes[:, :2]
    centre = 0.5 * (boxes[:, 2:] + boxes[:, :2])
    jitter = np.exp(rng.uniform(np.log(0.004), np.log(0.2)))
    jitter = jitter * np.exp(rng.normal(0, 0.5, (count, 1)))  # some boxes are worse than others
    centre = centre + rng.normal(0, 1, (count, 2)) * jitter * size
    if rng.uniform() < _TRACKED:
        common = rng.normal(0, np.exp(rng.uniform(np.log(1e-3), np.log(0.05))), 2) * (width, 1.0)
        own = rng.normal(0, rng.uniform(0, 0.4), (count, 2)) * size[:, :1] * (1.0, 0.3)
        centre = centre + common + own
        size = size * rng.uniform(0.8, 1.2, (count, 1))
        centre = centre + rng.uniform(-0.25, 0.25, (count, 2)) * size * rng.integers(2)
    half = 0.5 * size * np.exp(rng.normal(0, 1, (count, 2)) * jitter)
    return np.concatenate([centre - half, centre + half], axis=1)
