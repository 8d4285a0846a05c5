"""Errors of a frame agree with the metrics and are drawn where they are."""

import numpy as np
import pytest

from mmdeepmot.evaluation.functional.by_motmetrics import count_by_motmetrics
from mmdeepmot.evaluation.functional.preprocess import scoring_frames
from mmdeepmot.evaluation.functional.sequence import GtRole, TrackingSequence
from mmdeepmot.visualization.errors import (
    FALSE_POSITIVE_COLOR,
    MATCH_COLOR,
    MISS_COLOR,
    SWITCH_COLOR,
    FrameErrors,
    draw_errors,
    find_errors,
)

A, B, FAR = [10.0, 10.0, 30.0, 60.0], [100.0, 10.0, 120.0, 60.0], [200.0, 80.0, 230.0, 140.0]
NONE = np.zeros((0, 4))
NO_IDS = np.zeros((0, 2), dtype=np.int64)


def sequence(gt: list[tuple], pred: list[tuple], roles: list[int] | None = None):
    def columns(rows: list[tuple]) -> tuple:
        return (
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[1] for row in rows], dtype=np.int64),
            np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
        )

    gt_roles = np.array(roles if roles is not None else [GtRole.COUNTED] * len(gt))
    return TrackingSequence("seq", *columns(gt), gt_roles, *columns(pred))


def test_hand_case_match_switch_false_positive_and_miss():
    gt = [(1, 1, A), (1, 2, B), (2, 1, A), (2, 2, B), (4, 1, A)]
    pred = [(1, 7, A), (1, 8, B), (2, 9, A), (2, 5, FAR), (4, 9, A)]
    errors = find_errors(sequence(gt, pred))
    assert sorted(errors) == [1, 2, 4]
    np.testing.assert_array_equal(errors[1].matched, [A, B])
    assert errors[1].switched.shape == (0, 4)
    assert errors[1].switched_ids.shape == (0, 2)
    np.testing.assert_array_equal(errors[2].switched, [A])
    assert errors[2].switched_ids.tolist() == [[7, 9]]
    np.testing.assert_array_equal(errors[2].false_positives, [FAR])
    np.testing.assert_array_equal(errors[2].misses, [B])
    np.testing.assert_array_equal(errors[4].matched, [A])


def test_results_on_ignored_boxes_are_no_errors():
    gt = [(1, 1, A), (1, 2, B)]
    errors = find_errors(sequence(gt, [(1, 5, B)], [GtRole.COUNTED, GtRole.IGNORED]))
    assert len(errors[1].false_positives) == 0
    np.testing.assert_array_equal(errors[1].misses, [A])


def test_empty_sequences():
    assert find_errors(sequence([], [])) == {}
    assert len(find_errors(sequence([(3, 1, A)], []))[3].misses) == 1
    assert len(find_errors(sequence([], [(3, 1, A)]))[3].false_positives) == 1


def test_sums_equal_the_metric():
    rng = np.random.default_rng(3)
    gt, pred, roles = [], [], []
    for frame in range(1, 40):
        for identity in range(1, 8):
            box = np.array([identity * 40.0 + frame, 20.0, identity * 40.0 + frame + 30, 100.0])
            gt.append((frame, identity, box))
            roles.append(GtRole.IGNORED if identity == 7 else GtRole.COUNTED)
            if rng.random() < 0.8:
                given = identity if rng.random() < 0.9 else identity + 10 * int(rng.integers(1, 4))
                pred.append((frame, given, box + rng.normal(0, 4, 4)))
    whole = sequence(gt, pred, roles)
    errors = find_errors(whole).values()
    counts, _ = count_by_motmetrics(scoring_frames(whole))
    assert counts.switches > 5
    assert sum(len(one.switched) for one in errors) == counts.switches
    assert sum(len(one.matched) + len(one.switched) for one in errors) == counts.matches
    assert sum(len(one.misses) for one in errors) == counts.misses
    assert sum(len(one.false_positives) for one in errors) == counts.false_positives


def test_each_kind_is_drawn_in_its_colour():
    image = np.full((240, 320, 3), 100, dtype=np.uint8)
    errors = FrameErrors(
        matched=np.array([[20.0, 60.0, 60.0, 160.0]]),
        switched=np.array([[90.0, 60.0, 130.0, 160.0]]),
        switched_ids=np.array([[3, 11]]),
        false_positives=np.array([[160.0, 60.0, 200.0, 160.0]]),
        misses=np.array([[230.0, 60.0, 290.0, 160.0]]),
    )
    drawn = draw_errors(image, errors, frame_number=4)
    np.testing.assert_array_equal(drawn[120, 20], MATCH_COLOR)
    np.testing.assert_array_equal(drawn[120, 90], SWITCH_COLOR)
    np.testing.assert_array_equal(drawn[120, 160], FALSE_POSITIVE_COLOR)
    side = (drawn[60:160, 230] == MISS_COLOR).all(axis=1)
    assert 0.3 < side.mean() < 0.7  # dashed
    np.testing.assert_array_equal(image, np.full_like(image, 100))


@pytest.mark.parametrize("far", [1e12, -1e12])
def test_boxes_far_outside_are_drawn_in_no_time(far):
    image = np.zeros((60, 80, 3), dtype=np.uint8)
    box = np.array([[min(far, 5.0), 5.0, max(far, 20.0), 40.0]])
    errors = FrameErrors(NONE, NONE, NO_IDS, NONE, box)
    assert draw_errors(image, errors).any()


def test_a_frame_without_anything_shows_the_counts_only():
    image = np.zeros((120, 400, 3), dtype=np.uint8)
    drawn = draw_errors(image, FrameErrors(NONE, NONE, NO_IDS, NONE, NONE))
    assert drawn[:20].any()
    assert not drawn[40:].any()
