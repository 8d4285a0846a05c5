"""Which intervals of two sets may meet, without comparing all with all."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def meeting_intervals(
    low: Floats, high: Floats, other_low: Floats, other_high: Floats
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Candidate pairs of intervals, by one sort and two binary searches.

    Every pair that meets (the ends included) is among them, and of the others only such whose
    second interval would meet the first if it were as long as the longest of its set.

    Args:
        low: ``(N,)`` where the intervals begin.
        high: ``(N,)`` where they end.
        other_low: ``(M,)`` of the second set, at least one.
        other_high: ``(M,)``.

    Returns:
        rows ``(K,)`` ascending, columns ``(K,)`` in no order.
    """
    order = other_low.argsort()
    begins = other_low[order]
    reach = (other_high - other_low).max()
    first = begins.searchsorted(low - reach)
    count = np.maximum(begins.searchsorted(high, side="right") - first, 0)
    rows = np.arange(len(low)).repeat(count)
    start = first + count - count.cumsum()  # of a row's candidates, less where they go
    return rows, order[np.arange(rows.size) + start.repeat(count)]
