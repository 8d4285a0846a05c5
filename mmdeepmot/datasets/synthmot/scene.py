"""The still part of a sequence: the panorama, and the depth of what stands on it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.synthmot.camera import Camera
from mmdeepmot.datasets.synthmot.facade import paint_facade
from mmdeepmot.datasets.synthmot.ground import paint_ground
from mmdeepmot.datasets.synthmot.layout import Layout, Prop
from mmdeepmot.datasets.synthmot.paint import Image, clip_patch, over
from mmdeepmot.datasets.synthmot.props import draw_prop

_OVER_SAMPLING = 2


@dataclass(frozen=True)
class Scene:
    """A rendered street.

    Attributes:
        image: ``(H, W, 3)`` uint8 BGR panorama.
        depth: ``(H, W)`` float32, m: depth of the static thing at a pixel, infinite on the ground.
    """

    image: Image
    depth: NDArray[np.float32]


def darken_ellipse(
    image: Image, x: float, y: float, rx: float, ry: float, strength: float
) -> tuple[slice, slice, NDArray[np.float32]] | None:
    """Window and factor ``(h, w, 1)`` of a soft elliptic shadow around (x, y) px, or None."""
    left, top = int(x - 1.6 * rx) - 1, int(y - 1.6 * ry) - 1
    width, height = int(3.2 * rx) + 3, int(3.2 * ry) + 3
    clipped = clip_patch(image.shape[:2], (height, width), left, top)
    if clipped is None:
        return None
    rows, columns = clipped[0]
    dx = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5 - x) / max(rx, 0.5)
    dy = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5 - y) / max(ry, 0.5)
    distance = dx[None, :] ** 2 + dy[:, None] ** 2
    factor = 1 - strength * np.clip(1.25 - 0.75 * distance, 0, 1)
    return rows, columns, factor[..., None].astype(np.float32)


def _place_prop(camera: Camera, prop: Prop, image: Image, depth: NDArray[np.float32]) -> None:
    scale = float(camera.scale(prop.z))
    sheet = draw_prop(prop.kind, prop.width, prop.variant, scale * _OVER_SAMPLING)
    height, width = sheet.pixels.shape[:2]
    size = (max(1, width // _OVER_SAMPLING), max(1, height // _OVER_SAMPLING))
    patch = np.asarray(cv2.resize(sheet.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    x, y = float(camera.column(prop.x, prop.z)), float(camera.row(0, prop.z))
    shadow = darken_ellipse(
        image, x + 0.12 * scale, y, (0.6 * prop.width + 0.15) * scale, 0.13 * scale, 0.4
    )
    if shadow is not None:
        rows, columns, factor = shadow
        image[rows, columns] = (image[rows, columns] * factor).astype(np.uint8)
    left = round(x + sheet.left * scale)
    top = round(y - sheet.top * scale)
    painted = over(image, patch, left, top)
    if painted is None:
        return
    rows, columns = painted
    solid = patch[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left, 3]
    region = depth[rows, columns]
    region[solid > 127] = prop.z


def build_scene(rng: np.random.Generator, camera: Camera, layout: Layout) -> Scene:
    """Paint a street: sky and houses, ground, then props from far to near."""
    width, height = camera.panorama
    image = np.empty((height, width, 3), np.uint8)
    depth = np.full((height, width), np.inf, np.float32)
    walls = paint_facade(rng, camera, layout, image)
    keep = image.copy()
    paint_ground(rng, camera, layout, image)
    foot = round(float(camera.row(0, layout.facade)))
    image[:foot] = keep[:foot]
    depth[walls] = layout.facade
    for prop in sorted(layout.props, key=lambda item: -item.z):
        _place_prop(camera, prop, image, depth)
    return Scene(image, depth)
