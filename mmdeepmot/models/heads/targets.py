"""Which anchor is foreground, background or neither, and which box it belongs to.

Paper: Wang et al., "Towards Real-Time Multi-Object Tracking", ECCV 2020, Sec. 3.3: IoU > 0.5 with
a box is foreground, IoU < 0.4 with all boxes background, what lies between is ignored.

Departures: boxes whose centre lies outside the feature map are used as they are (the published
code moves their centre to the last cell). Published code and paper leave a box without foreground
where no anchor reaches 0.5; ``match_best`` gives it its best anchor.

Anchors stand on a grid, so the intersection with a box is a product of one factor for (anchor,
column) and one for (anchor, row). ``share = intersection / (area of anchor + area of box)`` rises
strictly with IoU (``IoU = share / (1 - share)``): the best box of every anchor, and the best
anchor of every box, come from one product and one maximum over the dense array, without ever
computing the dense IoU.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmdeepmot.models.heads.anchors import grid_anchors

IGNORED = -1
BACKGROUND = 0
FOREGROUND = 1


@dataclass(frozen=True)
class AnchorGrid:
    """The anchors of all scales for one size of input.

    Anchors are numbered through all scales, inside a scale in the order (anchor, row, column).

    Attributes:
        sizes: One ``(A, 2)`` (width, height) px a scale.
        shapes: (H, W) of each scale's feature map.
        strides: px a cell of each scale.
    """

    sizes: tuple[Tensor, ...]
    shapes: tuple[tuple[int, int], ...]
    strides: tuple[int, ...]

    @property
    def counts(self) -> list[int]:
        """Number of anchors of each scale."""
        return [len(s) * h * w for s, (h, w) in zip(self.sizes, self.shapes, strict=True)]

    @property
    def device(self) -> torch.device:
        return self.sizes[0].device

    def scales(self) -> list[tuple[Tensor, tuple[int, int], int]]:
        """(sizes, shape, stride) of each scale."""
        return list(zip(self.sizes, self.shapes, self.strides, strict=True))

    def boxes(self) -> Tensor:
        """All anchors ``(K, 4)`` xyxy px."""
        return torch.cat([grid_anchors(*scale) for scale in self.scales()])

    def scale_and_cell(self, anchors: Tensor) -> tuple[Tensor, Tensor]:
        """Scale ``(P,)`` and cell ``row * W + column`` ``(P,)`` of anchor numbers ``(P,)``."""
        ends = torch.tensor(self.counts, device=anchors.device).cumsum(0)
        cells = torch.tensor([h * w for h, w in self.shapes], device=anchors.device)
        scale = torch.bucketize(anchors, ends, right=True)
        start = ends[scale] - torch.tensor(self.counts, device=anchors.device)[scale]
        return scale, (anchors - start) % cells[scale]


@dataclass(frozen=True)
class Targets:
    """Targets of one image.

    Attributes:
        labels: ``(K,)`` int64: 1 foreground, 0 background, -1 neither.
        anchors: ``(P,)`` int64, numbers of the foreground anchors, ascending.
        boxes: ``(P,)`` int64, number of the box that each of them belongs to.
    """

    labels: Tensor
    anchors: Tensor
    boxes: Tensor


def _axis_overlap(centres: Tensor, lengths: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Overlap ``(A, L, N)`` of intervals of A lengths at L centres with N intervals."""
    half = 0.5 * lengths[:, None, None]
    at = centres[None, :, None]
    return (torch.minimum(at + half, high) - torch.maximum(at - half, low)).clamp_(min=0)


def _grid_overlap(
    sizes: Tensor, shape: tuple[int, int], stride: int, boxes: Tensor
) -> tuple[Tensor, Tensor]:
    """Widths ``(A, 1, W, N)`` and heights ``(A, H, 1, N)`` of the intersections, px."""
    x = torch.arange(shape[1], device=boxes.device, dtype=boxes.dtype) * stride
    y = torch.arange(shape[0], device=boxes.device, dtype=boxes.dtype) * stride
    width = _axis_overlap(x, sizes[:, 0], boxes[:, 0], boxes[:, 2])
    height = _axis_overlap(y, sizes[:, 1], boxes[:, 1], boxes[:, 3])
    return width[:, None], height[:, :, None]


def overlap_share(sizes: Tensor, shape: tuple[int, int], stride: int, boxes: Tensor) -> Tensor:
    """Intersection of every anchor of one scale with every box, over the sum of both areas.

    Args:
        sizes: ``(A, 2)`` px.
        shape: (H, W).
        stride: px a cell.
        boxes: ``(N, 4)`` xyxy px.

    Returns:
        ``(A, H, W, N)`` in [0, 0.5]; ``IoU = share / (1 - share)``.
    """
    width, height = _grid_overlap(sizes, shape, stride, boxes)
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(-1)
    return (width / (sizes.prod(-1)[:, None, None, None] + area)) * height


