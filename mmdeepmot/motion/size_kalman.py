"""BoT-SORT's motion model: centre, width, height."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.motion.affine import Affine, affine_scale
from mmdeepmot.motion.box_kalman import BoxKalman, centre_matrix
from mmdeepmot.registry import MOTIONS
from mmdeepmot.structures.track_table import TrackState

Floats = NDArray[np.floating]


@MOTIONS.register_module()
class SizeKalman(BoxKalman):
    """BoT-SORT's filter (Aharon et al. 2022, Sec. 3.1): centre x, centre y, width, height.

    Noise grows with the box: standard deviation ``position_weight * w`` of x and w,
    ``position_weight * h`` of y and h, ``velocity_weight * w`` and ``* h`` of their velocities. New
    tracks: ``2 * position_weight`` and ``10 * velocity_weight``. A width or height that would
    shrink to nothing stops shrinking.

    Args:
        position_weight: Of x, y, width and height a frame.
        velocity_weight: Of their velocities a frame.
        hold_lost_size: Set the velocities of width and height of lost tracks to 0 before prediction
            (published code; the paper does not say).
        rotate_size: Camera motion ``[A | t]`` maps (w, h) and its velocity by A as well (Sec. 3.2);
            a size that would become negative by it is scaled. False: by ``sqrt |det A|``.
        full_covariance: See :class:`BoxKalman`. x and y noise differ here, so that a camera's
            rotation couples them.
    """

    def __init__(
        self,
        position_weight: float = 1 / 20,
        velocity_weight: float = 1 / 160,
        hold_lost_size: bool = False,
        rotate_size: bool = True,
        full_covariance: bool = False,
    ) -> None:
        super().__init__(full_covariance)
        # variance = (w, h, w, h, w, h, w, h)^2 * scaled
        self._scaled = np.repeat(np.square([position_weight, velocity_weight]), 4)
        self._initial_scaled = self._scaled * np.repeat([4.0, 100.0], 4)
        self.hold_lost_size = hold_lost_size
        self.rotate_size = rotate_size

    def measure(self, bboxes: Floats) -> Floats:
        out = np.empty((len(bboxes), 4))
        np.subtract(bboxes[:, 2:], bboxes[:, :2], out=out[:, 2:])
        np.multiply(out[:, 2:], 0.5, out=out[:, :2])
        out[:, :2] += bboxes[:, :2]
        return out

    def boxes(self, coordinates: Floats) -> Floats:
        half = np.maximum(coordinates[:, 2:], 0)
        half *= 0.5
        return np.concatenate([coordinates[:, :2] - half, coordinates[:, :2] + half], axis=1)

    def initial_variance(self, measurement: Floats) -> Floats:
        return self._variance(measurement, self._initial_scaled)

    def process_variance(self, mean: Floats) -> Floats:
        return self._variance(mean, self._scaled)

    def measurement_variance(self, mean: Floats) -> Floats:
        return self._variance(mean, self._scaled[:4])

    @staticmethod
    def _variance(state: Floats, scaled: Floats) -> Floats:
        squared = np.square(state[:, 2:4])
        return np.concatenate([squared] * (scaled.size // 2), axis=1) * scaled

    def hold(self, mean: Floats, states: NDArray[np.int8]) -> None:
        size, velocity = mean[:, 2:4], mean[:, 6:]
        if self.hold_lost_size:
            velocity *= (states != TrackState.LOST)[:, None]
        velocity *= size + velocity > 0

    def warp_matrix(self, affine: Affine) -> Floats:
        scale = affine_scale(affine)
        matrix = centre_matrix(affine, scale, scale)
        if self.rotate_size:
            matrix[2:, 2:] = affine[:, :2]
        return matrix

    def settle(self, mean: Floats, old: Floats, affine: Affine) -> None:
        if self.rotate_size:
            gone = mean[:, 2:4] <= 0
            if gone.any():
                mean[:, 2:4][gone] = affine_scale(affine) * old[:, 2:4][gone]
