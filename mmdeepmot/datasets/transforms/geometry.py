"""Geometry of letterboxing and of the affine augmentation, as pure functions.

Coordinates are continuous: pixel i covers [i, i + 1], so a box (0, 0, W, H) covers the image.
Images are warped by the same maps, shifted by half a pixel (:func:`warp_image`).
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

PAD_VALUE = 127.5
MIN_BOX_SIZE = 4.0
MIN_AREA_RATIO = 0.1
MAX_ASPECT = 10.0


class LetterboxGeometry(NamedTuple):
    """How an image lies in an input: ``input = original * scale + offset``.

    Attributes:
        scale: (sw, sh).
        offset: (left, top) px of the input.
        resized: (width, height) px of the image in the input.
    """

    scale: tuple[float, float]
    offset: tuple[int, int]
    resized: tuple[int, int]

    @property
    def matrix(self) -> Matrix:
        """The same as a ``(3, 3)`` matrix."""
        (sw, sh), (left, top) = self.scale, self.offset
        return np.array([[sw, 0, left], [0, sh, top], [0, 0, 1]], dtype=np.float64)


def letterbox_geometry(image_size: tuple[int, int], size: tuple[int, int]) -> LetterboxGeometry:
    """Largest centred placement of an image in an input, its aspect kept.

    As the published JDE implementation rounds it (``letterbox`` in Towards-Realtime-MOT).

    Args:
        image_size: (width, height) px.
        size: (width, height) px of the input.
    """
    ratio = min(size[0] / image_size[0], size[1] / image_size[1])
    resized = (max(round(image_size[0] * ratio), 1), max(round(image_size[1] * ratio), 1))
    offset = tuple(round((size[axis] - resized[axis]) / 2 - 0.1) for axis in (0, 1))
    scale = (resized[0] / image_size[0], resized[1] / image_size[1])
    return LetterboxGeometry(scale, (offset[0], offset[1]), resized)


def affine_matrix(
    size: tuple[int, int],
    angle: float,
    scale: float,
    translate: tuple[float, float],
    shear: tuple[float, float],
) -> Matrix:
    """``(3, 3)`` shear @ translation @ (rotation and scale about the centre).

    Args:
        size: (width, height) px of the input.
        angle: Degrees, counter-clockwise as one sees it.
        scale: Factor.
        translate: (x, y) px.
        shear: (x, y) degrees.
    """
    rotation = np.eye(3)
    rotation[:2] = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), angle, scale)
    translation = np.eye(3)
    translation[:2, 2] = translate
    shearing = np.eye(3)
    shearing[0, 1] = math.tan(math.radians(shear[0]))
    shearing[1, 0] = math.tan(math.radians(shear[1]))
    return shearing @ translation @ rotation


def warp_image(
    image: NDArray[np.uint8], matrix: Matrix, size: tuple[int, int], pad_value: float = PAD_VALUE
) -> NDArray[np.uint8]:
    """Warp an image in one pass.

    An image that the map shrinks to a half or less is first averaged over whole blocks of pixels
    (fast in OpenCV), so that bilinear sampling does not alias.

    Args:
        image: ``(H, W, C)`` uint8.
        matrix: ``(3, 3)`` affine, continuous coordinates of the image to those of the input.
        size: (width, height) px of the input.
        pad_value: Fills what the image does not cover.
    """
    height, width = image.shape[:2]
    shrink = int(1 / math.sqrt(max(abs(np.linalg.det(matrix[:2, :2])), 1e-12)))
    shrink = min(shrink, width, height)
    if shrink >= 2:
        reduced = (round(width / shrink), round(height / shrink))
        image = cv2.resize(image, reduced, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        matrix = matrix @ np.diag([width / reduced[0], height / reduced[1], 1.0])
    pixels = matrix[:2].copy()
    pixels[:, 2] += 0.5 * (pixels[:, 0] + pixels[:, 1]) - 0.5
    warped = cv2.warpAffine(
        image,
        pixels,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(pad_value,) * 4,
    )
    return warped  # type: ignore[return-value]


def warp_points(points: NDArray[np.floating], matrix: Matrix) -> NDArray[np.float64]:
    """``(..., 2)`` points under a ``(3, 3)`` affine."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def image_corners(image_size: tuple[int, int], matrix: Matrix) -> NDArray[np.float64]:
    """``(4, 2)`` corners of an image (clockwise from the top left) under a ``(3, 3)`` affine."""
    width, height = image_size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    return warp_points(corners, matrix)


def warp_boxes(
    bboxes: NDArray[np.floating], matrix: Matrix, angle: float = 0.0
) -> NDArray[np.float32]:
    """Boxes around the warped corners of boxes, reduced for rotation.

    The box around the corners of a rotated box is too large; as in the published JDE
    implementation its sides are multiplied by ``max(|sin a|, |cos a|) ** 0.5``, its centre kept.

    Args:
        bboxes: ``(N, 4)`` xyxy px.
        matrix: ``(3, 3)`` affine.
        angle: Degrees of rotation in it.

    Returns:
        ``(N, 4)`` float32 xyxy px, not clipped.
    """
    corners = bboxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2).astype(np.float64)
    warped = warp_points(corners, matrix)
    low, high = warped.min(axis=1), warped.max(axis=1)
    radians = math.radians(angle)
    half = 0.5 * (high - low) * max(abs(math.sin(radians)), abs(math.cos(radians))) ** 0.5
    centre = 0.5 * (low + high)
    return np.concatenate((centre - half, centre + half), axis=1).astype(np.float32)


def usable_boxes(
    visible: NDArray[np.floating],
    area_before: NDArray[np.floating],
    *,
    min_size: float = MIN_BOX_SIZE,
    min_area_ratio: float = MIN_AREA_RATIO,
    max_aspect: float = MAX_ASPECT,
) -> NDArray[np.bool_]:
    """Which boxes are still worth learning after augmentation (published JDE implementation).

    ``w > 4, h > 4, area / area before > 0.1, max(w / h, h / w) < 10``.

    Args:
        visible: ``(N, 4)`` xyxy px, clipped to the input.
        area_before: ``(N,)`` px^2 in the letterboxed input, before the augmentation.
        min_size: px.
        min_area_ratio: Least part of the area before.
        max_aspect: Largest ratio of the longer to the shorter side.
    """
    width = visible[:, 2] - visible[:, 0]
    height = visible[:, 3] - visible[:, 1]
    large = (width > min_size) & (height > min_size)
    aspect = np.maximum(width, height) / np.maximum(np.minimum(width, height), 1e-12)
    return large & (width * height > min_area_ratio * area_before) & (aspect < max_aspect)
