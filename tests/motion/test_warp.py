"""Kalman states under camera motion, in both layouts, against explicit 8x8 matrices."""

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter

from mmdeepmot.motion import (
    AreaKalman,
    AspectKalman,
    CornerKalman,
    Motion,
    SizeKalman,
    full_kalman,
    kalman,
)
from mmdeepmot.motion.affine import IDENTITY, affine_scale, move_boxes
from mmdeepmot.structures.track_table import TrackTable

CLOSE = {"rtol": 1e-9, "atol": 1e-9}
COUNT = 7
ALL = slice(0, COUNT)
MOTIONS = [AspectKalman, AreaKalman, SizeKalman, CornerKalman]


def random_boxes(rng):
    corner = rng.uniform(0, 900, (COUNT, 2))
    return np.concatenate([corner, corner + rng.uniform(40, 200, (COUNT, 2))], axis=1)


def similarity(rng):
    angle, scale = rng.normal(0, 0.05), 1 + rng.normal(0, 0.03)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, rng.normal(0, 9)], [sine, cosine, rng.normal(0, 9)]])


def any_affine(rng):
    return np.concatenate([np.eye(2) + rng.normal(0, 0.04, (2, 2)), rng.normal(0, 9, (2, 1))], 1)


def state_matrix(motion, affine):
    """``T (8, 8)`` and what is added ``(8,)``, written down for each motion model."""
    linear, scale = affine[:, :2], affine_scale(affine)
    offset = np.concatenate([affine[:, 2], np.zeros(6)])
    if isinstance(motion, SizeKalman) and motion.rotate_size:
        return np.kron(np.eye(4), linear), offset
    if isinstance(motion, CornerKalman):
        # the map of boxes is affine in their corners: its columns are the images of unit boxes
        origin = move_boxes(np.zeros((1, 4)), affine)
        small = (move_boxes(np.eye(4), affine) - origin).T
        return np.kron(np.eye(2), small), np.concatenate([origin[0], np.zeros(4)])
    third, fourth = {
        AspectKalman: (1, scale),
        AreaKalman: (scale**2, 1),
        SizeKalman: (scale, scale),
    }[type(motion)]
    small = np.zeros((4, 4))
    small[:2, :2] = linear
    small[2, 2], small[3, 3] = third, fourth
    return np.kron(np.eye(2), small), offset


def table_with(motion, boxes):
    table = TrackTable(motion.columns())
    motion.initiate(table, table.append(len(boxes)), boxes)
    return table


def matrices(table):
    covariance = table["covariance"]
    return (
        covariance
        if covariance.ndim == 3 and covariance.shape[1] == 8
        else (kalman.full_covariance(covariance))
    )


def oracle_tracks(motion, table):
    tracks = []
    for mean, covariance in zip(table["mean"], matrices(table), strict=True):
        track = KalmanFilter(dim_x=8, dim_z=4)
        track.F, track.H = np.eye(8) + np.eye(8, k=4), np.eye(4, 8)
        track.x, track.P = mean[:, None].copy(), covariance.copy()
        tracks.append(track)
    return tracks


def variances(motion, track):
    """Process and measurement noise as matrices: their values have tests of their own."""
    mean = track.x.T
    process = np.broadcast_to(motion.process_variance(mean), (1, 8))[0]
    return np.diag(process), lambda: np.diag(
        np.broadcast_to(motion.measurement_variance(track.x.T), (1, 4))[0]
    )


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.abs(b).max())


def run(motion, seed, make_affine=None, oracle=True, steps=25):
    """Predict, warp, measure distances, update; everything is compared with filterpy."""
    rng = np.random.default_rng(seed)
    boxes = random_boxes(rng)
    table = table_with(motion, boxes)
    tracks = oracle_tracks(motion, table) if oracle else []
    distances = []
    for _ in range(steps):
        noise = [variances(motion, track) for track in tracks]
        motion.predict(table, ALL)
        for track, (process, _) in zip(tracks, noise, strict=True):
            track.predict(Q=process)
        if make_affine is not None:
            affine = make_affine(rng)
            motion.warp(table, ALL, affine)
            boxes = move_boxes(boxes, affine)
            matrix, offset = state_matrix(motion, affine)
            for track in tracks:
                track.x = matrix @ track.x + offset[:, None]
                track.P = matrix @ track.P @ matrix.T
        np.testing.assert_allclose(table.bboxes, motion.boxes(table["mean"][:, :4]), **CLOSE)
        found = boxes + rng.normal(0, 3, boxes.shape)
        distances.append(motion.distance(table, ALL, found))
        for row, track in enumerate(tracks):
            delta = motion.measure(found) - track.x[:4, 0]
            inverse = np.linalg.inv(track.P[:4, :4] + variances(motion, track)[1]())
            np.testing.assert_allclose(
                distances[-1][row], np.einsum("mi,ij,mj->m", delta, inverse, delta), rtol=1e-7
            )
        seen = np.flatnonzero(rng.random(COUNT) < 0.7)
        motion.update(table, seen, found[seen])
        for row in seen:
            measurement = motion.measure(found[row : row + 1]).T
            if tracks:
                tracks[row].update(measurement, R=variances(motion, tracks[row])[1]())
        if tracks:
            expected = [t.x[:, 0] for t in tracks], [t.P for t in tracks]
            assert_same((table["mean"], matrices(table)), expected)
    return table["mean"].copy(), matrices(table).copy(), np.array(distances)


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("full", [False, True])
def test_without_camera_motion_both_layouts_equal_filterpy(motion, full):
    run(motion(full_covariance=full), seed=0)


