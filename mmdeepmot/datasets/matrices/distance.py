"""Distances between tracks and objects, and gates: what matchers are given.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Eq. 4 and Appendix A.1.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.optimal import FORBIDDEN_ABOVE
from mmdeepmot.datasets.matrices.file import FORBIDDEN
from mmdeepmot.errors import InputError
from mmdeepmot.structures.boxes import box_centers, iou_matrix

DistanceKind = Literal["diagonal", "exponential", "centre"]
Gate = Literal["none", "half", "random"]

_DECAY = 5.0
_HALF = 0.5


def distance_matrix(
    tracks: NDArray, objects: NDArray, size: tuple[float, float], kind: DistanceKind = "diagonal"
) -> NDArray[np.float64]:
    """Distance of every track (or detection) to every ground-truth object.

    Args:
        tracks: ``(N, 4)`` xyxy px.
        objects: ``(M, 4)`` xyxy px.
        size: (width W, height H) of the image, px.
        kind: With the distance d of the centres, divided by the image's diagonal:

            - ``diagonal``: ``(d + 1 - IoU) / 2``, Eq. 4.
            - ``exponential``: ``(1 - exp(-5 d) + 1 - IoU) / 2``, the published code's.
            - ``centre``: the length of ``(dx / W, dy / H)`` alone, from 0 to the root of 2: what
              the published training matrices turn out to hold (their squares, doubly centred, have
              rank 2).

    Returns:
        ``(N, M)``, in [0, 1] where centres lie in the image (``centre``: see there).

    Raises:
        InputError: An unknown kind, or a size that is not positive.
    """
    if min(size) <= 0:
        raise InputError(f"expected a positive image size (width, height) in px, got {size}")
    offset = box_centers(np.asarray(tracks, dtype=np.float64))[:, None]
    offset = offset - box_centers(np.asarray(objects, dtype=np.float64))
    if kind == "centre":
        return np.hypot(offset[..., 0] / size[0], offset[..., 1] / size[1])
    if kind not in ("diagonal", "exponential"):
        raise InputError(f"distance must be one of {get_args(DistanceKind)}, got {kind!r}")
    apart = np.hypot(offset[..., 0], offset[..., 1]) / np.hypot(*size)
    if kind == "exponential":
        apart = -np.expm1(-_DECAY * apart)
    return 0.5 * (apart + 1.0 - iou_matrix(tracks, objects))


def gate_threshold(gate: Gate, rng: np.random.Generator) -> float:
    """The distance above which a gate forbids pairs: inf, 0.5, or random in [0, 1)."""
    if gate == "none":
        return np.inf
    if gate == "half":
        return _HALF
    if gate == "random":
        return float(rng.uniform())
    raise InputError(f"gate must be one of {get_args(Gate)}, got {gate!r}")


def forbid(distances: NDArray, threshold: float) -> NDArray[np.float32]:
    """``(N, M)`` float32 with ``FORBIDDEN`` where a distance exceeds the threshold, or 1."""
    forbidden = distances > min(threshold, FORBIDDEN_ABOVE)
    return np.where(forbidden, FORBIDDEN, distances).astype(np.float32)
