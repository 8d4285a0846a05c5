"""Tracktor's motion model: the mean velocity of the last frames, without a filter."""

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.motion.affine import Affine, move_boxes
from mmdeepmot.motion.base import Floats, Motion
from mmdeepmot.registry import MOTIONS
from mmdeepmot.structures.boxes import box_centers
from mmdeepmot.structures.track_table import Column, Rows, TrackState, TrackTable


@MOTIONS.register_module()
class ConstantVelocity(Motion):
    """Boxes go on as they went over the last frames (Bergmann et al., ICCV 2019, Sec. 2.3, code).

    A track is pushed, before it is looked for, by the mean difference of its boxes in the last
    ``span`` frames; a lost one goes on with the velocity it had. A track that is new or found again
    starts at rest. ``Compensate`` stands before ``Predict``.

    Columns: ``past (N, span + 1, 4)`` xyxy px, the newest last; ``past_counts (N,)`` how many
    there are; ``velocities (N, 4)`` px a frame of the edges.

    Args:
        span: Frames over which the velocity is averaged.
        center_only: The box keeps its size and moves by the velocity of its centre.
    """

    def __init__(self, span: int = 1, center_only: bool = True) -> None:
        if span < 1:
            raise InputError(f"span must be at least 1, got {span}")
        self.span = span
        self.center_only = center_only

    def columns(self) -> dict[str, Column]:
        return {
            "past": Column((self.span + 1, 4)),
            "past_counts": Column(dtype=np.int64),
            "velocities": Column((4,)),
        }

    def initiate(self, table: TrackTable, rows: Rows, bboxes: Floats) -> None:
        super().initiate(table, rows, bboxes)
        table["past"][rows, -1] = bboxes
        table["past_counts"][rows] = 1
        table["velocities"][rows] = 0.0

    def predict(self, table: TrackTable, rows: Rows) -> None:
        index = np.arange(len(table))[rows]
        moving = index[table.states[index] != TrackState.LOST]
        past, counts = table["past"][moving], table["past_counts"][moving]
        past = np.concatenate([past[:, 1:], table.bboxes[moving, None]], axis=1)
        counts = np.minimum(counts + 1, self.span + 1)
        first = past[np.arange(len(moving)), self.span + 1 - counts]
        velocity = (past[:, -1] - first) / (counts - 1)[:, None]
        if self.center_only:
            velocity = np.tile(box_centers(velocity), 2)
        table["past"][moving], table["past_counts"][moving] = past, counts
        table["velocities"][moving] = velocity
        table.bboxes[index] += table["velocities"][index]

    def update(self, table: TrackTable, rows: Rows, bboxes: Floats) -> None:
        index = np.arange(len(table))[rows]
        back = table.states[index] == TrackState.LOST
        super().update(table, index, bboxes)
        self.initiate(table, index[back], bboxes[back])

    def warp(self, table: TrackTable, rows: Rows, affine: Affine) -> None:
        super().warp(table, rows, affine)
        table["past"][rows] = move_boxes(table["past"][rows], affine)
