import itertools

import numpy as np
import pytest

from mmdeepmot.association import assign


def total(cost, limit, rows, columns):
    return float((cost[rows, columns] - limit).sum())


def brute_force(cost, limit):
    """Least sum of cost - limit over all sets of pairs."""
    count = max(cost.shape)
    gain = np.zeros((count, count))
    gain[: cost.shape[0], : cost.shape[1]] = np.where(cost < limit, cost - limit, 0)
    return min(
        gain[np.arange(count), list(order)].sum() for order in itertools.permutations(range(count))
    )


def check_valid(cost, limit, rows, columns):
    assert len(set(rows)) == len(rows) == len(columns) == len(set(columns))
    assert (np.diff(rows) > 0).all()
    assert (cost[rows, columns] < limit).all()


@pytest.mark.parametrize("seed", range(60))
def test_equals_brute_force(seed):
    rng = np.random.default_rng(seed)
    cost = rng.random((rng.integers(0, 6), rng.integers(0, 6)))
    cost[rng.random(cost.shape) < rng.choice([0, 0.3, 0.7])] = np.inf
    cost[rng.random(cost.shape) < 0.05] = np.nan
    limit = rng.choice([0.2, 0.5, 0.9, 2.0])
    rows, columns = assign(cost, limit)
    check_valid(cost, limit, rows, columns)
    assert total(cost, limit, rows, columns) == pytest.approx(brute_force(cost, limit), abs=1e-12)


@pytest.mark.parametrize(("rows", "columns"), [(40, 40), (60, 25), (3, 90), (300, 250)])
def test_equals_the_padded_problem_at_tracking_sizes(rows, columns):
    """LAPJV with a cost limit: a square problem of N + M with limit / 2 for leaving alone."""
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(rows)
    for density in (0.01, 0.03, 0.2, 1.0):
        cost = np.where(rng.random((rows, columns)) < density, rng.random((rows, columns)), 1e3)
        padded = np.full((rows + columns, rows + columns), 0.35)
        padded[:rows, :columns] = cost
        padded[rows:, columns:] = 0
        i, j = linear_sum_assignment(padded)
        pairs = {(a, b) for a, b in zip(i, j, strict=True) if a < rows and b < columns}
        pairs = {(a, b) for a, b in pairs if cost[a, b] < 0.7}
        got = assign(cost, 0.7)
        assert set(zip(*got, strict=True)) == pairs


def test_by_hand():
    # Leaving row 1 alone is better than two bad pairs.
    rows, columns = assign(np.array([[0.1, 0.6], [0.2, 0.9]]), 0.7)
    assert (rows.tolist(), columns.tolist()) == ([0], [0])
    # Both pairs are worth it: 0.6 + 0.2 - 2 * 0.7 < 0.1 - 0.7.
    rows, columns = assign(np.array([[0.1, 0.4], [0.2, 0.9]]), 0.7)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


def test_limit_is_exclusive_and_negative_costs_are_fine():
    assert assign(np.array([[0.7]]), 0.7)[0].size == 0
    rows, columns = assign(np.array([[-3.0, -5.0]]), -2.0)
    assert (rows.tolist(), columns.tolist()) == ([0], [1])


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (3, 0)])
def test_empty(shape):
    rows, columns = assign(np.zeros(shape), 1.0)
    assert rows.size == columns.size == 0


def test_nothing_admissible():
    rows, columns = assign(np.full((3, 2), np.inf), 1.0)
    assert rows.size == columns.size == 0


def test_permuting_rows_and_columns_permutes_the_pairs():
    rng = np.random.default_rng(1)
    cost = rng.random((20, 30))
    rows, columns = assign(cost, 0.3)
    p, q = rng.permutation(20), rng.permutation(30)
    i, j = assign(cost[p][:, q], 0.3)
    assert set(zip(p[i], q[j], strict=True)) == set(zip(rows, columns, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_small_blocks_may_be_reduced_too(seed, monkeypatch):
    """What dominates is taken first; the least total stays the same."""
    from mmdeepmot.association import assignment

    monkeypatch.setattr(assignment, "_SMALL", 0)
    rng = np.random.default_rng(seed)
    cost = rng.random((rng.integers(1, 7), rng.integers(1, 7)))
    if seed % 2:
        cost = np.round(cost, 1)  # ties
    rows, columns = assign(cost, 0.8)
    check_valid(cost, 0.8, rows, columns)
    assert total(cost, 0.8, rows, columns) == pytest.approx(brute_force(cost, 0.8), abs=1e-12)


def test_price_of_leaving_alone_apart_from_the_limit():
    # Overlaps 0.6 and 0.5 + 0.29: SORT takes the larger sum, and then gives up the weak pair.
    cost = 1 - np.array([[0.6, 0.5], [0.29, 0.0]])
    np.testing.assert_array_equal(assign(cost, 0.7), [[0], [0]])
    np.testing.assert_array_equal(assign(cost, 0.7, alone=1.0), [[0], [1]])


@pytest.mark.parametrize("seed", range(10))
def test_alone_one_is_the_hungarian_method_on_overlaps_and_then_a_threshold(seed):
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    overlap = np.maximum(rng.random((40, 35)) - 0.8, 0) * 5
    i, j = linear_sum_assignment(overlap, maximize=True)
    kept = overlap[i, j] > 0.3
    got = assign(1 - overlap, 0.7, alone=1.0)
    np.testing.assert_array_equal(got, [i[kept], j[kept]])
