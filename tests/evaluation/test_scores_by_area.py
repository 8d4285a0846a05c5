"""Figures of small, medium and large objects: by hand, and against plain implementations."""

import math

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmdeepmot.evaluation import OVERALL, ScoreTable
from mmdeepmot.evaluation.by_area import area_table, join_area_tables, switches_by_area
from mmdeepmot.evaluation.functional import (
    FAIRMOT_LIMITS,
    AreaLimits,
    DetectionImage,
    GtRole,
    TrackingSequence,
    average_precision,
    average_precision_by_area,
    scoring_frames,
    switch_areas,
    tpr_at_far,
    tpr_by_area,
)
from mmdeepmot.evaluation.metrics import DetectionMetric, EmbeddingMetric, MOTMetric
from mmdeepmot.evaluation.tracking import evaluate_tracking
from mmdeepmot.structures.boxes import box_area, iou_matrix

LIMITS = AreaLimits(100, 400)
SMALL, MEDIUM, LARGE = [0, 0, 5, 10], [100, 0, 110, 20], [200, 0, 220, 40]
"""Areas 50, 200 and 800."""
FAR_SMALL = [900, 0, 905, 10]


def image(gt: list, detections: list, ignore: list | None = None) -> DetectionImage:
    """gt, ignore: xyxy boxes; detections: (score, box). All of class 0."""
    regions = ignore or []
    return DetectionImage(
        "i",
        np.array([*gt, *regions], dtype=float).reshape(-1, 4),
        np.zeros(len(gt) + len(regions), dtype=np.int64),
        np.array([False] * len(gt) + [True] * len(regions), dtype=bool),
        np.array([box for _, box in detections], dtype=float).reshape(-1, 4),
        np.array([score for score, _ in detections], dtype=float),
        np.zeros(len(detections), dtype=np.int64),
    )


# ------------------------------------------------------------------------------------ limits


def test_a_box_at_a_limit_is_medium() -> None:
    assert FAIRMOT_LIMITS == (6000, 25000)
    limits = AreaLimits.of(FAIRMOT_LIMITS)
    areas = np.array([0, 5999.99, 6000, 25000, 25000.01, 1e9])
    assert limits.sizes(areas).tolist() == [0, 0, 1, 1, 2, 2]
    assert limits.sizes(np.zeros(0)).tolist() == []
    for size, (low, high) in enumerate(limits.closed_ranges):
        inside = (areas >= low) & (areas <= high)
        assert inside.tolist() == (limits.sizes(areas) == size).tolist()
    at_limits = image([[0, 0, 60, 100], [200, 0, 300, 250]], [(0.9, [0, 0, 60, 100])])
    assert average_precision_by_area([at_limits], limits).num_gt.tolist() == [0, 2, 0]


@pytest.mark.parametrize("limits", [(0, 1), (5, 5), (6, 5), (1, math.inf), (math.nan, 5)])
def test_limits_must_rise(limits: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"0 < first < second \(FairMOT: 6000 25000\), got"):
        AreaLimits.of(limits)
    with pytest.raises(ValueError, match=r"two limits in px\^2 .*got \(6000,\)"):
        AreaLimits.of((6000,))


# --------------------------------------------------------------------------- average precision


def by_area(images: list[DetectionImage], limits: AreaLimits = LIMITS) -> list[float]:
    return average_precision_by_area(images, limits).average_precision[:, 0].tolist()


def test_each_size_is_scored_by_itself() -> None:
    detections = [(0.9, SMALL), (0.8, LARGE)]
    assert by_area([image([SMALL, MEDIUM, LARGE], detections)]) == pytest.approx([100, 0, 100])


def test_a_false_alarm_belongs_to_its_own_size() -> None:
    # Before the right one it halves the small objects' precision, and no other's.
    detections = [(0.95, FAR_SMALL), (0.9, SMALL), (0.8, MEDIUM), (0.7, LARGE)]
    assert by_area([image([SMALL, MEDIUM, LARGE], detections)]) == pytest.approx([50, 100, 100])


def test_a_detection_of_another_size_that_matches_counts() -> None:
    # 8x10 on 5x10: IoU 0.625. Limit 60: the object is small, the detection is not.
    limits = AreaLimits(60, 400)
    one = image([SMALL, MEDIUM], [(0.95, [0, 0, 8, 10]), (0.9, MEDIUM)])
    assert by_area([one], limits)[:2] == pytest.approx([100, 100])
    # 4.9x10 below the limit of 50 on the medium 5x10: found, and no false alarm of small ones.
    limits = AreaLimits(50, 400)
    one = image([SMALL, [300, 0, 304, 10]], [(0.95, [0, 0, 4.9, 10]), (0.9, [300, 0, 304, 10])])
    assert by_area([one], limits)[:2] == pytest.approx([100, 100])


