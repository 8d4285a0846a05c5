"""One output of a centre-based head: on the whole map, or at some of its cells only.

FairMOT (Zhang et al., 2020) puts two convolutions for each output over the whole feature map and
then reads sizes, offsets and embeddings at the objects' centres. A convolution at P cells is a
linear layer on P patches of 3x3 cells: with some hundred centres among 41,000 cells (1088x608 at
stride 4) the same numbers for a hundredth of the work, in training as in prediction. Only the
heatmap is needed everywhere.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def take_patches(features: Tensor, images: Tensor, cells: Tensor) -> Tensor:
    """The 3x3 neighbourhoods of cells, zero outside the map.

    Args:
        features: ``(B, C, H, W)``.
        images: ``(P,)`` int64, image of the batch.
        cells: ``(P,)`` int64, row * W + column.

    Returns:
        ``(P, 9 * C)``, in the order (row, column, channel).
    """
    height, width = features.shape[-2:]
    step = torch.tensor([-1, 0, 1], device=cells.device)
    rows = cells.div(width, rounding_mode="floor")[:, None] + step.repeat_interleave(3)
    columns = (cells % width)[:, None] + step.repeat(3)
    outside = (rows < 0) | (rows >= height) | (columns < 0) | (columns >= width)
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    patches = features.permute(0, 2, 3, 1)[images[:, None], rows, columns]
    return patches.masked_fill(outside[..., None], 0).flatten(1)


class CenterBranch(nn.Sequential):
    """A 3x3 convolution, ReLU and a 1x1 convolution; or one 3x3 convolution.

    Called like any module it gives the whole map.

    Args:
        in_channels: C of the feature map.
        out_channels: Channels of the output.
        feat_channels: Channels between both convolutions; None: one 3x3 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, feat_channels: int | None) -> None:
        if feat_channels is None:
            layers: list[nn.Module] = [nn.Conv2d(in_channels, out_channels, 3, padding=1)]
        else:
            layers = [
                nn.Conv2d(in_channels, feat_channels, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(feat_channels, out_channels, 1),
            ]
        super().__init__(*layers)

    def at(self, patches: Tensor) -> Tensor:
        """The output ``(P, out_channels)`` at cells, from their :func:`take_patches`."""
        first, last = self.convolutions()
        out = F.linear(patches, first.weight.permute(0, 2, 3, 1).flatten(1), first.bias)
        return out if last is first else F.linear(out.relu(), last.weight.flatten(1), last.bias)

    def convolutions(self) -> tuple[nn.Conv2d, nn.Conv2d]:
        """The first and the last convolution."""
        return cast(nn.Conv2d, self[0]), cast(nn.Conv2d, self[-1])

    def set_bias(self, value: float) -> None:
        """Biases as published: 0, and ``value`` for the last convolution's."""
        first, last = self.convolutions()
        assert first.bias is not None and last.bias is not None
        nn.init.zeros_(first.bias)
        nn.init.constant_(last.bias, value)
