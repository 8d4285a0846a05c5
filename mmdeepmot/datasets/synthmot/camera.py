"""The camera: a perspective view of a ground plane, and its motion as a scale and a shift.

World: X to the right, Y up, Z away from the camera, metres, ground at Y = 0. The view is upright
with a shifted centre, so that verticals stay vertical. The still parts of a scene are rendered
once, on a *panorama* that is larger than the image; a frame is a window of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.synthmot.recipe import Recipe

Floats = NDArray[np.float64]

MARGIN_X, MARGIN_Y = 0.15, 0.09  # of the image's size: what the panorama adds on each side


@dataclass(frozen=True)
class Camera:
    """Projection onto the panorama.

    Attributes:
        focal: Focal length, px.
        height: Of the camera above the ground, m.
        centre: Column of X = 0, px.
        horizon: Row of the horizon, px.
        panorama: (width, height), px.
        image: (width, height), px.
    """

    focal: float
    height: float
    centre: float
    horizon: float
    panorama: tuple[int, int]
    image: tuple[int, int]

    def column(self, x: Floats | float, z: Floats | float) -> Floats:
        """Panorama column of points, px."""
        return np.asarray(self.centre + self.focal * np.asarray(x) / z)

    def row(self, y: Floats | float, z: Floats | float) -> Floats:
        """Panorama row of points at height ``y`` m, px."""
        return np.asarray(self.horizon + self.focal * (self.height - np.asarray(y)) / z)

    def scale(self, z: Floats | float) -> Floats:
        """Pixels a metre at a depth."""
        return np.asarray(self.focal / np.asarray(z))

    def half_width(self, z: Floats | float) -> Floats:
        """Half of the panorama's width at a depth, m."""
        return np.asarray(0.5 * self.panorama[0] / self.focal * np.asarray(z))

    @property
    def nearest(self) -> float:
        """Depth of the ground at the image's lower edge, m."""
        bottom = 0.5 * (self.panorama[1] + self.image[1])
        return self.focal * self.height / (bottom - self.horizon)


def sample_camera(rng: np.random.Generator, recipe: Recipe) -> Camera:
    """A camera at 2.7 to 3.5 m, the horizon in the upper quarter of the image."""
    width, height = recipe.size
    pad_x, pad_y = round(MARGIN_X * width), round(MARGIN_Y * height)
    # The layout is made for 16:9: other shapes keep the vertical field of view.
    focal = rng.uniform(0.98, 1.12) * 16 / 9 * height
    return Camera(
        focal=focal,
        height=rng.uniform(2.7, 3.4),
        centre=pad_x + width / 2,
        horizon=pad_y + height * rng.uniform(0.13, 0.22),
        panorama=(width + 2 * pad_x, height + 2 * pad_y),
        image=(width, height),
    )


@dataclass(frozen=True)
class CameraPath:
    """The window of each frame: ``image = zoom * (panorama - corner)``.

    Attributes:
        zoom: ``(T,)``.
        corner: ``(T, 2)`` panorama point that falls on the image's corner, px.
    """

    zoom: Floats
    corner: Floats

    @property
    def moves(self) -> bool:
        """Whether any frame's window differs from the first."""
        return bool(np.ptp(self.zoom) > 0 or np.ptp(self.corner, axis=0).max() > 0)


def smooth_noise(rng: np.random.Generator, count: int, period: float) -> Floats:
    """``(count,)`` noise of about unit amplitude that varies over ``period`` frames."""
    knots = rng.standard_normal(int(count / period) + 4)
    place = np.arange(count) / period + 1 + rng.uniform()
    left = np.floor(place).astype(int)
    part = place - left
    weight = 0.5 - 0.5 * np.cos(np.pi * part)
    return np.asarray(knots[left] * (1 - weight) + knots[left + 1] * weight)


def sample_path(
    rng: np.random.Generator, camera: Camera, recipe: Recipe, frames: int
) -> CameraPath:
    """Pan, zoom, shake and jolts; about a third of all cameras stand still."""
    width, height = camera.image
    kind = rng.choice(["static", "shake", "pan", "zoom"], p=[0.3, 0.25, 0.3, 0.15])
    amplitude = recipe.camera_motion if kind != "static" else 0.0
    time = np.linspace(0, 1, frames)
    shift = np.zeros((frames, 2))
    zoom = np.ones(frames)
    if kind == "pan":
        turn = rng.uniform(0.4, 1.0)
        start = rng.uniform(0, 2 * np.pi)
        shift[:, 0] += 0.09 * width * np.sin(2 * np.pi * turn * time + start)
    if kind == "zoom":
        zoom += amplitude * 0.12 * (1 - np.cos(2 * np.pi * time * rng.uniform(0.4, 1)))
        shift[:, 0] += 0.04 * width * smooth_noise(rng, frames, 60)
    tremble = 1.0 if kind == "shake" else 0.25
    for axis, size in enumerate((width, height)):
        shift[:, axis] += tremble * 0.006 * size * smooth_noise(rng, frames, 5)
        shift[:, axis] += tremble * 0.003 * size * smooth_noise(rng, frames, 2)
    if kind == "shake":
        for _ in range(int(rng.integers(1, 4))):
            start_frame = int(rng.integers(0, frames))
            jolt = np.array([0.03 * width, 0.03 * height]) * rng.uniform(-1, 1, 2)
            age = np.arange(frames - start_frame)
            shift[start_frame:] += np.exp(-age / 2.5)[:, None] * jolt
    limit = np.array([MARGIN_X * width, MARGIN_Y * height]) * 0.98
    shift = np.clip(shift * amplitude, -limit, limit)
    centre = np.array(camera.panorama) / 2 + shift
    return CameraPath(zoom, centre - 0.5 * np.array([width, height]) / zoom[:, None])
