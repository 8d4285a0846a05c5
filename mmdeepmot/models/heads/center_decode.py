"""From a heatmap to places, from numbers at places to boxes.

Paper: Zhang et al., "A Simple Baseline for Multi-Object Tracking" (FairMOT), 2020, Sec. 3.5; a
cell is kept where it is the largest of its 3x3 neighbourhood, as in CenterNet (Zhou et al.,
"Objects as Points", 2019).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmdeepmot.models.heads.center_targets import BoxKind


@dataclass(frozen=True)
class Peaks:
    """Peaks of a batch of heatmaps, image by image, by falling score; P in all.

    Attributes:
        counts: Number of peaks of each image.
        images: ``(P,)`` int64.
        cells: ``(P,)`` int64, row * W + column.
        labels: ``(P,)`` int64.
        scores: ``(P,)`` in (0, 1).
    """

    counts: list[int]
    images: Tensor
    cells: Tensor
    labels: Tensor
    scores: Tensor


def local_maxima(maps: Tensor) -> Tensor:
    """Which cells of ``(B, C, H, W)`` are the largest of their 3x3 neighbourhood, bool.

    Of equal neighbours (frequent in half precision) the last, row by row, is kept.
    """
    largest = F.max_pool2d(maps, 3, stride=1, padding=1)
    padded = F.pad(maps, (1, 1, 0, 1), value=-torch.inf)
    height, width = maps.shape[-2:]
    right = padded[..., :height, 2:]
    below = padded[..., 1:, :]
    below = torch.maximum(
        torch.maximum(below[..., :width], below[..., 2:]), below[..., 1 : width + 1]
    )
    return (maps == largest) & (maps > right) & (maps > below)


def find_peaks(logits: Tensor, max_per_img: int, score_thr: float) -> Peaks:
    """The highest peaks of each image.

    Args:
        logits: ``(B, C, H, W)`` heatmaps before the sigmoid, which changes no order: only the
            peaks go through it.
        max_per_img: At most this many an image, over all classes.
        score_thr: In [0, 1); peaks must exceed it.
    """
    logits = logits.detach().float()
    batch, _, height, width = logits.shape
    peaks = logits.masked_fill(~local_maxima(logits), -torch.inf).flatten(1)
    values, places = peaks.topk(min(max_per_img, peaks.shape[1]))
    scores = values.sigmoid()
    found = scores > score_thr
    counts = found.sum(dim=1)
    images = torch.arange(batch, device=logits.device).repeat_interleave(counts)
    places = places[found]
    return Peaks(
        counts=counts.tolist(),
        images=images,
        cells=places % (height * width),
        labels=places.div(height * width, rounding_mode="floor"),
        scores=scores[found],
    )


def boxes_at(
    cells: Tensor, offsets: Tensor, sizes: Tensor, width: int, stride: int, box: BoxKind
) -> Tensor:
    """Boxes ``(P, 4)`` xyxy px of the input.

    Args:
        cells: ``(P,)`` int64, row * width + column.
        offsets: ``(P, 2)`` (x, y) of the centre from the cell's corner, in cells.
        sizes: ``(P, 2)`` or ``(P, 4)`` in cells, see :class:`CenterTargets`; negative ones, which
            no target has, count as 0.
        width: Cells a row.
        stride: px a cell.
        box: What ``sizes`` are.
    """
    corner = torch.stack((cells % width, cells.div(width, rounding_mode="floor")), dim=-1)
    center = corner + offsets
    sizes = sizes.clamp(min=0)
    before, after = (0.5 * sizes, 0.5 * sizes) if box == "wh" else sizes.chunk(2, dim=-1)
    return stride * torch.cat((center - before, center + after), dim=-1)
