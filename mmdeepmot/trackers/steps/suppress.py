"""Steps that drop what overlaps: Suppress, RemoveDuplicates."""

from collections.abc import Sequence

import numpy as np

from mmdeepmot.association.suppression import covered, duplicates, greedy_nms
from mmdeepmot.errors import InputError
from mmdeepmot.registry import STEPS
from mmdeepmot.structures.track_table import TrackState, state_table
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step


@STEPS.register_module()
class Suppress(Step):
    """Non-maximum suppression among tracks, and of detections that tracks already cover.

    Args:
        tracks: IoU above which the track of lower score is lost (Tracktor: 0.6); None: not done.
        detections: IoU with a track above which a detection is not used further (Tracktor: 0.3);
            None: not done.
        states: Which tracks take part.
        to: State of suppressed tracks, ``lost`` or ``removed``.
    """

    def __init__(
        self,
        tracks: float | None = 0.6,
        detections: float | None = 0.3,
        states: Sequence[str] = ("tentative", "tracked"),
        to: str = "lost",
    ) -> None:
        if to not in ("lost", "removed"):
            raise InputError(f"to must be 'lost' or 'removed', got {to!r}")
        self._wanted = state_table(list(states), "Suppress")
        self.tracks = tracks
        self.detections = detections
        self._to = TrackState[to.upper()]

    def __call__(self, context: FrameContext) -> None:
        table = context.table
        rows = np.arange(len(table))[context.rows(self._wanted, free_only=False)]
        if self.tracks is not None and rows.size > 1:
            keep = greedy_nms(table.bboxes[rows], table.scores[rows], self.tracks)
            table.states[rows[~keep]] = self._to
            rows = rows[keep]
        if self.detections is not None and rows.size:
            free = context.free_detections.nonzero()[0]
            hit = covered(context.detections.bboxes[free], table.bboxes[rows], self.detections)
            context.free_detections[free[hit]] = False


@STEPS.register_module()
class RemoveDuplicates(Step):
    """End the younger of a living and a lost track that lie on each other (published JDE code).

    Args:
        max_distance: Bound on the IoU distance of duplicates.
    """

    _living = state_table(["tentative", "tracked"], "RemoveDuplicates")
    _lost = state_table(["lost"], "RemoveDuplicates")

    def __init__(self, max_distance: float = 0.15) -> None:
        self.max_distance = max_distance

    def __call__(self, context: FrameContext) -> None:
        table = context.table
        states = table.states
        lost = self._lost.take(states).nonzero()[0]
        if not lost.size:
            return
        living = self._living.take(states).nonzero()[0]
        if not living.size:
            return
        ages = table.last_frames - table.start_frames
        bboxes = table.bboxes
        first, second = duplicates(
            bboxes[living], ages[living], bboxes[lost], ages[lost], self.max_distance
        )
        states[living[first]] = TrackState.REMOVED
        states[lost[second]] = TrackState.REMOVED
