"""The class of a track whose detections do not agree on it.

The majority vote of Boyer and Moore ("MJRTY: A fast majority vote algorithm", 1981) with weights:
one number a track, whatever the number of classes. The class that has more than half of the weight
of all detections wins; where none has, one that had much of it of late.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.structures.track_table import Column, Rows, TrackTable

VOTES = "label_votes"
"""Column ``(N,)``: by how much the present class leads."""


def vote_columns() -> dict[str, Column]:
    """The columns that the vote needs."""
    return {VOTES: Column()}


def open_votes(table: TrackTable, rows: Rows, scores: NDArray[np.floating]) -> None:
    """The first detections, of scores ``(K,)``, of new tracks."""
    table.write(VOTES, rows, np.maximum(scores, 0.0))


def count_votes(
    table: TrackTable,
    rows: NDArray[np.intp],
    labels: NDArray[np.integer],
    scores: NDArray[np.floating],
) -> None:
    """One more detection each for tracks ``rows (K,)``, of classes and scores ``(K,)``."""
    weights = np.maximum(scores, 0.0)  # raw scores may be negative
    lead, changed = tally(table.labels[rows], table[VOTES][rows], labels, weights)
    table.labels[rows] = np.where(changed, labels, table.labels[rows])
    table[VOTES][rows] = lead


def tally(
    labels: NDArray[np.integer],
    lead: NDArray[np.floating],
    voted: NDArray[np.integer],
    weights: NDArray[np.floating],
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """One step of the vote.

    Args:
        labels: ``(K,)`` present class.
        lead: ``(K,)`` its lead, not negative.
        voted: ``(K,)`` class of the new detection.
        weights: ``(K,)`` its weight, not negative.

    Returns:
        The lead afterwards ``(K,)``, not negative, and where the class becomes ``voted`` ``(K,)``.
    """
    after = lead + np.where(labels == voted, weights, -weights)
    return np.abs(after), after < 0
