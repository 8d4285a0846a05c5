"""The distance between tracks and objects that the DeepMOT loss is built on.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Eq. 3 and 4: the mean
of a normalised distance of the centres and of ``1 - IoU``. The overlap alone is constant for boxes
that do not meet; the distance of the centres still pulls them together.

Two normalisations: the paper divides by the diagonal of the image; the published code takes
``1 - exp(-5 d)`` of that quotient d, which tells near boxes apart more sharply.
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from mmdeepmot.errors import InputError

Normalisation = Literal["diagonal", "exponential"]
_EXPONENTIAL_RATE = 5.0


def box_distance(
    tracks: Tensor,
    objects: Tensor,
    image_size: tuple[float, float] | Tensor,
    normalisation: Normalisation = "diagonal",
    min_iou: float = 0.0,
) -> Tensor:
    """Eq. 4: ``D = (normalised centre distance + 1 - IoU) / 2`` of every pair.

    Gradients are finite for all finite boxes: 0 through the centres where they coincide, 0 through
    the overlap where boxes do not meet or have no area. Computed in float32 at least.

    Args:
        tracks: ``(..., N, 4)`` xyxy px.
        objects: ``(..., M, 4)`` xyxy px, the same leading axes.
        image_size: (width, height) px, or a tensor ``(..., 2)`` of them that broadcasts with the
            leading axes (clips from images of several sizes).
        normalisation: Of the distance of the centres divided by the diagonal of the image:
            ``'diagonal'`` (the paper): as it is, at most 1; ``'exponential'`` (the published
            code): ``1 - exp(-5 d)``.
        min_iou: Pairs that overlap less are forbidden: their distance is infinite. The metrics
            match from 0.5 on; but what is forbidden gives no gradient, and cannot be mended.

    Returns:
        ``(..., N, M)`` in [0, 1] or inf, rows are tracks, columns are objects.

    Raises:
        ValueError: If the boxes' shapes disagree.
        InputError: If the normalisation is unknown or the image has no size.
    """
    if tracks.shape[-1:] != (4,) or objects.shape[-1:] != (4,) or tracks.dim() != objects.dim():
        raise ValueError(
            "expected tracks (..., N, 4) and objects (..., M, 4), xyxy px, got "
            f"{tuple(tracks.shape)} and {tuple(objects.shape)}"
        )
    if normalisation not in get_args(Normalisation):
        raise InputError(
            f"normalisation must be one of {get_args(Normalisation)}, got {normalisation!r}"
        )
    with torch.autocast(tracks.device.type, enabled=False):
        dtype = torch.promote_types(tracks.dtype, torch.float32)
        tracks, objects = tracks.to(dtype), objects.to(dtype)
        centres = centre_distances(tracks, objects) / _diagonal(image_size, tracks)
        if normalisation == "exponential":
            centres = -torch.expm1(-_EXPONENTIAL_RATE * centres)
        else:
            centres = centres.clamp(max=1)
        overlap = iou(tracks, objects)
        distances = 0.5 * (centres + 1 - overlap)
        if min_iou > 0:
            slack = torch.finfo(dtype).eps  # an overlap of exactly the threshold is enough
            distances = distances.masked_fill(overlap < min_iou - slack, math.inf)
        return distances


def _diagonal(image_size: tuple[float, float] | Tensor, like: Tensor) -> Tensor:
    """Length px of the image's diagonal, with two axes of length 1 behind its own."""
    size = torch.as_tensor(image_size, dtype=like.dtype, device=like.device)
    if size.shape[-1:] != (2,) or (not isinstance(image_size, Tensor) and min(image_size) <= 0):
        raise InputError(
            "image_size must be (width, height) px, both above 0, or a tensor (..., 2) of them, "
            f"got {image_size if size.dim() < 2 else tuple(size.shape)}"
        )
    return size.norm(dim=-1)[..., None, None]


def centre_distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances ``(..., N, M)`` px of the centres of ``(..., N, 4)`` and ``(..., M, 4)``.

    The gradient of a distance 0 is 0.
    """
    first = 0.5 * (a[..., :2] + a[..., 2:])
    second = 0.5 * (b[..., :2] + b[..., 2:])
    return (first[..., :, None, :] - second[..., None, :, :]).norm(dim=-1)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union ``(..., N, M)`` of ``(..., N, 4)`` and ``(..., M, 4)`` xyxy px.

    Boxes turned inside out have no area. Pairs without area have IoU 0, with gradient 0.
    """
    width = torch.minimum(a[..., :, None, 2], b[..., None, :, 2])
    width = width - torch.maximum(a[..., :, None, 0], b[..., None, :, 0])
    height = torch.minimum(a[..., :, None, 3], b[..., None, :, 3])
    height = height - torch.maximum(a[..., :, None, 1], b[..., None, :, 1])
    overlap = width.clamp(min=0) * height.clamp(min=0)
    union = _area(a)[..., :, None] + _area(b)[..., None, :] - overlap
    some = union > torch.finfo(union.dtype).eps
    return torch.where(some, overlap / union.where(some, torch.ones_like(union)), 0)


def _area(boxes: Tensor) -> Tensor:
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0)
    return size[..., 0] * size[..., 1]
