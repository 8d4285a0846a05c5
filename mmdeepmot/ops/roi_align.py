"""RoIAlign in plain PyTorch (He et al., "Mask R-CNN", ICCV 2017, Sec. 3), on any device.

Each bin of a RoI is sampled on a regular grid by bilinear interpolation, and the samples are
averaged, or their maximum taken. As in mmcv, a sample more than one pixel outside the image is
zero, others are clamped to it; ``aligned`` shifts the boxes by half a pixel (and is right,
pixel centres being at integers), without it RoIs are at least one pixel wide (legacy).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mmdeepmot.ops.bilinear import corners, weighted_rows

MAX_CORNERS = 2**22
"""Pixels looked up at once; more RoIs than that needs are taken in turns."""


@dataclass(frozen=True)
class _Samples:
    """The sampling points of RoIs that have the same grid.

    ``members (M,)`` are the RoIs' indices, ``y`` and ``x`` (M, bins, S) the S points of each bin,
    ``index`` and ``weight`` (M, bins, S, 4) the pixels to take, as rows of the (N*H*W, C) features.
    """

    members: Tensor
    y: Tensor
    x: Tensor
    index: Tensor
    weight: Tensor


def roi_align(
    features: Tensor,
    rois: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    aligned: bool = True,
) -> Tensor:
    """Average-pooled RoIAlign.

    Args:
        features: (N, C, H, W).
        rois: (R, 5), index of the image and xyxy box, px of the input image.
        output_size: (height, width) in bins.
        spatial_scale: Feature pixels per input pixel.
        sampling_ratio: Samples per bin and direction; 0: as many as a bin has pixels.
        aligned: Half-pixel shift, see above.

    Returns:
        (R, C, height, width), differentiable in ``features``; zero for RoIs without extent if
        ``sampling_ratio`` is 0.
    """
    height, width = output_size
    table = _as_rows(features)
    parts, members = [], []
    for samples in _samples(
        rois, features.shape, output_size, spatial_scale, sampling_ratio, aligned
    ):
        pooled = weighted_rows(
            table,
            samples.index.flatten(0, 1).flatten(1),
            samples.weight.flatten(0, 1).flatten(1) / samples.y.shape[-1],
        )
        parts.append(pooled.view(len(samples.members), height, width, table.shape[1]))
        members.append(samples.members)
    output = features.new_zeros(len(rois), height, width, table.shape[1])
    if parts:
        output = output.index_copy(0, torch.cat(members), torch.cat(parts))
    return output.permute(0, 3, 1, 2)


def roi_align_max(
    features: Tensor,
    rois: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    aligned: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Max-pooled RoIAlign; arguments as :func:`roi_align`.

    Returns:
        The maxima (R, C, height, width), and the row and the column (feature px, unclamped) of the
        samples where they were found, of the same shape; zero, -1 and -1 for bins without samples.
    """
    height, width = output_size
    table = _as_rows(features)
    channels = table.shape[1]
    values = features.new_zeros(len(rois), height * width, channels)
    rows, columns = torch.full_like(values, -1), torch.full_like(values, -1)
    for samples in _samples(
        rois, features.shape, output_size, spatial_scale, sampling_ratio, aligned, channels
    ):
        sampled = weighted_rows(table, samples.index.view(-1, 4), samples.weight.view(-1, 4))
        best, where = sampled.view(*samples.y.shape, channels).max(dim=2)
        values[samples.members] = best
        rows[samples.members] = samples.y.gather(2, where)
        columns[samples.members] = samples.x.gather(2, where)
    shape = (len(rois), height, width, channels)
    return (
        values.view(shape).permute(0, 3, 1, 2),
        rows.view(shape).permute(0, 3, 1, 2),
        columns.view(shape).permute(0, 3, 1, 2),
    )


def roi_align_max_backward(
    grad_output: Tensor, rois: Tensor, rows: Tensor, columns: Tensor, shape: torch.Size
) -> Tensor:
    """Gradient of :func:`roi_align_max` with respect to the features.

    Args:
        grad_output: (R, C, height, width).
        rois: (R, 5), of which the index of the image is used.
        rows: (R, C, height, width) where the maxima were found, feature px; -1: nowhere.
        columns: (R, C, height, width).
        shape: (N, C, H, W) of the features.
    """
    _, channels, height, width = shape
    index, weight = _clamped_corners(rows, columns, (height, width))
    weight = weight * (rows != -1)[..., None]
    planes = rois[:, 0].long()[:, None] * channels + torch.arange(channels, device=rois.device)
    index = index + (planes * height * width)[:, :, None, None, None]
    grad = grad_output.new_zeros(shape.numel())
    grad.scatter_add_(0, index.flatten(), (weight * grad_output[..., None]).flatten())
    return grad.view(shape)


def _as_rows(features: Tensor) -> Tensor:
    """Features (N, C, H, W) as a table (N*H*W, C), one row a pixel."""
    return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def _clamped_corners(y: Tensor, x: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """:func:`corners` of points clamped to the image; weight 0 a pixel or more outside it."""
    height, width = size
    near = (y >= -1) & (y <= height) & (x >= -1) & (x <= width)
    index, weight = corners(y.clamp(0, height - 1), x.clamp(0, width - 1), size)
    return index, weight * near[..., None]


def _samples(
    rois: Tensor,
    shape: torch.Size,
    output_size: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
    cost: int = 1,
) -> Iterator[_Samples]:
    """Sampling points, one group of equal grids after another (RoIs without any are left out).

    ``cost`` is how many values each looked-up pixel stands for in memory.
    """
    _, _, height, width = shape
    bins_y, bins_x = output_size
    boxes = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    extent = boxes[:, 2:] - boxes[:, :2]
    if not aligned:
        extent = extent.clamp(min=1)
    bin_size = extent / extent.new_tensor((bins_x, bins_y))
    if sampling_ratio > 0:
        grids = torch.full_like(bin_size, sampling_ratio, dtype=torch.int64)
    else:
        grids = bin_size.ceil().nan_to_num(0.0).clamp(min=0).long()
    kinds, kind_of = torch.unique(grids, dim=0, return_inverse=True)
    for kind, (grid_x, grid_y) in enumerate(kinds.tolist()):
        if grid_x * grid_y == 0:
            continue
        chunk = max(1, MAX_CORNERS // (bins_y * bins_x * grid_y * grid_x * 4 * cost))
        for members in (kind_of == kind).nonzero().squeeze(1).split(chunk):
            y = _points(boxes[members, 1], bin_size[members, 1], bins_y, grid_y)
            x = _points(boxes[members, 0], bin_size[members, 0], bins_x, grid_x)
            every = (len(members), bins_y, bins_x, grid_y, grid_x)
            y = y[:, :, None, :, None].expand(every).flatten(3).flatten(1, 2)
            x = x[:, None, :, None, :].expand(every).flatten(3).flatten(1, 2)
            index, weight = _clamped_corners(y, x, (height, width))
            image = rois[members, 0].long() * (height * width)
            yield _Samples(members, y, x, index + image[:, None, None, None], weight)


def _points(start: Tensor, bin_size: Tensor, bins: int, grid: int) -> Tensor:
    """Coordinates (M, bins, grid) of sampling points along one direction, from (M,) each."""
    number = torch.arange(bins, device=start.device, dtype=start.dtype)
    step = torch.arange(grid, device=start.device, dtype=start.dtype) + 0.5
    corner = start[:, None] + number * bin_size[:, None]
    return corner[..., None] + step * bin_size[:, None, None] / grid