def paired_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU ``(P,)`` of boxes ``a`` ``(P, 4)`` with ``b`` ``(P, 4)``, xyxy px, row by row."""
    inter = (
        (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2]))
        .clamp(min=0)
        .prod(-1)
    )
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1) - inter
    return inter / union


def best_anchors(grid: AnchorGrid, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """The anchor of highest IoU for each of ``boxes`` ``(N, 4)`` xyxy px.

    Returns:
        Anchor numbers ``(N,)`` int64 and their IoU ``(N,)``.
    """
    if len(boxes) == 0:
        return boxes.new_zeros(0, dtype=torch.int64), boxes.new_zeros(0)
    start, shares, numbers = 0, [], []
    for scale, count in zip(grid.scales(), grid.counts, strict=True):
        share, number = overlap_share(*scale, boxes).flatten(0, 2).max(dim=0)
        shares.append(share)
        numbers.append(number + start)
        start += count
    share, scale_index = torch.stack(shares).max(dim=0)
    number = torch.stack(numbers).gather(0, scale_index[None])[0]
    return number, share / (1 - share)


def _force_best(grid: AnchorGrid, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Anchor numbers and box numbers of every box's best anchor; the higher IoU wins a contest."""
    number, iou = best_anchors(grid, boxes)
    order = torch.arange(len(boxes), device=boxes.device)
    better = (iou[None] > iou[:, None]) | (
        (iou[None] == iou[:, None]) & (order[None] < order[:, None])
    )
    loses = ((number[None] == number[:, None]) & better).any(dim=1)
    keep = (iou > 0) & ~loses
    return number[keep], order[keep]


def _near_ignored(grid: AnchorGrid, ignored: Tensor, iou_thr: float, cover_thr: float) -> Tensor:
    """``(K,)`` bool: anchors with IoU >= ``iou_thr`` to an ignored box, or covered by one."""
    masks = []
    for sizes, shape, stride in grid.scales():
        width, height = _grid_overlap(sizes, shape, stride, ignored)
        inter = width * height
        own = sizes.prod(-1)[:, None, None, None]
        other = (ignored[:, 2:] - ignored[:, :2]).clamp(min=0).prod(-1)
        near = (inter >= iou_thr * (own + other - inter)) | (inter > cover_thr * own)
        masks.append((near & (inter > 0)).any(dim=-1).flatten())
    return torch.cat(masks)


@torch.no_grad()
def assign_targets(
    grid: AnchorGrid,
    boxes: Tensor,
    ignored: Tensor | None = None,
    *,
    fg_thr: float = 0.5,
    bg_thr: float = 0.4,
    cover_thr: float = 0.5,
    match_best: bool = False,
) -> Targets:
    """Targets of one image.

    Args:
        grid: The anchors.
        boxes: ``(N, 4)`` xyxy px of the input; N may be 0.
        ignored: ``(M, 4)`` xyxy px, neither rewarded nor punished: an anchor that is not
            foreground and has IoU >= ``bg_thr`` with one of them, or of which more than
            ``cover_thr`` lies inside one, is -1.
        fg_thr: IoU above which an anchor is foreground.
        bg_thr: IoU below which an anchor is background.
        cover_thr: See ``ignored``.
        match_best: Also make each box's best anchor foreground, whatever the IoU (not in the
            paper; for small images or boxes far from every anchor's shape).
    """
    total = sum(grid.counts)
    labels = torch.zeros(total, dtype=torch.int64, device=grid.device)
    owner = torch.zeros(total, dtype=torch.int64, device=grid.device)
    if len(boxes):
        owner = torch.cat(
            [overlap_share(*s, boxes).max(dim=-1)[1].flatten() for s in grid.scales()]
        )
        iou = paired_iou(grid.boxes(), boxes[owner])
        labels[iou >= bg_thr] = IGNORED
        labels[iou > fg_thr] = FOREGROUND
        if match_best:
            forced, forced_boxes = _force_best(grid, boxes)
            labels[forced] = FOREGROUND
            owner[forced] = forced_boxes
    if ignored is not None and len(ignored):
        near = _near_ignored(grid, ignored, bg_thr, cover_thr)
        labels[near & (labels != FOREGROUND)] = IGNORED
    anchors = (labels == FOREGROUND).nonzero().squeeze(1)
    return Targets(labels=labels, anchors=anchors, boxes=owner[anchors])


@dataclass(frozen=True)
class BatchTargets:
    """Targets of a batch of images.

    Attributes:
        labels: ``(B, K)`` int64.
        images: ``(P,)`` int64, image of each foreground anchor.
        anchors: ``(P,)`` int64, its number.
        boxes: ``(P, 4)`` xyxy px, its box.
        identities: ``(P,)`` int64, its box's identity, -1 none.
    """

    labels: Tensor
    images: Tensor
    anchors: Tensor
    boxes: Tensor
    identities: Tensor


def batch_targets(
    grid: AnchorGrid,
    boxes: Sequence[Tensor],
    identities: Sequence[Tensor],
    ignored: Sequence[Tensor | None],
    **thresholds: float | bool,
) -> BatchTargets:
    """:func:`assign_targets` for each image, joined.

    Args:
        grid: The anchors.
        boxes: ``(N_i, 4)`` xyxy px of each image.
        identities: ``(N_i,)`` int64 of each image, -1 none.
        ignored: ``(M_i, 4)`` xyxy px of each image, or None.
        **thresholds: Passed on.
    """
    found = [
        assign_targets(grid, b, i, **thresholds)  # type: ignore[arg-type]
        for b, i in zip(boxes, ignored, strict=True)
    ]
    images = [torch.full_like(t.anchors, n) for n, t in enumerate(found)]
    return BatchTargets(
        labels=torch.stack([t.labels for t in found]),
        images=torch.cat(images),
        anchors=torch.cat([t.anchors for t in found]),
        boxes=torch.cat([b[t.boxes] for b, t in zip(boxes, found, strict=True)]),
        identities=torch.cat([i[t.boxes] for i, t in zip(identities, found, strict=True)]),
    )
