"""The block Kalman filter against filterpy, one filter object a track."""

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter

from mmdeepmot.motion import CHI2_95, AreaKalman, AspectKalman, Motion
from mmdeepmot.motion.kalman import (
    full_covariance,
    gating_distance,
    kalman_initiate,
    kalman_predict,
    kalman_project,
    kalman_update,
)
from mmdeepmot.structures.boxes import cxcyah_to_xyxy, xyxy_to_cxcyah
from mmdeepmot.structures.track_table import TrackState, TrackTable

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def random_boxes(rng, count):
    corner = rng.uniform(0, 1500, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(20, 300, (count, 2))], axis=1)


def jde_filter(box):
    """One track of JDE's filter, as the paper and the reference give its constants."""
    z = xyxy_to_cxcyah(box)
    h = z[3]
    track = KalmanFilter(dim_x=8, dim_z=4)
    track.F = np.eye(8) + np.eye(8, k=4)
    track.H = np.eye(4, 8)
    track.x = np.concatenate([z, np.zeros(4)])[:, None]
    std = [h / 10, h / 10, 1e-2, h / 10, h / 16, h / 16, 1e-5, h / 16]
    track.P = np.diag(np.square(std))
    return track


def jde_predict(track):
    track.x[6:] *= track.x[2:4] + track.x[6:] > 0  # what would shrink to nothing stops shrinking
    h = track.x[3, 0]
    std = [h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160]
    track.predict(Q=np.diag(np.square(std)))


def jde_noise(track):
    h = track.x[3, 0]
    return np.diag(np.square([h / 20, h / 20, 1e-1, h / 20]))


def table_with(motion, boxes):
    table = TrackTable(motion.columns())
    motion.initiate(table, table.append(len(boxes)), boxes)
    return table


def test_aspect_kalman_equals_filterpy_over_random_sequences():
    rng = np.random.default_rng(0)
    boxes = random_boxes(rng, 9)
    motion = AspectKalman()
    table = table_with(motion, boxes)
    oracle = [jde_filter(box) for box in boxes]
    for _ in range(40):
        motion.predict(table, slice(0, 9))
        for track in oracle:
            jde_predict(track)
        seen = np.flatnonzero(rng.random(9) < 0.7)
        new = cxcyah_to_xyxy(table["mean"][:, :4]) + rng.normal(0, 5, (9, 4))
        expected = np.array(
            [
                [
                    (lambda y, s: y @ np.linalg.inv(s) @ y)(
                        xyxy_to_cxcyah(box) - track.x[:4, 0], track.P[:4, :4] + jde_noise(track)
                    )
                    for box in new
                ]
                for track in oracle
            ]
        )
        np.testing.assert_allclose(
            motion.distance(table, slice(0, 9), new), expected, rtol=1e-8, atol=1e-9
        )
        motion.update(table, seen, new[seen])
        for row in seen:
            oracle[row].update(xyxy_to_cxcyah(new[row])[:, None], R=jde_noise(oracle[row]))
        np.testing.assert_allclose(table["mean"], [t.x[:, 0] for t in oracle], **CLOSE)
        np.testing.assert_allclose(
            full_covariance(table["covariance"]), [t.P for t in oracle], **CLOSE
        )
        np.testing.assert_allclose(table.bboxes, cxcyah_to_xyxy(table["mean"][:, :4]), **CLOSE)


def test_area_kalman_equals_filterpy_with_sorts_matrices():
    rng = np.random.default_rng(1)
    boxes = random_boxes(rng, 5)
    motion = AreaKalman()
    table = table_with(motion, boxes)
    oracle = []
    for box in boxes:
        track = KalmanFilter(dim_x=7, dim_z=4)
        track.F = np.eye(7)
        track.F[[0, 1, 2], [4, 5, 6]] = 1
        track.H = np.eye(4, 7)
        track.R = np.diag([1.0, 1, 10, 10])
        track.P = np.diag([10.0, 10, 10, 10, 1e4, 1e4, 1e4])
        track.Q = np.diag([1, 1, 1, 1, 1e-2, 1e-2, 1e-4])
        track.x[:4, 0] = motion.measure(box[None])[0]
        oracle.append(track)
    for _ in range(30):
        motion.predict(table, slice(0, 5))
        new = boxes + rng.normal(0, 4, boxes.shape)
        seen = np.flatnonzero(rng.random(5) < 0.8)
        motion.update(table, seen, new[seen])
        for row, track in enumerate(oracle):
            if track.x[2, 0] + track.x[6, 0] <= 0:
                track.x[6, 0] = 0
            track.predict()
            if row in seen:
                track.update(motion.measure(new[row : row + 1])[0][:, None])
        np.testing.assert_allclose(
            table["mean"][:, :7], [t.x[:, 0] for t in oracle], rtol=1e-9, atol=1e-8
        )
        assert not table["mean"][:, 7].any()


