"""Check what enters a tracker, once a frame."""

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.structures.frame import Detections, Frame
from mmdeepmot.trackers.memory import normalised

Floats = NDArray[np.floating]

#: Boxes thinner than this (px) have no defined aspect ratio and are left out.
MIN_SIZE = 1e-3
#: Squared lengths of embeddings may differ from 1 by this much (half precision) untouched.
LENGTH_TOLERANCE = 1e-3


def checked_detections(frame: Frame) -> tuple[Detections, int]:
    """The frame's detections as float64 boxes and unit float32 embeddings.

    Boxes without width or height are left out.

    Returns:
        The detections, and how many were left out.

    Raises:
        ValueError: A box, score or embedding is NaN or infinite.
    """
    given = frame.detections
    bboxes = np.asarray(given.bboxes, dtype=np.float64)
    scores = np.asarray(given.scores, dtype=np.float64)
    labels = np.asarray(given.labels, dtype=np.int64)
    embeddings = given.embeddings
    count, dropped = len(bboxes), 0
    if count:
        if not np.isfinite(scores).all():
            _raise_not_finite("scores", scores[:, None], frame.index)
        size = bboxes[:, 2:] - bboxes[:, :2]
        if not (size.min() >= MIN_SIZE and size.max() < np.inf):
            if not np.isfinite(bboxes).all():
                _raise_not_finite("bboxes", bboxes, frame.index)
            proper = (size >= MIN_SIZE).all(axis=1)
            dropped = count - int(proper.sum())
            bboxes, scores, labels = bboxes[proper], scores[proper], labels[proper]
            embeddings = None if embeddings is None else embeddings[proper]
    if embeddings is not None:
        embeddings = checked_embeddings(embeddings, len(bboxes), frame.index)
    return Detections(bboxes, scores, labels, embeddings), dropped


def checked_embeddings(embeddings: Floats, count: int, index: int) -> Floats:
    """``(N, D)`` float32 of unit length.

    Raises:
        ValueError: The shape is wrong, or values are NaN or infinite.
    """
    embeddings = np.asarray(embeddings, dtype=np.float32)
    if embeddings.ndim != 2 or len(embeddings) != count:
        raise ValueError(
            f"frame {index}: embeddings must have shape ({count}, D), one row a detection, got "
            f"{embeddings.shape}"
        )
    if not count:
        return embeddings
    deviation = np.vecdot(embeddings, embeddings)
    deviation -= 1
    if not (deviation.max() <= LENGTH_TOLERANCE and deviation.min() >= -LENGTH_TOLERANCE):
        if not np.isfinite(embeddings).all():
            _raise_not_finite("embeddings", embeddings, index)
        embeddings = normalised(embeddings.copy())
    return embeddings


def _raise_not_finite(name: str, values: Floats, index: int) -> None:
    row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
    raise ValueError(
        f"frame {index}: detections.{name}[{row}] = {values[row][:8]} is not finite; a network "
        "that gives NaN has diverged or was fed a broken image"
    )
