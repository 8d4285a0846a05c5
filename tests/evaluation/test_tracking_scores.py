"""CLEAR MOT, identity metrics and HOTA on scenes worked by hand, with both evaluators."""

import math
import time

import numpy as np
import pytest

from mmdeepmot.evaluation import OVERALL, evaluate_tracking
from mmdeepmot.evaluation.functional import GtRole, TrackingSequence
from mmdeepmot.evaluation.tracking import EVALUATORS

Paths = dict[int, list[float | None]]


def rows(paths: Paths) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Identity -> left edge in each frame (None: absent); boxes are 10 x 10 px."""
    found = [
        (frame, identity, left)
        for identity, lefts in paths.items()
        for frame, left in enumerate(lefts)
        if left is not None
    ]
    frames = np.array([row[0] for row in found], dtype=np.int64)
    ids = np.array([row[1] for row in found], dtype=np.int64)
    left = np.array([row[2] for row in found], dtype=float)
    return frames, ids, np.stack([left, 0 * left, left + 10, 0 * left + 10], axis=1)


def scene(gt: Paths, pred: Paths, name: str = "scene") -> TrackingSequence:
    frames, ids, boxes = rows(gt)
    roles = np.full(len(ids), GtRole.COUNTED, dtype=np.int64)
    return TrackingSequence(name, frames, ids, boxes, roles, *rows(pred))


def random_scene(seed: int, frames: int = 7) -> TrackingSequence:
    """Objects far apart, each with at most one result near it, and a false track in each frame.

    Seven frames: no trajectory is matched in exactly 80% of them, where the evaluators differ.
    """
    rng = np.random.default_rng(seed)
    gt: Paths = {i: [100.0 * i + 5 * t for t in range(frames)] for i in range(1, 6)}
    pred: Paths = {99: [-500.0 - t for t in range(frames)]}
    for i, lefts in gt.items():
        for t, left in enumerate(lefts):
            if rng.random() < 0.75:
                identity = 10 * i + int(rng.integers(2))
                shift = float(rng.choice([0, 1, 2, 6]))  # 6 px: IoU 0.25, no match
                pred.setdefault(identity, [None] * frames)[t] = left + shift
    return scene(gt, pred, f"random {seed}")


SCENES = {
    # Two objects, both found all the time.
    "perfect": (
        scene({1: [0, 1, 2, 3], 2: [50, 51, 52, 53]}, {7: [0, 1, 2, 3], 8: [50, 51, 52, 53]}),
        dict(MOTA=100, IDF1=100, HOTA=100, DetA=100, AssA=100, MOTP=100, IDs=0, FP=0, FN=0, Frag=0,
             MT=2, PT=0, ML=0, Prec=100, Rec=100, IDP=100, IDR=100, GT=8, Tracks=2),
    ),
    # One object of ten frames, missed in two in the middle: detection 8/10, association 8/10.
    # Being found in exactly 80% is "mostly tracked" for motmetrics only: see the test below.
    "misses": (
        scene({1: list(range(10))}, {1: [0, 1, 2, None, None, 5, 6, 7, 8, 9]}),
        dict(MOTA=80, IDF1=100 * 16 / 18, HOTA=80, DetA=80, AssA=80, MOTP=100, IDs=0, FP=0, FN=2,
             ML=0, Prec=100, Rec=80, IDP=100, IDR=80, GT=10, Tracks=1),
    ),
    # A false track of five frames: detection 10/15, association 1.
    "false alarms": (
        scene({1: list(range(10))}, {1: list(range(10)), 2: [80.0] * 5}),
        dict(MOTA=50, IDF1=80, HOTA=100 * math.sqrt(10 / 15), DetA=100 * 10 / 15, AssA=100, IDs=0,
             FP=5, FN=0, Frag=0, MT=1, Prec=100 * 10 / 15, Rec=100, IDP=100 * 10 / 15, IDR=100),
    ),
    # Six frames as 1, four as 2: association (6 * 6/10 + 4 * 4/10) / 10 = 0.52.
    "switch": (
        scene({1: list(range(10))}, {1: list(range(6)), 2: [None] * 6 + list(range(6, 10))}),
        dict(MOTA=90, IDF1=60, HOTA=100 * math.sqrt(0.52), DetA=100, AssA=52, IDs=1, FP=0, FN=0,
             Frag=0, MT=1, Prec=100, Rec=100, IDP=60, IDR=60),
    ),
    # Two objects whose identities are exchanged half way: association 5 / (5 + 5 + 5).
    "swap": (
        scene(
            {1: [0.0] * 10, 2: [50.0] * 10},
            {1: [0.0] * 5 + [50.0] * 5, 2: [50.0] * 5 + [0.0] * 5},
        ),
        dict(MOTA=90, IDF1=50, HOTA=100 * math.sqrt(1 / 3), DetA=100, AssA=100 / 3, IDs=2, FP=0,
             FN=0, Frag=0, MT=2, IDP=50, IDR=50, GT=20, Tracks=2),
    ),
    # Boxes of 10 px, 2 px aside: IoU 8/12. HOTA's thresholds 0.05 ... 0.65 are passed: 13 of 19.
    "shifted": (
        scene({1: [0, 1, 2, 3]}, {1: [2, 3, 4, 5]}),
        dict(MOTA=100, MOTP=100 * 8 / 12, IDF1=100, HOTA=100 * 13 / 19, DetA=100 * 13 / 19),
    ),
    # Too far aside to match (IoU 0.25): misses and false alarms at once.
    "beside": (
        scene({1: [0, 1, 2, 3]}, {1: [6, 7, 8, 9]}),
        dict(MOTA=-100, MOTP=math.nan, IDF1=0, IDs=0, FP=4, FN=4, ML=1, MT=0, Prec=0, Rec=0),
    ),
    "no results": (
        scene({1: [0, 1, 2, 3], 2: [50, 51, None, None]}, {}),
        dict(MOTA=0, MOTP=math.nan, IDF1=0, HOTA=0, DetA=0, AssA=0, IDs=0, FP=0, FN=6, Frag=0, MT=0,
             PT=0, ML=2, Prec=math.nan, Rec=0, IDP=math.nan, IDR=0, GT=6, Tracks=2),
    ),
    # Results outside the time of the only object are false alarms.
    "another time": (
        scene({1: [0, 1, None, None]}, {1: [None, None, 2, 3]}),
        dict(MOTA=-100, IDF1=0, HOTA=0, FP=2, FN=2, ML=1, IDP=0, IDR=0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("name", SCENES)
def test_scenes_worked_by_hand(name: str, evaluator: str) -> None:
    sequence, expected = SCENES[name]
    table = evaluate_tracking([sequence], evaluator=evaluator)
    assert table.rows[sequence.name] == pytest.approx(table.overall, nan_ok=True)
    got = {key: table.overall[key] for key in expected}
    assert got == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("evaluator", "mostly", "partly"), [("motmetrics", 1, 0), ("trackeval", 0, 1)]
)
def test_mostly_tracked_at_exactly_80_percent(evaluator: str, mostly: int, partly: int) -> None:
    overall = evaluate_tracking([SCENES["misses"][0]], evaluator=evaluator).overall
    assert (overall["MT"], overall["PT"], overall["ML"]) == (mostly, partly, 0)


@pytest.mark.parametrize(("evaluator", "fragments"), [("motmetrics", 1), ("trackeval", 0)])
def test_interruption_in_frames_without_any_result(evaluator: str, fragments: int) -> None:
    """trackeval passes over frames that have no result at all; one elsewhere is enough."""
    gt, found = {1: list(range(10))}, [0, 1, 2, None, None, 5, 6, 7, 8, 9]
    overall = evaluate_tracking([scene(gt, {1: found})], evaluator=evaluator).overall
    assert overall["Frag"] == fragments
    busy = scene(gt, {1: found, 2: [500.0] * 10})
    assert evaluate_tracking([busy], evaluator=evaluator).overall["Frag"] == 1


@pytest.mark.parametrize(
    ("evaluator", "switches", "motp"),
    [("motmetrics", 0, 100 * (1 + 1 + 2 / 3) / 3), ("trackeval", 1, 100)],
)
def test_memory_of_partners_after_a_gap(evaluator: str, switches: int, motp: float) -> None:
    """Track 1 is lost for a frame; then 1 (IoU 2/3) and 2 (IoU 1) are both on the object.

    motmetrics returns to the old partner, trackeval takes the better and counts a switch.
    """
    gt = {1: [0.0] * 4}
    pred = {1: [0, 0, None, 2], 2: [None, None, None, 0], 9: [500.0] * 4}
    overall = evaluate_tracking([scene(gt, pred)], evaluator=evaluator).overall
    assert overall["IDs"] == switches
    assert overall["MOTP"] == pytest.approx(motp)


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_an_overlap_of_exactly_the_threshold_matches(evaluator: str) -> None:
    sequence = scene({1: [0.0]}, {1: [0.0]})
    sequence.pred_bboxes[0] = [0, 0, 10, 5]
    assert evaluate_tracking([sequence], evaluator=evaluator).overall["FN"] == 0
    stricter = evaluate_tracking([sequence], evaluator=evaluator, iou_threshold=0.51).overall
    assert (stricter["FN"], stricter["FP"], stricter["IDF1"]) == (1, 1, 0)


@pytest.mark.parametrize("seed", range(8))
def test_evaluators_agree_where_matches_are_forced(seed: int) -> None:
    sequence = random_scene(seed)
    one = evaluate_tracking([sequence], evaluator="motmetrics").overall
    two = evaluate_tracking([sequence], evaluator="trackeval").overall
    assert one == pytest.approx(two, abs=1e-9)
    assert one["IDs"] > 0
    assert one["Frag"] > 0


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_order_names_and_start_do_not_matter(evaluator: str) -> None:
    sequence = random_scene(3)
    rng = np.random.default_rng(0)
    gt, pred = rng.permutation(len(sequence.gt_ids)), rng.permutation(len(sequence.pred_ids))
    other = TrackingSequence(
        sequence.name,
        sequence.gt_frames[gt] + 1000,
        1_000_003 - sequence.gt_ids[gt],
        sequence.gt_bboxes[gt],
        sequence.gt_roles[gt],
        sequence.pred_frames[pred] + 1000,
        sequence.pred_ids[pred] ** 2,
        sequence.pred_bboxes[pred],
    )
    expected = evaluate_tracking([sequence], evaluator=evaluator).overall
    assert evaluate_tracking([other], evaluator=evaluator).overall == pytest.approx(expected)


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_overall_is_made_of_summed_counts(evaluator: str) -> None:
    long = scene({1: list(range(10))}, {1: list(range(10))}, "long")
    short = scene({1: [0, 1]}, {}, "short")
    table = evaluate_tracking([long, short], evaluator=evaluator)
    assert list(table.rows) == ["long", "short", OVERALL]
    assert table.rows["long"]["MOTA"] == 100
    assert table.rows["short"]["MOTA"] == 0
    assert table.overall["MOTA"] == pytest.approx(100 * 10 / 12)
    assert table.overall["IDF1"] == pytest.approx(100 * 20 / 22)
    assert table.overall["MOTP"] == 100  # of the matches there are
    assert table.overall["DetA"] == pytest.approx(100 * 10 / 12)
    assert table.overall["AssA"] == pytest.approx(100)
    assert (table.overall["GT"], table.overall["Tracks"], table.overall["ML"]) == (12, 2, 1)


def test_identities_of_two_sequences_have_nothing_in_common() -> None:
    # The same identity numbers in both sequences, for other objects: no switch.
    first = scene({1: [0, 1]}, {5: [0, 1]}, "a")
    second = scene({1: [0, 1]}, {6: [0, 1]}, "b")
    overall = evaluate_tracking([first, second]).overall
    assert (overall["IDs"], overall["IDF1"], overall["Tracks"]) == (0, 100, 2)


def test_ignored_boxes_are_neither_rewarded_nor_punished() -> None:
    sequence = scene({1: [0, 1, 2], 2: [50, 51, 52]}, {1: [0, 1, 2], 2: [50, 51, 52]})
    sequence.gt_roles[sequence.gt_ids == 2] = GtRole.IGNORED
    table = evaluate_tracking([sequence])
    assert (table.overall["MOTA"], table.overall["HOTA"], table.overall["GT"]) == (100, 100, 3)
    assert "3 results on ignored boxes" in table.to_text()
    sequence.gt_roles[sequence.gt_ids == 2] = GtRole.BYSTANDER
    assert evaluate_tracking([sequence]).overall["FP"] == 3


def test_sequences_without_ground_truth_are_left_out_and_named() -> None:
    good, bare = scene({1: [0.0]}, {1: [0.0]}, "good"), scene({}, {1: [0.0]}, "bare")
    table = evaluate_tracking([bare, good])
    assert list(table.rows) == ["good", OVERALL]
    assert table.notes == ("1 sequences without ground truth were left out: bare",)
    with pytest.raises(ValueError, match=r"none of 1 sequences has a box that counts: \['bare'\]"):
        evaluate_tracking([bare])
    with pytest.raises(ValueError, match="each sequence needs a name of its own"):
        evaluate_tracking([good, good])


def test_metrics_are_chosen_and_the_caption_says_who_counted() -> None:
    sequence = SCENES["switch"][0]
    table = evaluate_tracking([sequence], metrics=("HOTA",))
    assert list(table.columns) == ["HOTA", "DetA", "AssA"]
    assert table.caption.startswith("Tracking: HOTA by trackeval ")
    table = evaluate_tracking([sequence], metrics=("CLEAR", "Identity"))
    assert "HOTA" not in table.columns
    assert table.caption.startswith("Tracking: CLEAR, Identity by motmetrics ")
    assert "MOTP: mean overlap (IoU) of matches" in table.caption
    assert table.overall["MOTA"] == 90
    identity = evaluate_tracking([sequence], metrics=("Identity",), evaluator="trackeval")
    assert identity.overall == pytest.approx({"IDF1": 60, "IDP": 60, "IDR": 60})


def test_wrong_options_and_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = SCENES["perfect"][0]
    with pytest.raises(ValueError, match=r"metrics must be some of .*got \('MOTA',\)"):
        evaluate_tracking([sequence], metrics=("MOTA",))
    with pytest.raises(ValueError, match=r"evaluator must be one of .*got 'motmetric'"):
        evaluate_tracking([sequence], evaluator="motmetric")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"iou_threshold must lie in \(0, 1\], got 50"):
        evaluate_tracking([sequence], iou_threshold=50)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install motmetrics"):
        evaluate_tracking([sequence], metrics=("CLEAR",))


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_speed_on_a_sequence_as_large_as_mot17_04(evaluator: str) -> None:
    frames, objects = 1050, 45
    rng = np.random.default_rng(0)
    ids = np.tile(np.arange(objects), frames)
    numbers = np.repeat(np.arange(frames), objects)
    left = rng.uniform(0, 1800, objects)[ids] + 0.1 * numbers
    top = rng.uniform(0, 900, objects)[ids]
    boxes = np.stack([left, top, left + 40, top + 100], axis=1)
    roles = np.zeros(len(ids), dtype=np.int64)
    kept = rng.random(len(ids)) < 0.9
    noisy = boxes[kept] + rng.normal(0, 2, (kept.sum(), 4))
    sequence = TrackingSequence(
        "large",
        numbers,
        ids,
        boxes,
        roles,
        numbers[kept],
        ids[kept] + 100 * (numbers[kept] // 90),
        noisy,
    )
    evaluate_tracking([SCENES["switch"][0]], evaluator=evaluator)  # imports are not timed
    start = time.perf_counter()
    table = evaluate_tracking([sequence], evaluator=evaluator)
    elapsed = time.perf_counter() - start
    assert table.overall["GT"] == frames * objects
    assert elapsed < 6, f"{elapsed:.1f} s (about 1 s on a free core)"
