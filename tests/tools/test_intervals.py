"""The interval of a mean over trainings and sequences: by hand, and how often it holds."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/benchmarks"))

from comparison.intervals import crossed_interval


def t_interval(values):
    return np.mean(values), stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1)])
def test_one_training_or_one_sequence(shape):
    values = np.array([7.0, 5.0, 4.0, 9.0])
    np.testing.assert_allclose(crossed_interval(values.reshape(shape)), t_interval(values))


def test_a_single_value_has_no_interval():
    mean, half = crossed_interval([[3.0]])
    assert mean == 3 and np.isnan(half)


def test_trainings_that_differ_count_as_the_few_they_are():
    """All sequences of a training alike: three values, not twelve."""
    trainings = np.array([1.0, 4.0, 2.0])
    got = crossed_interval(np.repeat(trainings[:, None], 4, axis=1))
    np.testing.assert_allclose(got, t_interval(trainings))


def test_sequences_that_differ_alone():
    sequences = np.array([1.0, 4.0, 2.0, 9.0])
    got = crossed_interval(np.tile(sequences, (3, 1)))
    np.testing.assert_allclose(got, t_interval(sequences))


def test_both_by_hand():
    """Effects +-3 of trainings, +-2 of sequences, rest +-1: mean squares of 36, 16 and 4."""
    mean, half = crossed_interval([[6.0, 0.0], [-2.0, -4.0]])
    assert mean == 0
    degrees = 12**2 / (9**2 + 4**2 + 1**2)  # variance: 36 / 4 + 16 / 4 - 4 / 4
    assert half == pytest.approx(stats.t.ppf(0.975, degrees) * np.sqrt(12))


def test_effects_below_that_of_the_rest_are_none():
    """Effects +-2 of trainings, +-1 of sequences, rest +-1: mean squares of 16, 4 and 4."""
    mean, half = crossed_interval([[7.0, 3.0], [1.0, 1.0]])
    assert mean == 3
    assert half == pytest.approx(stats.t.ppf(0.975, 1) * np.sqrt(16 / 4))


def test_holds_as_often_as_it_says():
    """Draws of both effects: the truth, 0, lies in 93 to 99 of 100; in fewer of pooled ones."""
    rng = np.random.default_rng(0)
    held = pooled = 0
    for _ in range(400):
        values = 0.5 * rng.normal(size=(3, 1)) + rng.normal(size=(1, 12)) + rng.normal(size=(3, 12))
        mean, half = crossed_interval(values)
        held += abs(mean) < half
        mean, half = t_interval(values.ravel())
        pooled += abs(mean) < half
    assert 0.93 < held / 400 < 0.99
    assert pooled / 400 < 0.75
