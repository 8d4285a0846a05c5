"""The step that corrects tracks by the detections that were given to them."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.registry import STEPS
from mmdeepmot.structures.boxes import iou_pairs
from mmdeepmot.structures.track_table import TrackState
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step
from mmdeepmot.trackers.votes import count_votes


@STEPS.register_module()
class Refine(Step):
    """Matched tracks take over their detections: box, score, appearance; lost ones are found again.

    Args:
        weight: Share of the detection in the box that the motion model is given: 1: the detection;
            0.5: its mean with the track's box (DeepMOT).
        memory_score: The appearance of detections below is not taken over (BoT-SORT: of its second
            band); None: of all.
        min_iou: Detections that overlap the track's box no more than this verify the track and
            leave its box as it is (DeepMOT: 0.6); None: all of them count.
    """

    _found = np.array(
        [TrackState.TENTATIVE, TrackState.TRACKED, TrackState.TRACKED, TrackState.REMOVED],
        dtype=np.int8,
    )

    def __init__(
        self,
        weight: float = 1.0,
        memory_score: float | None = None,
        min_iou: float | None = None,
    ) -> None:
        if not 0 <= weight <= 1:
            raise InputError(f"weight must lie in [0, 1], got {weight}")
        if min_iou is not None and not 0 <= min_iou < 1:
            raise InputError(f"min_iou must be None or lie in [0, 1), got {min_iou}")
        self.weight = weight
        self.min_iou = min_iou
        self.memory_score = memory_score

    def __call__(self, context: FrameContext) -> None:
        rows, columns = context.take_pending()
        if not rows.size:
            return
        if context.memory is not None:
            context.require_embeddings(self.name)
        table, detections = context.table, context.detections
        bboxes = detections.bboxes[columns]
        table.observed[rows] = bboxes
        self._move(context, rows, bboxes)
        table.scores[rows] = detections.scores[columns]
        if not context.apart:
            count_votes(table, rows, detections.labels[columns], detections.scores[columns])
        table.hits[rows] += 1
        table.last_frames[rows] = context.time
        table.states[rows] = self._found.take(table.states[rows])
        if context.memory is not None and detections.embeddings is not None:
            if self.memory_score is not None:
                clear = detections.scores[columns] >= self.memory_score
                rows, columns = rows[clear], columns[clear]
            context.memory.update(table, rows, detections.embeddings[columns])

    def _move(self, context: FrameContext, rows: NDArray[np.intp], bboxes: NDArray) -> None:
        """Tracks ``rows (K,)`` to what their detections ``bboxes (K, 4)`` make of their boxes."""
        table = context.table
        if self.min_iou is not None:
            near = iou_pairs(bboxes, table.bboxes[rows]) > self.min_iou
            rows, bboxes = rows[near], bboxes[near]
        if self.weight < 1:
            bboxes = self.weight * bboxes + (1 - self.weight) * table.bboxes[rows]
        context.motion.update(table, rows, bboxes)
