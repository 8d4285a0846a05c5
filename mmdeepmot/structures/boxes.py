"""Box conventions of the framework, as pure functions on numpy arrays.

Formats: ``xyxy`` (left, top, right, bottom), ``tlwh`` (left, top, width, height), ``cxcyah``
(centre x, centre y, aspect width/height, height; the measurement of the Kalman filter). All in
pixels; width is ``right - left`` (no +1). Every function takes ``(..., 4)`` and keeps the shape.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def xyxy_to_tlwh(boxes: Array) -> Array:
    """``(..., 4)`` xyxy px to tlwh px."""
    out = boxes.copy()
    out[..., 2:] -= boxes[..., :2]
    return out


def tlwh_to_xyxy(boxes: Array) -> Array:
    """``(..., 4)`` tlwh px to xyxy px."""
    out = boxes.copy()
    out[..., 2:] += boxes[..., :2]
    return out


def xyxy_to_cxcyah(boxes: Array) -> Array:
    """``(..., 4)`` xyxy px to (centre x, centre y, width / height, height).

    The height must be positive: a degenerate box gives an infinite or undefined aspect.
    """
    out = np.empty(boxes.shape, dtype=np.result_type(boxes.dtype, np.float64))
    size = boxes[..., 2:] - boxes[..., :2]
    out[..., :2] = boxes[..., :2] + 0.5 * size
    out[..., 2] = size[..., 0] / size[..., 1]
    out[..., 3] = size[..., 1]
    return out


def cxcyah_to_xyxy(boxes: Array) -> Array:
    """``(..., 4)`` (centre x, centre y, width / height, height) to xyxy px."""
    out = np.empty(boxes.shape, dtype=boxes.dtype)
    half_w = 0.5 * boxes[..., 2] * boxes[..., 3]
    half_h = 0.5 * boxes[..., 3]
    out[..., 0] = boxes[..., 0] - half_w
    out[..., 1] = boxes[..., 1] - half_h
    out[..., 2] = boxes[..., 0] + half_w
    out[..., 3] = boxes[..., 1] + half_h
    return out


def box_centers(boxes: Array) -> Array:
    """Centres ``(..., 2)`` (x, y) of ``(..., 4)`` xyxy px boxes."""
    return 0.5 * (boxes[..., :2] + boxes[..., 2:])


def box_area(boxes: Array) -> Array:
    """Area ``(...)`` in px^2 of ``(..., 4)`` xyxy boxes; degenerate boxes have area 0."""
    size = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return size[..., 0] * size[..., 1]


#: From this many pairs on, boxes that do not meet are sorted out before any arithmetic.
_MANY_PAIRS = 5000


def iou_matrix(a: Array, b: Array) -> Array:
    """Intersection over union of every pair of boxes.

    Args:
        a: ``(N, 4)`` xyxy px.
        b: ``(M, 4)`` xyxy px.

    Returns:
        ``(N, M)`` in [0, 1]; pairs whose union is empty get 0.
    """
    if len(a) * len(b) > _MANY_PAIRS:
        return _iou_of_crowds(a, b)
    width = np.minimum(a[:, None, 2], b[:, 2]) - np.maximum(a[:, None, 0], b[:, 0])
    height = np.minimum(a[:, None, 3], b[:, 3]) - np.maximum(a[:, None, 1], b[:, 1])
    np.maximum(width, 0, out=width)
    np.maximum(height, 0, out=height)
    width *= height
    union = box_area(a)[:, None] + box_area(b) - width
    return np.divide(width, union, out=np.zeros_like(width), where=union > 0)


def _iou_of_crowds(a: Array, b: Array) -> Array:
    """:func:`iou_matrix` with arithmetic only where boxes meet: the same values."""
    meet = a[:, None, 0] < b[:, 2]
    meet &= a[:, None, 2] > b[:, 0]
    meet &= a[:, None, 1] < b[:, 3]
    meet &= a[:, None, 3] > b[:, 1]
    rows, columns = meet.nonzero()
    first, second = a[rows], b[columns]
    size = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])
    np.maximum(size, 0, out=size)  # a box turned inside out meets others, but covers nothing
    overlap = size[:, 0] * size[:, 1]
    union = box_area(a)[rows] + box_area(b)[columns] - overlap
    out = np.zeros(meet.shape, dtype=overlap.dtype)
    out[rows, columns] = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    return out


def iou_pairs(a: Array, b: Array) -> Array:
    """Intersection over union ``(K,)`` of ``(K, 4)`` and ``(K, 4)`` xyxy px, row by row."""
    size = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    np.maximum(size, 0, out=size)
    overlap = size[:, 0] * size[:, 1]
    union = box_area(a) + box_area(b) - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def clip_boxes(boxes: Array, size: tuple[int, int]) -> Array:
    """``(..., 4)`` xyxy px boxes cut to an image of ``size`` (width, height)."""
    width, height = size
    return np.clip(boxes, 0, np.array([width, height, width, height], dtype=boxes.dtype))
