"""Where tracks were seen of late."""

import numpy as np
from numpy.typing import NDArray


def reference_boxes(
    history: NDArray[np.floating], frames: NDArray[np.int64], now: int
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Where tracks were ``K`` frames ago, or as soon after that as they were seen.

    Args:
        history: ``(N, K, 4)`` xyxy px, in any order.
        frames: ``(N, K)`` frame of each box, -1: none.
        now: The present frame, which is not in the history.

    Returns:
        boxes ``(N, 4)``, of the last detection where none lies within K frames; whether there is
        any ``(N,)``.
    """
    window = frames.shape[1]
    # Within reach the oldest counts, beyond it the newest; what is beyond counts less.
    rank = np.where(frames >= now - window, now - frames, frames - now)
    rank[frames < 0] = np.iinfo(np.int64).min
    best = rank.argmax(axis=1)
    row = np.arange(len(frames))
    return history[row, best], frames[row, best] >= 0
