"""Linear assignment with a threshold."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

Floats = NDArray[np.floating]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]

#: A contested block with more entries than this, and than ``_SPARSE`` times its candidate pairs, is
#: solved as a sparse problem.
_LARGE = 20_000
_SPARSE = 20


def assign(cost: Floats, limit: float) -> Pairs:
    """Pairs rows and columns so that the sum of ``cost - limit`` over the pairs is smallest.

    Only pairs whose cost is below ``limit`` can match, every row and column at most once; leaving
    a row or column alone costs nothing. That is LAPJV with a cost limit, by which the published
    trackers solve. Rows and columns without an admissible pair are left out, pairs that are each
    other's only candidate are taken at once, and the rest is one call of a solver of scipy's, dense
    or, for large crowds, sparse.

    Args:
        cost: ``(N, M)``; inf and NaN never match.
        limit: Finite threshold.

    Returns:
        rows ``(K,)``, ascending, and their columns ``(K,)``.
    """
    if not cost.size:
        return _none()
    admissible = cost < limit
    rows, columns = admissible.nonzero()  # candidate pairs, by row and then by column
    if not rows.size:
        return rows, columns
    row_degree = np.bincount(rows, minlength=cost.shape[0])
    column_degree = np.bincount(columns, minlength=cost.shape[1])
    alone = (row_degree[rows] == 1) & (column_degree[columns] == 1)
    if alone.all():
        return rows, columns
    taken = rows[alone], columns[alone]
    contested = ~alone
    solved = _solve(cost, limit, admissible, rows[contested], columns[contested])
    if not taken[0].size:
        return solved
    all_rows = np.concatenate([taken[0], solved[0]])
    all_columns = np.concatenate([taken[1], solved[1]])
    order = all_rows.argsort()
    return all_rows[order], all_columns[order]


def _none() -> Pairs:
    none = np.zeros(0, dtype=np.intp)
    return none, none


def _solve(
    cost: Floats,
    limit: float,
    admissible: NDArray[np.bool_],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> Pairs:
    """Optimal pairs among candidate pairs (rows (K,) ascending, columns (K,))."""
    # No candidate outside (rows x columns) shares a row or column with one inside, so the
    # sub-matrix is a problem of its own.
    row_set = np.flatnonzero(np.bincount(rows))
    column_set = np.flatnonzero(np.bincount(columns))
    if row_set.size * column_set.size > max(_LARGE, _SPARSE * rows.size):
        gain = cost[rows, columns] - limit
        i, j = _sparse_pairs(
            gain, row_set.searchsorted(rows), column_set.searchsorted(columns), row_set.size
        )
        return row_set[i], column_set[j]
    # Zero: the price of leaving both alone.
    block = row_set[:, None], column_set
    allowed = admissible[block]
    i, j = linear_sum_assignment(np.where(allowed, cost[block], limit) - limit)
    real = allowed[i, j]
    return row_set[i[real]], column_set[j[real]]


def _sparse_pairs(
    gain: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp], row_count: int
) -> Pairs:
    """The same for large problems of few pairs: ``gain (K,)`` < 0 of pairs sorted by row.

    Every row gets a column of its own that means "alone"; then every row is matched, and the same
    constant (-1, for explicit zeros are no edges) on all pairs changes nothing.
    """
    column_count = int(columns.max()) + 1
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
    paired = j < column_count
    return i[paired].astype(np.intp), j[paired].astype(np.intp)
