"""Where tracks have been lately, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Trails:
    """Segments of the paths of tracks, oldest first.

    Attributes:
        segments: ``(S, 2, 2)`` start and end point (x, y), px.
        ids: ``(S,)`` identity that walked the segment.
        ages: ``(S,)`` frames since the segment's end, 0 for the newest.
        length: Age at which a segment has faded away.
    """

    segments: NDArray[np.floating]
    ids: NDArray[np.integer]
    ages: NDArray[np.integer]
    length: int

    def __len__(self) -> int:
        return len(self.segments)


class TrailBuffer:
    """Bottom centres of the boxes of the last frames, for all tracks in one table.

    Args:
        length: Frames after which a position is forgotten.
        max_gap: A track that was not seen for more frames than this gets no segment over the
            gap: a straight line there would show a path that nobody has seen.
    """

    def __init__(self, length: int = 30, max_gap: int = 5) -> None:
        if length < 1 or max_gap < 1:
            raise ValueError(f"length and max_gap must be at least 1, got {length} and {max_gap}")
        self.length = length
        self.max_gap = max_gap
        self.reset()

    def reset(self) -> None:
        """Forgets everything (a new video)."""
        self._frame = -1
        self._frames = np.zeros(0, dtype=np.int64)
        self._ids = np.zeros(0, dtype=np.int64)
        self._points = np.zeros((0, 2))

    def __len__(self) -> int:
        """Positions that are kept."""
        return len(self._frames)

    def update(
        self, frame: int, bboxes: NDArray[np.floating], ids: NDArray[np.integer]
    ) -> "TrailBuffer":
        """Adds the boxes of a frame and forgets what has grown too old.

        Args:
            frame: Number of the frame; a number not after the last one starts afresh.
            bboxes: ``(N, 4)`` xyxy px.
            ids: ``(N,)``.

        Returns:
            The buffer itself.
        """
        bboxes = np.asarray(bboxes, dtype=np.float64).reshape(-1, 4)
        ids = np.asarray(ids, dtype=np.int64)
        if len(ids) != len(bboxes):
            raise ValueError(f"expected one id a box, got {len(bboxes)} boxes and {len(ids)} ids")
        if frame <= self._frame:
            self.reset()
        self._frame = frame
        kept = self._frames > frame - self.length
        points = np.column_stack((bboxes[:, [0, 2]].mean(axis=1), bboxes[:, 3]))
        self._frames = np.concatenate((self._frames[kept], np.full(len(ids), frame)))
        self._ids = np.concatenate((self._ids[kept], ids))
        self._points = np.concatenate((self._points[kept], points))
        return self

    def trails(self) -> Trails:
        """The segments between consecutive positions of every track."""
        order = np.lexsort((self._frames, self._ids))
        frames, ids, points = self._frames[order], self._ids[order], self._points[order]
        gap = np.diff(frames)
        linked = (np.diff(ids) == 0) & (gap > 0) & (gap <= self.max_gap)
        ages = self._frame - frames[1:][linked]
        segments = np.stack((points[:-1], points[1:]), axis=1)[linked]
        oldest_first = np.argsort(-ages, kind="stable")
        return Trails(
            segments[oldest_first], ids[1:][linked][oldest_first], ages[oldest_first], self.length
        )
