"""Offline interpolation: worked cases, limits, an independent oracle."""

import numpy as np
import pytest

from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import MOTRows
from mmdeepmot.structures.boxes import xyxy_to_tlwh
from mmdeepmot.trackers.interpolation import (
    INTERPOLATIONS,
    gaussian_process_mean,
    interpolate_gaussian,
    interpolate_linear,
    length_scale,
    smooth_gaussian,
)


def make_rows(*entries: tuple[int, int, float]) -> MOTRows:
    """Rows of (frame, id, left): boxes 10 wide, 20 tall, at top 5; score left / 100."""
    table = np.array(entries, dtype=float).reshape(-1, 3)
    left = table[:, 2]
    boxes = np.stack([left, np.full_like(left, 5), left + 10, np.full_like(left, 25)], axis=1)
    return MOTRows.from_arrays(table[:, 0], table[:, 1], boxes, left / 100)


def triples(rows: MOTRows) -> list[tuple[int, int, float]]:
    return list(
        zip(rows.frames.tolist(), rows.ids.tolist(), rows.bboxes[:, 0].tolist(), strict=True)
    )


def noisy_tracks(*lengths: int, seed: int = 0) -> MOTRows:
    rng = np.random.default_rng(seed)
    parts = []
    for track, length in enumerate(lengths, start=1):
        frames = np.arange(length) + track
        left = 300 + 2.0 * frames + rng.normal(0, 3, length)
        top = 100 + 20 * np.sin(frames / 40) + rng.normal(0, 3, length)
        size = np.array([30, 80]) + rng.normal(0, 2, (length, 2))
        boxes = np.concatenate([np.stack([left, top], 1), np.stack([left, top], 1) + size], 1)
        parts.append(MOTRows.from_arrays(frames, np.full(length, track), boxes))
    return MOTRows.concatenate(parts).sorted()


# --------------------------------------------------------------------------------------- linear


def test_gaps_are_filled_on_a_straight_line():
    filled = interpolate_linear(make_rows((1, 7, 0), (5, 7, 8), (6, 7, 100)))
    assert triples(filled) == [
        (1, 7, 0), (2, 7, 2), (3, 7, 4), (4, 7, 6), (5, 7, 8), (6, 7, 100)
    ]  # fmt: skip
    np.testing.assert_allclose(filled.scores, [0, 0.02, 0.04, 0.06, 0.08, 1.0])
    np.testing.assert_allclose(filled.bboxes[2], [4, 5, 14, 25])


def test_the_longest_gap_that_is_filled():
    """Three frames are missing: a gap of three is filled where up to three may be, not with two."""
    rows = make_rows((1, 1, 0), (5, 1, 8))
    assert len(interpolate_linear(rows, max_gap=3)) == 5
    assert triples(interpolate_linear(rows, max_gap=2)) == triples(rows)
    assert triples(interpolate_linear(rows, max_gap=0)) == triples(rows)


def test_different_tracks_are_not_joined_and_rows_keep_their_order():
    rows = make_rows((1, 9, 0), (1, 2, 50), (2, 4, 70), (3, 9, 4), (3, 2, 50))
    filled = interpolate_linear(rows)
    assert triples(filled) == [
        (1, 9, 0), (1, 2, 50), (2, 4, 70), (2, 2, 50), (2, 9, 2), (3, 9, 4), (3, 2, 50)
    ]  # fmt: skip


def test_the_order_of_rows_does_not_matter():
    rows = noisy_tracks(12, 9, 15)
    rows = rows[np.random.default_rng(1).random(len(rows)) < 0.6]
    shuffled = rows[np.random.default_rng(0).permutation(len(rows))]
    one, other = (
        result[np.lexsort((result.frames, result.ids))]
        for result in (interpolate_linear(rows), interpolate_linear(shuffled))
    )
    np.testing.assert_array_equal(one.frames, other.frames)
    np.testing.assert_array_equal(one.bboxes, other.bboxes)


def test_what_was_given_is_not_changed():
    rows = noisy_tracks(30)[::3]
    frames, boxes = rows.frames.copy(), rows.bboxes.copy()
    for interpolate in INTERPOLATIONS.values():
        interpolate(rows, 5)
    np.testing.assert_array_equal(rows.frames, frames)
    np.testing.assert_array_equal(rows.bboxes, boxes)


@pytest.mark.parametrize("interpolate", INTERPOLATIONS.values(), ids=INTERPOLATIONS)
def test_no_rows_and_single_rows(interpolate):
    assert len(interpolate(MOTRows.empty(), 20)) == 0
    alone = interpolate(make_rows((3, 1, 10), (3, 2, 40)), 20)
    assert [entry[:2] for entry in triples(alone)] == [(3, 1), (3, 2)]
    np.testing.assert_allclose(alone.bboxes[:, 0], [10, 40], atol=1e-6)


@pytest.mark.parametrize("interpolate", INTERPOLATIONS.values(), ids=INTERPOLATIONS)
def test_an_id_twice_in_a_frame_is_refused(interpolate):
    with pytest.raises(InputError, match="got id 4 twice or more in frame 2"):
        interpolate(make_rows((1, 4, 0), (2, 4, 1), (2, 4, 2)), 20)


def test_wrong_parameters_are_refused():
    with pytest.raises(InputError, match="max_gap must be a number of frames >= 0, got -1"):
        interpolate_linear(MOTRows.empty(), -1)
    with pytest.raises(InputError, match="tau and noise must be positive, got 0 and"):
        smooth_gaussian(MOTRows.empty(), tau=0)


