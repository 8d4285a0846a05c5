"""The optimal assignment between tracks and objects: as many pairs as possible, then the nearest.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 3: ``A* = argmin
sum(d_nm a_nm)`` over assignments that use every row and column at most once and hold
``min(N, M)`` pairs. Gated pairs, which the paper gives a large distance, are left out of the
result here; as many of the others as possible are kept.

These are the labels that assignment networks learn. They differ from what
:func:`mmdeepmot.association.assign` gives, which weighs every pair against being left alone.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from mmdeepmot.errors import InputError

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]

FORBIDDEN_ABOVE = 1.0
"""A distance above this, infinity too, says that the pair is forbidden; by how much is ignored."""


def optimal_assignment(
    distances: ArrayLike, row_mask: ArrayLike | None = None, col_mask: ArrayLike | None = None
) -> Bools:
    """The largest set of allowed pairs, and among those the one of least total distance.

    Args:
        distances: ``(B, N, M)`` or ``(N, M)`` in [0, 1]; entries above 1 are forbidden pairs.
        row_mask: ``(B, N)`` or ``(N,)`` bool, which rows count; None: all.
        col_mask: ``(B, M)`` or ``(M,)`` bool, which columns count; None: all.

    Returns:
        ``(B, N, M)`` or ``(N, M)`` bool, at most one True in each row and column, none at
        forbidden pairs and in rows and columns that do not count.

    Raises:
        InputError: If shapes disagree, or a distance that counts is NaN.

    >>> optimal_assignment([[0.1, 0.2], [0.3, 5.0]]).astype(int)
    array([[0, 1],
           [1, 0]])
    """
    array = np.asarray(distances)
    if array.ndim not in (2, 3):
        raise InputError(f"distances: expected (B, N, M) or (N, M), got shape {array.shape}")
    valid = _mask(row_mask, array.shape[:-1], "row_mask")[..., :, None]
    valid = valid & _mask(col_mask, array.shape[:-2] + array.shape[-1:], "col_mask")[..., None, :]
    if np.isnan(array[valid]).any():
        raise InputError(
            f"distances {array.shape} hold NaN: expected values in [0, 1], above 1 (or inf) for "
            "forbidden pairs; a box without extent or a division by 0 is the usual cause"
        )
    with np.errstate(invalid="ignore"):  # padding may be NaN
        allowed = valid & (array <= FORBIDDEN_ABOVE)
    return solve_allowed(array, allowed)


def solve_allowed(costs: Floats, allowed: Bools) -> Bools:
    """The largest set of allowed pairs, and among those the one of least total cost.

    Args:
        costs: ``(B, N, M)`` or ``(N, M)``, of any sign, finite where allowed.
        allowed: Of the same shape, bool.

    Returns:
        Of the same shape, bool.
    """
    chosen = np.zeros(costs.shape, dtype=bool)
    if not costs.size:
        return chosen
    result = chosen.reshape(-1, *costs.shape[-2:])
    allowed, costs = allowed.reshape(result.shape), costs.reshape(result.shape)
    priced = _priced(costs, allowed)
    rows: Bools = np.any(allowed, axis=2)
    columns: Bools = np.any(allowed, axis=1)
    whole: Bools = np.all(rows, axis=1) & np.all(columns, axis=1)
    for index in range(len(result)):
        if whole[index]:
            i, j = linear_sum_assignment(priced[index])
        else:
            i, j = _solve_part(priced[index], rows[index], columns[index])
        result[index, i, j] = True
    result &= allowed
    return chosen


def _priced(costs: Floats, allowed: Bools) -> NDArray[np.float64]:
    """Costs ``(B, N, M)`` from 0 up, with a price at forbidden entries that nothing can outweigh.

    Complete assignments of a matrix hold equally many entries, so that a shift of all entries
    changes nothing, and one forbidden entry costs more than all the others can save.
    """
    some = allowed.any(axis=(1, 2), keepdims=True)
    lowest = np.where(allowed, costs, np.inf).min(axis=(1, 2), keepdims=True)
    highest = np.where(allowed, costs, -np.inf).max(axis=(1, 2), keepdims=True)
    lowest, highest = np.where(some, lowest, 0.0), np.where(some, highest, 0.0)
    price = (highest - lowest) * min(costs.shape[1:]) + 1
    return np.where(allowed, costs - lowest, price)


def _solve_part(costs: Floats, rows: Bools, columns: Bools) -> tuple[NDArray, NDArray]:
    """Indices of the best complete assignment of those rows ``(N,)`` and columns ``(M,)`` bool."""
    row_index, column_index = rows.nonzero()[0], columns.nonzero()[0]
    i, j = linear_sum_assignment(costs[np.ix_(row_index, column_index)])
    return row_index[i], column_index[j]


def _mask(mask: ArrayLike | None, shape: tuple[int, ...], name: str) -> Bools:
    if mask is None:
        return np.ones(shape, dtype=bool)
    array = np.asarray(mask)
    if array.shape != shape or array.dtype != bool:
        raise InputError(
            f"{name}: expected bool {shape} beside the distances, got {array.dtype} {array.shape}"
        )
    return array
