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

    A suppressed track does not count as found in this frame.

    Args:
        tracks: IoU above which the track of lower score is lost (Tracktor: 0.6); None: not done.
        detections: IoU with a track above which a detection is not used further (Tracktor: 0.3);
            None: not done.
        states: Which tracks take part.
        to: State of suppressed tracks, ``lost`` or ``removed``.
        among: IoU above which, of two detections, the one of lower score is not used further,
            before they are compared with tracks (Tracktor: 0.3); None: not done.
        min_score: Detections below are not used further; None: all may be.
    """

    def __init__(
        self,
        tracks: float | None = 0.6,
        detections: float | None = 0.3,
        states: Sequence[str] = ("tentative", "tracked"),
        to: str = "lost",
        among: float | None = None,
        min_score: float | None = None,
    ) -> None:
        if to not in ("lost", "removed"):
            raise InputError(f"to must be 'lost' or 'removed', got {to!r}")
        self._wanted = state_table(list(states), "Suppress")
        self.tracks = tracks
        self.detections = detections
        self._to = TrackState[to.upper()]
        self.among = among
        self.min_score = min_score

    def __call__(self, context: FrameContext) -> None:
        table, free = context.table, context.free_detections
        rows = np.arange(len(table))[context.rows(self._wanted, free_only=False)]
        if self.tracks is not None and rows.size > 1:
            places = context.places(table.bboxes[rows], table.labels[rows])
            keep = greedy_nms(places, table.scores[rows], self.tracks)
            gone, rows = rows[~keep], rows[keep]
            table.states[gone] = self._to
            before = np.maximum(table.start_frames[gone], context.time - 1)
            table.last_frames[gone] = np.minimum(table.last_frames[gone], before)
        if self.min_score is not None:
            free &= context.detections.scores >= self.min_score
        if self.among is not None:
            self._among(context, self.among)
        if self.detections is not None and rows.size:
            columns = free.nonzero()[0]
            found = context.detections[columns]
            hit = covered(
                context.places(found.bboxes, found.labels),
                context.places(table.bboxes[rows], table.labels[rows]),
                self.detections,
            )
            free[columns[hit]] = False

    @staticmethod
    def _among(context: FrameContext, threshold: float) -> None:
        columns = context.free_detections.nonzero()[0]
        found = context.detections[columns]
        keep = greedy_nms(context.places(found.bboxes, found.labels), found.scores, threshold)
        context.free_detections[columns[~keep]] = False


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
        bboxes = context.places(table.bboxes, table.labels)
        first, second = duplicates(
            bboxes[living], ages[living], bboxes[lost], ages[lost], self.max_distance
        )
        states[living[first]] = TrackState.REMOVED
        states[lost[second]] = TrackState.REMOVED