# ------------------------------------------------------------------------------------- gaussian


def test_posterior_mean_by_hand():
    """Two times at distance d = scale, values 1 and 0, noise s: with k = exp(-1/2) and a = 1 + s

    (K + sI)^-1 (1, 0) = (a, -k) / (a^2 - k^2), and K times that is (a - k^2, k s) / (a^2 - k^2).
    """
    k, noise = np.exp(-0.5), 0.25
    a = 1 + noise
    expected = np.array([a - k**2, k * a - k]) / (a**2 - k**2)
    got = gaussian_process_mean(np.array([2.0, 5.0]), np.array([[1.0], [0.0]]), 3.0, noise)
    np.testing.assert_allclose(got[:, 0], expected, rtol=1e-12)


def test_posterior_mean_of_three_points_by_the_formula():
    times, scale, noise = np.array([1.0, 2.0, 4.0]), 2.0, 0.1
    values = np.array([[3.0, 1.0], [5.0, 1.0], [4.0, 1.0]])
    kernel = np.array(
        [[np.exp(-((s - t) ** 2) / (2 * scale**2)) for t in times.tolist()] for s in times.tolist()]
    )
    expected = kernel @ np.linalg.inv(kernel + noise * np.eye(3)) @ values
    np.testing.assert_allclose(
        gaussian_process_mean(times, values, scale, noise), expected, rtol=1e-10
    )


def test_limits_of_the_posterior_mean():
    """Next to no noise: the values; a short scale: each value alone, shrunk by 1 / (1 + noise)."""
    times, values = np.arange(4.0), np.array([[1.0], [-2.0], [3.0], [0.5]])
    np.testing.assert_allclose(gaussian_process_mean(times, values, 1.0, 1e-13), values, rtol=1e-9)
    np.testing.assert_allclose(gaussian_process_mean(times, values, 1e-3, 0.5), values / 1.5)


def test_length_scale():
    assert length_scale(100) == pytest.approx(10 * np.log(10))  # 10 log(1000 / 100)
    assert length_scale(1) == pytest.approx(10 * np.log(1000))
    assert length_scale(5, tau=2) == pytest.approx(2 * np.log(8 / 5))
    assert length_scale(1000) is None and length_scale(3000) is None


def test_smoothing_follows_the_trajectory_and_leaves_out_the_noise():
    rows = noisy_tracks(300)
    smooth = smooth_gaussian(rows)
    truth = 300 + 2.0 * rows.frames
    before, after = (r.bboxes[:, 0] - truth for r in (rows, smooth))
    assert np.std(after) < 0.6 * np.std(before)
    assert np.abs(np.diff(smooth.bboxes[:, 0], 2)).mean() < 0.3  # px / frame^2; before: 6


def test_tracks_are_smoothed_each_for_itself():
    """In any order of rows; one moved far away moves as a whole."""
    rows = noisy_tracks(40, 25, 60)
    together = smooth_gaussian(rows)
    for track in (1, 2, 3):
        alone = smooth_gaussian(rows[rows.ids == track])
        np.testing.assert_allclose(together.bboxes[rows.ids == track], alone.bboxes, atol=1e-9)
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose(
        smooth_gaussian(rows[order]).bboxes, together.bboxes[order], atol=1e-9
    )


def test_very_long_tracks_stay_as_they_are():
    rows = noisy_tracks(1000)
    np.testing.assert_allclose(smooth_gaussian(rows).bboxes, rows.bboxes, atol=1e-9)


def test_no_box_loses_its_size():
    """Widths that jump between 1 and 60 overshoot below 0: such boxes stay as they are."""
    rows = noisy_tracks(80)
    rows.bboxes[:, 2] = rows.bboxes[:, 0] + np.where(np.arange(80) % 40 < 25, 0.01, 300)
    smooth = smooth_gaussian(rows)
    size = smooth.bboxes[:, 2:] - smooth.bboxes[:, :2]
    assert (size > 0).all()
    kept = (smooth.bboxes == rows.bboxes).all(axis=1)
    assert 0 < kept.sum() < 80


def test_gaussian_interpolation_fills_first():
    rows = noisy_tracks(60)
    gappy = rows[(rows.frames < 20) | (rows.frames > 30)]
    filled = interpolate_gaussian(gappy, max_gap=11)
    np.testing.assert_array_equal(filled.frames, rows.frames)
    expected = smooth_gaussian(interpolate_linear(gappy, 11))
    np.testing.assert_array_equal(filled.bboxes, expected.bboxes)
    assert len(interpolate_gaussian(gappy, max_gap=10)) == len(gappy)


def test_against_scikit_learn():
    process = pytest.importorskip("sklearn.gaussian_process", reason="scikit-learn not installed")
    rows = noisy_tracks(120)
    kernel = process.kernels.RBF(10 * np.log(1000 / 120), "fixed")
    times = rows.frames[:, None].astype(float)
    values = xyxy_to_tlwh(rows.bboxes)
    for noise, tolerance in ((1e-10, 1e-2), (1e-3, 1e-8)):  # px; the former is ill-conditioned
        model = process.GaussianProcessRegressor(kernel, alpha=noise).fit(times, values)
        got = xyxy_to_tlwh(smooth_gaussian(rows, noise=noise).bboxes)
        np.testing.assert_allclose(got, model.predict(times), atol=tolerance)
