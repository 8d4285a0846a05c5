"""The step that mends the motion of tracks that were found again (OC-SORT)."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.registry import STEPS
from mmdeepmot.structures.track_table import Column, TrackState
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step


@STEPS.register_module()
class ReUpdate(Step):
    """Observation-centric re-update (OC-SORT, Sec. 4.1); stands between Associate and Refine.

    A Kalman filter that predicts without detections drifts, and one detection does not mend its
    velocity. A track that is found after a gap is therefore taken back to its state before the gap
    and led along the straight line from its last detection to the new one, frame by frame; the
    new detection itself is the business of Refine. On the line a lost track counts as tracked, so
    that motion models which hold what is lost (``hold_lost_height``) let it move.

    Columns ``frozen_mean``, ``frozen_covariance``: the state predicted for the first frame of the
    gap.

    Args:
        twice: The new detection corrects the state here already, and again in Refine (published
            code of OC-SORT).
    """

    def __init__(self, twice: bool = False) -> None:
        self.twice = twice

    def columns(self) -> dict[str, Column]:
        return {
            "frozen_mean": Column((None,)),
            "frozen_covariance": Column((None, None)),
        }

    def __call__(self, context: FrameContext) -> None:
        table = context.table
        if "mean" not in table or "covariance" not in table:
            raise ValueError(
                f"{self.name} mends the state of a Kalman filter, and the motion model "
                f"{type(context.motion).__name__} has none: set e.g. motion=dict(type='AreaKalman')"
            )
        idle = context.time - table.last_frames
        if context.pending:
            rows, columns = (np.concatenate(part) for part in zip(*context.pending, strict=True))
            back = idle[rows] > 1
            if back.any():
                rows, columns = rows[back], columns[back]
                self._lead(context, rows, context.detections.bboxes[columns], idle[rows])
        missed = (context.free_tracks & (idle == 1)).nonzero()[0]
        if missed.size:
            table.write("frozen_mean", missed, table["mean"][missed])
            table.write("frozen_covariance", missed, table["covariance"][missed])

    def _lead(
        self,
        context: FrameContext,
        rows: NDArray[np.intp],
        bboxes: NDArray[np.floating],
        gaps: NDArray[np.int64],
    ) -> None:
        """Lead ``rows (K,)`` from where they were seen ``gaps (K,)`` frames ago to ``bboxes``."""
        table, motion = context.table, context.motion
        table["mean"][rows] = table["frozen_mean"][rows]
        table["covariance"][rows] = table["frozen_covariance"][rows]
        table.states[rows[table.states[rows] == TrackState.LOST]] = TrackState.TRACKED
        order = (-gaps).argsort(kind="stable")  # what goes on longest comes first
        rows, gaps = rows[order], gaps[order]
        start = table.observed[rows]
        stride = (bboxes[order] - start) / gaps[:, None]
        for step in range(1, int(gaps[0])):
            active = int((-gaps).searchsorted(-step))  # gap > step
            motion.update(table, rows[:active], start[:active] + step * stride[:active])
            motion.predict(table, rows[:active])
        if self.twice:
            motion.update(table, rows, bboxes[order])
