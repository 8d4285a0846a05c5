"""Linear assignment with a threshold."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.floating]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


def assign(cost: Floats, limit: float) -> Pairs:
    """Pairs rows and columns so that the sum of ``cost - limit`` over the pairs is smallest.

    Only pairs whose cost is below ``limit`` can match, every row and column at most once; leaving
    a row or column alone costs nothing. That is LAPJV with a cost limit, by which the published
    trackers solve. Rows and columns without an admissible pair are left out, pairs that are each
    other's only candidate are taken at once, and the rest is one call of scipy's solver.

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
    """Optimal pairs among candidate pairs (rows (K,), columns (K,))."""
    # No candidate outside (rows x columns) shares a row or column with one inside, so the
    # sub-matrix is a problem of its own. Zero: the price of leaving both alone.
    row_set = np.flatnonzero(np.bincount(rows))
    column_set = np.flatnonzero(np.bincount(columns))
    block = row_set[:, None], column_set
    allowed = admissible[block]
    gain = np.where(allowed, cost[block], limit) - limit
    i, j = linear_sum_assignment(gain)
    real = allowed[i, j]
    return row_set[i[real]], column_set[j[real]]
