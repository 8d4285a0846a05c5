from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mmdeepmot.association import cosine, euclidean, iou, label, mahalanobis
from mmdeepmot.motion import AspectKalman
from mmdeepmot.registry import COSTS
from mmdeepmot.structures import Detections
from mmdeepmot.structures.track_table import TrackTable, TrackView
from mmdeepmot.trackers import MomentumMemory


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    motion, memory = AspectKalman(), MomentumMemory()
    corner = rng.uniform(0, 300, (6, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(30, 90, (6, 2))], axis=1)
    looks = rng.normal(size=(6, 16))
    looks = (looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float32)
    table = TrackTable({**motion.columns(), **memory.columns()})
    rows = table.append(6, labels=[0, 0, 0, 1, 1, 1])
    motion.initiate(table, rows, boxes)
    memory.initiate(table, rows, looks)
    detections = Detections(
        boxes[:4] + 3, np.array([0.9, 0.5, 0.7, 1.0]), np.array([0, 1, 0, 1]), looks[:4]
    )
    return table, detections, SimpleNamespace(motion=motion, memory=memory, frame=None)


ROWS = [slice(0, 6), np.array([4, 0, 2]), np.array([], dtype=int)]


@pytest.mark.parametrize("rows", ROWS)
def test_values_equal_scipy(scene, rows):
    table, detections, context = scene
    view = TrackView(table, rows)
    looks = table["embeddings"][rows]
    shape = (len(view), 4)
    for cost, expected in (
        (cosine, cdist(looks, detections.embeddings, "cosine") if len(view) else np.zeros(shape)),
        (euclidean, cdist(looks, detections.embeddings) if len(view) else np.zeros(shape)),
        (label, (view.labels[:, None] != detections.labels).astype(float)),
    ):
        got = cost(view, detections, context)
        assert got.shape == shape
        np.testing.assert_allclose(got, expected, atol=1e-3)
    distance = mahalanobis(view, detections, context)
    assert distance.shape == shape
    assert (mahalanobis(view, detections, context, dims=2) <= distance).all()


def test_iou_cost_and_its_fusion_with_scores(scene):
    table, detections, context = scene
    view = TrackView(table, slice(0, 6))
    plain = iou(view, detections, context)
    fused = iou(view, detections, context, fuse_score=True)
    np.testing.assert_allclose(1 - fused, (1 - plain) * detections.scores)
    w, h = (detections.bboxes[0, 2:] - detections.bboxes[0, :2]).tolist()
    inter = (w - 3) * (h - 3)
    assert plain[0, 0] == pytest.approx(1 - inter / (2 * w * h - inter))


def test_euclidean_and_cosine_agree(scene):
    table, detections, context = scene
    view = TrackView(table, slice(0, 6))
    np.testing.assert_allclose(
        euclidean(view, detections, context) ** 2 / 2,
        np.maximum(cosine(view, detections, context), 0),
        atol=1e-6,
    )


def test_appearance_without_memory_says_what_to_set(scene):
    table, detections, context = scene
    context.memory = None
    with pytest.raises(ValueError, match=r"memory=dict\(type='MomentumMemory'\)"):
        cosine(TrackView(table, slice(0, 6)), detections, context)


def test_all_costs_are_registered_with_the_one_signature():
    import inspect

    COSTS.import_from_location()
    for name in ("iou", "cosine", "euclidean", "mahalanobis", "label"):
        parameters = list(inspect.signature(COSTS.get(name)).parameters)
        assert parameters[:3] == ["tracks", "detections", "context"]
