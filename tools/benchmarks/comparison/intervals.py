"""How sure a mean over trainings and sequences is."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def crossed_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Mean of S trainings times T sequences, and half its confidence interval.

    Another training and another sequence may both give other values, and all values of one training
    share what it has learnt: both are random effects, crossed, without replication (Searle, Casella
    and McCulloch, "Variance Components", 1992, Sec. 4.4; degrees of freedom: Satterthwaite 1946).
    Effects that are estimated below zero are none. With one training, or one sequence, it is the t
    interval over the others.

    Args:
        values: ``(S, T)``.
        level: Confidence.

    Returns:
        The mean, and half the interval; NaN for a single value.
    """
    table = np.asarray(values, dtype=float)
    count, mean = table.size, float(table.mean())
    if min(table.shape) == 1:
        return mean, _half(table.var(ddof=1) / count, count - 1, level) if count > 1 else np.nan
    rows, columns = table.shape
    of_rows, of_columns = table.mean(axis=1) - mean, table.mean(axis=0) - mean
    rest = table - mean - of_rows[:, None] - of_columns
    degrees = np.array([rows - 1, columns - 1, (rows - 1) * (columns - 1)])
    sums = np.array([columns * (of_rows**2).sum(), rows * (of_columns**2).sum(), (rest**2).sum()])
    squares = sums / degrees
    there = squares[:2] > squares[2]
    terms = np.append(squares[:2] * there, squares[2] * (1 - there.sum())) / count
    variance = terms.sum()
    spread = (terms**2 / degrees).sum()
    return mean, _half(variance, variance**2 / spread if spread > 0 else 1.0, level)


def _half(variance: float, degrees: float, level: float) -> float:
    return float(stats.t.ppf(0.5 + 0.5 * level, degrees) * np.sqrt(variance))
