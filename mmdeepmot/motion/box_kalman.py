"""What the Kalman filters of boxes have in common: the state of all tracks in the table."""

from abc import ABC, abstractmethod
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.motion import full_kalman, kalman
from mmdeepmot.motion.affine import Affine
from mmdeepmot.motion.base import Motion
from mmdeepmot.structures.sweep import meeting_intervals
from mmdeepmot.structures.track_table import Column, Rows, TrackTable

Floats = NDArray[np.floating]
Ints = NDArray[np.intp]

#: Up to this many pairs the matrix of all distances is faster than a sweep.
_FEW = 2500

#: Columns of the state, and of the one that ReUpdate goes back to.
STATES = (("mean", "covariance"), ("frozen_mean", "frozen_covariance"))


class BoxKalman(Motion, ABC):
    """A constant-velocity Kalman filter with diagonal noise.

    A subclass says in which four coordinates it measures a box and how large the noise is. The
    state lies in the columns ``mean (N, 8)`` and ``covariance``.

    Args:
        full_covariance: How the covariance is kept. False: ``(N, 3, 4)``, four independent blocks,
            fast (:mod:`mmdeepmot.motion.kalman`); what a camera's motion couples is dropped. True:
            ``(N, 8, 8)`` (:mod:`mmdeepmot.motion.full_kalman`). Without camera motion both are the
            same filter.
    """

    def __init__(self, full_covariance: bool = False) -> None:
        self.full_covariance = full_covariance

    @property
    def _filter(self) -> ModuleType:  # not an attribute: models are copied, modules cannot be
        return full_kalman if self.full_covariance else kalman

    def columns(self) -> dict[str, Column]:
        return {"mean": Column((8,)), "covariance": Column(self._filter.COVARIANCE_SHAPE)}

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

    @abstractmethod
    def warp_matrix(self, affine: Affine) -> Floats:
        """``(4, 4)`` by which a camera's motion ``(2, 3)`` maps the filter's coordinates.

        Linear part only: velocities go by it too. Coordinates that are positions are then shifted
        (:meth:`warp_offset`).
        """

    def warp_offset(self, affine: Affine) -> Floats:
        """``(4,)`` that a camera's motion adds: by default the first two are the centre."""
        return np.array([affine[0, 2], affine[1, 2], 0.0, 0.0])

    def hold(self, mean: Floats, states: NDArray[np.int8]) -> None:
        """Change means ``(N, 8)`` in place before they are predicted (by default: nothing)."""

    def settle(self, mean: Floats, old: Floats, affine: Affine) -> None:
        """Change warped means ``(N, 8)`` in place, ``old`` before (by default: nothing)."""

    def initiate(self, table: TrackTable, rows: Rows, bboxes: Floats) -> None:
        measurement = self.measure(bboxes)
        mean, covariance = self._filter.kalman_initiate(
            measurement, self.initial_variance(measurement)
        )
        table["mean"][rows] = mean
        table["covariance"][rows] = covariance
        table.bboxes[rows] = bboxes

    def predict(self, table: TrackTable, rows: Rows) -> None:
        mean = table["mean"][rows]
        self.hold(mean, table.states[rows])
        mean, covariance = self._filter.kalman_predict(
            mean, table["covariance"][rows], self.process_variance(mean)
        )
        table["mean"][rows] = mean
        table["covariance"][rows] = covariance
        table.bboxes[rows] = self.boxes(mean[:, :4])

    def update(self, table: TrackTable, rows: Rows, bboxes: Floats) -> None:
        mean = table["mean"][rows]
        mean, covariance = self._filter.kalman_update(
            mean, table["covariance"][rows], self.measure(bboxes), self.measurement_variance(mean)
        )
        table["mean"][rows] = mean
        table["covariance"][rows] = covariance
        table.bboxes[rows] = self.boxes(mean[:, :4])

    def warp(self, table: TrackTable, rows: Rows, affine: Affine) -> None:
        """The camera moved: the state follows, and what is kept of earlier ones (STATES)."""
        matrix, offset = self.warp_matrix(affine), self.warp_offset(affine)
        for names in STATES:
            if not all(name in table for name in names):
                continue
            old, covariance = (table[name][rows] for name in names)
            mean, covariance = self._filter.kalman_warp(old, covariance, matrix, offset)
            self.settle(mean, old, affine)
            for name, values in zip(names, (mean, covariance), strict=True):
                table[name][rows] = values
        table.bboxes[rows] = self.boxes(table["mean"][rows, :4])

    def near(
        self, table: TrackTable, rows: Rows, bboxes: Floats, bound: float, *, dims: int = 4
    ) -> tuple[Ints, Ints, Floats] | None:
        mean = table["mean"][rows]
        if self.full_covariance or len(mean) * len(bboxes) <= _FEW:
            return None
        measurement = self.measure(bboxes)
        expected, variance = kalman.kalman_project(
            mean, table["covariance"][rows], self.measurement_variance(mean)
        )
        # The first coordinate's share of the distance alone keeps most pairs apart.
        reach = np.sqrt(bound * variance[:, 0])
        where, found = expected[:, 0], measurement[:, 0]
        row, column = meeting_intervals(where - reach, where + reach, found, found)
        order = (row * len(bboxes) + column).argsort()
        row, column = row[order], column[order]
        return row, column, self.distance_at(table, rows, bboxes, row, column, dims=dims)

    def distance_at(
        self,
        table: TrackTable,
        rows: Rows,
        bboxes: Floats,
        row: Ints,
        column: Ints,
        *,
        dims: int = 4,
    ) -> Floats:
        if self.full_covariance:
            return super().distance_at(table, rows, bboxes, row, column, dims=dims)
        mean = table["mean"][rows]
        return kalman.gating_distance_at(
            mean,
            table["covariance"][rows],
            self.measure(bboxes),
            self.measurement_variance(mean),
            row,
            column,
            dims=dims,
        )

    def distance(self, table: TrackTable, rows: Rows, bboxes: Floats, *, dims: int = 4) -> Floats:
        mean = table["mean"][rows]
        return self._filter.gating_distance(
            mean,
            table["covariance"][rows],
            self.measure(bboxes),
            self.measurement_variance(mean),
            dims=dims,
        )


def centre_matrix(affine: Affine, third: float, fourth: float) -> Floats:
    """``(4, 4)``: the centre (coordinates 0, 1) by the affine, the others by a factor each."""
    matrix = np.diag([0.0, 0.0, third, fourth])
    matrix[:2, :2] = affine[:, :2]
    return matrix
