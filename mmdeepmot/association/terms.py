"""Several costs as one: weights, gates, and the choice between a matrix and listed pairs."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.costs import CostContext
from mmdeepmot.association.overlap import Candidates
from mmdeepmot.errors import InputError
from mmdeepmot.structures.frame import Detections
from mmdeepmot.structures.track_table import TrackView

Floats = NDArray[np.floating]
Fusion = Literal["sum", "min"]


@dataclass(frozen=True)
class Term:
    """One cost of an association.

    Attributes:
        cost: Function registered in COSTS (see :mod:`mmdeepmot.association.costs`).
        parameters: Its parameters.
        weight: Its share; 0: nothing but a gate.
        maximum: Values above are out of the question; None: no gate.
        reject: Pairs whose value is above are given up after the assignment, in which they took
            part; None: none.
    """

    cost: Callable[..., Floats]
    parameters: Mapping[str, Any]
    weight: float = 1.0
    maximum: float | None = None
    reject: float | None = None

    def matrix(self, *view: Any) -> Floats:
        """``(N, M)`` of tracks, detections, context."""
        return self.cost(*view, **self.parameters)

    @functools.cached_property
    def at(self) -> Callable[..., Floats] | None:
        """The cost's form for listed pairs, if it has one."""
        form = getattr(self.cost, "at", None)
        return form and functools.partial(form, **self.parameters)

    @functools.cached_property
    def near(self) -> Callable[..., Candidates | None] | None:
        """The cost's list of near pairs, if it has one."""
        form = getattr(self.cost, "near", None)
        return form and functools.partial(form, **self.parameters)


class Terms:
    """The total cost of pairs under several terms.

    Args:
        terms: At least one.
        fusion: ``'sum'``: the weighted sum; a pair above any term's maximum is out of the question.
            ``'min'``: the least weighted term, of those whose maximum is kept (BoT-SORT, Eq. 13).
    """

    def __init__(self, terms: Sequence[Term], fusion: Fusion = "sum") -> None:
        if fusion not in get_args(Fusion):
            raise InputError(f"fuse must be one of {get_args(Fusion)}, got {fusion!r}")
        if not terms:
            raise InputError("cost must name at least one cost, got an empty list")
        self.terms = list(terms)
        self.fusion = fusion
        self.rejects = any(term.reject is not None for term in terms)
        self.needs_embeddings = any(
            getattr(term.cost, "needs_embeddings", False) for term in self.terms
        )

    def pairs(
        self, tracks: TrackView, detections: Detections, context: CostContext, bound: float
    ) -> Candidates:
        """Every pair whose total cost is below ``bound``.

        Returns:
            rows ``(K,)`` ascending, columns ``(K,)`` ascending within a row, total cost ``(K,)``.

        Raises:
            ValueError: A cost does not give one value for every track and detection.
        """
        view = (tracks, detections, context)
        found = self._listed(view, bound)
        if found is None:
            total = self._total([self._matrix(term, view) for term in self.terms])
            rows, columns = (total < bound).nonzero()
            return rows, columns, total[rows, columns]
        rows, columns, total = found
        admissible = total < bound
        if admissible.all():
            return found
        return rows[admissible], columns[admissible], total[admissible]

    def accepted(
        self,
        tracks: TrackView,
        detections: Detections,
        context: CostContext,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
    ) -> NDArray[np.bool_]:
        """Which of the assigned pairs ``(K,)`` no term rejects."""
        keep = np.ones(rows.size, dtype=bool)
        view = (tracks, detections, context)
        for term in self.terms:
            if term.reject is not None and rows.size:
                listed = term.at is not None
                value = (
                    term.at(*view, rows, columns)  # type: ignore[misc]
                    if listed
                    else self._matrix(term, view)[rows, columns]
                )
                keep &= value <= term.reject
        return keep

    def _matrix(self, term: Term, view: tuple[Any, ...]) -> Floats:
        matrix = term.matrix(*view)
        expected = (len(view[0]), len(view[1]))
        if matrix.shape != expected:
            raise ValueError(
                f"the cost {getattr(term.cost, '__name__', term.cost)!r} must give one value for "
                f"every track and detection, {expected}; got {matrix.shape}"
            )
        return matrix

    def _listed(self, view: tuple[Any, ...], bound: float) -> Candidates | None:
        """Totals of all pairs that one of the terms lists; None where no term can."""
        leader = self._leader
        if leader is None or bound == math.inf:
            return None
        term = self.terms[leader]
        if term.maximum is not None:
            reach = math.nextafter(term.maximum, math.inf)
        else:
            reach = bound / term.weight
        assert term.near is not None
        found = term.near(*view, reach)
        if found is None:
            return None
        rows, columns, value = found
        values = []
        for index, other in enumerate(self.terms):
            assert other.at is not None or index == leader
            values.append(value if index == leader else other.at(*view, rows, columns))  # type: ignore[misc]
        return rows, columns, self._total(values)

    @functools.cached_property
    def _leader(self) -> int | None:
        """Index of the term whose list holds all admissible pairs, if the others can follow."""
        for index, term in enumerate(self.terms):
            others = self.terms[:index] + self.terms[index + 1 :]
            if term.near is None or any(other.at is None for other in others):
                continue
            gates = term.maximum is not None and self.fusion == "sum"
            alone = term.maximum is None and term.weight > 0 and not others
            if gates or alone:
                return index
        return None

    def _total(self, values: Sequence[Floats]) -> Floats:
        """Combine the terms' values, all of one shape."""
        if len(values) == 1 and self.terms[0].weight == 1 and self.terms[0].maximum is None:
            return values[0]
        return (
            fuse_min(values, self.terms) if self.fusion == "min" else fuse_sum(values, self.terms)
        )


def fuse_sum(values: Sequence[Floats], terms: Sequence[Term]) -> Floats:
    """The weighted sum, inf where a value is above its term's maximum."""
    total: Any = None
    for value, term in zip(values, terms, strict=True):
        if term.weight:
            part = value * term.weight
            total = part if total is None else np.add(total, part, dtype=np.float64)
    if total is None:
        total = np.zeros(values[0].shape)
    for value, term in zip(values, terms, strict=True):
        if term.maximum is not None:
            total[value > term.maximum] = np.inf
    return total


def fuse_min(values: Sequence[Floats], terms: Sequence[Term]) -> Floats:
    """The least weighted value, where values above their term's maximum do not count."""
    total = np.full(values[0].shape, np.inf)
    for value, term in zip(values, terms, strict=True):
        part = value * term.weight
        if term.maximum is not None:
            part[value > term.maximum] = np.inf
        np.minimum(total, part, out=total)
    return total
