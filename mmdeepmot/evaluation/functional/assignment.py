"""How far a soft assignment is from the optimal one: WA, MA and SA.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 5.1 (Eq. 10) and
Appendix B. The soft assignment is first made discrete, row-wise (the largest entry of each row, if
it exceeds 0.5) or column-wise; the rest follows from the discrete one:

- WA, weighted accuracy: ``(w1 n1* + w0 n0*) / (w1 n1 + w0 n0)`` with n1 ones and n0 zeros in the
  optimal assignment, n1* and n0* of them found, ``w0 = n1 / (n0 + n1)``, ``w1 = 1 - w0``: the mean
  of the shares of ones and of zeros that are found. Where there are no ones, or no zeros, the share
  of the others alone. (The paper calls n0* "false positives"; with true negatives the figure is an
  accuracy, as its published code counts it.)
- MA, missing assignments: rows (row-wise; else columns) that have an assignment in the optimal or
  in the discrete matrix, but not in both, of all rows.
- SA, several assignments: columns (row-wise; else rows) with more than one, of all columns.

(The paper's appendix names the sides of MA the other way round, as those of SA. Here each side is
judged by its own maximum.)
"""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError

THRESHOLD = 0.5
"""An entry must exceed it to be an assignment."""

ASSIGNMENT_SCORES = ("row_wa", "row_ma", "row_sa", "col_wa", "col_ma", "col_sa")
"""Names of the scores of :func:`assignment_scores`."""


def discretize_rows(soft: NDArray, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
    """The largest entry of each row, where it exceeds the threshold.

    Args:
        soft: ``(N, M)``; of equal largest entries the first counts.
        threshold: In [0, 1].

    Returns:
        ``(N, M)`` bool, at most one True a row.
    """
    out = np.zeros(soft.shape, dtype=bool)
    if soft.size:
        rows, best = np.arange(len(soft)), soft.argmax(axis=1)
        out[rows, best] = soft[rows, best] > threshold
    return out


def assignment_scores(
    soft: NDArray, optimal: NDArray, threshold: float = THRESHOLD
) -> dict[str, float]:
    """WA, MA and SA of one matrix.

    Args:
        soft: ``(N, M)`` soft assignment in [0, 1].
        optimal: ``(N, M)`` bool, the optimal one: at most one True a row and a column.
        threshold: See :func:`discretize_rows`.

    Returns:
        ``row_wa``, ``row_ma``, ``row_sa`` (row-wise maximum) and ``col_wa``, ``col_ma``,
        ``col_sa`` (column-wise maximum), fractions in [0, 1]; all NaN for a matrix without entries.

    Raises:
        InputError: Shapes differ, or an entry is NaN.

    Example:
        >>> soft = np.array([[0.9, 0.2], [0.8, 0.1]])
        >>> scores = assignment_scores(soft, np.array([[True, False], [False, True]]))
        >>> [scores[name] for name in ("row_wa", "row_ma", "row_sa")]
        [0.5, 0.0, 0.5]
        >>> [scores[name] for name in ("col_wa", "col_ma", "col_sa")]
        [0.75, 0.5, 0.0]
    """
    soft, optimal = np.asarray(soft), np.asarray(optimal, dtype=bool)
    if soft.ndim != 2 or soft.shape != optimal.shape:
        raise InputError(
            "expected a soft and an optimal assignment of one shape (N, M), got "
            f"{soft.shape} and {optimal.shape}"
        )
    if np.isnan(soft).any():
        row, column = np.argwhere(np.isnan(soft))[0].tolist()
        raise InputError(
            f"the soft assignment is NaN at row {row}, column {column}: expected values in [0, 1]"
        )
    if not soft.size:
        return dict.fromkeys(ASSIGNMENT_SCORES, float("nan"))
    by_row = _scores(discretize_rows(soft, threshold), optimal)
    by_column = _scores(discretize_rows(soft.T, threshold), optimal.T)
    return dict(zip(ASSIGNMENT_SCORES, (*by_row, *by_column), strict=True))


def _scores(found: NDArray[np.bool_], optimal: NDArray[np.bool_]) -> tuple[float, float, float]:
    """WA, MA, SA row-wise of a discrete assignment with at most one entry a row."""
    ones = int(np.count_nonzero(optimal))
    right = int(np.count_nonzero(found & optimal))
    wrong = int(np.count_nonzero(found)) - right
    zeros = optimal.size - ones
    shares = [right / ones] if ones else []
    if zeros:
        shares.append((zeros - wrong) / zeros)
    missing = np.count_nonzero(found.any(axis=1) != optimal.any(axis=1)) / len(found)
    several = np.count_nonzero(found.sum(axis=0) > 1) / found.shape[1]
    return sum(shares) / len(shares), float(missing), float(several)
