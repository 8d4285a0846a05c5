"""The step that says which tracks a frame reports."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.registry import STEPS
from mmdeepmot.structures.frame import Tracks
from mmdeepmot.structures.track_table import state_table
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step


@STEPS.register_module()
class Report(Step):
    """Tracks that were found in this frame (or lately), in the order of their births.

    A tracker without this step reports with its defaults.

    Args:
        states: Which tracks.
        boxes: ``bboxes``: the box after refinement; ``observed``: the detection itself (OC-SORT).
        max_age: Tracks that were found within this many frames are shown; 0: in this one (DeepSORT
            shows what it expects one frame longer: 1).
        warm_up: In the first frames of a sequence tentative tracks are reported too (SORT: 3).
        min_area: Boxes of a smaller area (px^2) are left out (published JDE: 200).
        max_aspect: Boxes of a larger width / height are left out (published JDE: 1.6).
    """

    def __init__(
        self,
        states: Sequence[str] = ("tracked",),
        boxes: Literal["bboxes", "observed"] = "bboxes",
        max_age: int = 0,
        warm_up: int = 0,
        min_area: float | None = None,
        max_aspect: float | None = None,
    ) -> None:
        self._wanted = state_table(list(states), "Report")
        self._warm = self._wanted | state_table(["tentative"], "Report")
        if boxes not in ("bboxes", "observed"):
            raise InputError(f"boxes must be 'bboxes' or 'observed', got {boxes!r}")
        self.boxes = boxes
        self.max_age = max_age
        self.warm_up = warm_up
        self.min_area = min_area
        self.max_aspect = max_aspect

    def __call__(self, context: FrameContext) -> None:
        table = context.table
        wanted = self._warm if context.time < self.warm_up else self._wanted
        shown = wanted.take(table.states)
        shown &= table.last_frames >= context.time - self.max_age
        bboxes = table[self.boxes]
        if self.min_area is not None or self.max_aspect is not None:
            width, height = (bboxes[:, 2:] - bboxes[:, :2]).T
            if self.min_area is not None:
                shown &= width * height >= self.min_area
            if self.max_aspect is not None:
                shown &= width <= self.max_aspect * height
        rows = shown.nonzero()[0]
        context.tracks = Tracks(
            bboxes[rows],
            table.scores[rows],
            table.labels[rows],
            np.take(table.ids, rows),
        )
