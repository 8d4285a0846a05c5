"""Motion models on the block Kalman filter: JDE's (and DeepSORT's) and SORT's."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.motion.base import Motion
from mmdeepmot.motion.kalman import (
    gating_distance,
    kalman_initiate,
    kalman_predict,
    kalman_update,
)
from mmdeepmot.registry import MOTIONS
from mmdeepmot.structures.boxes import cxcyah_to_xyxy, xyxy_to_cxcyah
from mmdeepmot.structures.track_table import Column, Rows, TrackState, TrackTable

Floats = NDArray[np.floating]


class BlockKalman(Motion, ABC):
    """A constant-velocity Kalman filter with diagonal noise (:mod:`mmdeepmot.motion.kalman`).

    A subclass says in which four coordinates it measures a box and how large the noise is. The
    state lies in the columns ``mean (N, 8)`` and ``covariance (N, 3, 4)``.
    """

    def columns(self) -> dict[str, Column]:
        return {"mean": Column((8,)), "covariance": Column((3, 4))}

    @abstractmethod
    def measure(self, bboxes: Floats) -> Floats:
        """``(N, 4)`` xyxy px to the filter's coordinates ``(N, 4)``."""

    @abstractmethod
    def boxes(self, coordinates: Floats) -> Floats:
        """The filter's coordinates ``(N, 4)`` to xyxy px."""

    @abstractmethod
    def initial_variance(self, measurement: Floats) -> Floats:
        """``(8,)`` or ``(N, 8)`` for new tracks measured at ``(N, 4)``."""

    @abstractmethod
    def process_variance(self, mean: Floats) -> Floats:
        """``(8,)`` or ``(N, 8)`` for states ``(N, 8)`` before prediction."""

    @abstractmethod
    def measurement_variance(self, mean: Floats) -> Floats:
        """``(4,)`` or ``(N, 4)`` for states ``(N, 8)``."""

    def hold(self, mean: Floats, states: NDArray[np.int8]) -> None:
        """Change means ``(N, 8)`` in place before they are predicted (by default: nothing)."""

    def initiate(self, table: TrackTable, rows: Rows, bboxes: Floats) -> None:
        measurement = self.measure(bboxes)
        mean, covariance = kalman_initiate(measurement, self.initial_variance(measurement))
        table["mean"][rows] = mean
        table["covariance"][rows] = covariance
        table.bboxes[rows] = bboxes

    def predict(self, table: TrackTable, rows: Rows) -> None:
        mean = table["mean"][rows]
        self.hold(mean, table.states[rows])
        mean, covariance = kalman_predict(
            mean, table["covariance"][rows], self.process_variance(mean)
        )
        table["mean"][rows] = mean
        table["covariance"][rows] = covariance
        table.bboxes[rows] = self.boxes(mean[:, :4])

    def update(self, table: TrackTable, rows: Rows, bboxes: Floats) -> None:
        mean = table["mean"][rows]
        mean, covariance = kalman_update(
            mean, table["covariance"][rows], self.measure(bboxes), self.measurement_variance(mean)
        )
        table["mean"][rows] = mean
        table["covariance"][rows] = covariance
        table.bboxes[rows] = self.boxes(mean[:, :4])

    def distance(self, table: TrackTable, rows: Rows, bboxes: Floats, *, dims: int = 4) -> Floats:
        mean = table["mean"][rows]
        return gating_distance(
            mean,
            table["covariance"][rows],
            self.measure(bboxes),
            self.measurement_variance(mean),
            dims=dims,
        )


@MOTIONS.register_module()
class AspectKalman(BlockKalman):
    """JDE's filter (Sec. 3.6; first in DeepSORT): centre x, centre y, width / height, height.

    Noise grows with the height h of the box: standard deviation ``position_weight * h`` of x, y and
    h, ``velocity_weight * h`` of their velocities; the aspect ratio has fixed noise. New tracks:
    ``2 * position_weight * h`` and ``10 * velocity_weight * h``.

    Args:
        position_weight: Of x, y and height a frame.
        velocity_weight: Of their velocities a frame.
        aspect_std: Of the aspect ratio a frame, and of a new track's.
        aspect_velocity_std: Of its velocity.
        measured_aspect_std: Of the aspect ratio of a detection.
        hold_lost_height: Set the height's velocity of lost tracks to 0 before prediction (published
            code; the paper does not say).
    """

    def __init__(
        self,
        position_weight: float = 1 / 20,
        velocity_weight: float = 1 / 160,
        aspect_std: float = 1e-2,
        aspect_velocity_std: float = 1e-5,
        measured_aspect_std: float = 1e-1,
        hold_lost_height: bool = False,
    ) -> None:
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


@MOTIONS.register_module()
class AreaKalman(BlockKalman):
    """SORT's filter (Bewley et al. 2016, Sec. 3.2): centre x, centre y, area, aspect w / h.

    The aspect ratio has no velocity. Noise is fixed, in px and px^2, as in the published code:
    initial variance 10 (velocities 10^4), process 1 (velocities 10^-2, of the area 10^-4),
    measurement 1 (area and aspect 10). An area that would shrink to nothing stops shrinking.
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