def test_ignored_regions_swallow_detections_of_every_size() -> None:
    region = [500, 0, 600, 100]
    detections = [(0.95, [500, 0, 505, 10]), (0.94, [500, 0, 520, 40]), (0.9, SMALL), (0.8, LARGE)]
    assert by_area([image([SMALL, LARGE], detections, [region])])[::2] == pytest.approx([100, 100])


def test_a_size_without_ground_truth_is_undefined() -> None:
    scores = average_precision_by_area([image([SMALL], [(0.9, SMALL)])], LIMITS, (0.5, 0.75))
    assert scores.average_precision.shape == (3, 2)
    assert scores.average_precision[0] == pytest.approx([100, 100])
    assert np.isnan(scores.average_precision[1:]).all()
    assert scores.num_gt.tolist() == [1, 0, 0]
    with pytest.raises(ValueError, match="none of 1 images has a box that counts"):
        average_precision_by_area([image([], [(0.9, SMALL)], [LARGE])], LIMITS)


def test_classes_without_a_box_of_the_size_are_left_out_of_its_mean() -> None:
    one = image([SMALL, LARGE], [(0.9, SMALL), (0.8, LARGE)])
    one.gt_labels = np.array([0, 1])
    one.labels = np.array([0, 0])  # the large one has the wrong class
    assert by_area([one])[::2] == pytest.approx([100, 0])


def naive_ap(images: list[DetectionImage], low: float, high: float) -> float:
    """COCO's rule for a range of areas written down again; one class, no crowds."""
    found = []
    total = 0
    for one in images:
        wanted = (box_area(one.gt_bboxes) >= low) & (box_area(one.gt_bboxes) <= high)
        total += int(wanted.sum())
        overlaps = iou_matrix(one.bboxes, one.gt_bboxes)
        free = np.ones(len(wanted), dtype=bool)
        for row in np.argsort(-one.scores):
            hit, ignored = False, not low <= box_area(one.bboxes[row]) <= high
            for group in (wanted, ~wanted):
                candidates = np.where(free & group, overlaps[row], -1.0)
                if candidates.max(initial=-1.0) >= 0.5:
                    free[candidates.argmax()] = False
                    hit, ignored = True, bool((group == ~wanted).all())
                    break
            if not ignored:
                found.append((one.scores[row], hit))
    hits = np.array([hit for _, hit in sorted(found, key=lambda pair: -pair[0])])
    recall, precision = np.cumsum(hits) / total, np.cumsum(hits) / np.arange(1, len(hits) + 1)
    points = [max(precision[recall >= r], default=0.0) for r in np.linspace(0, 1, 101)]
    return 100 * float(np.mean(points))


@pytest.mark.parametrize("seed", range(3))
def test_against_a_plain_implementation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = []
    for _ in range(10):
        corner = rng.uniform(0, 300, (14, 2))
        gt = np.concatenate([corner, corner + rng.uniform(30, 90, (14, 2))], axis=1)
        boxes = np.concatenate([gt[rng.random(14) < 0.8], gt[:3] + 500])
        boxes = boxes + rng.normal(0, 5, boxes.shape)
        images.append(image(gt.tolist(), list(zip(rng.random(len(boxes)), boxes, strict=True))))
    limits = AreaLimits(2500, 4500)
    got = average_precision_by_area(images, limits)
    expected = [naive_ap(images, *ends) for ends in limits.closed_ranges]
    assert got.average_precision[:, 0] == pytest.approx(expected)
    assert len(set(got.average_precision[:, 0].round(6))) == 3
    assert got.num_gt.sum() == 140 and got.num_gt.min() > 10
    everything = average_precision_by_area(images, AreaLimits(1e-9, 1e9)).average_precision
    assert everything[1] == pytest.approx(average_precision(images).average_precision)


# ------------------------------------------------------------------------------- embeddings


def test_pairs_of_one_size_are_compared() -> None:
    x, y = [1.0, 0.0], [0.0, 1.0]
    embeddings = np.array([x, x, y, y, x, y, y, x])
    identities = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    areas = np.array([50.0] * 4 + [200.0] * 4)
    small, medium, large = tpr_by_area(embeddings, identities, areas, LIMITS, far=(0.0,))
    assert small is not None and small.tpr.tolist() == [100]  # two clean pairs
    assert medium is not None and medium.tpr.tolist() == [0]  # both identities look both ways
    assert (small.num_positives, small.num_negatives) == (2, 4)
    assert large is None


