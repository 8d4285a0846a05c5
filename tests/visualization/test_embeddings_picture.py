"""Embeddings in the plane, and the picture of them."""

import sys

import cv2
import numpy as np
import pytest

from mmdeepmot.errors import MissingPackageError
from mmdeepmot.visualization.colors import id_colors
from mmdeepmot.visualization.embeddings import (
    _CROP_HEIGHT,
    _CROP_WIDTH,
    _middle,
    _portrait,
    plot_embeddings,
    project,
)


def groups(count: int = 20, number: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of some length around far axes, and their identities."""
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(1, number + 1), count)
    embeddings = np.eye(8)[identities] + rng.normal(0, 0.05, (len(identities), 8))
    return embeddings * rng.uniform(0.1, 5, (len(identities), 1)), identities


def test_identities_come_to_lie_apart():
    pytest.importorskip("sklearn", reason="t-SNE needs scikit-learn")
    embeddings, identities = groups()
    points = project(embeddings)
    assert points.shape == (60, 2)
    assert points.mean(axis=0) == pytest.approx(0, abs=1e-3)
    distance = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (identities[distance.argmin(axis=1)] == identities).all()


def test_the_seed_and_the_directions_alone_decide():
    pytest.importorskip("sklearn", reason="t-SNE needs scikit-learn")
    embeddings, _ = groups(count=5)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    assert project(embeddings, seed=3) == pytest.approx(project(unit, seed=3), abs=1e-3)
    with_zero = np.concatenate([embeddings, np.zeros((1, 8))])
    assert np.isfinite(project(with_zero)).all()
    assert project(embeddings[:4]).shape == (4, 2)  # few points: the perplexity follows


def test_bad_embeddings_are_refused():
    pytest.importorskip("sklearn", reason="t-SNE needs scikit-learn")
    with pytest.raises(ValueError, match=r"of 4 boxes or more, got \(3, 8\)"):
        project(np.zeros((3, 8)))
    with pytest.raises(ValueError, match="expected finite embeddings"):
        project(np.full((5, 8), np.nan))


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(MissingPackageError, match=r"t-SNE needs scikit-learn.*pip install"):
        project(groups()[0])
    for part in ("figure", "patheffects"):
        monkeypatch.setitem(sys.modules, f"matplotlib.{part}", None)
    with pytest.raises(MissingPackageError, match=r"the plot needs matplotlib.*pip install"):
        plot_embeddings("x.png", np.zeros((1, 2)), np.ones(1, dtype=int), {}, "title")


@pytest.mark.parametrize("shape", [(400, 100), (20, 300), (1, 1), (160, 80)])
def test_portraits_keep_their_aspect(shape):
    portrait = _portrait(np.zeros((*shape, 3), dtype=np.uint8))
    assert portrait.shape == (_CROP_HEIGHT, _CROP_WIDTH, 3)
    rows, columns = np.nonzero(portrait[..., 0] == 0)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert height == _CROP_HEIGHT or width == _CROP_WIDTH
    assert abs(height / shape[0] - width / shape[1]) * min(shape) <= 1


def test_numbers_stand_at_a_point_of_their_group():
    points = np.array([[0.0, 0], [1, 0], [2, 1], [50, 50]])
    assert _middle(points) in ((1, 0), (2, 1))
    assert _middle(points[3:]) == (50, 50)


def test_the_picture_has_the_identities_colours(tmp_path):
    points = np.random.default_rng(0).normal(size=(300, 2))
    identities = np.repeat([1, 2, 3], 100)
    portrait = np.full((60, 20, 3), 99, dtype=np.uint8)
    for name, portraits in (("bare", {}), ("people", {1: portrait, 3: portrait})):
        plot_embeddings(tmp_path / f"{name}.png", points, identities, portraits, "title")
    people = cv2.imread(str(tmp_path / "people.png"))
    assert people.shape == (1080, 1080, 3)
    assert cv2.imread(str(tmp_path / "bare.png")).shape == (864, 1080, 3)
    strip = people[900:].reshape(-1, 3).astype(int)
    for identity, framed in ((1, True), (2, False), (3, True)):
        near = abs(strip - id_colors(np.array([identity]))).max(axis=1) < 3
        assert (near.sum() > 200) == framed
