"""Costs of giving detections to tracks.

A cost is a function registered in ``COSTS`` with the signature ::

    cost(tracks: TrackView, detections: Detections, context: CostContext, **parameters) -> (N, M)

``tracks`` are N rows of the track table, ``detections`` M detections, ``context`` carries what
belongs to the tracker or the frame (motion model, appearance memory, the frame). The smaller the
better; inf forbids a pair. Functions marked with :func:`needs_embeddings` are only called with
detections that carry embeddings. ``**parameters`` come from the config. One's own::

    @COSTS.register_module()
    def height_ratio(tracks, detections, context, power=1.0): ...

    cost=[dict(type='iou', weight=0.8), dict(type='height_ratio', weight=0.2, power=2.0)]
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.motion.base import Motion
from mmdeepmot.registry import COSTS
from mmdeepmot.structures.boxes import iou_matrix
from mmdeepmot.structures.frame import Detections, Frame
from mmdeepmot.structures.track_table import Rows, TrackTable, TrackView

Floats = NDArray[np.floating]
_Cost = TypeVar("_Cost", bound=Callable[..., Floats])


class Appearance(Protocol):
    """What a cost asks of an appearance memory."""

    def similarity(self, table: TrackTable, rows: Rows, embeddings: Floats) -> Floats:
        """Cosine similarity ``(n, M)`` of tracks to ``embeddings (M, D)``."""


class CostContext(Protocol):
    """What a cost may read besides tracks and detections."""

    @property
    def frame(self) -> Frame: ...

    @property
    def motion(self) -> Motion: ...

    @property
    def memory(self) -> Appearance | None: ...


def needs_embeddings(cost: _Cost) -> _Cost:
    """Mark a cost as reading ``detections.embeddings``: they are checked, and computed by
    ``frame.embed`` where the detector gives none, before it is called."""
    cost.needs_embeddings = True  # type: ignore[attr-defined]
    return cost


@COSTS.register_module()
def iou(
    tracks: TrackView, detections: Detections, context: CostContext, fuse_score: bool = False
) -> Floats:
    """``1 - IoU`` of boxes; with ``fuse_score`` ``1 - IoU * score`` (ByteTrack)."""
    overlap = iou_matrix(tracks.bboxes, detections.bboxes)
    if fuse_score:
        overlap *= detections.scores
    return np.subtract(1.0, overlap, out=overlap)


@COSTS.register_module()
@needs_embeddings
def cosine(tracks: TrackView, detections: Detections, context: CostContext) -> Floats:
    """``1 - cos`` of the tracks' remembered appearance and the detections', in [0, 2]."""
    return 1.0 - _similarity(tracks, detections, context)


@COSTS.register_module()
@needs_embeddings
def euclidean(tracks: TrackView, detections: Detections, context: CostContext) -> Floats:
    """Euclidean distance between unit vectors, ``sqrt(2 - 2 cos)``, in [0, 2] (JDE's code)."""
    similarity = _similarity(tracks, detections, context)
    distance = 2.0 - 2.0 * similarity
    np.maximum(distance, 0.0, out=distance)
    return np.sqrt(distance, out=distance)


@COSTS.register_module()
def mahalanobis(
    tracks: TrackView, detections: Detections, context: CostContext, dims: int = 4
) -> Floats:
    """Squared Mahalanobis distance under the motion model (``dims=2``: of the centres only)."""
    return context.motion.distance(tracks.table, tracks.rows, detections.bboxes, dims=dims)


@COSTS.register_module()
def label(tracks: TrackView, detections: Detections, context: CostContext) -> Floats:
    """0 for the same class, 1 for another; with ``weight=0, max=0.5`` a gate."""
    return (tracks.labels[:, None] != detections.labels).astype(np.float64)


def _similarity(tracks: TrackView, detections: Detections, context: CostContext) -> Floats:
    if context.memory is None or detections.embeddings is None:
        raise ValueError(
            "an appearance cost needs the tracker's appearance memory: set "
            "memory=dict(type='MomentumMemory') in the tracker's config"
        )
    return context.memory.similarity(tracks.table, tracks.rows, detections.embeddings)


def fuse(
    costs: Sequence[Floats], weights: Sequence[float], maxima: Sequence[float | None]
) -> Floats:
    """Weighted sum of cost matrices; a pair above any of the maxima is inf.

    Args:
        costs: ``(N, M)`` each, one at least; not changed.
        weights: One each; 0: the matrix serves only as a gate.
        maxima: One each; None: no gate.

    Returns:
        ``(N, M)``, a new matrix.
    """
    total: Any = None
    for cost, weight in zip(costs, weights, strict=True):
        if weight:
            part = cost * weight
            total = part if total is None else np.add(total, part, dtype=np.float64)
    if total is None:
        total = np.zeros(costs[0].shape)
    for cost, maximum in zip(costs, maxima, strict=True):
        if maximum is not None:
            total[cost > maximum] = np.inf
    return total