def test_a_size_without_pairs_is_undefined() -> None:
    embeddings = np.eye(6)
    areas = np.array([50.0, 50, 200, 200, 800, 800])
    identities = np.array([0, 0, 1, 2, 3, -1])  # no others; none of one; one box
    assert tpr_by_area(embeddings, identities, areas, LIMITS) == [None, None, None]


def test_each_size_is_the_score_of_its_boxes_alone() -> None:
    rng = np.random.default_rng(0)
    identities, areas = rng.integers(-1, 5, 90), rng.uniform(10, 900, 90)
    embeddings = rng.normal(size=(90, 8)) + 2 * np.eye(8)[identities]
    for size, one in enumerate(tpr_by_area(embeddings, identities, areas, LIMITS, (0.1, 0.01))):
        rows = LIMITS.sizes(areas) == size
        expected = tpr_at_far(embeddings[rows], identities[rows], (0.1, 0.01))
        assert one is not None and one.tpr.tolist() == expected.tpr.tolist()


# --------------------------------------------------------------------------------- switches


def sequence(gt: list, pred: list, name: str = "s") -> TrackingSequence:
    """Rows (frame, identity, left, side) of square boxes."""

    def columns(rows: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        table = np.array(rows, dtype=float).reshape(-1, 4)
        left, side = table[:, 2], table[:, 3]
        boxes = np.stack([left, 0 * left, left + side, side], axis=1)
        return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), boxes

    frames, ids, boxes = columns(gt)
    roles = np.full(len(ids), GtRole.COUNTED, dtype=np.int64)
    return TrackingSequence(name, frames, ids, boxes, roles, *columns(pred))


# Object 1 grows: sides 8, 8, 12, 12, 24, 24 px (areas 64, 144, 576). Object 2 stays at 8 px.
SIDES = [8, 8, 12, 12, 24, 24]
GROWING = [(t, 1, 0, side) for t, side in enumerate(SIDES)] + [(t, 2, 300, 8) for t in range(6)]


def found(first: list[int | None], second: list[int | None]) -> list:
    """Results exactly on both objects, under the identities given (None: missed)."""
    rows = [(t, i, 0, SIDES[t]) for t, i in enumerate(first) if i is not None]
    return rows + [(t, i, 300, 8) for t, i in enumerate(second) if i is not None]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1] * 6, [2] * 6, [0, 0, 0]),
        # object 1 switches as a small, as a medium and as a large one
        ([1, 3, 4, 4, 4, 5], [2] * 6, [1, 1, 1]),
        # lost as a small one, found by another as a large one: a switch of large objects
        ([1, None, None, None, 3, 3], [2] * 6, [0, 0, 1]),
        # found again by its own: none. Object 2 changes twice, always small.
        ([1, None, None, 1, 1, 1], [2, 2, 6, 6, 2, 2], [2, 0, 0]),
        # the two exchange their identities in frame 2: one medium, one small
        ([1, 1, 2, 2, 2, 2], [2, 2, 1, 1, 1, 1], [1, 1, 0]),
        ([None] * 6, [None] * 6, [0, 0, 0]),
    ],
)
def test_switches_belong_to_the_size_at_their_frame(
    first: list, second: list, expected: list[int]
) -> None:
    one = sequence(GROWING, found(first, second))
    table = switches_by_area([one], LIMITS)
    assert [row["IDs"] for row in table.rows.values()] == [*expected, sum(expected)]
    assert [row["GT"] for row in table.rows.values()] == [8, 2, 2, 12]
    assert table.overall["IDs"] == evaluate_tracking([one], ("CLEAR",)).overall["IDs"]


def test_sequences_add_up_and_order_does_not_matter() -> None:
    one = sequence(GROWING, found([1, 3, 4, 4, 4, 5], [2] * 6))
    rows = found([1, 1, 2, 2, 2, 2], [2, 2, 1, 1, 1, 1])
    other = sequence(GROWING[::-1], rows[::-1], "other")
    table = switches_by_area([one, other], LIMITS)
    assert [row["IDs"] for row in table.rows.values()] == [2, 2, 1, 5]
    assert switches_by_area([other, one], LIMITS) == table
    assert switch_areas(scoring_frames(one)).tolist() == [64, 144, 576]


