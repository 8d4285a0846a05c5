"""Steps that say where tracks are before detections are looked at: Predict, Propagate."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.registry import STEPS
from mmdeepmot.structures.boxes import box_centers, clip_boxes
from mmdeepmot.structures.track_table import TrackState, state_table
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step

Floats = NDArray[np.floating]


@STEPS.register_module()
class Predict(Step):
    """Move tracks one frame ahead by the motion model.

    Args:
        states: Which tracks. The published JDE code leaves out tentative ones (they are at rest,
            so this only changes their covariance).
    """

    def __init__(self, states: Sequence[str] = ("tentative", "tracked", "lost")) -> None:
        self._wanted = state_table(list(states), "Predict")

    def __call__(self, context: FrameContext) -> None:
        if not len(context.table):
            return
        rows = context.rows(self._wanted, free_only=False)
        if isinstance(rows, slice) or rows.size:
            context.motion.predict(context.table, rows)


@STEPS.register_module()
class Propagate(Step):
    """Move tracks to where ``frame.propagate`` (a network) sees them now.

    The box it gives is a measurement for the motion model, its score the score of the track. A
    track whose score is not above ``min_score``, or whose box is empty, stays where it was and is
    lost.

    Args:
        states: Which tracks are propagated.
        min_score: Score that a track needs to go on (Tracktor: 0.5).
        counts: True: being propagated counts as being found (Tracktor: the regressed box is the
            result). False: it only moves the box, and a detection must verify it (MOT-by-SOT).
        inside: How boxes stay in the image. ``'clip'``: they are cut to it, as detections are
            (Tracktor). ``'centre'``: they are moved until their centre lies in it, their size is
            kept (DaSiamRPN). None: they may leave it.

    Raises:
        InputError: ``inside`` is none of these.
    """

    def __init__(
        self,
        states: Sequence[str] = ("tentative", "tracked"),
        min_score: float = 0.5,
        counts: bool = True,
        inside: Literal["clip", "centre"] | None = "clip",
    ) -> None:
        if inside not in ("clip", "centre", None):
            raise InputError(f"Propagate.inside: expected 'clip', 'centre' or None, got {inside!r}")
        self._wanted = state_table(list(states), "Propagate")
        self.min_score = min_score
        self.counts = counts
        self.inside = inside

    def wants(self, states: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which tracks of these states ``(N,)`` it moves."""
        return self._wanted.take(states)

    def __call__(self, context: FrameContext) -> None:
        table = context.table
        rows = np.arange(len(table))[context.rows(self._wanted, free_only=False)]
        if not rows.size:
            return
        if context.frame.propagate is None:
            raise ValueError(
                f"{self.name} needs frame.propagate, and frame {context.frame.index} has none: use "
                "a model that moves tracks itself (Tracktor, a single-object tracker) or take the "
                "step out of the tracker"
            )
        bboxes, scores = context.frame.propagate(table.bboxes[rows], table.ids[rows])
        bboxes = np.asarray(bboxes, dtype=np.float64)
        scores = np.asarray(scores, dtype=np.float64)
        if bboxes.shape != (rows.size, 4) or scores.shape != (rows.size,):
            raise ValueError(
                f"{self.name}: frame.propagate was asked for {rows.size} tracks and must give "
                f"boxes ({rows.size}, 4), scores ({rows.size},), got {bboxes.shape}, {scores.shape}"
            )
        if not (np.isfinite(bboxes).all() and np.isfinite(scores).all()):
            raise ValueError(
                f"{self.name}: frame.propagate gave NaN or inf for a track in frame "
                f"{context.frame.index}"
            )
        bboxes = self._inside(bboxes, context.frame.size)
        table.scores[rows] = scores
        alive = (scores > self.min_score) & (bboxes[:, 2:] > bboxes[:, :2]).all(axis=1)
        table.states[rows[~alive]] = TrackState.LOST
        moved = rows[alive]
        context.motion.update(table, moved, bboxes[alive])
        if self.counts:
            table.last_frames[moved] = context.time

    def _inside(self, bboxes: Floats, size: tuple[int, int]) -> Floats:
        if self.inside == "clip":
            return clip_boxes(bboxes, size)
        if self.inside == "centre":
            centres = box_centers(bboxes)
            return bboxes + np.tile(centres.clip(0, size) - centres, 2)
        return bboxes
