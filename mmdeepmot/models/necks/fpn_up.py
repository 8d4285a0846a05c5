"""Top-down path with skip connections from a backbone's levels to one fine map.

Papers: Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, Sec. 3 (lateral 1x1
convolutions, addition, 3x3 convolution against aliasing); FairMOT (Zhang et al., 2020, Sec. 4.3,
Table 2: ResNet-34-FPN). The way up is that of the plain ResNets of the same table
(``CTResNetNeck``: channels fall as the map grows): the two differ only by the skip connections.
"""

from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmdet.models.necks import CTResNetNeck
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.necks.dla_up import conv_node
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class FPNUp(BaseModule):
    """Feature pyramid of which only the finest map is kept.

    Args:
        in_channels: Of the backbone's levels, finest first, each half the size of the one before.
        widths: Channels on the way up, coarsest first, one less than there are levels. The result
            has the last.
        dcn: Whether the 3x3 convolutions are deformable.
        norm_cfg: Normalisation of the skip connections and after the additions; None: BN.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 128, 256, 512),
        widths: Sequence[int] = (256, 128, 64),
        dcn: bool = False,
        norm_cfg: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(widths) != len(in_channels) - 1 or not widths:
            raise InputError(
                "FPNUp needs one width less than levels (and at least one), got "
                f"in_channels={tuple(in_channels)} and widths={tuple(widths)}"
            )
        norm_cfg = norm_cfg or {"type": "BN"}
        self.in_channels = tuple(in_channels)
        self.out_channels = widths[-1]
        above = [in_channels[-1], *widths[:-1]]
        skipped = in_channels[-2::-1]
        self.ups = nn.ModuleList(
            CTResNetNeck(before, (width,), (4,), use_dcn=dcn)
            for before, width in zip(above, widths, strict=True)
        )
        self.laterals = nn.ModuleList(
            ConvModule(before, width, 1, norm_cfg=norm_cfg)
            for before, width in zip(skipped, widths, strict=True)
        )
        self.nodes = nn.ModuleList(conv_node(width, width, dcn, norm_cfg) for width in widths)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor]:
        """One map ``(B, widths[-1], H, W)`` of the finest level's size.

        Args:
            inputs: ``(B, C, H, W)`` a level, finest first.

        Raises:
            InputError: If number or channels of the levels are not ``in_channels``.
        """
        got = tuple(level.shape[1] for level in inputs)
        if got != self.in_channels:
            raise InputError(f"FPNUp expects levels of {self.in_channels} channels, got {got}")
        x = inputs[-1]
        layers = zip(inputs[-2::-1], self.ups, self.laterals, self.nodes, strict=True)
        for skipped, up, lateral, node in layers:
            x = node(up((x,))[0] + lateral(skipped))
        return (x,)