def test_ignored_objects_have_no_switches() -> None:
    one = sequence(GROWING, found([1, 3, 4, 4, 4, 5], [2] * 6))
    one.gt_roles[one.gt_ids == 1] = GtRole.IGNORED
    table = switches_by_area([one], LIMITS)
    assert [row["IDs"] for row in table.rows.values()] == [0, 0, 0, 0]
    assert [row["GT"] for row in table.rows.values()] == [6, 0, 0, 6]


# ---------------------------------------------------------------------------- tables, metrics


def test_tables_are_joined_side_by_side() -> None:
    one = area_table(LIMITS, "One.", {"IDs": 0, "GT": 0}, {"IDs": [1, 2, 3], "GT": [4, 5, 6]},
                     {"IDs": 6, "GT": 15, "MOTA": 1})  # fmt: skip
    two = area_table(LIMITS, "Two.", {"AP": 1, "GT": 0}, {"AP": [9, 8, math.nan], "GT": [0, 0, 0]},
                     {"AP": 7.25, "GT": 0})  # fmt: skip
    joined = join_area_tables([one, two])
    assert isinstance(joined, ScoreTable)
    assert joined.to_text().splitlines() == [
        "By area of the ground-truth box, px^2 of the original image: small < 100 <= medium <= 400 "
        "< large.",
        "One.",
        "Two.",
        "Size     IDs  GT   AP",
        "small      1   4  9.0",
        "medium     2   5  8.0",
        "large      3   6    -",
        "OVERALL    6  15  7.2",
    ]
    assert join_area_tables([]) is None


def frames() -> list[DetDataSample]:
    """Three objects, one of each size, in four frames; the large one changes its identity."""
    samples = []
    boxes = torch.tensor([SMALL, MEDIUM, LARGE], dtype=torch.float32)
    for index in range(4):
        sample = DetDataSample(
            metainfo=dict(video_name="a", frame_id=index, frame_number=index + 1)
        )
        labels, scores = torch.zeros(3, dtype=torch.int64), torch.full((3,), 0.9)
        ids = torch.tensor([0, 1, 2])
        sample.gt_instances = InstanceData(bboxes=boxes, labels=labels, instances_ids=ids)
        seen = slice(0, 3) if index else slice(1, 3)  # the small one is missed once
        sample.pred_instances = InstanceData(
            bboxes=boxes[seen], scores=scores[seen], labels=labels[seen]
        )
        sample.pred_track_instances = InstanceData(
            bboxes=boxes, scores=scores, labels=labels, instances_id=ids + 10 * (index > 1)
        )
        sample.pred_track_instances.instances_id[:2] = ids[:2]
        sample.pred_embeddings = InstanceData(
            embeddings=torch.eye(3), instances_ids=ids, bboxes=boxes
        )
        samples.append(sample)
    return samples


def test_metrics_add_the_figures_of_sizes() -> None:
    areas = (100, 400)
    metrics = [MOTMetric(areas=areas), DetectionMetric(areas=areas), EmbeddingMetric(areas=areas)]
    evaluator = Evaluator(metrics)
    evaluator.process(frames(), data_batch=None)
    figures = evaluator.evaluate(4)
    assert [figures[f"track/IDs/{size}"] for size in ("small", "medium", "large")] == [0, 0, 1]
    assert figures["track/IDs"] == 1
    # three of four found: precision 1 up to recall 0.75, the 76th of 101 points
    assert figures["detection/AP@0.5/small"] == pytest.approx(100 * 76 / 101)
    assert figures["detection/AP@0.5/large"] == 100
    assert figures["detection/GT/medium"] == 4
    assert math.isnan(figures["embedding/TPR@FAR=0.1/small"])  # one identity a size: no others
    assert figures["embedding/TPR@FAR=0.1"] == 100
    tables = [metric.area_table for metric in metrics]
    assert all(table is not None and list(table.rows)[-1] == OVERALL for table in tables)
    plain = Evaluator([DetectionMetric()])
    plain.process(frames(), data_batch=None)
    assert not any("small" in name for name in plain.evaluate(4))


def test_what_areas_need() -> None:
    with pytest.raises(ValueError, match=r"counted by motmetrics .* got evaluator 'trackeval'"):
        MOTMetric(areas=(1, 2), evaluator="trackeval")
    with pytest.raises(ValueError, match="0 < first < second"):
        DetectionMetric(areas=(2, 1))
    sample = frames()[0]
    del sample.pred_embeddings.bboxes
    evaluator = Evaluator([EmbeddingMetric(areas=(1, 2))])
    with pytest.raises(KeyError, match="frame 1: the sample's instances lack 'bboxes'"):
        evaluator.process([sample], data_batch=None)
