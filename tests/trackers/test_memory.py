import numpy as np
import pytest

from mmdeepmot.registry import MEMORIES
from mmdeepmot.structures.track_table import TrackTable
from mmdeepmot.trackers.memory import GalleryMemory, MomentumMemory, normalised


def unit(*rows):
    rows = np.array(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def started(memory, looks):
    table = TrackTable(memory.columns())
    memory.initiate(table, table.append(len(looks)), looks)
    return table


def test_momentum_by_hand():
    memory = MomentumMemory(momentum=0.9)
    table = started(memory, unit([1, 0], [0, 1], [1, 1]))
    memory.update(table, np.array([2, 0]), unit([1, 1], [0, 1]))
    np.testing.assert_allclose(table["embeddings"], unit([0.9, 0.1], [0, 1], [1, 1]), rtol=1e-6)
    np.testing.assert_allclose(
        memory.similarity(table, np.array([1, 2]), unit([0, 2])), [[1], [np.sqrt(0.5)]], rtol=1e-6
    )
    assert table["embeddings"].dtype == np.float32


def test_no_momentum_remembers_only_the_last():
    memory = MomentumMemory(momentum=0)
    table = started(memory, unit([1, 0]))
    memory.update(table, np.array([0]), unit([3, 4]))
    np.testing.assert_allclose(table["embeddings"], [[0.6, 0.8]], rtol=1e-6)


def gallery_loop(history, size, reduce, query):
    """One track, one query at a time."""
    kept = [np.asarray(look, np.float64) for look in history[-size:]]
    if reduce == "max":
        return [max(look @ q for look in kept) for q in query]
    mean = np.mean(kept, axis=0)
    return [mean @ q / np.linalg.norm(mean) for q in query]


@pytest.mark.parametrize("reduce", ["max", "mean"])
@pytest.mark.parametrize("size", [1, 3, 10])
def test_gallery_equals_the_loop(size, reduce):
    rng = np.random.default_rng(0)
    memory = MEMORIES.build({"type": "GalleryMemory", "size": size, "reduce": reduce})
    looks = unit(*rng.normal(size=(4, 6)))
    table = started(memory, looks)
    history = [[look] for look in looks]
    for _ in range(8):
        rows = np.flatnonzero(rng.random(4) < 0.6)
        new = unit(*rng.normal(size=(len(rows), 6))) if len(rows) else np.zeros((0, 6), np.float32)
        memory.update(table, rows, new)
        for row, look in zip(rows, new, strict=True):
            history[row].append(look)
        query = unit(*rng.normal(size=(3, 6)))
        expected = [gallery_loop(h, size, reduce, query) for h in history]
        np.testing.assert_allclose(
            memory.similarity(table, slice(0, 4), query), expected, rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(
            memory.similarity(table, np.array([3, 1]), query),
            [expected[3], expected[1]],
            rtol=1e-4,
            atol=1e-6,
        )


def test_gallery_of_negative_similarity_ignores_empty_slots():
    memory = GalleryMemory(size=5)
    table = started(memory, unit([1, 0]))
    assert memory.similarity(table, slice(0, 1), unit([-1, 0])) == pytest.approx(-1)


def test_normalised_leaves_zeros():
    np.testing.assert_allclose(
        normalised(np.array([[3, 4], [0, 0]], np.float32)), [[0.6, 0.8], [0, 0]], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MomentumMemory(1.0), r"momentum must lie in \[0, 1\), got 1.0"),
        (lambda: GalleryMemory(0), "size must be at least 1, got 0"),
        (lambda: GalleryMemory(3, "median"), "reduce must be 'max' or 'mean', got 'median'"),
    ],
)
def test_bad_parameters(build, message):
    with pytest.raises(ValueError, match=message):
        build()
