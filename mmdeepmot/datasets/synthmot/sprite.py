"""Drawn pictures that are laid over frames at any size and any fraction of a pixel."""

from dataclasses import dataclass

import cv2
import numpy as np

from mmdeepmot.datasets.synthmot.paint import Image


@dataclass(frozen=True)
class Sprite:
    """A drawn thing.

    Attributes:
        levels: The same picture at 1, 1/2, 1/4 ... of ``scale``: ``(H, W, 4)`` uint8 BGRA,
            premultiplied.
        scale: Pixels a unit of ``levels[0]``.
        anchor: Ground point in ``levels[0]``, px.
        extent: (left, bottom, right, top) of what is drawn, relative to the anchor, y up, in units.
    """

    levels: tuple[Image, ...]
    scale: float
    anchor: tuple[float, float]
    extent: tuple[float, float, float, float]

    def at(self, x: float, y: float, scale: float) -> tuple[Image, int, int]:
        """The picture with its anchor at (x, y) px and ``scale`` px a unit.

        Returns:
            ``(h, w, 4)`` uint8 BGRA premultiplied, and the column and row of its corner.
        """
        ratio = scale / self.scale
        level = int(np.clip(np.floor(-np.log2(max(ratio, 1e-6))), 0, len(self.levels) - 1))
        picture = self.levels[level]
        zoom = ratio * 2**level
        corner_x = x - ratio * self.anchor[0]
        corner_y = y - ratio * self.anchor[1]
        left, top = int(np.floor(corner_x)), int(np.floor(corner_y))
        size = (
            int(np.ceil(picture.shape[1] * zoom)) + 2,
            int(np.ceil(picture.shape[0] * zoom)) + 2,
        )
        shift = 0.5 * zoom - 0.5
        matrix = np.array([[zoom, 0, shift + corner_x - left], [0, zoom, shift + corner_y - top]])
        patch = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR)
        return np.asarray(patch, np.uint8), left, top


def make_sprite(pixels: Image, scale: float, anchor: tuple[float, float]) -> Sprite:
    """A sprite cut to what is drawn, with its smaller levels.

    Args:
        pixels: ``(H, W, 4)`` uint8 BGRA, premultiplied; something must be drawn on it.
        scale: Pixels a unit.
        anchor: Ground point, px.
    """
    drawn = pixels[..., 3] > 0
    columns, rows = np.flatnonzero(drawn.any(axis=0)), np.flatnonzero(drawn.any(axis=1))
    left, top = int(columns[0]), int(rows[0])
    pixels = np.ascontiguousarray(pixels[top : rows[-1] + 1, left : columns[-1] + 1])
    anchor = (anchor[0] - left, anchor[1] - top)
    solid = pixels[..., 3] > 127
    columns, rows = np.flatnonzero(solid.any(axis=0)), np.flatnonzero(solid.any(axis=1))
    extent = (
        (float(columns[0]) - anchor[0]) / scale,
        (anchor[1] - float(rows[-1]) - 1) / scale,
        (float(columns[-1]) + 1 - anchor[0]) / scale,
        (anchor[1] - float(rows[0])) / scale,
    )
    levels = [pixels]
    while len(levels) < 4 and min(levels[-1].shape[:2]) >= 12:
        height, width = levels[-1].shape[:2]
        even = cv2.copyMakeBorder(
            levels[-1], 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)
        )
        half = cv2.resize(
            even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA
        )
        levels.append(np.asarray(half, np.uint8))
    return Sprite(tuple(levels), scale, anchor, extent)
