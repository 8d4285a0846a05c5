"""What a centre-based head has to learn: a heatmap, and numbers at the centres of boxes.

Paper: Zhang et al., "A Simple Baseline for Multi-Object Tracking" (FairMOT), 2020, Sec. 3.2 to 3.4;
the heatmap is CenterNet's (Zhou et al., "Objects as Points", 2019), its radius CornerNet's (Law and
Deng, "CornerNet", ECCV 2018). Lengths are in cells of the feature map unless px is said.

Departures and choices:

- The paper prints the heatmap as a sum of Gaussians; here, as in the published code, it is their
  maximum (a sum can exceed 1).
- The radius is the published code's, ``(b + sqrt(b^2 - 4ac)) / 2`` without the division by ``a``,
  which gives wider peaks than the formula that CornerNet means (``corrected``).
- Sizes are in cells, as in the published code (the paper's text has px of the image).
- A centre outside the map moves to its border, and the cell is the last one there. The published
  code moves it to the last cell's corner; here a box with its centre in the last cell stays whole.
  Boxes that do not touch the map, or have no area, are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.heads.samples import GroundTruth

BoxKind = Literal["wh", "ltrb"]
BOX_DIMS = {"wh": 2, "ltrb": 4}


@dataclass(frozen=True)
class CenterTargets:
    """Targets of a batch; P boxes in all, in the order of the images.

    Attributes:
        heatmap: ``(B, C, H, W)`` float32 in [0, 1], 1 exactly at the centres.
        weight: ``(B, C, H, W)`` float32, 0 where nothing is punished; None: 1 everywhere.
        images: ``(P,)`` int64, image of each box.
        cells: ``(P,)`` int64, row * W + column of its centre.
        offsets: ``(P, 2)`` (x, y) of the centre from the cell's corner, in [0, 1].
        sizes: ``(P, 2)`` width and height, or ``(P, 4)`` distances from the centre to left, top,
            right and bottom.
        identities: ``(P,)`` int64, -1 none.
    """

    heatmap: Tensor
    weight: Tensor | None
    images: Tensor
    cells: Tensor
    offsets: Tensor
    sizes: Tensor
    identities: Tensor


def gaussian_radii(sizes: Tensor, min_overlap: float = 0.7, corrected: bool = False) -> Tensor:
    """CornerNet's radius, within which corners may move while the IoU stays ``min_overlap``.

    Three cases (both corners inward, both outward, one of each), each a quadratic equation; the
    least of their solutions, for width and height rounded up, is rounded down.

    Args:
        sizes: ``(N, 2)`` (width, height), positive.
        min_overlap: The IoU.
        corrected: See the head of this file.

    Returns:
        ``(N,)`` int64.
    """
    width, height = sizes.double().ceil().unbind(-1)
    around, area = width + height, width * height
    cases = (
        (1.0, around, area * (1 - min_overlap) / (1 + min_overlap), -1),
        (4.0, 2 * around, (1 - min_overlap) * area, -1),
        (4 * min_overlap, -2 * min_overlap * around, (min_overlap - 1) * area, 1),
    )
    radii = []
    for a, b, c, sign in cases:
        root = (b.square() - 4 * a * c).sqrt()
        radii.append((b + sign * root) / (2 * a) if corrected else (b + root) / 2)
    return torch.stack(radii).amin(dim=0).clamp(min=0).long()


def _expand(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """For N lists of ``numbers`` ``(N,)`` entries, joined: each entry's list and its place there.

    Returns:
        Both ``(sum of numbers,)`` int64.
    """
    owner = torch.repeat_interleave(numbers)
    starts = numbers.cumsum(0) - numbers
    return owner, torch.arange(len(owner), device=owner.device) - starts[owner]


def draw_gaussians(
    planes: Tensor, columns: Tensor, rows: Tensor, radii: Tensor, shape: tuple[int, int, int]
) -> Tensor:
    """The maximum of Gaussians, each cut off outside a square.

    Args:
        planes: ``(N,)`` int64, plane on which each is drawn.
        columns: ``(N,)`` int64, its centre.
        rows: ``(N,)`` int64, its centre.
        radii: ``(N,)`` int64; the square has a side of ``2 * radius + 1``, and the standard
            deviation is a sixth of that.
        shape: (planes, H, W).

    Returns:
        ``(planes, H, W)`` float32.
    """
    _, height, width = shape
    heat = torch.zeros(shape, device=radii.device)
    decay = -18 / (2 * radii + 1).float().square()  # -1 / (2 sigma^2)
    left, right = (columns - radii).clamp(min=0), (columns + radii).clamp(max=width - 1)
    top, bottom = (rows - radii).clamp(min=0), (rows + radii).clamp(max=height - 1)
    # The squares' parts inside the map: their rows in one list, and the cells of these in one.
    owner, down = _expand(bottom - top + 1)
    y = top[owner] + down
    start = (planes[owner] * height + y) * width + left[owner]
    vertical = decay[owner] * (y - rows[owner]).square()
    line, across = _expand((right - left + 1)[owner])
    horizontal = (across + (left - columns)[owner][line]).square() * decay[owner][line]
    values = (horizontal + vertical[line]).exp()
    index = start[line] + across
    heat.view(-1).scatter_reduce_(0, index, values, "amax")
    return heat


def inside_boxes(boxes: Tensor, shape: tuple[int, int], stride: int) -> Tensor:
    """Cells ``(H, W)`` bool whose middle lies in one of ``boxes`` ``(M, 4)`` xyxy px."""
    left, top, right, bottom = (boxes / stride).unbind(-1)

    def within(length: int, low: Tensor, high: Tensor) -> Tensor:
        middle = torch.arange(length, device=boxes.device)[:, None] + 0.5
        return ((middle >= low) & (middle <= high)).float()

    return within(shape[0], top, bottom) @ within(shape[1], left, right).T > 0


def locate_centers(
    boxes: Tensor, shape: tuple[int, int], stride: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Where the centres of boxes lie on the feature map.

    Args:
        boxes: ``(N, 4)`` xyxy px.
        shape: (H, W) of the map.
        stride: px a cell.

    Returns:
        Centres ``(N, 2)`` (x, y), moved to the border where they lie outside; their cells' columns
        and rows ``(N,)`` int64; and whether they lay inside (border included), ``(N,)`` bool.
    """
    size = boxes.new_tensor((shape[1], shape[0]))
    exact = (boxes[:, :2] + boxes[:, 2:]) / (2 * stride)
    centers = exact.clamp(min=0).minimum(size)
    columns, rows = centers.floor().minimum(size - 1).long().unbind(-1)
    return centers, columns, rows, (exact == centers).all(dim=-1)


