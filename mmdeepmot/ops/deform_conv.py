"""Deformable convolution in plain PyTorch, on any device.

v1: Dai et al., "Deformable Convolutional Networks", ICCV 2017, Eq. 2-4. v2, with a modulation
mask: Zhu et al., "Deformable ConvNets v2", CVPR 2019, Eq. 1.
"""

import torch
from torch import Tensor

from mmdeepmot.ops.bilinear import corners, weighted_rows


def deform_conv2d(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    deform_groups: int = 1,
) -> Tensor:
    """Convolution whose kernel points are moved by offsets, and weighed by a mask if given.

    Args:
        input: (N, C, H, W); zero outside the image.
        offset: (N, deform_groups * kh * kw * 2, h, w), px, (y, x) of each kernel point.
        weight: (O, C / groups, kh, kw); the groups follow from its shape.
        mask: (N, deform_groups * kh * kw, h, w).
        bias: (O,).
        stride: (vertical, horizontal), as padding and dilation.
        padding: px.
        dilation: px.
        deform_groups: Groups of input channels that have offsets (and mask) of their own.

    Returns:
        (N, O, h, w), differentiable in all tensors.
    """
    batch, channels, height, width = input.shape
    kernel = weight.shape[2:]
    points = kernel.numel()
    out_height, out_width = offset.shape[2:]
    grid = _kernel_points(offset, kernel, stride, padding, dilation)
    moved = offset.view(batch, deform_groups, points, 2, out_height, out_width) + grid
    # Kernel points and their groups of channels innermost: the order in which the columns of the
    # matrix product below lie in memory.
    moved = moved.permute(3, 0, 4, 5, 2, 1)
    index, share = corners(moved[0], moved[1], (height, width))
    if mask is not None:
        mask = mask.view(batch, deform_groups, points, out_height, out_width)
        share = share * mask.permute(0, 3, 4, 2, 1)[..., None]
    image = torch.arange(batch, device=input.device).view(-1, 1, 1, 1, 1, 1) * (height * width)
    group = torch.arange(deform_groups, device=input.device).view(-1, 1)
    index = (index + image) * deform_groups + group
    table = input.permute(0, 2, 3, 1).reshape(-1, channels // deform_groups)
    columns = weighted_rows(table, index.view(-1, 4), share.reshape(-1, 4))
    groups = channels // weight.shape[1]
    output = torch.einsum(
        "lkgc,gock->lgo",
        columns.view(batch * out_height * out_width, points, groups, weight.shape[1]),
        weight.view(groups, -1, weight.shape[1], points),
    )
    output = output.reshape(batch, out_height, out_width, -1)
    if bias is not None:
        output = output + bias
    return output.permute(0, 3, 1, 2)


def _kernel_points(
    offset: Tensor,
    kernel: torch.Size,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> Tensor:
    """Undeformed sampling points (kh * kw, 2, h, w), (y, x) px, of the offsets' device and type."""
    axes = []
    for axis in range(2):
        out = torch.arange(offset.shape[2 + axis], device=offset.device, dtype=offset.dtype)
        tap = torch.arange(kernel[axis], device=offset.device, dtype=offset.dtype)
        axes.append(tap[:, None] * dilation[axis] + out * stride[axis] - padding[axis])
    rows, columns = axes
    shape = (*kernel, offset.shape[2], offset.shape[3])
    grid = torch.stack(
        (rows[:, None, :, None].expand(shape), columns[None, :, None, :].expand(shape)), dim=2
    )
    return grid.flatten(0, 1)
