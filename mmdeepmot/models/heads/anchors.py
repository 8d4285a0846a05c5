"""Anchor templates of JDE and their dense grid.

Paper: Wang et al., "Towards Real-Time Multi-Object Tracking", ECCV 2020, Sec. 3.3: every anchor
has the aspect 1:3, twelve widths ``8 * 2^(k/2)``, k = 1..12, four a scale. The sets of the
published models (rounded by hand, one for each input size) can be named instead.

As in the published implementation an anchor is centred at ``(column * stride, row * stride)``:
integer cell coordinates, without half a cell added.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from mmdeepmot.errors import InputError

AnchorSizes = Sequence[Sequence[Sequence[float]]]

PUBLISHED_ANCHORS: dict[str, AnchorSizes] = {
    "published_1088": (
        ((8, 24), (11, 34), (16, 48), (23, 68)),
        ((32, 96), (45, 135), (64, 192), (90, 271)),
        ((128, 384), (180, 540), (256, 640), (512, 640)),
    ),
    "published_864": (
        ((6, 19), (9, 27), (13, 38), (18, 54)),
        ((25, 76), (36, 107), (51, 152), (71, 215)),
        ((102, 305), (143, 429), (203, 508), (407, 508)),
    ),
    "published_576": (
        ((6, 16), (8, 23), (11, 32), (16, 45)),
        ((21, 64), (30, 90), (43, 128), (60, 180)),
        ((85, 255), (120, 360), (170, 420), (340, 320)),
    ),
}


def paper_anchors(
    num_scales: int = 3, per_scale: int = 4, base: float = 8.0, aspect: float = 3.0
) -> list[list[tuple[float, float]]]:
    """Anchors by the paper's rule: widths ``base * 2^(k/2)``, k = 1, 2, …; height = aspect * width.

    Args:
        num_scales: Scales, from the finest.
        per_scale: Anchors a scale.
        base: Width in px that the first anchor exceeds by the factor sqrt(2); 8 in the paper.
        aspect: Height / width.

    Returns:
        For each scale a list of (width, height) in px of the network's input.
    """
    widths = [base * 2 ** (k / 2) for k in range(1, num_scales * per_scale + 1)]
    starts = range(0, len(widths) + 1, per_scale)
    return [[(w, aspect * w) for w in widths[a:b]] for a, b in pairwise(starts)]


def resolve_anchors(anchors: str | AnchorSizes, num_scales: int) -> list[Tensor]:
    """Anchor sizes of a name or of an explicit list.

    Args:
        anchors: ``'paper'``, a key of :data:`PUBLISHED_ANCHORS`, or for each scale a sequence of
            (width, height) in px of the network's input.
        num_scales: Number of scales of the head.

    Returns:
        One ``(A, 2)`` float tensor a scale; A is the same for all.

    Raises:
        ValueError: If the name is unknown, the number of scales or the number of anchors differs,
            or a size is not positive.
    """
    if isinstance(anchors, str):
        if anchors == "paper":
            anchors = paper_anchors(num_scales)
        elif anchors in PUBLISHED_ANCHORS:
            anchors = PUBLISHED_ANCHORS[anchors]
        else:
            names = ["paper", *PUBLISHED_ANCHORS]
            raise InputError(f"anchors must be one of {names} or a list of sizes, got {anchors!r}")
    if len(anchors) != num_scales:
        raise InputError(
            f"anchors has {len(anchors)} scales, but the head has {num_scales} strides"
        )
    counts = [len(sizes) for sizes in anchors]
    if len(set(counts)) != 1 or counts[0] == 0:
        raise InputError(f"every scale needs the same number of anchors (at least 1), got {counts}")
    for scale in anchors:
        if any(len(size) != 2 or min(size) <= 0 for size in scale):
            raise InputError(f"anchors must be positive (width, height) pairs, got {list(scale)}")
    return [torch.tensor(scale, dtype=torch.float32) for scale in anchors]


def grid_anchors(sizes: Tensor, shape: tuple[int, int], stride: int) -> Tensor:
    """All anchors of one scale.

    Args:
        sizes: ``(A, 2)`` width and height, px.
        shape: (H, W) of the feature map.
        stride: px of the input for one cell.

    Returns:
        ``(A * H * W, 4)`` xyxy px, in the order (anchor, row, column).
    """
    height, width = shape
    y = torch.arange(height, device=sizes.device, dtype=sizes.dtype) * stride
    x = torch.arange(width, device=sizes.device, dtype=sizes.dtype) * stride
    centres = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    half = 0.5 * sizes[:, None, None]
    return torch.cat((centres - half, centres + half), dim=-1).view(-1, 4)