def _ignored_weight(
    ignored: Sequence[Tensor | None], heatmap: Tensor, stride: int
) -> Tensor | None:
    """0 inside ignored boxes, but 1 at centres; None where no image has any."""
    if not any(boxes is not None and len(boxes) for boxes in ignored):
        return None
    shape = (heatmap.shape[-2], heatmap.shape[-1])
    inside = [
        heatmap.new_zeros(shape, dtype=torch.bool)
        if boxes is None
        else inside_boxes(boxes, shape, stride)
        for boxes in ignored
    ]
    return (~torch.stack(inside)[:, None] | (heatmap == 1)).float()


@torch.no_grad()
def center_targets(
    truth: GroundTruth,
    shape: tuple[int, int],
    stride: int,
    num_classes: int = 1,
    box: BoxKind = "wh",
    min_overlap: float = 0.7,
    corrected_radius: bool = False,
) -> CenterTargets:
    """Targets of a batch.

    Args:
        truth: Its boxes, px of the input; inside ``ignored`` boxes nothing is punished.
        shape: (H, W) of the feature map.
        stride: px a cell.
        num_classes: C; with one class all labels count as it.
        box: What ``sizes`` are.
        min_overlap: See :func:`gaussian_radii`.
        corrected_radius: See :func:`gaussian_radii`.

    Raises:
        InputError: If a label is not below ``num_classes``.
    """
    boxes = torch.cat(truth.boxes)
    labels = torch.cat(truth.labels)
    if num_classes == 1:
        labels = torch.zeros_like(labels)
    elif labels.numel() and int(labels.max()) >= num_classes:
        raise InputError(
            f"label {int(labels.max())} is outside the heatmap, which has {num_classes} classes: "
            "num_classes of the head must be at least the training dataset's"
        )
    lengths = torch.tensor([len(b) for b in truth.boxes], device=boxes.device)
    images = torch.repeat_interleave(lengths)
    size = stride * boxes.new_tensor((shape[1], shape[0]))
    touches = (boxes[:, 2:] > 0).all(-1) & (boxes[:, :2] < size).all(-1)
    kept = (touches & (boxes[:, 2:] > boxes[:, :2]).all(-1)).nonzero().squeeze(1)
    boxes, labels, images = boxes[kept], labels[kept], images[kept]

    centers, columns, rows, _ = locate_centers(boxes, shape, stride)
    extent = (boxes[:, 2:] - boxes[:, :2]) / stride
    radii = gaussian_radii(extent, min_overlap, corrected_radius)
    planes = images * num_classes + labels
    batch = len(truth.boxes)
    heatmap = draw_gaussians(planes, columns, rows, radii, (batch * num_classes, *shape))
    heatmap = heatmap.view(batch, num_classes, *shape)
    if box == "ltrb":
        extent = torch.cat((centers - boxes[:, :2] / stride, boxes[:, 2:] / stride - centers), -1)
    return CenterTargets(
        heatmap=heatmap,
        weight=_ignored_weight(truth.ignored, heatmap, stride),
        images=images,
        cells=rows * shape[1] + columns,
        offsets=centers - torch.stack((columns, rows), dim=-1),
        sizes=extent,
        identities=torch.cat(truth.identities)[kept],
    )
