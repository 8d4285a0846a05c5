"""WA, MA and SA of assignments: worked by hand, limits, and the metric of mmengine over them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.functional import (
    ASSIGNMENT_SCORES,
    assignment_scores,
    discretize_rows,
)
from mmdeepmot.evaluation.metrics import AssignmentMetric


def scores(soft, optimal, **options):
    result = assignment_scores(np.array(soft, float), np.array(optimal, bool), **options)
    assert tuple(result) == ASSIGNMENT_SCORES
    return [round(value, 6) for value in result.values()]


def test_rectangular_matrix_by_hand():
    # 2 x 3, two pairs: (0, 0) and (1, 2). n1 = 2, n0 = 4, w0 = 1/3, w1 = 2/3.
    optimal = [[1, 0, 0], [0, 0, 1]]
    soft = [[0.9, 0.6, 0.1], [0.2, 0.7, 0.55]]
    # Row-wise (0, 0), (1, 1): one of 2 ones and 3 of 4 zeros are found. Every row has one.
    # WA = (2/3 * 1 + 1/3 * 3) / (2/3 * 2 + 1/3 * 4) = 5/8; no column has two.
    # Column-wise (0, 0), (1, 1), (1, 2): both ones, 3 of 4 zeros: (4/3 + 1) / (8/3) = 7/8.
    # Column 1 has one where it should have none: MA 1/3. Row 1 has two: SA 1/2.
    assert scores(soft, optimal) == [0.625, 0, 0, 0.875, 0.333333, 0.5]


def test_missing_and_several():
    optimal = np.eye(3)
    soft = [[0.9, 0.1, 0], [0.8, 0.1, 0], [0.1, 0.1, 0.4]]
    # Row-wise (0, 0), (1, 0): 1 of 3 ones, 5 of 6 zeros; row 2 has none: MA 1/3; column 0: SA 1/3.
    # Column-wise (0, 0) alone: 1 of 3 ones, all zeros; columns 1 and 2 have none: MA 2/3.
    assert scores(soft, optimal) == [0.583333, 0.333333, 0.333333, 0.666667, 0.666667, 0]


@pytest.mark.parametrize(
    ("soft", "optimal", "expected"),
    [
        ([[0.9]], [[1]], [1, 0, 0, 1, 0, 0]),  # full: only ones
        ([[0.1]], [[1]], [0, 1, 0, 0, 1, 0]),
        (np.zeros((2, 3)), np.zeros((2, 3)), [1, 0, 0, 1, 0, 0]),  # all forbidden: only zeros
        # one row: the row-wise maximum takes the last column, the column-wise one both
        ([[0.7, 0.2, 0.8]], [[1, 0, 0]], [0.25, 0, 0, 0.75, 0.333333, 1]),
        # an empty assignment in which something is found: 2 of 4 zeros are wrong
        (np.full((2, 2), 0.6), np.zeros((2, 2)), [0.5, 1, 0.5, 0.5, 1, 0.5]),
        ([[0.5, 0], [0, 0.5]], np.eye(2), [0.5, 1, 0, 0.5, 1, 0]),  # 0.5 does not exceed 0.5
    ],
)
def test_limits(soft, optimal, expected):
    assert scores(soft, optimal) == expected


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_without_entries_nothing_is_defined(shape):
    assert np.isnan(scores(np.zeros(shape), np.zeros(shape))).all()


def test_threshold_and_ties():
    assert discretize_rows(np.array([[0.3, 0.3], [0.2, 0.25]]), 0.25).tolist() == [
        [True, False],
        [False, False],
    ]
    assert scores([[0.3]], [[1]], threshold=0.25) == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("soft", "optimal", "message"),
    [
        (np.zeros((2, 2)), np.zeros((2, 3)), r"got \(2, 2\) and \(2, 3\)"),
        (np.zeros(2), np.zeros(2), r"one shape \(N, M\)"),
        (np.array([[0, 1], [np.nan, 0]]), np.eye(2), "NaN at row 1, column 0"),
    ],
)
def test_errors(soft, optimal, message):
    with pytest.raises(InputError, match=message):
        assignment_scores(soft, optimal)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**31))
def test_permutation_transposition_and_range(rows, columns, seed):
    rng = np.random.default_rng(seed)
    soft = rng.random((rows, columns))
    optimal = np.zeros((rows, columns), bool)
    count = rng.integers(0, min(rows, columns) + 1)
    optimal[rng.permutation(rows)[:count], rng.permutation(columns)[:count]] = True
    one = assignment_scores(soft, optimal)
    order = np.ix_(rng.permutation(rows), rng.permutation(columns))
    assert assignment_scores(soft[order], optimal[order]) == pytest.approx(one)
    turned = assignment_scores(soft.T, optimal.T)
    assert [turned[f"{b}_{k}"] for b in ("row", "col") for k in ("wa", "ma", "sa")] == [
        one[f"{a}_{k}"] for a in ("col", "row") for k in ("wa", "ma", "sa")
    ]
    assert all(0 <= value <= 1 for value in one.values())
    perfect = assignment_scores(optimal.astype(float), optimal)
    assert list(perfect.values()) == [1, 0, 0, 1, 0, 0]


# ------------------------------------------------------------------------------------ the metric


def result(soft, optimal, source="a", seconds=0.001):
    return SimpleNamespace(
        soft=torch.tensor(soft), optimal=torch.tensor(optimal, dtype=torch.bool), source=source,
        seconds=seconds,
    )  # fmt: skip


def test_means_over_matrices_by_source():
    metric = AssignmentMetric(print_table=False)
    metric.process(None, [result([[0.9]], [[1]]), result([[0.1]], [[1]], seconds=0.003)])
    metric.process(None, [result([[0.9]], [[1]], source="b")])
    metric.process(None, [result(np.zeros((0, 2)), np.zeros((0, 2)), source="b")])
    figures = metric.evaluate(4)
    assert figures["assignment/row_wa"] == pytest.approx(200 / 3)
    assert figures["assignment/col_ma"] == pytest.approx(100 / 3)
    assert figures["assignment/ms"] == pytest.approx(1.5)
    assert list(metric.table.rows) == ["a", "b", "OVERALL"]
    assert metric.table.rows["a"]["WA row"] == 50
    assert metric.table.rows["b"]["WA row"] == 100  # the matrix without entries left out
    assert [row["Matrices"] for row in metric.table.rows.values()] == [2, 2, 4]
    assert "Source" in str(metric.table) and "66.67" in str(metric.table)
    assert metric.results == []


def test_one_source_is_overall_alone_and_nothing_is_an_error():
    metric = AssignmentMetric(print_table=False)
    metric.process(None, [result([[0.9]], [[1]])])
    metric.evaluate(1)
    assert list(metric.table.rows) == ["OVERALL"]
    with pytest.raises(InputError, match="given no matrix to score"):
        metric.evaluate(0)
    with pytest.raises(InputError, match=r"threshold must lie in \[0, 1\], got 2"):
        AssignmentMetric(threshold=2)
