"""Candidate pairs of intervals: all that meet, few that do not."""

import numpy as np

from mmdeepmot.structures.sweep import meeting_intervals


def test_every_pair_that_meets_is_a_candidate():
    rng = np.random.default_rng(0)
    low, other = rng.integers(0, 200, 50).astype(float), rng.integers(0, 200, 60).astype(float)
    high, other_high = low + rng.integers(0, 9, 50), other + rng.integers(0, 9, 60)
    rows, columns = meeting_intervals(low, high, other, other_high)
    meet = (low[:, None] <= other_high) & (other <= high[:, None])
    candidates = np.zeros(meet.shape, bool)
    candidates[rows, columns] = True
    assert len(set(zip(rows, columns, strict=True))) == rows.size
    assert (np.diff(rows) >= 0).all()
    assert candidates[meet].all()
    far = (low[:, None] > other + 8) | (other > high[:, None])
    assert not candidates[far].any()


def test_by_hand():
    # [2, 3] touches [0, 2] and [3, 3]; [7, 6] is turned round; [9, 9] meets nothing.
    rows, columns = meeting_intervals(
        np.array([2.0, 7.0, 9.0]),
        np.array([3.0, 6.0, 9.0]),
        np.array([3.0, 0.0]),
        np.array([3.0, 2.0]),
    )
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 0), (0, 1)]
