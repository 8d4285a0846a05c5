"""Sequences in memory, and MOTChallenge's rule for ignored boxes."""

import numpy as np
import pytest

from mmdeepmot.evaluation.functional import (
    GtRole,
    TrackingSequence,
    matched_to_ignored,
    scoring_frames,
)

C, IG, B = GtRole.COUNTED, GtRole.IGNORED, GtRole.BYSTANDER


def sequence(gt: list, pred: list) -> TrackingSequence:
    """gt: (frame, id, box, role); pred: (frame, id, box); boxes xyxy px."""
    return TrackingSequence(
        "street",
        np.array([row[0] for row in gt], dtype=np.int64),
        np.array([row[1] for row in gt], dtype=np.int64),
        np.array([row[2] for row in gt], dtype=float).reshape(-1, 4),
        np.array([row[3] for row in gt], dtype=np.int64),
        np.array([row[0] for row in pred], dtype=np.int64),
        np.array([row[1] for row in pred], dtype=np.int64),
        np.array([row[2] for row in pred], dtype=float).reshape(-1, 4),
    )


def test_result_matched_to_an_ignored_box_is_removed() -> None:
    overlaps = np.array([[0.9, 0.0, 0.0], [0.0, 0.7, 0.3]])
    assert matched_to_ignored(overlaps, np.array([C, IG])).tolist() == [False, True, False]


def test_the_matching_takes_all_boxes_of_the_ground_truth() -> None:
    # One result on a person and on a distractor: it belongs to the box that it fits better.
    assert matched_to_ignored(np.array([[0.8], [0.6]]), np.array([C, IG])).tolist() == [False]
    assert matched_to_ignored(np.array([[0.6], [0.8]]), np.array([C, IG])).tolist() == [True]
    # A bystander (a car, say) can take a result away from a distractor: then it stays.
    assert matched_to_ignored(np.array([[0.8], [0.6]]), np.array([B, IG])).tolist() == [False]
    # The sum of overlaps decides: 0.55 + 0.9 beats 0.8 alone.
    overlaps = np.array([[0.8, 0.55], [0.9, 0.0]])
    assert matched_to_ignored(overlaps, np.array([IG, C])).tolist() == [False, True]


@pytest.mark.parametrize(("overlap", "removed"), [(0.5, True), (0.499, False)])
def test_the_threshold_is_inclusive(overlap: float, removed: bool) -> None:
    assert matched_to_ignored(np.array([[overlap]]), np.array([IG])).tolist() == [removed]


def test_two_results_on_one_ignored_box_lose_only_the_matched_one() -> None:
    assert matched_to_ignored(np.array([[0.9, 0.8]]), np.array([IG])).tolist() == [True, False]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_no_boxes(shape: tuple[int, int]) -> None:
    out = matched_to_ignored(np.zeros(shape), np.full(shape[0], IG))
    assert out.shape == (shape[1],)
    assert not out.any()


def test_frames_hold_only_what_counts() -> None:
    person, distractor, car = [0, 0, 10, 20], [50, 0, 60, 20], [100, 0, 140, 20]
    frames = scoring_frames(
        sequence(
            gt=[(7, 40, person, C), (7, 90, distractor, IG), (7, 91, car, B), (9, 12, person, C)],
            pred=[(7, 5, distractor), (7, 3, [0, 0, 10, 10]), (8, 3, person), (7, 8, car)],
        )
    )
    assert frames.num_removed == 1
    assert [ids.tolist() for ids in frames.gt_ids] == [[1], [], [0]]  # 12 -> 0, 40 -> 1
    assert [ids.tolist() for ids in frames.pred_ids] == [[0, 1], [0], []]  # 3 -> 0, 8 -> 1
    assert frames.overlaps[0].tolist() == [[0.5, 0.0]]
    assert [part.shape for part in frames.overlaps] == [(1, 2), (0, 1), (1, 0)]
    assert (frames.num_gt, frames.num_pred, frames.num_gt_ids, frames.num_pred_ids) == (2, 3, 2, 2)


def test_empty_sequence() -> None:
    frames = scoring_frames(sequence([], []))
    assert (frames.num_gt, frames.num_pred, frames.num_gt_ids, frames.num_removed) == (0, 0, 0, 0)


def test_errors_name_sequence_and_frame() -> None:
    box = [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r"street, frame 4: the results .* identity 3 more than"):
        sequence([], [(4, 3, box), (3, 3, box), (4, 3, box)])
    with pytest.raises(ValueError, match=r"street, frame 2: the ground truth .* identity 1 more"):
        sequence([(2, 1, box, C), (2, 1, box, C)], [])
    with pytest.raises(ValueError, match=r"street, frame 6: pred_bboxes must be finite, got \[nan"):
        sequence([], [(6, 3, [np.nan, 0, 1, 1])])
    with pytest.raises(ValueError, match=r"gt_roles must have shape \(1,\).*got \(2,\)"):
        one, none = np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64)
        TrackingSequence(
            "street",
            one,
            one,
            np.zeros((1, 4)),
            np.zeros(2, np.int64),
            none,
            none,
            np.zeros((0, 4)),
        )


def test_ignored_boxes_may_share_an_identity() -> None:
    box = [0, 0, 1, 1]
    assert sequence([(1, -1, box, IG), (1, -1, box, IG)], []).num_counted == 0
