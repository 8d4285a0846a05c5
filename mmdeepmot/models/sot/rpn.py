"""The two heads that compare a template with a search region: what stands there, and its box.

- :class:`UpChannelRPN`: Li et al., "High Performance Visual Tracking with Siamese Region Proposal
  Network", CVPR 2018, Sec. 3.2, as published with DaSiamRPN; no normalisation.
- :class:`DepthwiseRPN`: Li et al., "SiamRPN++", CVPR 2019, Sec. 3.3: a tenth of the parameters,
  batch normalisation, and it learns from scratch.

Anchors are numbered in the order (anchor, row, column), as in :mod:`mmdeepmot.models.sot.anchors`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.models.sot.correlation import depthwise_correlation, up_channel_correlation
from mmdeepmot.models.utils.initial_weights import loads_weights
from mmdeepmot.registry import MODELS


class RegionProposals(BaseModule):
    """Template features become kernels once; every search region is then compared with them.

    A subclass makes ``template_cls`` and ``template_box``, and writes :meth:`maps`.

    Args:
        in_channels: Of the backbone.
        num_anchors: A, a cell.
        width: Channels that are correlated.
        init_cfg: mmengine's initialisation config.
    """

    template_cls: Any
    template_box: Any

    def __init__(
        self,
        in_channels: int,
        num_anchors: int = 5,
        width: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels, self.num_anchors, self.width = in_channels, num_anchors, width

    def kernels(self, template: Tensor) -> dict[str, Tensor]:
        """What is kept of templates' features ``(N, C, h, w)``: tensors ``(N, ...)`` by name."""
        return {
            "cls_kernel": self.template_cls(template),
            "box_kernel": self.template_box(template),
        }

    @abstractmethod
    def maps(self, search: Tensor, kernels: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Raw ``(N, 2 A, s, s)`` classes and ``(N, 4 A, s, s)`` deltas; value-major channels."""

    def forward(self, search: Tensor, kernels: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Compares search regions with their templates.

        Args:
            search: ``(N, C, H, W)`` features.
            kernels: Of :meth:`kernels`.

        Returns:
            Logits ``(N, P, 2)`` (background, target) and deltas ``(N, P, 4)`` of all anchors.
        """
        classes, deltas = self.maps(search, kernels)
        return _by_anchor(classes, 2), _by_anchor(deltas, 4)


def _by_anchor(maps: Tensor, values: int) -> Tensor:
    """``(N, values * A, s, s)`` to ``(N, A * s * s, values)``."""
    return maps.unflatten(1, (values, -1)).flatten(2).mT


@MODELS.register_module()
class UpChannelRPN(RegionProposals):
    """Templates become 2 A kernels for the classes and 4 A for the boxes; see the module."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int = 5,
        width: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(in_channels, num_anchors, width, init_cfg)
        self.template_cls = nn.Conv2d(in_channels, width * 2 * num_anchors, 3)
        self.template_box = nn.Conv2d(in_channels, width * 4 * num_anchors, 3)
        self.search_cls = nn.Conv2d(in_channels, width, 3)
        self.search_box = nn.Conv2d(in_channels, width, 3)
        self.adjust_box = nn.Conv2d(4 * num_anchors, 4 * num_anchors, 1)

    def init_weights(self) -> None:
        """Kernels start small: a correlation adds up thousands of products of two random maps."""
        super().init_weights()
        if loads_weights(self.init_cfg):
            return
        for layer in (self.template_cls, self.template_box):
            nn.init.normal_(layer.weight, std=1e-4)
            nn.init.constant_(layer.bias, 0.0)  # type: ignore[arg-type]

    def maps(self, search: Tensor, kernels: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        classes = up_channel_correlation(self.search_cls(search), kernels["cls_kernel"])
        deltas = up_channel_correlation(self.search_box(search), kernels["box_kernel"])
        return classes, self.adjust_box(deltas)


def _normalised(in_channels: int, out_channels: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


@MODELS.register_module()
class DepthwiseRPN(RegionProposals):
    """Templates become one kernel a channel; 1 x 1 convolutions read the result; see the module."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int = 5,
        width: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(in_channels, num_anchors, width, init_cfg)
        self.template_cls = _normalised(in_channels, width, 3)
        self.template_box = _normalised(in_channels, width, 3)
        self.search_cls = _normalised(in_channels, width, 3)
        self.search_box = _normalised(in_channels, width, 3)
        self.read_cls = nn.Sequential(
            _normalised(width, width, 1), nn.Conv2d(width, 2 * num_anchors, 1)
        )
        self.read_box = nn.Sequential(
            _normalised(width, width, 1), nn.Conv2d(width, 4 * num_anchors, 1)
        )

    def maps(self, search: Tensor, kernels: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        classes = depthwise_correlation(self.search_cls(search), kernels["cls_kernel"])
        deltas = depthwise_correlation(self.search_box(search), kernels["box_kernel"])
        # Means of the products, so that their scale does not depend on the template's size.
        area = kernels["cls_kernel"].shape[-2:].numel()
        return self.read_cls(classes / area), self.read_box(deltas / area)
