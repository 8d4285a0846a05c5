"""The step that gives detections to tracks."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.assignment import assign
from mmdeepmot.association.costs import fuse
from mmdeepmot.errors import InputError
from mmdeepmot.registry import COSTS, STEPS
from mmdeepmot.structures.track_table import TrackView, state_table
from mmdeepmot.trackers.building import check_parameters, look_up
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step

CostConfig = str | Mapping[str, Any]


@STEPS.register_module()
class Associate(Step):
    """Match tracks and detections that are still free, at the least total cost.

    Several of them in a row make a cascade: what one leaves over, the next gets.

    Args:
        cost: One cost of the registry COSTS, or several that are added up:
            ``dict(type=NAME, weight=1.0, max=None, **parameters)``. A pair whose value exceeds
            ``max`` is out of the question (a gate; with ``weight=0`` nothing but a gate).
        limit: Total cost below which a pair may match; the sum of ``cost - limit`` is minimised.
        states: Which tracks take part.
        min_score: Detections below do not take part.
        below_score: Detections from this score on do not take part (a second band of weak ones).
    """

    def __init__(
        self,
        cost: CostConfig | Sequence[CostConfig],
        limit: float,
        states: Sequence[str] = ("tentative", "tracked", "lost"),
        min_score: float | None = None,
        below_score: float | None = None,
    ) -> None:
        if not math.isfinite(limit):
            raise InputError(f"limit must be a finite number, got {limit}")
        configs = [cost] if isinstance(cost, str | Mapping) else list(cost)
        if not configs:
            raise InputError("cost must name at least one cost, got an empty list")
        terms = [_build_term(config, f"cost[{index}]") for index, config in enumerate(configs)]
        self._costs = [term[0] for term in terms]
        self._weights = [term[1] for term in terms]
        self._maxima = [term[2] for term in terms]
        self._plain = self._weights == [1.0] and self._maxima == [None]
        self._wanted = state_table(list(states), "Associate")
        self.limit = float(limit)
        self.min_score = min_score
        self.below_score = below_score
        self.needs_embeddings = any(
            getattr(getattr(term, "func", term), "needs_embeddings", False) for term in self._costs
        )

    def __call__(self, context: FrameContext) -> None:
        columns = self._columns(context)
        if not columns.size or not len(context.table):
            return
        rows = context.rows(self._wanted)
        tracks = TrackView(context.table, rows)
        if not tracks.count:
            return
        if self.needs_embeddings:
            context.require_embeddings(self.name)
        detections = context.detections
        if columns.size < len(detections):
            detections = detections[columns]
        matrices = [cost(tracks, detections, context) for cost in self._costs]
        shape = (tracks.count, columns.size)
        if any(matrix.shape != shape for matrix in matrices):
            raise ValueError(
                f"{self.name}: a cost must give one value for every track and detection, {shape}; "
                f"got {[matrix.shape for matrix in matrices]}"
            )
        total = matrices[0] if self._plain else fuse(matrices, self._weights, self._maxima)
        row, column = assign(total, self.limit)
        if row.size:
            context.match(row if isinstance(rows, slice) else rows[row], columns[column])

    def _columns(self, context: FrameContext) -> NDArray[np.intp]:
        free = context.free_detections
        if self.min_score is not None:
            free = free & (context.detections.scores >= self.min_score)
        if self.below_score is not None:
            free = free & (context.detections.scores < self.below_score)
        return free.nonzero()[0]


def _build_term(config: CostConfig, where: str) -> tuple[Callable, float, float | None]:
    cost, parameters = look_up(COSTS, config, where)
    weight = float(parameters.pop("weight", 1.0))
    maximum = parameters.pop("max", None)
    check_parameters(cost, parameters, where, positional=3)
    if parameters:
        cost = functools.partial(cost, **parameters)
    return cost, weight, None if maximum is None else float(maximum)
