"""Optimal assignments: as many pairs as possible, then the nearest; against trying all."""

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mmdeepmot.association import optimal_assignment
from mmdeepmot.association.optimal import solve_allowed
from mmdeepmot.errors import InputError


def best_of_all(distances: np.ndarray) -> tuple[int, float]:
    """Number of pairs and total distance of the best assignment, by trying every one."""
    rows, columns = distances.shape
    choices = [*range(columns), *[None] * rows]
    best = (0, 0.0)
    for choice in set(permutations(choices, rows)):
        pairs = [(i, j) for i, j in enumerate(choice) if j is not None]
        if all(distances[i, j] <= 1 for i, j in pairs):
            total = float(sum(distances[i, j] for i, j in pairs))
            best = max(best, (len(pairs), -total))
    return best[0], -best[1]


@pytest.mark.parametrize("shape", [*product((1, 2, 3), (1, 2, 4)), (4, 3)])
def test_equals_the_best_of_all(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for share in (0.0, 0.3, 0.6, 0.9):
        for _ in range(4):
            distances = rng.random(shape)
            distances[rng.random(shape) < share] = np.inf
            chosen = optimal_assignment(distances)
            count, total = best_of_all(distances)
            assert chosen.sum() == count
            assert distances[chosen].sum() == pytest.approx(total)
            assert chosen.sum(axis=0).max() <= 1 and chosen.sum(axis=1).max() <= 1


def test_square_without_gates_is_scipys() -> None:
    distances = np.random.default_rng(1).random((30, 40))
    chosen = optimal_assignment(distances)
    assert np.array_equal(np.argwhere(chosen).T, linear_sum_assignment(distances))


def test_a_pair_more_is_worth_any_distance() -> None:
    """Three pairs along the chain cost 3 and hold one more than two that cost nothing."""
    gate = np.inf
    distances = np.array([[1.0, gate, gate], [0.0, 1.0, gate], [gate, 0.0, 1.0]])
    assert np.array_equal(optimal_assignment(distances), np.eye(3, dtype=bool))


def test_how_far_a_forbidden_pair_is_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    distances = rng.random((6, 7)) * 1.6
    gated = distances > 1
    expected = optimal_assignment(distances)
    assert not (expected & gated).any()
    for value in (1.0001, 60000.0, 1e30, np.inf):
        assert np.array_equal(optimal_assignment(np.where(gated, value, distances)), expected)
    assert optimal_assignment(np.ones((2, 2))).sum() == 2  # 1 itself is allowed


def test_masks_and_padding() -> None:
    """Whatever stands in rows and columns that do not count, NaN too, is not looked at."""
    rng = np.random.default_rng(3)
    distances = rng.random((5, 4, 6)) * 1.3
    rows, columns = rng.random((5, 4)) < 0.6, rng.random((5, 6)) < 0.6
    valid = rows[:, :, None] & columns[:, None]
    chosen = optimal_assignment(np.where(valid, distances, np.nan), rows, columns)
    assert not chosen[~valid].any()
    for one, row, column, result in zip(distances, rows, columns, chosen, strict=True):
        inner = np.ix_(row, column)
        assert np.array_equal(result[inner], optimal_assignment(one[inner]))


def test_permuting_rows_and_columns_permutes_the_result() -> None:
    rng = np.random.default_rng(4)
    distances = rng.random((7, 9)) * 1.5
    rows, columns = rng.permutation(7), rng.permutation(9)
    permuted = optimal_assignment(distances[rows][:, columns])
    assert np.array_equal(permuted, optimal_assignment(distances)[rows][:, columns])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (0, 2, 3), (2, 0, 3), (2, 3, 0)])
def test_empty(shape: tuple[int, ...]) -> None:
    result = optimal_assignment(np.zeros(shape))
    assert result.shape == shape and result.dtype == bool


def test_everything_forbidden() -> None:
    assert not optimal_assignment(np.full((2, 3, 4), 2.0)).any()


def test_costs_of_any_sign() -> None:
    costs = np.array([[-5.0, 3.0], [-6.0, -1.0]])
    assert solve_allowed(costs, np.ones((2, 2), bool)).tolist() == [[True, False], [False, True]]


def test_errors() -> None:
    with pytest.raises(InputError, match=r"expected \(B, N, M\) or \(N, M\), got shape \(3,\)"):
        optimal_assignment(np.zeros(3))
    with pytest.raises(InputError, match="hold NaN"):
        optimal_assignment([[0.1, np.nan]])
    with pytest.raises(InputError, match=r"row_mask: expected bool \(2,\) .* got float64 \(2,\)"):
        optimal_assignment(np.zeros((2, 3)), np.ones(2))
    with pytest.raises(InputError, match=r"col_mask: expected bool \(4, 3\) .* got bool \(4, 2\)"):
        optimal_assignment(np.zeros((4, 2, 3)), col_mask=np.ones((4, 2), bool))


def test_labels_of_real_matrices(shared_data: Path) -> None:
    """As many pairs as the published labels and no longer in sum."""
    file = shared_data / "dhn" / "mot_matrices_train.npz"
    if not file.is_file():
        pytest.skip(f"no real matrices at {file}")
    with np.load(file) as data:
        shapes, distances, partners = (
            data["shapes"].astype(int),
            data["distances"],
            data["assignments"],
        )
    ends, row_ends = shapes.prod(axis=1).cumsum(), shapes[:, 0].cumsum()
    for index in range(0, len(shapes), 200):
        matrix = distances[ends[index] - shapes[index].prod() : ends[index]]
        matrix = matrix.reshape(shapes[index]).astype(np.float64)
        label = partners[row_ends[index] - len(matrix) : row_ends[index]]
        given = matrix[np.flatnonzero(label >= 0), label[label >= 0]]
        chosen = matrix[optimal_assignment(matrix)]
        assert len(chosen) == len(given)
        assert chosen.sum() <= given.sum() + 1e-3 * len(given)  # labels are of unrounded distances
