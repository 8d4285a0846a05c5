"""DLA: backbone with iterative and hierarchical aggregation of its blocks.

Paper: Yu et al., "Deep Layer Aggregation", CVPR 2018, Sec. 3.2, Table 1, Fig. 2 and 3. DLA-34 has a
7x7 stem, two levels of plain convolutions (strides 1 and 2) and four levels of aggregated residual
blocks (strides 4 to 32); its aggregation nodes have no residual connection.

The published implementation holds a projection at the head of levels 3 and 4 whose output nothing
reads. It is left out here: parameters without a gradient stop distributed training.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule, build_norm_layer
from mmdet.models.backbones.resnet import BasicBlock
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MODELS

ARCHITECTURES: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {
    34: ((1, 1, 1, 2, 2, 1), (16, 32, 64, 128, 256, 512)),
}
"""Depth -> (convolutions of levels 0 and 1, depth of the trees of levels 2 to 5), channels."""

STRIDES = (1, 2, 4, 8, 16, 32)
"""Of the levels, px of the input."""


def residual_block(in_channels: int, out_channels: int, stride: int, norm_cfg: dict) -> BasicBlock:
    """Residual block whose shortcut is pooled to the stride and projected to the channels."""
    shortcut: list[nn.Module] = []
    if stride > 1:
        shortcut.append(nn.MaxPool2d(stride))
    if in_channels != out_channels:
        projection = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        shortcut += [projection, build_norm_layer(norm_cfg, out_channels)[1]]
    return BasicBlock(
        in_channels,
        out_channels,
        stride,
        downsample=nn.Sequential(*shortcut) if shortcut else None,
        norm_cfg=norm_cfg,
    )


class AggregationTree(BaseModule):
    """Hierarchical aggregation (Fig. 2 f): ``2 ** depth`` residual blocks and their nodes.

    A tree of depth 1 is two blocks in sequence, joined by a 1x1 convolution (the root). A deeper
    one is two trees in sequence; what the first gives is joined once more at the root of the
    second.

    Args:
        depth: At least 1.
        in_channels: Of the input.
        out_channels: Of the blocks and the result.
        stride: Of the first block.
        join_input: Whether the pooled input, too, is joined at the root: the iterative aggregation
            between levels.
        joined_channels: Channels of the maps that come from the trees around this one.
        norm_cfg: Normalisation.
    """

    def __init__(
        self,
        depth: int,
        in_channels: int,
        out_channels: int,
        stride: int,
        norm_cfg: dict,
        join_input: bool = False,
        joined_channels: int = 0,
    ) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(stride) if join_input and stride > 1 else nn.Identity()
        self.join_input = join_input
        if join_input:
            joined_channels += in_channels
        self.left: nn.Module
        self.right: nn.Module
        self.root: ConvModule | None = None
        if depth == 1:
            self.left = residual_block(in_channels, out_channels, stride, norm_cfg)
            self.right = residual_block(out_channels, out_channels, 1, norm_cfg)
            self.root = ConvModule(
                2 * out_channels + joined_channels, out_channels, 1, norm_cfg=norm_cfg
            )
        else:
            self.left = AggregationTree(depth - 1, in_channels, out_channels, stride, norm_cfg)
            self.right = AggregationTree(
                depth - 1,
                out_channels,
                out_channels,
                1,
                norm_cfg,
                joined_channels=joined_channels + out_channels,
            )

    def forward(self, x: Tensor, joined: tuple[Tensor, ...] = ()) -> Tensor:
        """Result ``(B, out, H / stride, W / stride)``.

        Args:
            x: ``(B, in, H, W)``.
            joined: Maps of the result's size, joined at the root.
        """
        if self.join_input:
            joined = (*joined, self.pool(x))
        left = self.left(x)
        if self.root is None:
            return self.right(left, (*joined, left))
        return self.root(torch.cat((self.right(left), left, *joined), dim=1))


@MODELS.register_module()
class DLA(BaseModule):
    """Deep Layer Aggregation.

    Args:
        depth: 34.
        out_indices: Levels that are given back, 0 to 5, ascending; their strides are 1, 2, 4, 8,
            16, 32. Levels above the last are not built.
        channels: Of the six levels; None: those of the paper.
        norm_cfg: Normalisation; None: BN.
        norm_eval: Whether running statistics are kept as they are in training.
        init_cfg: mmengine's initialisation config; None: Kaiming. Published weights:
            ``dict(type='DLAPretrainedInit', checkpoint='…/dla34-ba72cf86.pth')``.
    """

    def __init__(
        self,
        depth: int = 34,
        out_indices: Sequence[int] = (2, 3, 4, 5),
        channels: Sequence[int] | None = None,
        norm_cfg: dict | None = None,
        norm_eval: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            init_cfg
            or [
                {"type": "Kaiming", "layer": "Conv2d"},
                {"type": "Constant", "layer": "_BatchNorm", "val": 1},
            ]
        )
        if depth not in ARCHITECTURES:
            raise InputError(f"depth of DLA must be one of {sorted(ARCHITECTURES)}, got {depth}")
        sizes, default_channels = ARCHITECTURES[depth]
        channels = tuple(channels or default_channels)
        if len(channels) != len(sizes):
            raise InputError(f"DLA needs channels of {len(sizes)} levels, got {channels}")
        if not out_indices or not set(out_indices) <= set(range(len(sizes))):
            raise InputError(f"out_indices of DLA must be among 0 to 5, got {tuple(out_indices)}")
        if list(out_indices) != sorted(set(out_indices)):
            raise InputError(f"out_indices of DLA must ascend, got {tuple(out_indices)}")
        norm_cfg = norm_cfg or {"type": "BN"}
        self.out_indices = tuple(out_indices)
        self.norm_eval = norm_eval
        self.stem = ConvModule(3, channels[0], 7, padding=3, norm_cfg=norm_cfg)
        self.levels = nn.ModuleList()
        before = channels[0]
        for level in range(self.out_indices[-1] + 1):
            out, size, stride = channels[level], sizes[level], min(STRIDES[level], 2)
            self.levels.append(
                nn.Sequential(
                    *(
                        ConvModule(
                            out if number else before,
                            out,
                            3,
                            stride=1 if number else stride,
                            padding=1,
                            norm_cfg=norm_cfg,
                        )
                        for number in range(size)
                    )
                )
                if level < 2
                else AggregationTree(size, before, out, stride, norm_cfg, join_input=level > 2)
            )
            before = out

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Maps ``(B, C, H / stride, W / stride)`` of images ``(B, 3, H, W)``, finest first.

        Raises:
            InputError: If height or width is not a multiple of the largest stride.
        """
        height, width = x.shape[-2:]
        largest = STRIDES[self.out_indices[-1]]
        if height % largest or width % largest:
            raise InputError(
                f"DLA needs images whose height and width are multiples of {largest}, got "
                f"{height}x{width} (HxW): set the size of Letterbox or the preprocessor's "
                "pad_size_divisor"
            )
        x = self.stem(x)
        maps = []
        for index, level in enumerate(self.levels):
            x = level(x)
            if index in self.out_indices:
                maps.append(x)
        return tuple(maps)

    def train(self, mode: bool = True) -> "DLA":
        """Sets the mode; with ``norm_eval`` the normalisation stays in evaluation mode."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self
