"""A motion model of the corners of boxes with constant noise."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.motion.affine import Affine, affine_scale
from mmdeepmot.motion.box_kalman import BoxKalman
from mmdeepmot.registry import MOTIONS

Floats = NDArray[np.floating]


@MOTIONS.register_module()
class CornerKalman(BoxKalman):
    """Coordinates left, top, right, bottom; the same noise for every box, whatever its size.

    The defaults are those of SORT in the package ``trackers``. A box whose sides would pass each
    other keeps its size and moves on.

    Args:
        process: Variances that a frame adds to (position px^2, velocity (px / frame)^2).
        measurement: Variance of a detection's sides, px^2.
        initial: Variances of a new track's (position, velocity).
        full_covariance: See :class:`BoxKalman`.
    """

    def __init__(
        self,
        process: tuple[float, float] = (0.01, 0.01),
        measurement: float = 0.1,
        initial: tuple[float, float] = (1.0, 1.0),
        full_covariance: bool = False,
    ) -> None:
        super().__init__(full_covariance)
        for name, pair in (("process", process), ("initial", initial)):
            if len(pair) != 2 or min(pair) < 0:
                raise InputError(f"{name} must be two variances >= 0, got {pair!r}")
        if measurement <= 0:
            raise InputError(f"measurement must be a variance > 0, got {measurement!r}")
        self._process = np.repeat(np.asarray(process, dtype=np.float64), 4)
        self._initial = np.repeat(np.asarray(initial, dtype=np.float64), 4)
        self._measurement = np.full(4, float(measurement))

    def measure(self, bboxes: Floats) -> Floats:
        return bboxes

    def boxes(self, coordinates: Floats) -> Floats:
        out = coordinates.copy()
        np.maximum(out[:, 2:], out[:, :2], out=out[:, 2:])
        return out

    def initial_variance(self, measurement: Floats) -> Floats:
        return self._initial

    def process_variance(self, mean: Floats) -> Floats:
        return self._process

    def measurement_variance(self, mean: Floats) -> Floats:
        return self._measurement

    def hold(self, mean: Floats, states: NDArray[np.int8]) -> None:
        """Sides that would meet move with the velocity of their middle."""
        low, high = mean[:, 4:6], mean[:, 6:]
        passing = mean[:, 2:4] + high <= mean[:, :2] + low
        if passing.any():
            middle = 0.5 * (low + high)[passing]
            low[passing] = middle
            high[passing] = middle

    def warp_matrix(self, affine: Affine) -> Floats:
        """With centre ``c`` and half size ``d``: ``A c -+ s d`` of ``c - d`` and ``c + d``."""
        linear, scaled = affine[:, :2], affine_scale(affine) * np.eye(2)
        near, far = 0.5 * (linear + scaled), 0.5 * (linear - scaled)
        return np.block([[near, far], [far, near]])

    def warp_offset(self, affine: Affine) -> Floats:
        return np.tile(affine[:, 2], 2)
