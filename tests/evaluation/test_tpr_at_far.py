"""TPR at FAR against the definition by brute force."""

import time

import numpy as np
import pytest

from mmdeepmot.evaluation.functional import tpr_at_far
from mmdeepmot.evaluation.functional.tpr_far import BINS


def brute_force(
    embeddings: np.ndarray, identities: np.ndarray, far: tuple[float, ...]
) -> list[float]:
    """Best TPR over all thresholds (strictly above) whose FAR is at most f; in float64."""
    known = identities >= 0
    vectors, identities = embeddings[known].astype(np.float64), identities[known]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second = np.triu_indices(len(vectors), k=1)
    similarity = np.einsum("ij,ij->i", vectors[first], vectors[second])
    same = identities[first] == identities[second]
    positive, negative = np.sort(similarity[same]), np.sort(similarity[~same])
    out = []
    for rate in far:
        best = 0.0
        for threshold in [-2.0, *np.concatenate([positive, negative])]:
            accepted = len(negative) - np.searchsorted(negative, threshold, side="right")
            if accepted <= rate * len(negative):
                hits = len(positive) - np.searchsorted(positive, threshold, side="right")
                best = max(best, 100 * hits / len(positive))
        out.append(best)
    return out


def noisy_identities(
    seed: int, count: int, identities: int, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    ids = rng.integers(identities, size=count)
    centres = rng.normal(size=(identities, 16))
    return (centres[ids] + noise * rng.normal(size=(count, 16))).astype(np.float32), ids


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("noise", [0.7, 2.0])
def test_against_brute_force(seed: int, noise: float) -> None:
    embeddings, ids = noisy_identities(seed, 90, 6, noise)
    ids[::11] = -1
    embeddings *= (
        np.random.default_rng(seed).uniform(0.1, 9, (90, 1)).astype(np.float32)
    )  # any length
    far = (0.1, 0.01, 0.001, 0.0)
    scores = tpr_at_far(embeddings, ids, far)
    expected = brute_force(embeddings, ids, far)
    assert scores.tpr == pytest.approx(expected, abs=1e-9)
    assert scores.tpr[0] < 100
    assert (scores.resolution <= 100 / scores.num_positives + 1e-9).all()
    known = int((ids >= 0).sum())
    assert scores.num_embeddings == known
    assert scores.num_positives + scores.num_negatives == known * (known - 1) // 2


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, ids = noisy_identities(0, 500, 20, 1.5)
    expected = tpr_at_far(embeddings, ids)
    monkeypatch.setattr("mmdeepmot.evaluation.functional.tpr_far._BLOCK", 37)
    got = tpr_at_far(embeddings, ids)
    assert (got.num_positives, got.num_negatives) == (
        expected.num_positives,
        expected.num_negatives,
    )
    assert got.tpr == pytest.approx(expected.tpr, abs=0.05)


def test_order_does_not_matter() -> None:
    embeddings, ids = noisy_identities(1, 300, 20, 1.5)
    order = np.random.default_rng(0).permutation(300)
    expected = tpr_at_far(embeddings, ids).tpr
    assert tpr_at_far(embeddings[order], 77 + 3 * ids[order]).tpr == pytest.approx(
        expected, abs=0.05
    )


def test_hand_worked_case() -> None:
    # Angles in degrees: identity 0 at 0 and 30, identity 1 at 40 and 90.
    # Same: 30, 50. Different: 40, 90, 10, 60. From the closest: 10 (-), 30 (+), 40 (-), 50 (+).
    angles = np.deg2rad([0, 30, 40, 90])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    scores = tpr_at_far(embeddings, np.array([0, 0, 1, 1]), far=(0.1, 0.25, 0.49, 0.5, 0.75))
    assert scores.tpr.tolist() == [0, 50, 50, 100, 100]
    assert (scores.num_positives, scores.num_negatives) == (2, 4)
    assert scores.threshold[1] == pytest.approx(np.cos(np.deg2rad(40)), abs=4 / BINS)


def test_limits() -> None:
    eye = np.eye(4).repeat(3, axis=0)
    ids = np.arange(4).repeat(3)
    assert tpr_at_far(eye, ids, far=(0.0, 0.1)).tpr.tolist() == [100, 100]
    # All alike: no threshold parts the pairs, and the stated resolution says so.
    alike = tpr_at_far(np.ones((12, 4)), ids)
    assert alike.tpr.tolist() == [0, 0, 0]
    assert alike.resolution.tolist() == [100, 100, 100]
    # Opposite vectors: the similarity -1 is in the lowest bin.
    opposite = tpr_at_far(np.array([[1.0], [1.0], [-1.0]]), np.array([0, 0, 1]), far=(0.1,))
    assert opposite.tpr.tolist() == [100]


def test_sample_of_many_is_reproducible() -> None:
    embeddings, ids = noisy_identities(2, 2000, 30, 1.5)
    everything = tpr_at_far(embeddings, ids)
    sample = tpr_at_far(embeddings, ids, max_embeddings=1000)
    assert sample.num_embeddings == 1000
    assert sample.tpr == pytest.approx(everything.tpr, abs=4)
    assert tpr_at_far(embeddings, ids, max_embeddings=1000).tpr.tolist() == sample.tpr.tolist()
    assert tpr_at_far(embeddings, ids, max_embeddings=2000).tpr.tolist() == everything.tpr.tolist()


def test_errors() -> None:
    embeddings, ids = noisy_identities(0, 10, 3, 1.0)
    with pytest.raises(ValueError, match=r"got \(10, 16\) and \(9,\)"):
        tpr_at_far(embeddings, ids[:9])
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\), got \(10,\)"):
        tpr_at_far(embeddings, ids, far=(10,))
    embeddings[6, 2] = np.nan
    with pytest.raises(ValueError, match="NaN or inf in row 6"):
        tpr_at_far(embeddings, ids)
    with pytest.raises(ValueError, match="got 0 and 45 from 10 boxes"):
        tpr_at_far(np.ones((10, 2)), np.arange(10))
    with pytest.raises(ValueError, match="got 45 and 0 from 10 boxes"):
        tpr_at_far(np.ones((10, 2)), np.zeros(10, dtype=int))
    with pytest.raises(ValueError, match="got 0 and 0 from 0 boxes"):
        tpr_at_far(np.zeros((0, 2)), np.zeros(0, dtype=int))


def test_speed() -> None:
    embeddings, ids = noisy_identities(0, 4000, 100, 1.5)
    start = time.perf_counter()
    tpr_at_far(embeddings, ids)
    assert time.perf_counter() - start < 5  # about 0.2 s on a free core
