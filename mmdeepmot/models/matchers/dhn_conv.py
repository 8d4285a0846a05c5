"""The convolutional Deep Hungarian Net: a 1-D U-Net over the flattened distance matrix.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Appendix B, Fig. 7:
convolutions [1, 24, 15] and [24, 48, 15] (input channels, output channels, kernel), each followed
by a halving; [48, 48, 15]; doublings, after which the encoder's states of the same length are
appended and convolved by [96, 48, 5] and [72, 24, 5]; a last convolution. Its receptive field is
some hundred entries of the flattened matrix: no net for global decisions, as the paper says.

The paper does not say how lengths are halved and doubled, where activations stand, or how wide the
last kernel is. Here: maximum of two, nearest, ReLU after each convolution but the last, and 1.
A sequence of odd length is halved upwards. Between layers, what lies behind the end of a sequence
is set to what lies behind it when it stands alone.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers.base import LogitMatcher, check_forbidden_value
from mmdeepmot.models.matchers.pretrained import load_pretrained
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class ConvDHN(LogitMatcher):
    """1-D convolutional Deep Hungarian Net.

    Args:
        channels: Of the first and the second level.
        kernels: Sizes, odd, in the encoder and in the decoder.
        forbidden_value: What the net sees of a forbidden pair: a bounded value above 1.
        pretrained: True: the weights that come with the package; or a ``.safetensors`` file.
        init_cfg: mmengine's initialisation config; None: PyTorch's own.
    """

    def __init__(
        self,
        channels: tuple[int, int] = (24, 48),
        kernels: tuple[int, int] = (15, 5),
        forbidden_value: float = 2.0,
        pretrained: bool | str | Path = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if any(kernel % 2 == 0 for kernel in kernels):
            raise InputError(f"ConvDHN: expected kernels of odd sizes, got {tuple(kernels)}")
        check_forbidden_value("ConvDHN", forbidden_value)
        self.forbidden_value = forbidden_value
        first, second = channels
        down, up = kernels

        def convolution(before: int, after: int, kernel: int) -> nn.Conv1d:
            return nn.Conv1d(before, after, kernel, padding=kernel // 2)

        self.down1 = convolution(1, first, down)
        self.down2 = convolution(first, second, down)
        self.bottom = convolution(second, second, down)
        self.up2 = convolution(2 * second, second, up)
        self.up1 = convolution(second + first, first, up)
        self.last = convolution(first, 1, 1)
        load_pretrained(self, "dhn_conv1d", pretrained)

    def score(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Logits ``(B, N, M)``, 0 at padding."""
        distances = distances.to(self.last.weight.dtype)
        distances = distances.masked_fill(distances.isinf(), self.forbidden_value)
        valid = (row_mask[:, :, None] & col_mask[:, None, :]).flatten(1)
        lengths = valid.sum(dim=1)
        # Valid entries first, in their order: (B, L) places in the flattened matrix.
        places = valid.to(torch.uint8).argsort(dim=1, descending=True, stable=True)
        sequences = distances.flatten(1).gather(1, places)
        logits = self._convolve(sequences[:, None], lengths)[:, 0]
        return torch.zeros_like(logits).scatter(1, places, logits).view_as(distances)

    def _convolve(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Logits ``(B, 1, L)`` of sequences ``(B, 1, L)`` that end after ``lengths (B,)``."""
        half = (lengths + 1) // 2
        quarter = (half + 1) // 2
        level1 = F.relu(self.down1(_cut(x, lengths)))
        level2 = F.relu(self.down2(_cut(_halve(_cut(level1, lengths)), half)))
        bottom = F.relu(self.bottom(_cut(_halve(_cut(level2, half)), quarter)))
        level2 = _cut(torch.cat((_double(bottom, level2), level2), dim=1), half)
        level2 = F.relu(self.up2(level2))
        level1 = _cut(torch.cat((_double(level2, level1), level1), dim=1), lengths)
        return _cut(self.last(F.relu(self.up1(level1))), lengths)


def _cut(x: Tensor, lengths: Tensor) -> Tensor:
    """``x (B, C, L)``, 0 behind the ends ``lengths (B,)``: a convolution's own padding."""
    steps = torch.arange(x.shape[-1], device=x.device)
    return x.masked_fill((steps >= lengths[:, None])[:, None], 0)


def _halve(x: Tensor) -> Tensor:
    """Maximum of each two, ``(B, C, ceil(L / 2))``; 0 behind an end changes nothing after ReLU."""
    return F.max_pool1d(x, 2, ceil_mode=True)


def _double(x: Tensor, like: Tensor) -> Tensor:
    """Each entry twice, cut to the length of ``like``."""
    return x.repeat_interleave(2, dim=-1)[..., : like.shape[-1]]
