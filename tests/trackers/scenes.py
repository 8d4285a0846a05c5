"""Trackers of all configs, and scenes to try them on: seeded crowds and frames of hostile boxes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray

from mmdeepmot.registry import TRACKERS
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.boxes import iou_matrix
from mmdeepmot.trackers import Tracker

Floats = NDArray[np.floating]

ROOT = Path(__file__).resolve().parents[2]
IMAGE = (640, 480)
LOOK = 16
"""Length of embeddings."""


def tracker_configs() -> dict[str, dict[str, Any]]:
    """Every tracker that a config under ``configs`` defines at its top level, by the file's name.

    Configs that share one tracker (those of detectors on other data) count once.
    """
    found: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    files = [*ROOT.glob("configs/_base_/trackers/*.py"), *ROOT.glob("configs/*/*.py")]
    for file in sorted(set(files)):
        tracker = Config.fromfile(file).get("tracker")
        if tracker is None:
            continue
        tracker = tracker.to_dict()
        text = json.dumps(tracker, sort_keys=True)
        if text not in seen:
            seen.add(text)
            found[str(file.relative_to(ROOT / "configs").with_suffix(""))] = tracker
    return found


def build(config: dict[str, Any]) -> Tracker:
    """A tracker of its own."""
    return TRACKERS.build(json.loads(json.dumps(config)))


def unit(vectors: Floats) -> Floats:
    """Rows ``(N, D)`` scaled to length 1, float32."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Similarity:
    """``p -> scale * R p + shift``, of points in px."""

    angle: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    @property
    def affine(self) -> Floats:
        """``(2, 3)``."""
        cos, sin = self.scale * np.cos(self.angle), self.scale * np.sin(self.angle)
        return np.array([[cos, -sin, self.shift[0]], [sin, cos, self.shift[1]]])


@dataclass(frozen=True)
class Moment:
    """One frame as arrays, so that it can be moved, scaled and permuted.

    Attributes:
        bboxes: ``(N, 4)`` xyxy px.
        scores: ``(N,)``.
        labels: ``(N,)``.
        looks: ``(N, LOOK)`` float32 of unit length.
        camera: ``(2, 3)`` affine from the last frame to this one.
        size: (width, height) px of the image.
    """

    bboxes: Floats
    scores: Floats
    labels: NDArray[np.int64]
    looks: Floats
    camera: Floats = field(default_factory=lambda: Similarity().affine)
    size: tuple[float, float] = IMAGE

    def moved(self, shift: Floats) -> "Moment":
        """The world pushed by ``shift (2,)`` px: the camera's affine moves about another origin."""
        camera = self.camera.copy()
        camera[:, 2] += shift - camera[:, :2] @ shift
        return replace(self, bboxes=self.bboxes + np.tile(shift, 2), camera=camera)

    def scaled(self, factor: float) -> "Moment":
        """Every length ``factor`` times as long."""
        camera = self.camera.copy()
        camera[:, 2] *= factor
        size = (self.size[0] * factor, self.size[1] * factor)
        return replace(self, bboxes=self.bboxes * factor, camera=camera, size=size)

    def permuted(self, rng: np.random.Generator) -> "Moment":
        """The detections in another order."""
        order = rng.permutation(len(self.bboxes))
        return replace(
            self,
            bboxes=self.bboxes[order],
            scores=self.scores[order],
            labels=self.labels[order],
            looks=self.looks[order],
        )

    def frame(self, index: int) -> Frame:
        """What a tracker is given: own arrays, so that it cannot change these."""
        detections = Detections(
            self.bboxes.copy(), self.scores.copy(), self.labels.copy(), self.looks.copy()
        )
        return Frame(
            index,
            self.size,  # of a scaled world: no whole pixels
            detections=detections,
            propagate=lambda boxes, ids: (boxes, np.full(len(boxes), 0.9)),
            embed=self._looks_of,
            warp=lambda: self.camera.copy(),
        )

    def _looks_of(self, boxes: Floats) -> Floats:
        """``(K, LOOK)``: of the detection that a box overlaps most; of nothing: one of its own."""
        nothing = np.eye(1, LOOK, dtype=np.float32)
        overlap = iou_matrix(boxes, self.bboxes)
        overlap = np.concatenate([overlap, np.full((len(boxes), 1), 1e-9)], axis=1)
        return np.concatenate([self.looks, nothing])[overlap.argmax(axis=1)]