def test_area_kalman_boxes_invert_measure_and_area_never_turns_negative():
    motion = AreaKalman()
    boxes = random_boxes(np.random.default_rng(2), 6)
    np.testing.assert_allclose(motion.boxes(motion.measure(boxes)), boxes, rtol=1e-12)
    table = table_with(motion, boxes[:1])
    table["mean"][0, 6] = -2 * table["mean"][0, 2]
    motion.predict(table, slice(0, 1))
    assert table["mean"][0, 6] == 0
    np.testing.assert_allclose(table.bboxes, boxes[:1], rtol=1e-12)


def test_hand_worked_step():
    mean, covariance = kalman_initiate(np.array([[10.0, 20, 0.5, 100]]), np.arange(1.0, 9))
    np.testing.assert_array_equal(mean, [[10, 20, 0.5, 100, 0, 0, 0, 0]])
    mean[0, 4] = 3
    mean, covariance = kalman_predict(mean, covariance, np.full(8, 0.5))
    np.testing.assert_allclose(mean[0, :5], [13, 20, 0.5, 100, 3])
    # x: variance 1 + 5 + 0.5, covariance with its velocity 5, velocity 5.5
    np.testing.assert_allclose(covariance[0, :, 0], [6.5, 5, 5.5])
    expected, variance = kalman_project(mean, covariance, np.full(4, 3.5))
    np.testing.assert_allclose((expected[0, 0], variance[0, 0]), (13, 10))
    mean, covariance = kalman_update(
        mean, covariance, np.array([[14.0, 20, 0.5, 100]]), np.full(4, 3.5)
    )
    np.testing.assert_allclose(mean[0, [0, 4]], [13.65, 3.5])
    np.testing.assert_allclose(covariance[0, :, 0], [6.5 * 0.35, 5 * 0.35, 5.5 - 2.5])


def test_exact_measurement_takes_over_and_useless_one_changes_nothing():
    mean, covariance = kalman_initiate(np.array([[1.0, 2, 3, 4]]), np.ones(8))
    z = np.array([[5.0, 6, 7, 8]])
    exact, certain = kalman_update(mean, covariance, z, np.full(4, 1e-14))
    np.testing.assert_allclose(exact[:, :4], z)
    assert certain[:, 0].max() < 1e-13
    same, unchanged = kalman_update(mean, covariance, z, np.full(4, 1e16))
    np.testing.assert_allclose(same, mean, atol=1e-12)
    np.testing.assert_allclose(unchanged, covariance, atol=1e-12)


def test_distance_of_centres_only_and_of_empty_sets():
    mean, covariance = kalman_initiate(np.array([[0.0, 0, 1, 10]]), np.full(8, 3.0))
    z = np.array([[2.0, 4, 9, 90]])
    assert gating_distance(mean, covariance, z, np.ones(4), dims=2) == pytest.approx((4 + 16) / 4)
    assert gating_distance(mean, covariance, z[:0], np.ones(4)).shape == (1, 0)
    assert gating_distance(mean[:0], covariance[:0], z, np.ones(4)).shape == (0, 1)


def test_gates_are_chi_square_quantiles():
    from scipy.stats import chi2

    for dims, gate in CHI2_95.items():
        assert gate == pytest.approx(chi2.ppf(0.95, dims), abs=1e-4)


def test_lost_height_is_held_only_where_asked_and_only_for_lost_tracks():
    boxes = random_boxes(np.random.default_rng(3), 2)
    for hold, expected in ((True, [7.0, 0.0]), (False, [7.0, 7.0])):
        motion = AspectKalman(hold_lost_height=hold)
        table = table_with(motion, boxes)
        table["mean"][:, 7] = 7
        table.states[:] = [TrackState.TRACKED, TrackState.LOST]
        motion.predict(table, slice(0, 2))
        np.testing.assert_array_equal(table["mean"][:, 7], expected)


def test_scaling_the_scene_scales_the_filter():
    rng = np.random.default_rng(4)
    boxes = random_boxes(rng, 4)
    tables = [table_with(AspectKalman(), boxes * scale) for scale in (1, 8)]
    for _ in range(5):
        new = boxes + rng.normal(0, 3, boxes.shape)
        for table, scale in zip(tables, (1, 8), strict=True):
            AspectKalman().predict(table, slice(0, 4))
            AspectKalman().update(table, np.arange(4), new * scale)
    np.testing.assert_allclose(tables[0].bboxes * 8, tables[1].bboxes, rtol=1e-12)


def test_still_motion_keeps_boxes_and_has_no_distance():
    motion = Motion()
    boxes = random_boxes(np.random.default_rng(5), 3)
    table = table_with(motion, boxes)
    motion.predict(table, slice(0, 3))
    np.testing.assert_array_equal(table.bboxes, boxes)
    motion.update(table, np.array([1]), boxes[:1])
    np.testing.assert_array_equal(table.bboxes[1], boxes[0])
    with pytest.raises(ValueError, match=r"no covariance.*AspectKalman"):
        motion.distance(table, slice(0, 3), boxes)
