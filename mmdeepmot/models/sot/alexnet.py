"""The convolutional networks of SiamRPN and GOTURN, both descended from AlexNet.

- :class:`SiamAlexNet`: Bertinetto et al., "Fully-Convolutional Siamese Networks for Object
  Tracking", 2016, Table 1, as the published SiamRPN and DaSiamRPN have it: no padding anywhere (so
  that a template finds itself wherever it stands), batch normalisation, stride 8.
- :class:`CaffeNet`: conv1 to pool5 of the network that GOTURN starts from (Held et al., ECCV 2016).
"""

from collections.abc import Sequence
from typing import Literal, get_args

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MODELS

SIAMESE_CHANNELS = (96, 256, 384, 384, 256)
Norm = Literal["lrn", "bn"]


def _check_channels(owner: str, channels: Sequence[int]) -> tuple[int, ...]:
    if len(channels) != 5 or min(channels) < 1:
        raise InputError(f"{owner}.channels must be five positive numbers, got {channels}")
    return tuple(channels)


@MODELS.register_module()
class SiamAlexNet(BaseModule):
    """Five unpadded convolutions with batch normalisation, stride 8.

    A side of s px becomes ``(((((s - 11) // 2 + 1) - 3) // 2 + 1 - 4 - 3) // 2 + 1) - 6``: 127 px
    give 6, 255 give 22, 271 give 24.

    Args:
        channels: Of the five convolutions.
        init_cfg: mmengine's initialisation config.
    """

    stride = 8

    def __init__(
        self, channels: Sequence[int] = SIAMESE_CHANNELS, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        first, second, third, fourth, last = _check_channels("SiamAlexNet", channels)
        self.out_channels = last
        self.layers = nn.Sequential(
            nn.Conv2d(3, first, 11, stride=2),
            nn.BatchNorm2d(first),
            nn.MaxPool2d(3, 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, second, 5),
            nn.BatchNorm2d(second),
            nn.MaxPool2d(3, 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(second, third, 3),
            nn.BatchNorm2d(third),
            nn.ReLU(inplace=True),
            nn.Conv2d(third, fourth, 3),
            nn.BatchNorm2d(fourth),
            nn.ReLU(inplace=True),
            nn.Conv2d(fourth, last, 3),
            nn.BatchNorm2d(last),
        )

    @staticmethod
    def out_size(side: int) -> int:
        """Side of the feature map of crops with ``side`` px; not positive: they are too small."""
        pooled = (((side - 11) // 2 + 1) - 3) // 2 + 1
        return ((pooled - 4) - 3) // 2 + 1 - 6

    def forward(self, crops: Tensor) -> Tensor:
        """``(N, 3, S, S)`` crops to ``(N, C, s, s)`` features."""
        return self.layers(crops)


def _norm(kind: Norm, channels: int) -> nn.Module:
    return nn.LocalResponseNorm(5) if kind == "lrn" else nn.BatchNorm2d(channels)


@MODELS.register_module()
class CaffeNet(BaseModule):
    """conv1 to pool5 of CaffeNet; 227 px give 6 x 6 features.

    Args:
        channels: Of the five convolutions; the second, the fourth and the fifth stand in two
            groups, so that all but the third must be even.
        norm: Behind the first two poolings: ``'lrn'``: local response normalisation (published);
            ``'bn'``: batch normalisation there and in the other layers, with which the network
            learns from scratch.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        channels: Sequence[int] = SIAMESE_CHANNELS,
        norm: Norm = "lrn",
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        first, second, third, fourth, last = _check_channels("CaffeNet", channels)
        if norm not in get_args(Norm):
            raise InputError(f"CaffeNet.norm must be one of {get_args(Norm)}, got {norm!r}")
        if any(number % 2 for number in channels):
            raise InputError(f"CaffeNet.channels must be even (two groups), got {channels}")
        self.out_channels = last

        def deep(channels: int) -> list[nn.Module]:
            return [nn.BatchNorm2d(channels)] if norm == "bn" else []

        self.layers = nn.Sequential(
            nn.Conv2d(3, first, 11, stride=4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            _norm(norm, first),
            nn.Conv2d(first, second, 5, padding=2, groups=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            _norm(norm, second),
            nn.Conv2d(second, third, 3, padding=1),
            *deep(third),
            nn.ReLU(inplace=True),
            nn.Conv2d(third, fourth, 3, padding=1, groups=2),
            *deep(fourth),
            nn.ReLU(inplace=True),
            nn.Conv2d(fourth, last, 3, padding=1, groups=2),
            *deep(last),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
        )

    @staticmethod
    def out_size(side: int) -> int:
        """Side of the feature map of crops with ``side`` px; not positive: they are too small."""
        side = (side - 11) // 4 + 1
        for _ in range(3):
            side = (side - 3) // 2 + 1
        return side

    def forward(self, crops: Tensor) -> Tensor:
        """``(N, 3, S, S)`` crops to ``(N, C, s, s)`` features."""
        return self.layers(crops)
