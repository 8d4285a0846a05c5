"""Frames of one sequence: still scene, people and vehicles by depth, and the boxes that are true.

The visible fraction of a person is counted in pixels: those of the body that end up in the image,
nearer than everything else, over all pixels of the body, inside the image or not.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.synthmot.camera import Camera, CameraPath, sample_camera, sample_path
from mmdeepmot.datasets.synthmot.crowd import (
    RUNNING,
    STANDING,
    Vehicle,
    Walk,
    sample_crowd,
    sample_traffic,
)
from mmdeepmot.datasets.synthmot.effects import Effects
from mmdeepmot.datasets.synthmot.figure import HEADINGS, PHASES, Gait, draw_figure
from mmdeepmot.datasets.synthmot.layout import sample_layout
from mmdeepmot.datasets.synthmot.looks import Look, sample_looks
from mmdeepmot.datasets.synthmot.paint import Image, blend, clip_patch
from mmdeepmot.datasets.synthmot.props import draw_prop
from mmdeepmot.datasets.synthmot.recipe import Recipe, Split
from mmdeepmot.datasets.synthmot.scene import Scene, build_scene, darken_ellipse
from mmdeepmot.datasets.synthmot.sprite import Sprite, make_sprite

_CACHED_FIGURES = 400


@dataclass(frozen=True)
class Person:
    """One identity: where it walks and what it looks like."""

    walk: Walk
    look: Look


@dataclass(frozen=True)
class Truth:
    """What is true of one frame; one row a person whose visible fraction is above 0.

    Attributes:
        persons: ``(N,)`` index into the plan's persons.
        bboxes: ``(N, 4)`` xyxy px, the whole body, which may leave the image.
        visibility: ``(N,)`` visible fraction of the body, in (0, 1].
    """

    persons: NDArray[np.int64]
    bboxes: NDArray[np.float64]
    visibility: NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """Everything of a sequence that is decided before a pixel is drawn."""

    recipe: Recipe
    frames: int
    fps: int
    camera: Camera
    path: CameraPath
    scene: Scene
    persons: list[Person]
    vehicles: list[Vehicle]
    effects: Effects
    detection_seed: np.random.SeedSequence
    identity_seed: np.random.SeedSequence


def plan_sequence(recipe: Recipe, split: Split, index: int) -> Plan:
    """Draw camera, street, crowd and looks of one sequence, each from its own stream."""
    seeds = recipe.seed_sequence(split, index).spawn(6)
    rng = np.random.default_rng(seeds[0])
    frames = recipe.frames(split)
    fps = int(rng.integers(recipe.min_fps, recipe.max_fps + 1))
    camera = sample_camera(rng, recipe)
    path = sample_path(rng, camera, recipe, frames)
    layout = sample_layout(rng, camera, recipe)
    scene = build_scene(np.random.default_rng(seeds[1]), camera, layout)
    crowd_rng = np.random.default_rng(seeds[2])
    vehicles = sample_traffic(crowd_rng, recipe, layout, frames, fps)
    walks = sample_crowd(crowd_rng, recipe, camera, layout, vehicles, frames, fps)
    looks = sample_looks(np.random.default_rng(seeds[3]), len(walks), recipe.lookalike)
    persons = [Person(walk, look) for walk, look in zip(walks, looks, strict=True)]
    effects = Effects(seeds[4], recipe, path)
    detection_seed, identity_seed = seeds[5].spawn(2)
    return Plan(
        recipe,
        frames,
        fps,
        camera,
        path,
        scene,
        persons,
        vehicles,
        effects,
        detection_seed,
        identity_seed,
    )


@dataclass(frozen=True)
class _Placed:
    """A sprite in a frame: its ground point in the image, px, and its size, px a unit."""

    sprite: Sprite
    x: float
    y: float
    scale: float
    z: float
    person: int  # -1: not a person


def _gait(speed: float) -> Gait:
    if speed < STANDING:
        return "stand"
    return "run" if speed > RUNNING else "walk"


class Renderer:
    """Draws the frames of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._figures: OrderedDict[tuple[int, int, int, Gait], Sprite] = OrderedDict()
        self._vehicles: dict[int, Sprite] = {}
        self._scales = [self._largest(person) for person in plan.persons]

    def _largest(self, person: Person) -> float:
        """Pixels a body height at which a person is drawn: that of their nearest moment."""
        nearest = float(person.walk.position[:, 1].min())
        zoom = float(self.plan.path.zoom.max())
        return max(24.0, zoom * float(self.plan.camera.scale(nearest)) * person.look.body)

    def _figure(self, person: int, heading: int, phase: int, gait: Gait) -> Sprite:
        key = (person, heading, phase, gait)
        if key in self._figures:
            self._figures.move_to_end(key)
            return self._figures[key]
        look = self.plan.persons[person].look
        sprite = draw_figure(look, heading, phase, gait, self._scales[person])
        self._figures[key] = sprite
        if len(self._figures) > _CACHED_FIGURES:
            self._figures.popitem(last=False)
        return sprite

    def _vehicle(self, index: int) -> Sprite:
        if index not in self._vehicles:
            vehicle = self.plan.vehicles[index]
            zoom = float(self.plan.path.zoom.max())
            scale = 1.5 * zoom * float(self.plan.camera.scale(vehicle.z))
            mirrored = vehicle.speed < 0
            sheet = draw_prop(vehicle.kind, vehicle.width, vehicle.variant, scale, mirrored)
            anchor = (-sheet.left * scale, sheet.top * scale)
            self._vehicles[index] = make_sprite(sheet.pixels, scale, anchor)
        return self._vehicles[index]

    def _image_point(self, frame: int, x: float, z: float) -> tuple[float, float]:
        camera, path = self.plan.camera, self.plan.path
        column = (float(camera.column(x, z)) - path.corner[frame, 0]) * path.zoom[frame]
        row = (float(camera.row(0, z)) - path.corner[frame, 1]) * path.zoom[frame]
        return float(column), float(row)

    def _placed(self, frame: int) -> list[_Placed]:
        """Everything that moves in a frame, from far to near."""
        plan = self.plan
        zoom = float(plan.path.zoom[frame])
        placed = []
        for index, person in enumerate(plan.persons):
            walk = person.walk
            row = frame - walk.start
            if not 0 <= row < len(walk.position):
                continue
            x, z = (float(value) for value in walk.position[row])
            heading = round(float(walk.heading[row]) / (2 * np.pi) * HEADINGS) % HEADINGS
            gait = _gait(float(walk.speed[row]))
            phase = round(float(walk.cycle[row]) / (2 * np.pi) * PHASES) % PHASES
            phase = 0 if gait == "stand" else phase
            scale = zoom * float(plan.camera.scale(z)) * person.look.body
            column, line = self._image_point(frame, x, z)
            if not -scale < column < plan.recipe.width + scale:
                continue
            sprite = self._figure(index, heading, phase, gait)
            placed.append(_Placed(sprite, column, line, scale, z, index))
        for index, vehicle in enumerate(plan.vehicles):
            x = float(vehicle.x(frame))
            scale = zoom * float(plan.camera.scale(vehicle.z))
            column, line = self._image_point(frame, x, vehicle.z)
            if -4 * scale < column < plan.recipe.width + 4 * scale:
                sprite = self._vehicle(index)
                placed.append(_Placed(sprite, column, line, scale, vehicle.z, -1))
        return sorted(placed, key=lambda item: -item.z)

    def _window(self, frame: int) -> tuple[Image, NDArray[np.float32]]:
        """The scene and its depth, seen through a frame's window."""
        plan = self.plan
        zoom, (left, top) = float(plan.path.zoom[frame]), plan.path.corner[frame]
        # Pixel centres lie at half coordinates, OpenCV's at whole ones.
        shift = [0.5 * zoom - 0.5 - zoom * left, 0.5 * zoom - 0.5 - zoom * top]
        matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        size = plan.recipe.size
        image = cv2.warpAffine(
            plan.scene.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        depth = cv2.warpAffine(
            plan.scene.depth, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(image, np.uint8), np.asarray(depth, np.float32)

    def render(self, frame: int) -> tuple[Image, Truth]:
        """Picture ``(H, W, 3)`` uint8 BGR and truth of a frame (from 0)."""
        image, depth = self._window(frame)
        placed = self._placed(frame)
        for item in placed:
            _draw_shadow(image, depth, item)
        owner = np.full(image.shape[:2], -1, np.int32)
        totals = np.zeros(len(placed), np.int64)
        for place, item in enumerate(placed):
            totals[place] = _draw(image, depth, owner, item, place)
        seen = np.bincount(owner.ravel() + 1, minlength=len(placed) + 1)[1:]
        rows = [i for i, item in enumerate(placed) if item.person >= 0 and seen[i] > 0]
        truth = Truth(
            np.array([placed[i].person for i in rows], np.int64),
            np.array([_box(placed[i]) for i in rows], np.float64).reshape(-1, 4),
            np.array([seen[i] / totals[i] for i in rows], np.float64),
        )
        return self.plan.effects.develop(image, frame), truth

    def frames(self) -> Iterator[tuple[Image, Truth]]:
        """All frames in order."""
        for frame in range(self.plan.frames):
            yield self.render(frame)


def _box(item: _Placed) -> tuple[float, float, float, float]:
    left, bottom, right, top = item.sprite.extent
    return (
        item.x + left * item.scale,
        item.y - top * item.scale,
        item.x + right * item.scale,
        item.y - bottom * item.scale,
    )


def _draw_shadow(image: Image, depth: NDArray[np.float32], item: _Placed) -> None:
    if item.person < 0:
        wide, flat, strength = 2.1 * item.scale, 0.16 * item.scale, 0.5
    else:
        wide, flat, strength = 0.17 * item.scale, 0.04 * item.scale, 0.42
    shadow = darken_ellipse(image, item.x + 0.2 * wide, item.y, wide, flat, strength)
    if shadow is None:
        return
    rows, columns, factor = shadow
    free = depth[rows, columns, None] > item.z
    image[rows, columns] = (image[rows, columns] * np.where(free, factor, 1)).astype(np.uint8)


def _draw(
    image: Image, depth: NDArray[np.float32], owner: NDArray[np.int32], item: _Placed, place: int
) -> int:
    """Lay a sprite over the frame where nothing still is nearer; the body's pixels in all."""
    patch, left, top = item.sprite.at(item.x, item.y, item.scale)
    solid = patch[..., 3] > 127
    clipped = clip_patch(image.shape[:2], patch.shape[:2], left, top)
    if clipped is None:
        return int(solid.sum())
    inside, part = clipped
    free = depth[inside] > item.z
    blend(image[inside], np.where(free[..., None], patch[part], np.uint8(0)))
    owner[inside][solid[part] & free] = place
    return int(solid.sum())
