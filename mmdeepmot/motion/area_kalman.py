"""SORT's motion model: centre, area, aspect ratio."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.motion.affine import Affine, affine_scale
from mmdeepmot.motion.box_kalman import BoxKalman, centre_matrix
from mmdeepmot.registry import MOTIONS

Floats = NDArray[np.floating]


@MOTIONS.register_module()
class AreaKalman(BoxKalman):
    """SORT's filter (Bewley et al. 2016, Sec. 3.2): centre x, centre y, area, aspect w / h.

    The aspect ratio has no velocity. Noise is fixed, in px and px^2, as in the published code:
    initial variance 10 (velocities 10^4), process 1 (velocities 10^-2, of the area 10^-4),
    measurement 1 (area and aspect 10). An area that would shrink to nothing stops shrinking.

    Args:
        full_covariance: See :class:`BoxKalman`.
    """

    _INITIAL = np.array([10.0, 10, 10, 10, 1e4, 1e4, 1e4, 0])
    _PROCESS = np.array([1.0, 1, 1, 1, 1e-2, 1e-2, 1e-4, 0])
    _MEASUREMENT = np.array([1.0, 1, 10, 10])

    def measure(self, bboxes: Floats) -> Floats:
        size = bboxes[:, 2:] - bboxes[:, :2]
        out = np.empty((len(bboxes), 4))
        out[:, :2] = bboxes[:, :2] + 0.5 * size
        np.multiply(size[:, 0], size[:, 1], out=out[:, 2])
        np.divide(size[:, 0], size[:, 1], out=out[:, 3])
        return out

    def boxes(self, coordinates: Floats) -> Floats:
        area = np.maximum(coordinates[:, 2], 0)
        aspect = np.maximum(coordinates[:, 3], np.finfo(np.float64).tiny)
        half = np.empty((len(coordinates), 2))
        np.sqrt(area * aspect, out=half[:, 0])
        np.sqrt(area / aspect, out=half[:, 1])
        half *= 0.5
        return np.concatenate([coordinates[:, :2] - half, coordinates[:, :2] + half], axis=1)

    def initial_variance(self, measurement: Floats) -> Floats:
        return self._INITIAL

    def process_variance(self, mean: Floats) -> Floats:
        return self._PROCESS

    def measurement_variance(self, mean: Floats) -> Floats:
        return self._MEASUREMENT

    def hold(self, mean: Floats, states: NDArray[np.int8]) -> None:
        mean[:, 6] *= mean[:, 2] + mean[:, 6] > 0

    def warp_matrix(self, affine: Affine) -> Floats:
        return centre_matrix(affine, affine_scale(affine) ** 2, 1.0)
