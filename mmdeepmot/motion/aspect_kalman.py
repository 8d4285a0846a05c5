"""JDE's and DeepSORT's motion model: centre, aspect ratio, height."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.motion.affine import Affine, affine_scale
from mmdeepmot.motion.box_kalman import BoxKalman, centre_matrix
from mmdeepmot.registry import MOTIONS
from mmdeepmot.structures.boxes import cxcyah_to_xyxy, xyxy_to_cxcyah
from mmdeepmot.structures.track_table import TrackState

Floats = NDArray[np.floating]


@MOTIONS.register_module()
class AspectKalman(BoxKalman):
    """JDE's filter (Sec. 3.6; first in DeepSORT): centre x, centre y, width / height, height.

    Noise grows with the height h of the box: standard deviation ``position_weight * h`` of x, y and
    h, ``velocity_weight * h`` of their velocities; the aspect ratio has fixed noise. New tracks:
    ``2 * position_weight * h`` and ``10 * velocity_weight * h``. A height or aspect ratio that
    would shrink to nothing stops shrinking (the published code predicts boxes turned inside out).

    Args:
        position_weight: Of x, y and height a frame.
        velocity_weight: Of their velocities a frame.
        aspect_std: Of the aspect ratio a frame, and of a new track's.
        aspect_velocity_std: Of its velocity.
        measured_aspect_std: Of the aspect ratio of a detection.
        hold_lost_height: Set the height's velocity of lost tracks to 0 before prediction (published
            code; the paper does not say).
        full_covariance: See :class:`BoxKalman`.
    """

    def __init__(
        self,
        position_weight: float = 1 / 20,
        velocity_weight: float = 1 / 160,
        aspect_std: float = 1e-2,
        aspect_velocity_std: float = 1e-5,
        measured_aspect_std: float = 1e-1,
        hold_lost_height: bool = False,
        full_covariance: bool = False,
    ) -> None:
        super().__init__(full_covariance)
        position, velocity = position_weight**2, velocity_weight**2
        # variance = height^2 * scaled + fixed
        self._scaled = np.array([position, position, 0, position, velocity, velocity, 0, velocity])
        self._fixed = np.zeros(8)
        self._fixed[[2, 6]] = aspect_std**2, aspect_velocity_std**2
        self._measured_fixed = np.array([0, 0, measured_aspect_std**2, 0])
        self._initial_scaled = self._scaled * np.repeat([4.0, 100.0], 4)
        self.hold_lost_height = hold_lost_height

    def measure(self, bboxes: Floats) -> Floats:
        return xyxy_to_cxcyah(bboxes)

    def boxes(self, coordinates: Floats) -> Floats:
        return cxcyah_to_xyxy(coordinates)

    def initial_variance(self, measurement: Floats) -> Floats:
        return np.square(measurement[:, 3:4]) * self._initial_scaled + self._fixed

    def process_variance(self, mean: Floats) -> Floats:
        variance = np.square(mean[:, 3:4]) * self._scaled
        variance += self._fixed
        return variance

    def measurement_variance(self, mean: Floats) -> Floats:
        variance = np.square(mean[:, 3:4]) * self._scaled[:4]
        variance += self._measured_fixed
        return variance

    def hold(self, mean: Floats, states: NDArray[np.int8]) -> None:
        if self.hold_lost_height:
            mean[:, 7] *= states != TrackState.LOST
        mean[:, 6:] *= mean[:, 2:4] + mean[:, 6:] > 0

    def warp_matrix(self, affine: Affine) -> Floats:
        return centre_matrix(affine, 1.0, affine_scale(affine))
