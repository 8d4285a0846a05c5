"""The figure that a search raises: one rate of the score table, or a weighted mean of several."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.tracking import METRICS

FAMILIES = {
    "HOTA": "HOTA",
    "DetA": "HOTA",
    "AssA": "HOTA",
    "MOTA": "CLEAR",
    "MOTP": "CLEAR",
    "Prec": "CLEAR",
    "Rec": "CLEAR",
    "IDF1": "Identity",
    "IDP": "Identity",
    "IDR": "Identity",
}
"""Rates that grow with quality, and the metrics of ``evaluate_tracking`` that give them."""


@dataclass(frozen=True)
class Metric:
    """A weighted mean of rates.

    Attributes:
        weights: Weight of each rate.
    """

    weights: Mapping[str, float]

    @classmethod
    def parse(cls, text: str) -> "Metric":
        """From ``HOTA``, ``HOTA+IDF1`` or ``2*HOTA+0.5*IDF1``.

        Raises:
            InputError: An unknown rate, or a weight that is not a positive number.
        """
        weights: dict[str, float] = {}
        for term in text.split("+"):
            factor, star, name = term.rpartition("*")
            name = name.strip()
            known = {rate.lower(): rate for rate in FAMILIES}
            if name.lower() not in known:
                raise InputError(
                    f"--metric {text!r}: unknown rate {name!r}; expected one of {list(FAMILIES)}, "
                    "or several as in HOTA+IDF1 or 2*HOTA+IDF1"
                )
            try:
                weight = float(factor) if star else 1.0
            except ValueError:
                weight = math.nan
            if not 0 < weight < math.inf:
                raise InputError(
                    f"--metric {text!r}: expected a positive number before '*', got {factor!r}"
                )
            rate = known[name.lower()]
            weights[rate] = weights.get(rate, 0.0) + weight
        return cls(weights)

    @property
    def families(self) -> tuple[str, ...]:
        """The metrics to compute, in the order of ``evaluate_tracking``."""
        needed = {FAMILIES[rate] for rate in self.weights}
        return tuple(family for family in METRICS if family in needed)

    def value(self, row: Mapping[str, float]) -> float:
        """The mean over a row of a score table."""
        total = sum(self.weights.values())
        return sum(weight * row[rate] for rate, weight in self.weights.items()) / total

    def __str__(self) -> str:
        terms = [
            rate if weight == 1 else f"{weight:g}*{rate}" for rate, weight in self.weights.items()
        ]
        return "+".join(terms)
