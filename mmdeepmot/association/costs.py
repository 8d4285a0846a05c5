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

For crowds a cost may also work without a matrix (:func:`pairwise`): ``near`` lists the pairs below
a bound, ``at`` gives the values of listed pairs. Where one cost of an association can list its
pairs and the others can follow, no matrix is made (:mod:`mmdeepmot.association.terms`).
"""

from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.overlap import Candidates, overlapping
from mmdeepmot.motion.base import Motion
from mmdeepmot.registry import COSTS
from mmdeepmot.structures.boxes import box_centers, iou_matrix, iou_pairs
from mmdeepmot.structures.frame import Detections, Frame
from mmdeepmot.structures.history import reference_boxes
from mmdeepmot.structures.track_table import Rows, TrackTable, TrackView

Floats = NDArray[np.floating]
_Cost = TypeVar("_Cost", bound=Callable[..., Floats])


class Appearance(Protocol):
    """What a cost asks of an appearance memory."""

    def similarity(self, table: TrackTable, rows: Rows, embeddings: Floats) -> Floats:
        """Cosine similarity ``(n, M)`` of tracks to ``embeddings (M, D)``."""

    def similarity_at(
        self,
        table: TrackTable,
        rows: Rows,
        embeddings: Floats,
        row: NDArray[np.intp],
        column: NDArray[np.intp],
    ) -> Floats:
        """The same for pairs ``(K,)``."""


class CostContext(Protocol):
    """What a cost may read besides tracks and detections."""

    @property
    def time(self) -> int: ...

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


def pairwise(
    *, at: Callable[..., Floats], near: Callable[..., Candidates | None] | None = None
) -> Callable[[_Cost], _Cost]:
    """Let a cost also work on single pairs; both forms must give the same values.

    Args:
        at: ``(tracks, detections, context, rows (K,), columns (K,), **parameters) -> (K,)``.
        near: ``(tracks, detections, context, bound, **parameters) -> rows, columns, values (K,)``:
            every pair whose value is below ``bound``, and maybe others, by row and then column;
            None if the bound leaves no choice but all pairs.
    """

    def mark(cost: _Cost) -> _Cost:
        cost.at, cost.near = at, near  # type: ignore[attr-defined]
        return cost

    return mark


IouBoxes = Literal["bboxes", "observed"]


def _iou_near(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    bound: float,
    fuse_score: bool = False,
    boxes: IouBoxes = "bboxes",
) -> Candidates | None:
    if bound > 1:
        return None
    rows, columns, value = overlapping(tracks[boxes], detections.bboxes)
    if fuse_score:
        value *= detections.scores[columns]
    return rows, columns, np.subtract(1.0, value, out=value)


def _iou_at(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    fuse_score: bool = False,
    boxes: IouBoxes = "bboxes",
) -> Floats:
    value = iou_pairs(tracks[boxes][rows], detections.bboxes[columns])
    if fuse_score:
        value *= detections.scores[columns]
    return np.subtract(1.0, value, out=value)


@COSTS.register_module()
@pairwise(at=_iou_at, near=_iou_near)
def iou(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    fuse_score: bool = False,
    boxes: IouBoxes = "bboxes",
) -> Floats:
    """``1 - IoU`` of boxes.

    Args:
        tracks: N rows of the track table.
        detections: M detections.
        context: Not used.
        fuse_score: ``1 - IoU * score`` (ByteTrack).
        boxes: ``bboxes``: where the tracks are expected; ``observed``: where they were last seen
            (OC-SORT's recovery).
    """
    overlap = iou_matrix(tracks[boxes], detections.bboxes)
    if fuse_score:
        overlap *= detections.scores
    return np.subtract(1.0, overlap, out=overlap)


def _cosine_at(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    near: float | None = None,
) -> Floats:
    distance = 1.0 - _similarity_at(tracks, detections, context, rows, columns)
    if near is not None:
        overlap = iou_pairs(tracks.bboxes[rows], detections.bboxes[columns])
        distance[1.0 - overlap > near] = np.inf
    return distance


@COSTS.register_module()
@needs_embeddings
@pairwise(at=_cosine_at)
def cosine(
    tracks: TrackView, detections: Detections, context: CostContext, near: float | None = None
) -> Floats:
    """``1 - cos`` of the tracks' remembered appearance and the detections', in [0, 2].

    Args:
        tracks: N rows of the track table.
        detections: M detections.
        context: Has the appearance memory.
        near: Pairs whose ``1 - IoU`` is larger are inf (BoT-SORT, Eq. 12); None: all count.
    """
    distance = 1.0 - _similarity(tracks, detections, context)
    if near is not None:
        distance[1.0 - iou_matrix(tracks.bboxes, detections.bboxes) > near] = np.inf
    return distance


def _euclidean_at(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> Floats:
    return _chord(_similarity_at(tracks, detections, context, rows, columns))


@COSTS.register_module()
@needs_embeddings
@pairwise(at=_euclidean_at)
def euclidean(tracks: TrackView, detections: Detections, context: CostContext) -> Floats:
    """Euclidean distance between unit vectors, ``sqrt(2 - 2 cos)``, in [0, 2] (JDE's code)."""
    return _chord(_similarity(tracks, detections, context))


def _chord(similarity: Floats) -> Floats:
    """Distance of unit vectors of this cosine similarity."""
    distance = 2.0 - 2.0 * similarity
    np.maximum(distance, 0.0, out=distance)
    return np.sqrt(distance, out=distance)


def _mahalanobis_near(
    tracks: TrackView, detections: Detections, context: CostContext, bound: float, dims: int = 4
) -> Candidates | None:
    return context.motion.near(tracks.table, tracks.rows, detections.bboxes, bound, dims=dims)


def _mahalanobis_at(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    dims: int = 4,
) -> Floats:
    return context.motion.distance_at(
        tracks.table, tracks.rows, detections.bboxes, rows, columns, dims=dims
    )


@COSTS.register_module()
@pairwise(at=_mahalanobis_at, near=_mahalanobis_near)
def mahalanobis(
    tracks: TrackView, detections: Detections, context: CostContext, dims: int = 4
) -> Floats:
    """Squared Mahalanobis distance under the motion model (``dims=2``: of the centres only)."""
    return context.motion.distance(tracks.table, tracks.rows, detections.bboxes, dims=dims)


def _label_at(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> Floats:
    return (tracks.labels[rows] != detections.labels[columns]).astype(np.float64)


@COSTS.register_module()
@pairwise(at=_label_at)
def label(tracks: TrackView, detections: Detections, context: CostContext) -> Floats:
    """0 for the same class, 1 for another; with ``weight=0, max=0.5`` a gate."""
    return (tracks.labels[:, None] != detections.labels).astype(np.float64)


def _direction_at(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    fuse_score: bool = False,
) -> Floats:
    start, _ = reference_boxes(tracks["history"], tracks["history_frames"], context.time)
    step = box_centers(detections.bboxes)[columns] - box_centers(start)[rows]
    length = np.sqrt(np.vecdot(step, step))
    cosine = np.vecdot(tracks["directions"][rows], step)
    cosine /= np.where(length > 0, length, 1.0)
    value = np.arccos(np.clip(cosine, -1.0, 1.0, out=cosine), out=cosine)
    value /= np.pi
    value -= 0.5
    if fuse_score:
        value *= detections.scores[columns]
    return value


@COSTS.register_module()
@pairwise(at=_direction_at)
def direction(
    tracks: TrackView, detections: Detections, context: CostContext, fuse_score: bool = False
) -> Floats:
    """Observation-centric momentum (OC-SORT, Sec. 4.2): how far a detection lies off the way.

    The angle between the direction in which the track went and that from where it was seen some
    frames ago to the detection: -0.5 straight on, 0 at a right angle or without a direction, 0.5
    backwards. Needs the step ``Observe`` in the tracker.

    Args:
        tracks: N rows of the track table.
        detections: M detections.
        context: Gives the present frame.
        fuse_score: Times the detection's score (published code; not in the paper).
    """
    rows, columns = np.indices((len(tracks), len(detections))).reshape(2, -1)
    value = _direction_at(tracks, detections, context, rows, columns, fuse_score)
    return value.reshape(len(tracks), len(detections))


def _similarity(tracks: TrackView, detections: Detections, context: CostContext) -> Floats:
    memory, embeddings = _appearance(detections, context)
    return memory.similarity(tracks.table, tracks.rows, embeddings)


def _similarity_at(
    tracks: TrackView,
    detections: Detections,
    context: CostContext,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> Floats:
    memory, embeddings = _appearance(detections, context)
    return memory.similarity_at(tracks.table, tracks.rows, embeddings, rows, columns)


def _appearance(detections: Detections, context: CostContext) -> tuple[Appearance, Floats]:
    if context.memory is None or detections.embeddings is None:
        raise ValueError(
            "an appearance cost needs the tracker's appearance memory: set "
            "memory=dict(type='MomentumMemory') in the tracker's config"
        )
    return context.memory, detections.embeddings
