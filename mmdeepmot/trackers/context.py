"""What the steps of a tracker share while one frame is tracked."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.motion.base import Motion
from mmdeepmot.structures.frame import Detections, Frame, Tracks
from mmdeepmot.structures.track_table import Rows, TrackTable
from mmdeepmot.trackers.detections import checked_embeddings

Ints = NDArray[np.intp]

#: px between the places of two classes: more than any image is wide, and few enough that float64
#: resolves 1e-8 px of a box of the hundredth class.
_CLASS_DISTANCE = 1e6


class FrameContext:
    """One frame on its way through the steps.

    Attributes:
        frame: The frame as given.
        time: Frames tracked since reset, from 0: the clock of ``start_frames``, ``last_frames``.
        table: All tracks.
        motion: Motion model.
        memory: Appearance memory or None.
        detections: The frame's detections, checked.
        free_detections: ``(M,)`` bool: not given to a track nor suppressed so far.
        free_tracks: ``(N,)`` bool: without a detection so far.
        pending: Pairs (rows, columns) that are associated and not yet refined.
        tracks: What the frame reports, once a Report step has run.
        apart: Whether objects of two classes have nothing to do with each other.
    """

    __slots__ = (
        "apart",
        "detections",
        "frame",
        "free_detections",
        "free_tracks",
        "memory",
        "motion",
        "pending",
        "table",
        "time",
        "tracks",
    )

    def __init__(
        self,
        frame: Frame,
        time: int,
        table: TrackTable,
        motion: Motion,
        memory: Any,
        detections: Detections,
        apart: bool = True,
    ) -> None:
        self.frame = frame
        self.time = time
        self.table = table
        self.motion = motion
        self.memory = memory
        self.detections = detections
        self.free_detections = np.ones(len(detections), dtype=bool)
        self.free_tracks = np.ones(len(table), dtype=bool)
        self.pending: list[tuple[Ints, Ints]] = []
        self.tracks: Tracks | None = None
        self.apart = apart

    def rows(self, wanted: NDArray[np.bool_], free_only: bool = True) -> Rows:
        """Rows whose state is wanted (lookup table (4,)) and that have no detection yet.

        Returns:
            ``slice(0, N)`` if it is all of them (no copies downstream), else indices (K,).
        """
        mask = wanted.take(self.table.states)
        if free_only:
            mask &= self.free_tracks
        rows = mask.nonzero()[0]
        return slice(0, rows.size) if rows.size == len(mask) else rows

    def match(self, rows: Ints, columns: Ints) -> None:
        """Give detections ``columns (K,)`` to tracks ``rows (K,)``."""
        self.free_tracks[rows] = False
        self.free_detections[columns] = False
        self.pending.append((rows, columns))

    def places(
        self, bboxes: NDArray[np.floating], labels: NDArray[np.integer]
    ) -> NDArray[np.floating]:
        """Boxes to compare by overlap: those of two classes never meet where classes are apart.

        Args:
            bboxes: ``(N, 4)`` xyxy px.
            labels: ``(N,)`` class index.

        Returns:
            ``(N, 4)``: every class moved to a place of its own, which changes no overlap inside.
        """
        if not self.apart or not (labels.any() and len(bboxes)):
            return bboxes
        return bboxes + (_CLASS_DISTANCE * labels)[:, None]

    def take_pending(self) -> tuple[Ints, Ints]:
        """Pairs matched since the last call: rows (K,), columns (K,)."""
        pending, self.pending = self.pending, []
        if len(pending) == 1:
            return pending[0]
        if not pending:
            none = np.zeros(0, dtype=np.intp)
            return none, none
        rows, columns = zip(*pending, strict=True)
        return np.concatenate(rows), np.concatenate(columns)

    def extend(self, count: int) -> None:
        """Note that ``count`` tracks were appended: they have had their detection."""
        self.free_tracks = np.concatenate([self.free_tracks, np.zeros(count, dtype=bool)])

    def require_embeddings(self, who: str) -> None:
        """Make sure that ``detections`` carry embeddings, from ``frame.embed`` if need be.

        Raises:
            ValueError: There are none, or they are not finite.
        """
        if self.detections.embeddings is None:
            self.detections = replace(
                self.detections, embeddings=self.embed(self.detections.bboxes, who)
            )

    def embed(self, bboxes: NDArray[np.floating], who: str) -> NDArray[np.floating]:
        """Appearance ``(K, D)`` float32, unit length, of ``bboxes (K, 4)`` from ``frame.embed``.

        Raises:
            ValueError: The frame has no ``embed``, or what it gives is not finite.
        """
        if self.frame.embed is None:
            raise ValueError(
                f"{who} needs embeddings, but the detections of frame {self.frame.index} have "
                "none and the frame has no 'embed': use a detector that gives embeddings (JDE, "
                "FairMOT), add a reid model to the tracking model, or take a tracker without "
                "appearance (memory=None and no cosine or euclidean cost, e.g. "
                "configs/_base_/trackers/sort.py)"
            )
        return checked_embeddings(self.frame.embed(bboxes), len(bboxes), self.frame.index)
