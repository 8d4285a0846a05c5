"""Matrices made on the fly: simulated crowds, and uniform random numbers."""

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.datasets.matrices.base import MatrixDataset, item_rng
from mmdeepmot.datasets.matrices.crowd import simulate_scene
from mmdeepmot.datasets.matrices.distance import (
    DistanceKind,
    Gate,
    distance_matrix,
    forbid,
    gate_threshold,
)
from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATASETS

CROWD_DISTANCES = {"centre": 0.5, "diagonal": 0.35, "exponential": 0.15}
CROWD_GATES = {"none": 0.15, "half": 0.05, "random": 0.8}
RANDOM_GATES = {"none": 0.7, "random": 0.3}

# Logarithms of rows and columns: mean, standard deviation, correlation. Of the published matrices'
# sizes; their sides have medians of 9 and 16.
_LOG_MEAN = np.array([2.26, 2.97])
_LOG_STD = np.array([0.78, 0.96])
_CORRELATION = 0.81


def crowd_shapes(
    rng: np.random.Generator, length: int, max_side: int, transposed: float
) -> NDArray[np.int64]:
    """Sizes ``(length, 2)`` as of frames of real crowds; some with more rows than columns."""
    covariance = np.outer(_LOG_STD, _LOG_STD)
    covariance[[0, 1], [1, 0]] *= _CORRELATION
    shapes = np.exp(rng.multivariate_normal(_LOG_MEAN, covariance, size=length))
    shapes = np.clip(np.rint(shapes), 1, max_side).astype(np.int64)
    swap = rng.uniform(size=length) < transposed
    return np.where(swap[:, None], shapes[:, ::-1], shapes)


def random_shapes(
    rng: np.random.Generator, length: int, sides: tuple[int, int], square: float
) -> NDArray[np.int64]:
    """Sizes ``(length, 2)``, sides log-uniform from the first to the last, some matrices square."""
    low, high = np.log(sides[0] - 0.5), np.log(sides[1] + 0.5)
    shapes = np.rint(np.exp(rng.uniform(low, high, (length, 2)))).astype(np.int64)
    shapes = np.clip(shapes, *sides)
    equal = rng.uniform(size=length) < square
    return np.where(equal[:, None], shapes[:, :1], shapes)


@DATASETS.register_module()
class CrowdMatrices(MatrixDataset):
    """Distances from what a detector or tracker makes of simulated crowds to the crowds themselves.

    See :mod:`mmdeepmot.datasets.matrices.crowd`. Rows and columns come in random order.

    Args:
        length: Number of items.
        seed: Of their sizes, and of the items that no sampler seeds.
        max_side: Largest number of rows and of columns.
        transposed: Share of matrices that tend to have more rows than columns, not fewer.
        distances: Kind of distance -> weight, see
            :func:`~mmdeepmot.datasets.matrices.distance.distance_matrix`.
        gates: Gate -> weight: 'none', 'half' (0.5) or 'random' (uniform in [0, 1)).

    Raises:
        InputError: A length below 1, or unknown kinds or gates.
    """

    def __init__(
        self,
        length: int,
        seed: int = 0,
        max_side: int = 110,
        transposed: float = 0.2,
        distances: Mapping[str, float] = CROWD_DISTANCES,
        gates: Mapping[str, float] = CROWD_GATES,
    ) -> None:
        _check_length(length, max_side)
        self.seed = seed
        self.distances = _choices(distances, DistanceKind, "distances")
        self.gates = _choices(gates, Gate, "gates")
        self.shapes = crowd_shapes(np.random.default_rng(seed), length, max_side, transposed)

    def matrix(
        self, index: int, seed: int | None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], str]:
        """See the base class."""
        rng = item_rng(self.seed, index, seed)
        scene = simulate_scene(rng, *self.shapes[index].tolist())
        kind = _draw(rng, self.distances)
        apart = distance_matrix(scene.tracks, scene.objects, scene.size, kind)
        distances = forbid(apart, gate_threshold(_draw(rng, self.gates), rng))
        return distances, optimal_assignment(distances), "crowd"


@DATASETS.register_module()
class RandomMatrices(MatrixDataset):
    """Independent uniform random distances in [0, 1), as of the paper's Fig. 8.

    Args:
        length: Number of items.
        seed: Of their sizes, and of the items that no sampler seeds.
        min_side: Smallest number of rows and of columns.
        max_side: Largest.
        square: Share of square matrices.
        gates: Gate -> weight, as of :class:`CrowdMatrices`; without a gate nothing is forbidden.

    Raises:
        InputError: A length or sides below 1, or unknown gates.
    """

    def __init__(
        self,
        length: int,
        seed: int = 0,
        min_side: int = 2,
        max_side: int = 300,
        square: float = 0.5,
        gates: Mapping[str, float] = RANDOM_GATES,
    ) -> None:
        _check_length(length, min_side)
        if max_side < min_side:
            raise InputError(f"expected max_side >= min_side = {min_side}, got {max_side}")
        self.seed = seed
        self.gates = _choices(gates, Gate, "gates")
        rng = np.random.default_rng(seed)
        self.shapes = random_shapes(rng, length, (min_side, max_side), square)

    def matrix(
        self, index: int, seed: int | None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], str]:
        """See the base class."""
        rng = item_rng(self.seed, index, seed)
        distances = rng.random(tuple(self.shapes[index]), dtype=np.float32)
        distances = forbid(distances, gate_threshold(_draw(rng, self.gates), rng))
        return distances, optimal_assignment(distances), "random"


Choices = tuple[tuple[str, ...], NDArray[np.float64]]


def _choices(weights: Mapping[str, float], known: Any, name: str) -> Choices:
    """Names and their cumulated probabilities."""
    unknown = sorted(set(weights) - set(get_args(known)))
    values = np.array(list(weights.values()), dtype=np.float64)
    if unknown or not len(values) or (values < 0).any() or not values.sum() > 0:
        raise InputError(
            f"{name}: expected some of {get_args(known)} with weights of which one at least is "
            f"above 0, got {dict(weights)}"
        )
    return tuple(weights), np.cumsum(values) / values.sum()


def _draw(rng: np.random.Generator, choices: Choices) -> Any:
    return choices[0][int(np.searchsorted(choices[1], rng.uniform(), side="right"))]


def _check_length(length: int, side: int) -> None:
    if length < 1 or side < 1:
        raise InputError(f"expected a length and sides of at least 1, got {length} and {side}")
