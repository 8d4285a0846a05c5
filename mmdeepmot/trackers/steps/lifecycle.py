"""Steps on the life of tracks: Birth, Confirm, Retire."""

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.registry import STEPS
from mmdeepmot.structures.track_table import TrackState
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step
from mmdeepmot.trackers.votes import open_votes


@STEPS.register_module()
class Birth(Step):
    """Detections that are still free become tentative tracks with new ids.

    Args:
        min_score: Detections below do not start a track; None: all may.
        hits: Number of hits with which a track starts (SORT: 0, the first frame does not count).
    """

    def __init__(self, min_score: float | None = 0.5, hits: int = 1) -> None:
        self.min_score = min_score
        self.hits = hits

    def __call__(self, context: FrameContext) -> None:
        free = context.free_detections
        if self.min_score is not None:
            free = free & (context.detections.scores >= self.min_score)
        columns = free.nonzero()[0]
        if not columns.size:
            return
        if context.memory is not None:
            context.require_embeddings(self.name)
        table, detections = context.table, context.detections
        bboxes = detections.bboxes[columns]
        rows = table.append(
            columns.size,
            states=TrackState.TENTATIVE,
            observed=bboxes,
            scores=detections.scores[columns],
            labels=detections.labels[columns],
            hits=self.hits,
            start_frames=context.time,
            last_frames=context.time,
        )
        if not context.apart:
            open_votes(table, rows, detections.scores[columns])
        context.motion.initiate(table, rows, bboxes)
        if context.memory is not None and detections.embeddings is not None:
            context.memory.initiate(table, rows, detections.embeddings[columns])
        context.free_detections[columns] = False
        context.extend(columns.size)


@STEPS.register_module()
class Confirm(Step):
    """Tentative tracks with enough hits are confirmed.

    With a Retire that ends tentative tracks at their first miss, hits are consecutive.

    Args:
        hits: Frames in which a track must have been found.
        first_frame: Tracks of the sequence's first frame are confirmed at once (FairMOT).
    """

    def __init__(self, hits: int = 2, first_frame: bool = False) -> None:
        self.hits = hits
        self.first_frame = first_frame

    def __call__(self, context: FrameContext) -> None:
        table = context.table
        states = table.states
        ready = states == TrackState.TENTATIVE
        if not (self.first_frame and context.time == 0):
            ready &= table.hits >= self.hits
        states[ready] = TrackState.TRACKED


@STEPS.register_module()
class Retire(Step):
    """Tracked tracks that were not found are lost; what was not found for too long ends.

    Args:
        buffer: Frames for which a lost track is kept: it ends when it has not been found for more
            than this many frames.
        scale_with_fps: ``buffer`` counts frames at 30 a second: ``int(fps / 30 * buffer)`` are used
            (published JDE code).
        tentative_buffer: The same for tentative tracks; 0: they end at the first miss.
        demote: A tracked track that is missed becomes tentative again, with no hits (SORT); then
            ``tentative_buffer`` alone counts.
    """

    def __init__(
        self,
        buffer: int = 30,
        scale_with_fps: bool = False,
        tentative_buffer: int = 0,
        demote: bool = False,
    ) -> None:
        if buffer < 0 or tentative_buffer < 0:
            raise InputError(
                f"buffer and tentative_buffer must not be negative, got {buffer} and "
                f"{tentative_buffer}"
            )
        self.buffer = buffer
        self.scale_with_fps = scale_with_fps
        self.tentative_buffer = tentative_buffer
        self.demote = demote

    def __call__(self, context: FrameContext) -> None:
        table = context.table
        idle = context.time - table.last_frames
        missed = idle > 0
        if not missed.any():
            return
        states = table.states
        dropped = missed & (states == TrackState.TRACKED)
        if self.demote:
            states[dropped] = TrackState.TENTATIVE
            table.hits[missed] = 0
        else:
            states[dropped] = TrackState.LOST
        buffer = self.buffer
        if self.scale_with_fps:
            buffer = int(context.frame.fps / 30.0 * buffer)
        patience = np.array([self.tentative_buffer, buffer, buffer, -1])
        states[idle > patience.take(states)] = TrackState.REMOVED
