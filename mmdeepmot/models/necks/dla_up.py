"""Aggregation of a backbone's levels to one fine map, with deformable convolutions.

Papers: Yu et al., "Deep Layer Aggregation", CVPR 2018, Sec. 3.3 (iterative deep aggregation with
interpolation); Zhou et al., "Objects as Points", 2019, Sec. 5 and Fig. 6 (more skip connections,
deformable convolutions before the interpolation and at each node), which FairMOT (Zhang et al.,
2020, Sec. 3.1) takes over.

Unlike in the published implementation a convolution before a batch normalisation has no bias: it
could not change anything.
"""

import math
from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmcv.ops import ModulatedDeformConv2dPack  # noqa: F401  (registers 'DCNv2')
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MODELS

COARSEST = 32
"""Stride of the coarsest level, px of the input."""


def bilinear_kernel(factor: int) -> Tensor:
    """Kernel ``(2 * factor, 2 * factor)`` with which a transposed convolution interpolates.

    Args:
        factor: Even; the stride of the convolution.
    """
    distance = (torch.arange(2 * factor) + 0.5 - factor).abs()
    ramp = 1 - distance / factor
    return torch.outer(ramp, ramp)


def depthwise_up_conv(channels: int, factor: int) -> nn.ConvTranspose2d:
    """Transposed convolution, one kernel a channel, that starts as bilinear interpolation.

    Args:
        channels: Of input and output.
        factor: By which height and width grow; even.
    """
    layer = nn.ConvTranspose2d(
        channels,
        channels,
        2 * factor,
        stride=factor,
        padding=factor // 2,
        groups=channels,
        bias=False,
    )
    with torch.no_grad():
        layer.weight.copy_(bilinear_kernel(factor).expand_as(layer.weight))
    return layer


def conv_node(in_channels: int, out_channels: int, dcn: bool, norm_cfg: dict) -> ConvModule:
    """3x3 convolution (deformable, v2, or plain), normalisation, ReLU."""
    return ConvModule(
        in_channels,
        out_channels,
        3,
        padding=1,
        conv_cfg={"type": "DCNv2"} if dcn else None,
        norm_cfg=norm_cfg,
    )


class IterativeAggregation(BaseModule):
    """Joins maps of several scales one after the other, from the finest on.

    Each coarser map is projected to ``out_channels``, brought to the finest map's size and added
    to what was joined before; a convolution follows.

    Args:
        in_channels: Of the maps, finest first; the first has ``out_channels``.
        factors: By how much the second and further maps are coarser than the first.
        out_channels: Of all results.
        dcn: Whether the convolutions are deformable.
        norm_cfg: Normalisation.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        factors: Sequence[int],
        out_channels: int,
        dcn: bool,
        norm_cfg: dict,
    ) -> None:
        super().__init__()
        self.projections = nn.ModuleList(
            conv_node(channels, out_channels, dcn, norm_cfg) for channels in in_channels[1:]
        )
        self.ups = nn.ModuleList(depthwise_up_conv(out_channels, factor) for factor in factors)
        self.nodes = nn.ModuleList(
            conv_node(out_channels, out_channels, dcn, norm_cfg) for _ in factors
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """All intermediate results; the first is the finest map itself.

        Args:
            maps: ``(B, C, H, W)``, finest first.

        Returns:
            As many maps ``(B, out_channels, H, W)`` of the finest one's size.
        """
        joined = [maps[0]]
        layers = zip(maps[1:], self.projections, self.ups, self.nodes, strict=True)
        for coarse, project, up, node in layers:
            joined.append(node(up(project(coarse)) + joined[-1]))
        return joined


@MODELS.register_module()
class DLAUp(BaseModule):
    """From a backbone's levels to one map at ``out_stride``.

    First, deep aggregation: the two coarsest levels are joined, then these and the next finer one,
    and so on. The last result of each round is kept: one map a stride, the coarsest left out. Then
    these are joined once more, at once.

    Args:
        in_channels: Of the levels at ``out_stride``, ``2 * out_stride``, …, 32, finest first. The
            result has as many as the finest.
        out_stride: Stride of the finest level and of the result: 2, 4, 8 or 16.
        dcn: Whether the convolutions are deformable.
        norm_cfg: Normalisation; None: BN.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 128, 256, 512),
        out_stride: int = 4,
        dcn: bool = True,
        norm_cfg: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if out_stride not in (2, 4, 8, 16):
            raise InputError(f"out_stride of DLAUp must be 2, 4, 8 or 16, got {out_stride}")
        wanted = int(math.log2(COARSEST // out_stride)) + 1
        if len(in_channels) != wanted:
            raise InputError(
                f"DLAUp with out_stride={out_stride} needs {wanted} levels (strides {out_stride} "
                f"to {COARSEST}), got in_channels={tuple(in_channels)}: set the backbone's "
                "out_indices and in_channels to match"
            )
        norm_cfg = norm_cfg or {"type": "BN"}
        self.in_channels = tuple(in_channels)
        self.out_channels = self.in_channels[0]
        self.out_stride = out_stride
        self.deep = nn.ModuleList()
        for first in reversed(range(wanted - 1)):
            own, above = self.in_channels[first : first + 2]
            coarser = wanted - 1 - first
            self.deep.append(
                IterativeAggregation([own] + [above] * coarser, [2] * coarser, own, dcn, norm_cfg)
            )
        self.last = IterativeAggregation(
            self.in_channels[:-1],
            [2**level for level in range(1, wanted - 1)],
            self.out_channels,
            dcn,
            norm_cfg,
        )

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor]:
        """One map ``(B, in_channels[0], H, W)``.

        Args:
            inputs: ``(B, C, H, W)`` a level, finest first, each half the size of the one before.

        Raises:
            InputError: If number or channels of the levels are not ``in_channels``.
        """
        got = tuple(level.shape[1] for level in inputs)
        if got != self.in_channels:
            raise InputError(f"DLAUp expects levels of {self.in_channels} channels, got {got}")
        maps = list(inputs)
        kept: list[Tensor] = []
        for first, aggregation in zip(reversed(range(len(maps) - 1)), self.deep, strict=True):
            maps[first:] = aggregation(maps[first:])
            kept.insert(0, maps[-1])
        return (self.last(kept)[-1],)
