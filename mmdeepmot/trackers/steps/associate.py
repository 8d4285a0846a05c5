"""The step that gives detections to tracks."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.assignment import assign_pairs
from mmdeepmot.association.terms import Fusion, Term, Terms
from mmdeepmot.errors import InputError
from mmdeepmot.registry import COSTS, STEPS
from mmdeepmot.structures.track_table import TrackView, state_table
from mmdeepmot.trackers.building import check_parameters, look_up
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step

CostConfig = str | Mapping[str, Any]
Ints = NDArray[np.intp]
Floats = NDArray[np.floating]


@STEPS.register_module()
class Associate(Step):
    """Match tracks and detections that are still free, at the least total cost.

    Several of them in a row make a cascade: what one leaves over, the next gets.

    Args:
        cost: One cost of the registry COSTS, or several:
            ``dict(type=NAME, weight=1.0, max=None, reject=None, **parameters)``. A pair whose value
            exceeds ``max`` is out of the question (a gate; with ``weight=0`` nothing but a gate);
            one that exceeds ``reject`` takes part in the assignment and is given up afterwards.
        limit: Total cost below which a pair may match.
        alone: Price of leaving a track and a detection alone: the sum of ``cost - alone`` is
            minimised, then pairs from ``limit`` on are given up. None: ``limit``, so that no pair
            is given up (LAPJV with a cost limit). 1 with the cost ``iou``: as SORT, which solves
            for the largest overlap first and rejects weak pairs afterwards.
        fuse: How several costs become one: ``'sum'`` or ``'min'``, see
            :class:`~mmdeepmot.association.terms.Terms`.
        states: Which tracks take part.
        max_age: Only tracks that were found within this many frames; None: all.
        cascade: Tracks found more recently choose first, age by age (DeepSORT, Alg. 1).
        min_score: Detections below do not take part.
        below_score: Detections from this score on do not take part (a second band of weak ones).
    """

    def __init__(
        self,
        cost: CostConfig | Sequence[CostConfig],
        limit: float,
        alone: float | None = None,
        fuse: Fusion = "sum",
        states: Sequence[str] = ("tentative", "tracked", "lost"),
        max_age: int | None = None,
        cascade: bool = False,
        min_score: float | None = None,
        below_score: float | None = None,
    ) -> None:
        if not math.isfinite(limit):
            raise InputError(f"limit must be a finite number, got {limit}")
        if alone is not None and not limit <= alone < math.inf:
            raise InputError(f"alone must be finite and at least the limit {limit}, got {alone}")
        configs = [cost] if isinstance(cost, str | Mapping) else list(cost)
        self._terms = Terms(
            [_build_term(config, f"cost[{index}]") for index, config in enumerate(configs)], fuse
        )
        self._wanted = state_table(list(states), "Associate")
        self.limit = float(limit)
        self.alone = self.limit if alone is None else float(alone)
        self.max_age = max_age
        self.cascade = cascade
        self.min_score = min_score
        self.below_score = below_score

    def __call__(self, context: FrameContext) -> None:
        columns = self._columns(context)
        if not columns.size or not len(context.table):
            return
        rows = self._rows(context)
        tracks = TrackView(context.table, rows)
        if not tracks.count:
            return
        if self._terms.needs_embeddings:
            context.require_embeddings(self.name)
        detections = context.detections
        if columns.size < len(detections):
            detections = detections[columns]
        try:
            row, column, cost = self._terms.pairs(tracks, detections, context, self.alone)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from error
        if context.apart:
            row, column, cost = _of_one_class(tracks, detections.labels, row, column, cost)
        shape = (tracks.count, columns.size)
        if self.cascade:
            age = (context.time - context.table.last_frames)[rows]
            row, column = self._by_age(row, column, cost, shape, age)
        else:
            row, column = self._assign(row, column, cost, shape)
        if self._terms.rejects:
            kept = self._terms.accepted(tracks, detections, context, row, column)
            row, column = row[kept], column[kept]
        if row.size:
            context.match(row if isinstance(rows, slice) else rows[row], columns[column])

    def _columns(self, context: FrameContext) -> Ints:
        free = context.free_detections
        if self.min_score is not None:
            free = free & (context.detections.scores >= self.min_score)
        if self.below_score is not None:
            free = free & (context.detections.scores < self.below_score)
        return free.nonzero()[0]

    def _rows(self, context: FrameContext) -> slice | Ints:
        rows = context.rows(self._wanted)
        if self.max_age is None:
            return rows
        index = np.arange(len(context.table))[rows]
        return index[context.time - context.table.last_frames[index] <= self.max_age]

    def _assign(
        self, row: Ints, column: Ints, cost: NDArray[np.floating], shape: tuple[int, int]
    ) -> tuple[Ints, Ints]:
        return assign_pairs(row, column, cost, shape, self.limit, self.alone)

    def _by_age(
        self,
        row: Ints,
        column: Ints,
        cost: NDArray[np.floating],
        shape: tuple[int, int],
        age: NDArray[np.int64],
    ) -> tuple[Ints, Ints]:
        """One assignment for each age ``(N,)`` that occurs among candidates, the youngest first."""
        free = np.ones(shape[1], dtype=bool)
        ages = age[row]
        found = []
        for level in np.unique(ages):
            here = (ages == level) & free[column]
            matched = self._assign(row[here], column[here], cost[here], shape)
            free[matched[1]] = False
            found.append(matched)
        if not found:
            return row, column
        rows, columns = (np.concatenate(part) for part in zip(*found, strict=True))
        order = rows.argsort()
        return rows[order], columns[order]


def _of_one_class(
    tracks: TrackView, labels: NDArray[np.integer], row: Ints, column: Ints, cost: Floats
) -> tuple[Ints, Ints, Floats]:
    """The candidate pairs ``(K,)`` whose track and detection are of one class."""
    same = tracks.labels[row] == labels[column]
    return (row, column, cost) if same.all() else (row[same], column[same], cost[same])


def _build_term(config: CostConfig, where: str) -> Term:
    cost, parameters = look_up(COSTS, config, where)
    weight = float(parameters.pop("weight", 1.0))
    bounds = [parameters.pop(key, None) for key in ("max", "reject")]
    check_parameters(cost, parameters, where, positional=3)
    maximum, reject = (None if bound is None else float(bound) for bound in bounds)
    return Term(cost, parameters, weight, maximum, reject)