@dataclass(frozen=True)
class Scene:
    """People who walk, overlap, are missed, leave and come back, before a moving camera.

    All values come from a generator of continuous numbers: no two boxes, scores or costs are equal.

    Attributes:
        seed: Of the generator.
        people: Number of identities.
        frames: Length.
        width: Of the world in px, as wide as 480 px high times this.
        missed: Share of detections that are missing.
        false: Mean number of false alarms a frame.
        away: Frames for which those who leave stay away.
        shaky: Whether the camera moves.
    """

    seed: int
    people: int
    frames: int
    width: float = 1.0
    missed: float = 0.1
    false: float = 0.5
    away: int = 10
    shaky: bool = False

    def moments(self) -> list[Moment]:
        """The frames."""
        rng = np.random.default_rng(self.seed)
        world = np.array([480 * self.width, 480.0])
        centre = rng.uniform(0, world, (self.people, 2))
        speed = rng.normal(0, 4, (self.people, 2))
        height = rng.uniform(40, 160, self.people)
        looks = rng.normal(size=(self.people, LOOK))
        looks[1::4] = looks[:1]  # look-alikes, before noise
        leaves = rng.integers(1, self.frames + 3, self.people)
        kinds = rng.integers(0, 8, self.people) == 0
        view = np.eye(3)  # from the world to the image
        out = []
        for t in range(self.frames):
            centre += speed + rng.normal(0, 1, centre.shape)
            speed[(centre < 0) | (centre > world)] *= -1
            camera = Similarity()
            if self.shaky:
                push = rng.normal(0, 4, 2)
                camera = Similarity(
                    float(rng.normal(0, 0.01)), float(rng.uniform(0.98, 1.02)), (push[0], push[1])
                )
            view = np.vstack([camera.affine, [0, 0, 1]]) @ view
            here = (t < leaves) | (t >= leaves + self.away)
            here &= rng.random(self.people) >= self.missed
            false = int(rng.poisson(self.false))
            middle = np.concatenate([centre[here], rng.uniform(0, world, (false, 2))])
            middle = middle @ view[:2, :2].T + view[:2, 2]
            tall = np.concatenate([height[here], rng.uniform(40, 160, false)])
            tall *= np.sqrt(np.linalg.det(view[:2, :2]))
            half = 0.5 * np.stack([0.4 * tall, tall], axis=1)
            bboxes = np.concatenate([middle - half, middle + half], axis=1)
            bboxes += rng.normal(0, 0.02, bboxes.shape) * tall[:, None]
            look = np.concatenate([looks[here], rng.normal(size=(false, LOOK))])
            look += rng.normal(0, 0.3, look.shape)
            scores = rng.uniform(0.05, 1, len(bboxes))
            scores[: here.sum()] = np.sqrt(scores[: here.sum()])  # people score higher
            labels = np.concatenate([kinds[here], np.zeros(false)]).astype(np.int64)
            out.append(Moment(bboxes, scores, labels, unit(look), camera.affine))
        return out


def hostile(seed: int, count: int) -> Iterator[Moment]:
    """``count`` frames of what detectors should not but may give.

    A few objects that stay, shake, grow or shrink a thousandfold at once or jump away; boxes of
    0.01 to 1e6 px, far outside the image, exact duplicates, boxes that touch, equal scores, empty
    frames, now and then a crowd.
    """
    rng = np.random.default_rng(seed)
    objects = _wild_boxes(rng, 6)
    looks = rng.normal(size=(6, LOOK))
    for _ in range(count):
        again = rng.random(6) < 0.05
        objects[again] = _wild_boxes(rng, int(again.sum()))
        size = objects[:, 2:] - objects[:, :2]
        resized = rng.random(6) < 0.03
        grown = size[resized] * 10 ** rng.uniform(-3, 3, (resized.sum(), 1))
        objects[resized, 2:] = objects[resized, :2] + np.clip(grown, 0.01, 1e6)
        size = objects[:, 2:] - objects[:, :2]
        objects += np.tile(rng.normal(0, 0.1, (6, 2)) * size, 2)
        others = int(rng.integers(0, 4)) if rng.random() > 0.02 else 80
        bboxes = np.concatenate([objects[rng.random(6) > 0.2], _wild_boxes(rng, others)])
        look = np.concatenate([looks[: len(bboxes) - others], rng.normal(size=(others, LOOK))])
        if len(bboxes) and rng.random() < 0.3:  # the same box twice, with the same appearance
            twin = rng.integers(0, len(bboxes), 2)
            bboxes, look = np.vstack([bboxes, bboxes[twin]]), np.vstack([look, look[twin]])
        if len(bboxes) and rng.random() < 0.3:  # side by side, one common edge
            left, top, right, bottom = bboxes[0]
            bboxes = np.vstack([bboxes, [right, top, 2 * right - left, bottom]])
            look = np.vstack([look, look[0]])
        if rng.random() < 0.1:
            bboxes, look = bboxes[:0], look[:0]
        look = look + rng.normal(0, 0.1, look.shape) * (rng.random() < 0.7)
        scores = rng.random(len(bboxes)) if rng.random() < 0.7 else np.full(len(bboxes), 0.6)
        push = rng.normal(0, 20, 2)
        camera = Similarity(
            float(rng.normal(0, 0.05)), float(rng.uniform(0.9, 1.1)), (push[0], push[1])
        )
        labels = rng.integers(0, 2, len(bboxes))
        yield Moment(bboxes, scores, labels, unit(look), camera.affine)


def _wild_boxes(rng: np.random.Generator, count: int) -> Floats:
    """``(count, 4)`` xyxy px: half of them people in the image, half anything anywhere."""
    size = rng.uniform(20, 200, (count, 2))
    corner = rng.uniform(0, 600, (count, 2))
    wild = rng.random(count) < 0.5
    number = int(wild.sum())
    size[wild] = 10 ** rng.uniform(-2, 6, (number, 2))
    corner[wild] = rng.uniform(-1, 1, (number, 2)) * 10 ** rng.uniform(0, 6, (number, 1))
    return np.concatenate([corner, corner + size], axis=1)
