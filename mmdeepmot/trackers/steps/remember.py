"""The step that keeps how tracks look which no detection tells it of."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.registry import STEPS
from mmdeepmot.structures.track_table import state_table
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step


@STEPS.register_module()
class Remember(Step):
    """Write the present looks of propagated tracks to the appearance memory (Tracktor with ReID).

    Stands after Propagate and Suppress. ``frame.embed`` is called once, with the tracks found in
    this frame and the detections that are still free (where the detector gives no embeddings), so
    that no later step has to call it; detections that are not free get embeddings of zeros.

    Args:
        states: Which tracks.
    """

    def __init__(self, states: Sequence[str] = ("tracked",)) -> None:
        self._wanted = state_table(list(states), "Remember")

    def __call__(self, context: FrameContext) -> None:
        memory, table = context.memory, context.table
        if memory is None:
            raise InputError(
                f"{self.name} needs the tracker's appearance memory: set "
                "memory=dict(type='GalleryMemory', size=10, reduce='mean') in the tracker's config"
            )
        found = self._wanted.take(table.states) & (table.last_frames == context.time)
        rows = found.nonzero()[0]
        detections = context.detections
        free = np.zeros(0, dtype=np.intp)
        if detections.embeddings is None:
            free = context.free_detections.nonzero()[0]
        if not rows.size + free.size:
            return
        bboxes = np.concatenate([table.bboxes[rows], detections.bboxes[free]])
        looks = context.embed(bboxes, self.name)
        if rows.size:
            memory.update(table, rows, looks[: rows.size])
        if detections.embeddings is None:
            embeddings = np.zeros((len(detections), looks.shape[1]), dtype=looks.dtype)
            embeddings[free] = looks[rows.size :]
            context.detections = replace(detections, embeddings=embeddings)
