"""Anchors of SiamRPN, and which of its proposals becomes the target's box.

Papers: Li et al., CVPR 2018, Sec. 3.2 and 4.3 (cosine window, penalty for changes of shape);
constants of the published DaSiamRPN, which DeepMOT's published tracker takes over.
Departure: anchors stand symmetrically about the centre of the crop. Under Python 3 the published
code puts all of them half a stride up and to the left.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mmdeepmot.models.sot.crops import context_sides

RATIOS = (0.33, 0.5, 1.0, 2.0, 3.0)
"""Published heights over widths."""


def anchor_boxes(
    map_size: int, ratios: Sequence[float] = RATIOS, scale: float = 8.0, stride: int = 8
) -> Tensor:
    """All anchors of a search crop.

    Args:
        map_size: s, cells in each direction.
        ratios: Height over width, A of them.
        scale: Side of a square anchor in strides.
        stride: px of the crop a cell.

    Returns:
        ``(A * s * s, 4)`` xyxy px about the centre of the crop, in the order (anchor, row, column).
    """
    sizes = []
    for ratio in ratios:
        width = int(stride / math.sqrt(ratio))  # published: whole cells of a pixel, then scaled
        sizes.append((width * scale, int(width * ratio) * scale))
    half = 0.5 * torch.tensor(sizes)
    step = (torch.arange(map_size) - 0.5 * (map_size - 1)) * stride
    y, x = torch.meshgrid(step, step, indexing="ij")
    centre = torch.stack((x, y), dim=-1)
    low, high = (centre + sign * half[:, None, None] for sign in (-1, 1))
    return torch.cat((low, high), dim=-1).view(-1, 4)


def cosine_window(map_size: int, num_anchors: int) -> Tensor:
    """``(A * s * s,)``: the outer product of two Hann windows, once an anchor."""
    hann = torch.hann_window(map_size, periodic=False)
    return torch.outer(hann, hann).flatten().repeat(num_anchors)


def change_penalty(boxes: Tensor, sizes: Tensor, strength: float) -> Tensor:
    """How much proposals are believed, given how the target's shape and scale would change.

    ``exp(-k (max(r / r', r' / r) * max(s / s', s' / s) - 1))`` with r the width over the height
    and s the side of :func:`~mmdeepmot.models.sot.crops.context_sides` (paper, Eq. 13).

    Args:
        boxes: ``(N, P, 4)`` xyxy px.
        sizes: ``(N, 2)`` (width, height) px of the targets before.
        strength: k.

    Returns:
        ``(N, P)`` in (0, 1].
    """
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3)
    old = sizes[:, None].clamp(min=1e-3)
    scale = _times(context_sides(size) / context_sides(old))
    shape = _times((size[..., 0] * old[..., 1]) / (size[..., 1] * old[..., 0]))
    return torch.exp(-strength * (scale * shape - 1))


def _times(quotient: Tensor) -> Tensor:
    return torch.maximum(quotient, 1 / quotient)
