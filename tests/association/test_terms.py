"""Sums and minima of costs; listed pairs against matrices."""

from types import SimpleNamespace

import numpy as np
import pytest

from mmdeepmot.association import iou, label
from mmdeepmot.association.costs import pairwise
from mmdeepmot.association.terms import Term, Terms, fuse_min, fuse_sum
from mmdeepmot.structures import Detections
from mmdeepmot.structures.track_table import TrackTable, TrackView


def plain(tracks, detections, context):
    """A cost without a form for listed pairs."""
    return np.zeros((len(tracks), len(detections)))


def crowd(rng, count, span=400.0):
    corner = rng.uniform(0, span, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(10, 120, (count, 2))], axis=1)


def scene(seed, tracks, detections):
    rng = np.random.default_rng(seed)
    table = TrackTable()
    rows = table.append(tracks, labels=rng.integers(0, 2, tracks))
    table.bboxes[:] = crowd(rng, tracks)
    found = Detections(
        crowd(rng, detections), rng.uniform(0, 1, detections), rng.integers(0, 2, detections)
    )
    return TrackView(table, rows), found


def test_sum_weighs_and_gates():
    a, b = np.array([[0.5, 0.2]], np.float32), np.array([[4.0, 20.0]])
    got = fuse_sum([a, b], [Term(plain, {}, 0.98), Term(plain, {}, 0.02, 9.4877)])
    np.testing.assert_allclose(got, [[0.49 + 0.08, np.inf]], rtol=1e-6)
    np.testing.assert_array_equal(b, [[4.0, 20.0]])
    np.testing.assert_array_equal(a, np.array([[0.5, 0.2]], np.float32))
    gate = fuse_sum([a, b], [Term(plain, {}), Term(plain, {}, 0, 10)])
    np.testing.assert_array_equal(gate, [[np.float32(0.5), np.inf]])
    np.testing.assert_array_equal(fuse_sum([b], [Term(plain, {}, 0, 10)]), [[0, np.inf]])


def test_minimum_leaves_out_what_is_above_its_maximum():
    a, b = np.array([[0.5, 0.9, 0.9]]), np.array([[0.4, 0.4, 0.6]])
    got = fuse_min([a, b], [Term(plain, {}), Term(plain, {}, 0.5, 0.5)])
    np.testing.assert_allclose(got, [[0.2, 0.2, 0.9]])


@pytest.mark.parametrize(
    ("terms", "bound"),
    [
        ([Term(iou, {})], 0.7),
        ([Term(iou, {})], 1.0),
        ([Term(iou, {"fuse_score": True})], 0.8),
        ([Term(iou, {}, 0.5)], 0.4),
        ([Term(iou, {}, 1.0, 0.7), Term(label, {}, 0.3)], 5.0),
        ([Term(label, {}, 0.0, 0.5), Term(iou, {}, 1.0, 0.9)], 0.8),
    ],
)
def test_listed_pairs_are_those_of_the_matrices(terms, bound):
    tracks, detections = scene(3, 90, 110)
    combined = Terms(terms)
    assert combined._leader is not None
    rows, columns, total = combined.pairs(tracks, detections, SimpleNamespace(), bound)
    matrix = combined._total([term.matrix(tracks, detections, None) for term in terms])
    expected = (matrix < bound).nonzero()
    assert rows.size > 20
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_array_equal(columns, expected[1])
    np.testing.assert_allclose(total, matrix[expected], rtol=1e-12)


@pytest.mark.parametrize(
    "terms",
    [
        [Term(plain, {})],
        [Term(iou, {}, 1.0, 0.7), Term(plain, {})],  # one of them cannot follow
        [Term(iou, {}), Term(label, {})],  # no gate: a far pair may be cheap enough
    ],
)
def test_without_a_list_the_matrix_decides(terms):
    tracks, detections = scene(4, 5, 6)
    combined = Terms(terms)
    assert combined._leader is None
    rows, _, _ = combined.pairs(tracks, detections, SimpleNamespace(), 10.0)
    matrix = combined._total([term.matrix(tracks, detections, None) for term in terms])
    assert rows.size == (matrix < 10.0).sum() > 0


def test_a_bound_beyond_the_largest_distance_takes_all_pairs():
    tracks, detections = scene(5, 4, 6)
    rows, _, _ = Terms([Term(iou, {})]).pairs(tracks, detections, SimpleNamespace(), 1.5)
    assert rows.size == 24


def test_wrong_shape_names_the_cost():
    tracks, detections = scene(6, 4, 6)

    def flat(tracks, detections, context):
        return np.zeros(3)

    with pytest.raises(ValueError, match=r"'flat' must give one value .* \(4, 6\); got \(3,\)"):
        Terms([Term(flat, {})]).pairs(tracks, detections, SimpleNamespace(), 1.0)


def test_unknown_fusion():
    with pytest.raises(ValueError, match=r"fuse must be one of \('sum', 'min'\), got 'mean'"):
        Terms([Term(iou, {})], "mean")


def test_a_cost_of_ones_own_may_list_pairs():
    def at(tracks, detections, context, rows, columns):
        return np.abs(rows - columns).astype(float)

    def near(tracks, detections, context, bound):
        index = np.arange(min(len(tracks), len(detections)))
        return index, index, np.zeros(index.size)

    @pairwise(at=at, near=near)
    def diagonal(tracks, detections, context):
        raise AssertionError("the matrix is not asked for")

    tracks, detections = scene(7, 4, 6)
    rows, columns, total = Terms([Term(diagonal, {})]).pairs(
        tracks, detections, SimpleNamespace(), 1.0
    )
    np.testing.assert_array_equal([rows, columns, total], [np.arange(4), np.arange(4), np.zeros(4)])


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("dims", [2, 4])
def test_mahalanobis_gate_lists_the_pairs_of_the_matrix(full, dims):
    from mmdeepmot.association import mahalanobis
    from mmdeepmot.motion import AspectKalman

    motion = AspectKalman(full_covariance=full)
    table = TrackTable(motion.columns())
    rng = np.random.default_rng(8)
    rows = table.append(80)
    motion.initiate(table, rows, crowd(rng, 80, 3000.0))
    motion.predict(table, rows)
    found = Detections(crowd(rng, 90, 3000.0), np.ones(90), np.zeros(90, int))
    found.bboxes[:60] = table.bboxes[:60] + rng.normal(0, 4, (60, 4))
    context = SimpleNamespace(motion=motion)
    gate = Term(mahalanobis, {"dims": dims}, 0.02, 9.4877)
    combined = Terms([gate, Term(iou, {})])
    assert (motion.near(table, rows, found.bboxes, 9.5) is None) is full
    tracks = TrackView(table, rows)
    row, column, total = combined.pairs(tracks, found, context, 5.0)
    matrix = combined._total([term.matrix(tracks, found, context) for term in combined.terms])
    np.testing.assert_array_equal([row, column], (matrix < 5.0).nonzero())
    np.testing.assert_allclose(total, matrix[row, column], rtol=1e-9)
    assert row.size > 40
    np.testing.assert_allclose(
        gate.at(tracks, found, context, row, column),
        gate.matrix(tracks, found, context)[row, column],
        rtol=1e-9,
    )
