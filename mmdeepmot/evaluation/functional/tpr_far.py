"""How well embeddings tell identities apart: true positive rate at given false accept rates.

All pairs of embeddings are compared (cosine similarity). A threshold accepts the pairs above it;
TPR is the accepted share of the pairs of one identity, FAR that of the pairs of two (JDE paper,
Sec. 4.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.functional.areas import SIZES, AreaLimits

BINS = 1 << 20
"""Bins of similarity over [-1, 1]: 1.9e-6 wide, about the rounding of a float32 dot product."""

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class VerificationScores:
    """Scores of embeddings, in percent.

    Attributes:
        tpr: ``(F,)`` true positive rate at each false accept rate.
        resolution: ``(F,)`` how much higher it could be if similarities were resolved further than
            the bins: the share of the same-identity pairs in the bin of the threshold.
        threshold: ``(F,)`` cosine similarity above which pairs are accepted.
        num_embeddings: Embeddings compared.
        num_positives: Pairs of one identity.
        num_negatives: Pairs of two identities.
    """

    tpr: NDArray[np.float64]
    resolution: NDArray[np.float64]
    threshold: NDArray[np.float64]
    num_embeddings: int
    num_positives: int
    num_negatives: int


def tpr_at_far(
    embeddings: NDArray,
    identities: NDArray,
    far: Sequence[float] = (0.1, 0.01, 0.001),
    max_embeddings: int | None = None,
    seed: int = 0,
) -> VerificationScores:
    """TPR at the largest set of accepted pairs whose FAR does not exceed each value of ``far``.

    Exact up to the width of a bin of similarity (see :attr:`VerificationScores.resolution`).
    Memory is O(N), time O(N^2 D): about 10 s for 20,000 embeddings of length 512 on one core.

    Args:
        embeddings: ``(N, D)``, of any length: they are normalised here. All-zero rows stay zero.
        identities: ``(N,)``; rows with -1 (unknown) are left out.
        far: False accept rates in [0, 1).
        max_embeddings: Above this number a random sample of the boxes is compared.
        seed: Of that sample.

    Raises:
        ValueError: Shapes do not fit, a value is not finite, ``far`` is outside [0, 1), or there
            are no two boxes of one identity or none of two.
    """
    if embeddings.ndim != 2 or identities.shape != embeddings.shape[:1]:
        raise ValueError(
            f"expected embeddings (N, D) and identities (N,), got {embeddings.shape} and "
            f"{identities.shape}"
        )
    if not all(0 <= rate < 1 for rate in far):
        raise ValueError(f"false accept rates must lie in [0, 1), got {tuple(far)}")
    known = np.flatnonzero(identities >= 0)
    if max_embeddings is not None and len(known) > max_embeddings:
        generator = np.random.default_rng(seed)
        known = np.sort(generator.choice(known, max_embeddings, replace=False))
    vectors = embeddings[known].astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise InputError(f"expected finite embeddings, got NaN or inf in row {known[bad[0]]}")
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(norms > 0, norms, 1)
    positives, negatives = _histograms(vectors, identities[known])
    num_positives, num_negatives = int(positives.sum()), int(negatives.sum())
    if num_positives == 0 or num_negatives == 0:
        raise InputError(
            "expected pairs of one identity and pairs of two, got "
            f"{num_positives} and {num_negatives} from {len(known)} boxes of known identity"
        )
    return _read_off(positives, negatives, far, len(known))


def tpr_by_area(
    embeddings: NDArray,
    identities: NDArray,
    areas: NDArray,
    limits: AreaLimits,
    far: Sequence[float] = (0.1, 0.01, 0.001),
    max_embeddings: int | None = None,
    seed: int = 0,
) -> list[VerificationScores | None]:
    """:func:`tpr_at_far` over the pairs whose two boxes are of one size, for each size.

    Each size has a threshold of its own. What a pair of a small and a large box looks like is in
    none of them.

    Args:
        embeddings: ``(N, D)``.
        identities: ``(N,)``; -1: left out.
        areas: ``(N,)`` px^2 of the boxes.
        limits: Between the sizes.
        far: As of :func:`tpr_at_far`, as are the next.
        max_embeddings: Of each size.
        seed: Of the sample.

    Returns:
        Small, medium, large; None where a size lacks pairs of one identity, or of two.
    """
    sizes = limits.sizes(areas)
    found: list[VerificationScores | None] = []
    for size in range(len(SIZES)):
        rows = np.flatnonzero((sizes == size) & (identities >= 0))
        counts = np.unique(identities[rows], return_counts=True)[1]
        if len(counts) < 2 or counts.max() < 2:
            found.append(None)
        else:
            one = tpr_at_far(embeddings[rows], identities[rows], far, max_embeddings, seed)
            found.append(one)
    return found


def _histograms(
    vectors: NDArray[np.float32], identities: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Similarities of all pairs, counted ``(BINS,)``: of one identity, and of two."""
    positives = np.zeros(BINS, dtype=np.int64)
    everything = np.zeros(BINS, dtype=np.int64)
    for start in range(0, len(vectors), _BLOCK):
        rows = vectors[start : start + _BLOCK]
        similarity = rows @ vectors[start:].T
        similarity += 1
        similarity *= BINS / 2
        bins = np.clip(similarity, 0, BINS - 1, out=similarity).astype(np.int32)
        same = identities[start : start + _BLOCK, None] == identities[start:]
        # Pairs within the block would come twice, and each box with itself.
        upper = np.triu(np.ones((len(rows), len(rows)), dtype=bool), k=1)
        same[:, : len(rows)] &= upper
        everything += np.bincount(bins[:, len(rows) :].ravel(), minlength=BINS)
        everything += np.bincount(bins[:, : len(rows)][upper], minlength=BINS)
        positives += np.bincount(bins[same], minlength=BINS)
    return positives, everything - positives


def _read_off(
    positives: NDArray[np.int64], negatives: NDArray[np.int64], far: Sequence[float], count: int
) -> VerificationScores:
    num_positives, num_negatives = int(positives.sum()), int(negatives.sum())
    accepted_negatives = np.cumsum(negatives[::-1])  # with the bins from the top down
    accepted_positives = np.cumsum(positives[::-1])
    allowed = np.floor(np.asarray(far, dtype=np.float64) * num_negatives + 1e-9)
    bins = np.searchsorted(accepted_negatives, allowed, side="right")  # bins that are accepted
    tpr = np.where(bins > 0, accepted_positives[np.maximum(bins, 1) - 1], 0) / num_positives
    return VerificationScores(
        tpr=100.0 * tpr,
        resolution=100.0 * positives[::-1][np.minimum(bins, BINS - 1)] / num_positives,
        threshold=np.asarray(1.0 - bins * (2.0 / BINS), dtype=np.float64),
        num_embeddings=count,
        num_positives=num_positives,
        num_negatives=num_negatives,
    )