@pytest.mark.parametrize("motion", MOTIONS)
def test_without_camera_motion_the_layouts_are_one_filter(motion):
    block = run(motion(), seed=1, oracle=False)
    assert_same(run(motion(full_covariance=True), seed=1, oracle=False), block)


@pytest.mark.parametrize("motion", [*MOTIONS, lambda **kw: SizeKalman(rotate_size=False, **kw)])
def test_the_full_layout_equals_explicit_matrices_under_any_affine(motion):
    run(motion(full_covariance=True), seed=2, make_affine=any_affine)


@pytest.mark.parametrize("motion", [AspectKalman, AreaKalman, CornerKalman])
def test_blocks_are_exact_under_similarities_where_x_and_y_are_alike(motion):
    run(motion(), seed=3, make_affine=similarity)


def test_botsorts_blocks_keep_the_diagonal_and_lose_what_couples_x_and_y():
    rng = np.random.default_rng(4)
    tables = {}
    affine = similarity(rng)
    for full in (False, True):
        motion = SizeKalman(full_covariance=full)
        tables[full] = table_with(motion, random_boxes(np.random.default_rng(5)))
        motion.predict(tables[full], ALL)
        motion.warp(tables[full], ALL, affine)
    block, full = matrices(tables[False]), matrices(tables[True])
    kept = block != 0
    np.testing.assert_allclose(block[kept], full[kept], **CLOSE)
    assert np.abs(full[:, 0, 1]).min() > 0.1  # the coupling is there, and real
    np.testing.assert_allclose(tables[False]["mean"], tables[True]["mean"], **CLOSE)


@pytest.mark.parametrize("motion", MOTIONS)
def test_blocks_stay_covariances_under_any_affine(motion):
    motion = motion()
    rng = np.random.default_rng(6)
    table = table_with(motion, random_boxes(rng))
    for _ in range(20):
        motion.predict(table, ALL)
        motion.warp(table, ALL, any_affine(rng))
    position, cross, velocity = table["covariance"].transpose(1, 0, 2)
    assert (position > 0).all() and (velocity >= 0).all()
    assert (position * velocity - cross**2 >= -1e-9 * position * velocity).all()


@pytest.mark.parametrize(
    "motion",
    [Motion(), AspectKalman(), AreaKalman(), SizeKalman(rotate_size=False), CornerKalman()],
    ids=lambda motion: type(motion).__name__,
)
def test_boxes_move_as_boxes_do_and_identity_changes_nothing(motion):
    rng = np.random.default_rng(7)
    table = table_with(motion, random_boxes(rng))
    motion.predict(table, ALL)
    before, affine = table.state_dict(), any_affine(rng)
    motion.warp(table, ALL, IDENTITY)
    for name, column in table.state_dict().items():
        np.testing.assert_allclose(column, before[name], rtol=1e-14, err_msg=name)
    some = np.array([1, 4])
    motion.warp(table, some, affine)
    expected = before["bboxes"].copy()
    expected[some] = move_boxes(expected[some], affine)
    np.testing.assert_allclose(table.bboxes, expected, **CLOSE)


def test_a_quarter_turn_by_hand():
    """Centre (10, 20) at velocity (1, 2); everything twice as large, then shifted by (100, 0)."""
    motion = AspectKalman()
    table = table_with(motion, np.array([[8.0, 16, 12, 24]]))
    table["mean"][0, 4:] = [1, 2, 0.5, 3]
    table["covariance"][0] = [[4, 9, 1, 25], [0.1, 0.2, 0.3, 0.4], [1, 1, 1, 1]]
    motion.warp(table, slice(0, 1), np.array([[0.0, -2, 100], [2, 0, 0]]))
    np.testing.assert_allclose(table["mean"], [[60, 20, 0.5, 16, -4, 2, 0.5, 6]])
    np.testing.assert_allclose(
        table["covariance"][0],
        [[36, 16, 1, 100], [0.8, 0.4, 0.3, 1.6], [4, 4, 1, 4]],
    )


@pytest.mark.parametrize("layout", [kalman, full_kalman])
def test_no_tracks_and_no_measurements(layout):
    mean, covariance = layout.kalman_initiate(np.zeros((0, 4)), np.ones(8))
    mean, covariance = layout.kalman_predict(mean, covariance, np.ones(8))
    mean, covariance = layout.kalman_warp(mean, covariance, np.eye(4), np.zeros(4))
    mean, covariance = layout.kalman_update(mean, covariance, np.zeros((0, 4)), np.ones(4))
    assert mean.shape == (0, 8) and covariance.shape == (0, *layout.COVARIANCE_SHAPE)
    assert layout.gating_distance(mean, covariance, np.zeros((3, 4)), np.ones(4)).shape == (0, 3)
    one = layout.kalman_initiate(np.zeros((1, 4)), np.full(8, 3.0))
    assert layout.gating_distance(*one, np.zeros((0, 4)), np.ones(4)).shape == (1, 0)
    centre = layout.gating_distance(*one, np.array([[2.0, 4, 9, 90]]), np.ones(4), dims=2)
    assert centre == pytest.approx((4 + 16) / 4)
