"""The step that keeps where tracks were seen of late, and in which direction they went."""

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.registry import STEPS
from mmdeepmot.structures.boxes import box_centers
from mmdeepmot.structures.history import reference_boxes
from mmdeepmot.structures.track_table import Column
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step


@STEPS.register_module()
class Observe(Step):
    """Write down the detections of the tracks that were found; stands after Refine and Birth.

    Columns: ``history (N, K, 4)`` xyxy px, the last K detections, at the frame number modulo K;
    ``history_frames (N, K)`` their frames, -1: none; ``directions (N, 2)``, the unit vector from
    the detection ``span`` frames back to the newest (OC-SORT, Sec. 4.2), (0, 0) at the beginning.

    Args:
        span: Frames between the two detections that make a direction (OC-SORT: 3). Where the track
            was not found then, the oldest detection since counts, else the newest one.
        births: False: the detection with which a track was born is not written down (published
            code of OC-SORT; the paper makes no difference).
    """

    def __init__(self, span: int = 3, births: bool = True) -> None:
        if span < 1:
            raise InputError(f"span must be at least 1, got {span}")
        self.span = span
        self.births = births

    def columns(self) -> dict[str, Column]:
        return {
            "history": Column((self.span, 4)),
            "history_frames": Column((self.span,), np.int64, fill=-1),
            "directions": Column((2,)),
        }

    def __call__(self, context: FrameContext) -> None:
        table, now = context.table, context.time
        found = table.last_frames == now
        if not self.births:
            found &= table.start_frames < now
        rows = found.nonzero()[0]
        if not rows.size:
            return
        seen = table.observed[rows]
        start, known = reference_boxes(table["history"][rows], table["history_frames"][rows], now)
        step = box_centers(seen) - box_centers(start)
        length = np.sqrt(np.vecdot(step, step))
        moved = known & (length > 0)
        step /= np.where(moved, length, 1.0)[:, None]
        table["directions"][rows] = np.where(moved[:, None], step, 0.0)
        slot = now % self.span
        table["history"][rows, slot] = seen
        table["history_frames"][rows, slot] = now
