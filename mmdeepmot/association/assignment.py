"""Linear assignment with a threshold."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

Floats = NDArray[np.floating]
Ints = NDArray[np.intp]
Pairs = tuple[Ints, Ints]

#: From this many entries on, a contested block is first reduced by what can be decided locally.
_SMALL = 1000
#: A block with more entries than this, and than ``_SPARSE`` times its candidate pairs, is solved as
#: a sparse problem.
_LARGE = 20_000
_SPARSE = 20


def assign(cost: Floats, limit: float, alone: float | None = None) -> Pairs:
    """Pairs rows and columns of a cost matrix, see :func:`assign_pairs`.

    Args:
        cost: ``(N, M)``; inf and NaN never match.
        limit: Finite threshold.
        alone: Price of leaving a row and a column alone; None: the limit.

    Returns:
        rows ``(K,)``, ascending, and their columns ``(K,)``.
    """
    if not cost.size:
        return _none()
    rows, columns = (cost < (limit if alone is None else alone)).nonzero()
    return assign_pairs(rows, columns, cost[rows, columns], cost.shape, limit, alone)


def assign_pairs(
    rows: Ints,
    columns: Ints,
    cost: Floats,
    shape: tuple[int, ...],
    limit: float,
    alone: float | None = None,
) -> Pairs:
    """Choose among candidate pairs so that the sum of ``cost - alone`` is smallest.

    Every row and column is chosen at most once; leaving a row or column alone costs nothing. With
    ``alone = limit`` that is LAPJV with a cost limit, by which most published trackers solve. Pairs
    that are each other's only candidate are taken at once, in crowds also pairs that outweigh
    whatever they displace, and the rest is one call of a solver of scipy's, dense or sparse.

    Args:
        rows: ``(K,)`` ascending.
        columns: ``(K,)``; no pair twice.
        cost: ``(K,)`` below ``alone``.
        shape: Number of rows and columns.
        limit: Pairs whose cost is not below it are given up after solving.
        alone: Price of leaving both alone, at least ``limit``; None: ``limit``.

    Returns:
        rows ``(L,)``, ascending, and their columns ``(L,)``.
    """
    if not rows.size:
        return rows, columns
    row_degree = np.bincount(rows, minlength=shape[0])
    column_degree = np.bincount(columns, minlength=shape[1])
    chosen = row_degree[rows] + column_degree[columns] == 2
    if not chosen.all():
        gain = cost - (limit if alone is None else alone)
        left = (~chosen).nonzero()[0]
        chosen[_solve(rows, columns, gain, left, shape)] = True
    if alone is not None and alone > limit:
        chosen &= cost < limit
    return rows[chosen], columns[chosen]


def _none() -> Pairs:
    none = np.zeros(0, dtype=np.intp)
    return none, none


def _solve(rows: Ints, columns: Ints, gain: Floats, left: Ints, shape: tuple[int, ...]) -> Ints:
    """Which of the pairs ``left (P,)`` are chosen: indices, by the gains ``(K,)`` < 0 of all."""
    taken: list[Ints] = []
    while left.size:
        r, c, g = rows[left], columns[left], gain[left]
        row_set = np.flatnonzero(np.bincount(r))
        column_set = np.flatnonzero(np.bincount(c))
        size = row_set.size * column_set.size
        if size > _SMALL:
            sure = _dominant(r, c, g, shape)
            if sure.size:
                taken.append(left[sure])
                free_row, free_column = np.ones(shape[0], bool), np.ones(shape[1], bool)
                free_row[r[sure]] = False
                free_column[c[sure]] = False
                left = left[free_row[r] & free_column[c]]
                continue
        i, j = row_set.searchsorted(r), column_set.searchsorted(c)
        best = _sparse if size > max(_LARGE, _SPARSE * left.size) else _dense
        taken.append(left[best(i, j, g, (row_set.size, column_set.size))])
        break
    return np.concatenate(taken) if len(taken) > 1 else taken[0]


def _dominant(rows: Ints, columns: Ints, gain: Floats, shape: tuple[int, ...]) -> Ints:
    """Pairs ``(P,)`` that gain as much as the best other of their row and of their column together.

    Choosing such a pair displaces one pair of its row and one of its column at most, so that there
    is a best solution that holds it.
    """
    weight = -gain
    displaced = _best_other(rows, weight, shape[0])
    displaced += _best_other(columns, weight, shape[1])
    return (weight > displaced).nonzero()[0]


def _best_other(groups: Ints, weight: Floats, count: int) -> Floats:
    """The largest weight ``(P,)`` among the others of each pair's group; 0: there is no other."""
    best = np.zeros(count)
    np.maximum.at(best, groups, weight)
    holder = np.empty(count, dtype=np.intp)
    top = (weight == best[groups]).nonzero()[0]
    holder[groups[top]] = top  # one of them where several are equal
    holder = holder[groups]
    is_holder = holder == np.arange(groups.size)
    second = np.zeros(count)
    np.maximum.at(second, groups[~is_holder], weight[~is_holder])
    return np.where(is_holder, second[groups], best[groups])


def _dense(rows: Ints, columns: Ints, gain: Floats, shape: tuple[int, int]) -> Ints:
    """Best choice among pairs (P,) of a small block: indices."""
    matrix = np.zeros(shape)  # 0: the price of leaving both alone
    matrix[rows, columns] = gain
    index = np.full(shape, -1)
    index[rows, columns] = np.arange(rows.size)
    chosen = index[linear_sum_assignment(matrix)]
    return chosen[chosen >= 0]


def _sparse(rows: Ints, columns: Ints, gain: Floats, shape: tuple[int, int]) -> Ints:
    """The same for large blocks of few pairs, sorted by row.

    Every row gets a column of its own that means "alone"; then every row is matched, and the same
    constant (-1, for explicit zeros are no edges) on all pairs changes nothing.
    """
    row_count, column_count = shape
    degree = np.bincount(rows, minlength=row_count)
    starts = np.concatenate([[0], np.cumsum(degree + 1)])
    alone = starts[1:] - 1  # last entry of each row
    real = np.ones(starts[-1], dtype=bool)
    real[alone] = False
    data = np.full(real.size, -1.0)
    data[real] += gain
    indices = np.empty(real.size, dtype=np.int32)
    indices[real] = columns
    indices[alone] = column_count + np.arange(row_count)
    graph = csr_array((data, indices, starts), shape=(row_count, column_count + row_count))
    i, j = min_weight_full_bipartite_matching(graph)
    paired = (j < column_count).nonzero()[0]
    key = rows * column_count + columns
    order = key.argsort()
    return order[key[order].searchsorted(i[paired] * column_count + j[paired])]
