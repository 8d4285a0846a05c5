"""Deformable convolution v2 by operators that ONNX has.

Zhu et al., "Deformable ConvNets v2", CVPR 2019, Eq. 1. ONNX's own ``DeformConv`` is newer than
most programs that read ONNX files. Its two steps are old ones: ``GridSample`` (bilinear, zero
outside the image) at the moved kernel points, and a matrix product.
"""

import torch
import torch.nn.functional as F
from mmcv.ops import ModulatedDeformConv2dPack
from torch import Tensor, nn


class SampledDeformConv(nn.Module):
    """A ``ModulatedDeformConv2dPack`` of mmcv with its weights, in exportable form.

    Args:
        layer: Of one group and one group of offsets, on images of any size.
    """

    def __init__(self, layer: ModulatedDeformConv2dPack) -> None:
        super().__init__()
        if layer.groups != 1 or layer.deform_groups != 1:
            raise ValueError(
                "only deformable convolutions of one group and one group of offsets are exported, "
                f"got groups={layer.groups}, deform_groups={layer.deform_groups}"
            )
        self.layer = layer

    def forward(self, images: Tensor) -> Tensor:
        """``(B, O, h, w)`` from ``(B, C, H, W)``."""
        layer = self.layer
        height, width = int(images.shape[-2]), int(images.shape[-1])
        kernel_h, kernel_w = layer.kernel_size
        points = kernel_h * kernel_w
        out = layer.conv_offset(images)
        rows, columns = int(out.shape[-2]), int(out.shape[-1])
        offset, mask = out.split((2 * points, points), dim=1)
        moved = offset.view(-1, points, 2, rows, columns) + self._grid(out)
        # GridSample wants (x, y) in [-1, 1] from the first to the last pixel's centre.
        y = moved[:, :, 0] * (2 / max(height - 1, 1)) - 1
        x = moved[:, :, 1] * (2 / max(width - 1, 1)) - 1
        grid = torch.stack((x, y), dim=-1).view(-1, points * rows, columns, 2)
        taken = F.grid_sample(images, grid, "bilinear", "zeros", align_corners=True)
        taken = taken.view(-1, layer.in_channels, points, rows, columns)
        taken = taken * mask.sigmoid()[:, None]
        taken = taken.view(-1, layer.in_channels * points, rows, columns)
        weight = layer.weight.view(layer.out_channels, -1, 1, 1)
        return F.conv2d(taken, weight, layer.bias)

    def _grid(self, like: Tensor) -> Tensor:
        """Kernel points before they are moved, ``(points, 2, h, w)``, (y, x) px."""
        layer = self.layer
        axes = []
        for axis in range(2):
            tap = torch.arange(layer.kernel_size[axis]) * layer.dilation[axis]
            place = torch.arange(int(like.shape[2 + axis])) * layer.stride[axis]
            axes.append(tap[:, None] + place - layer.padding[axis])
        y, x = axes
        shape = (*layer.kernel_size, y.shape[1], x.shape[1])
        grid = torch.stack(
            (y[:, None, :, None].expand(shape), x[None, :, None, :].expand(shape)), 2
        )
        return grid.flatten(0, 1).to(like)


def replace_deform_convs(module: nn.Module) -> None:
    """Put :class:`SampledDeformConv` in the place of every deformable convolution v2."""
    for name, child in module.named_children():
        if isinstance(child, ModulatedDeformConv2dPack):
            setattr(module, name, SampledDeformConv(child))
        else:
            replace_deform_convs(child)
