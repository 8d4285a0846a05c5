"""What a tracker asks of a motion model, and the model without motion."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.motion.affine import Affine, move_boxes
from mmdeepmot.registry import MOTIONS
from mmdeepmot.structures.track_table import Column, Rows, TrackTable

Floats = NDArray[np.floating]
Ints = NDArray[np.intp]


@MOTIONS.register_module()
class Motion:
    """Tracks stay where they were last seen; base class of the motion models.

    A motion model keeps its state in columns of the :class:`TrackTable` (:meth:`columns`) and the
    column ``bboxes`` in step with it. Rows are a slice or an index array.
    """

    def columns(self) -> dict[str, Column]:
        """Columns that the model needs in the table."""
        return {}

    def initiate(self, table: TrackTable, rows: Rows, bboxes: Floats) -> None:
        """New tracks start at ``bboxes (n, 4)`` xyxy px."""
        table.bboxes[rows] = bboxes

    def predict(self, table: TrackTable, rows: Rows) -> None:
        """Move tracks one frame ahead."""

    def update(self, table: TrackTable, rows: Rows, bboxes: Floats) -> None:
        """Tracks were found at ``bboxes (n, 4)`` xyxy px."""
        table.bboxes[rows] = bboxes

    def warp(self, table: TrackTable, rows: Rows, affine: Affine) -> None:
        """The camera moved: ``affine (2, 3)`` takes points of the last frame to this one."""
        table.bboxes[rows] = move_boxes(table.bboxes[rows], affine)

    def near(
        self, table: TrackTable, rows: Rows, bboxes: Floats, bound: float, *, dims: int = 4
    ) -> tuple[Ints, Ints, Floats] | None:
        """Pairs of tracks and boxes whose :meth:`distance` can be below ``bound``.

        Returns:
            rows ``(K,)`` ascending, columns ``(K,)`` ascending within a row, distances ``(K,)``;
            None where the matrix of all is the better way.
        """
        return None

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
        """:meth:`distance` of pairs ``(K,)`` of the n tracks and the M boxes."""
        return self.distance(table, rows, bboxes, dims=dims)[row, column]

    def distance(self, table: TrackTable, rows: Rows, bboxes: Floats, *, dims: int = 4) -> Floats:
        """Squared Mahalanobis distance ``(n, M)`` of tracks to ``bboxes (M, 4)`` xyxy px.

        Args:
            table: The tracks.
            rows: Which of them.
            bboxes: ``(M, 4)`` xyxy px.
            dims: 4: the whole box; 2: only its centre.

        Raises:
            ValueError: The model has no covariance.
        """
        raise ValueError(
            f"motion model {type(self).__name__} has no covariance, so there is no Mahalanobis "
            "distance: set the tracker's motion to a Kalman filter, e.g. "
            "motion=dict(type='AspectKalman'), or use another cost"
        )
