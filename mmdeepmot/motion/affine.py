"""Plane affine motions of images, as pure functions.

An affine is ``(2, 3)`` float64 ``[A | t]``: a point ``p`` (x, y) px goes to ``A p + t``.
Coordinates are continuous (pixel i covers [i, i + 1]), as those of boxes; OpenCV counts from the
centre of the first pixel (:func:`from_pixel_centres`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Affine = NDArray[np.float64]
Floats = NDArray[np.floating]

IDENTITY: Affine = np.eye(2, 3)
IDENTITY.setflags(write=False)


def checked_affine(affine: Any, where: str) -> Affine:
    """The affine as ``(2, 3)`` float64.

    Args:
        affine: What somebody gave.
        where: Who asks, for the message.

    Raises:
        ValueError: Another shape, NaN or inf, or a map that squeezes the plane into a line.
    """
    out = np.asarray(affine, dtype=np.float64)
    if out.shape != (2, 3):
        raise ValueError(
            f"{where}: camera motion must be an affine of shape (2, 3) that moves points (x, y) px "
            f"of the last frame to this one, got shape {out.shape}"
        )
    if not np.isfinite(out).all() or determinant(out) == 0:
        raise ValueError(
            f"{where}: camera motion must be finite and invertible, got {out.tolist()}"
        )
    return out


def determinant(affine: Affine) -> float:
    """Factor by which areas grow, negative where the plane is mirrored."""
    return float(affine[0, 0] * affine[1, 1] - affine[0, 1] * affine[1, 0])


def affine_scale(affine: Affine) -> float:
    """Factor ``sqrt(|det A|)`` by which lengths grow (of a similarity: all of them)."""
    return float(np.sqrt(abs(determinant(affine))))


def move_points(points: Floats, affine: Affine) -> Floats:
    """``(..., 2)`` (x, y) px moved."""
    return points @ affine[:, :2].T + affine[:, 2]


def move_boxes(boxes: Floats, affine: Affine) -> Floats:
    """``(..., 4)`` xyxy px moved: the centre as a point, the size by :func:`affine_scale`.

    Boxes stay upright: people who are seen by a camera that rolls a little are as wide as before.
    """
    centre = move_points(0.5 * (boxes[..., :2] + boxes[..., 2:]), affine)
    half = (0.5 * affine_scale(affine)) * (boxes[..., 2:] - boxes[..., :2])
    return np.concatenate([centre - half, centre + half], axis=-1)


def turn_directions(directions: Floats, affine: Affine) -> Floats:
    """``(..., 2)`` unit vectors turned, unit vectors again; (0, 0) stays."""
    turned = directions @ affine[:, :2].T
    length = np.sqrt(np.square(turned).sum(axis=-1, keepdims=True))
    return turned / np.where(length > 0, length, 1.0)


def from_pixel_centres(affine: Floats) -> Affine:
    """An affine between coordinates that are 0 at the first pixel's centre, in continuous ones."""
    out = np.array(affine, dtype=np.float64)
    out[:, 2] += 0.5 - 0.5 * out[:, :2].sum(axis=1)
    return out


def rescale_affine(affine: Affine, scale: Sequence[float]) -> Affine:
    """The motion of an image, seen in one of another resolution.

    Args:
        affine: Between images whose coordinates are ``scale * original``.
        scale: (x, y).

    Returns:
        The same motion in original px: ``S^-1 [A | t] S``.
    """
    factor = np.asarray(scale, dtype=np.float64)
    out = np.array(affine, dtype=np.float64)
    out[:, :2] *= factor / factor[:, None]
    out[:, 2] /= factor
    return out
