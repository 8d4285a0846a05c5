"""A template as the kernel of a convolution over its own search region, N pairs in one batch.

- Depthwise: one map a channel (Li et al., "SiamRPN++", CVPR 2019, Sec. 3.3).
- Up-channel: the template's channels are several kernels (Li et al., "High Performance Visual
  Tracking with Siamese Region Proposal Network", CVPR 2018, Eq. 4).
"""

import torch.nn.functional as F
from torch import Tensor


def up_channel_correlation(search: Tensor, kernels: Tensor) -> Tensor:
    """Every search region under the kernels of its own template.

    Args:
        search: ``(N, C, H, W)``; N may be 0.
        kernels: ``(N, K * C, h, w)``: K kernels each, one after another.

    Returns:
        ``(N, K, H - h + 1, W - w + 1)``.
    """
    count, channels, height, width = search.shape
    _, total, rows, columns = kernels.shape
    if not count or kernels.shape[0] != count or total % channels:
        return _nothing_or_error(search, kernels, total // channels)
    flat = search.reshape(1, count * channels, height, width)
    weight = kernels.reshape(count * (total // channels), channels, rows, columns)
    out = F.conv2d(flat, weight, groups=count)
    return out.view(count, -1, *out.shape[-2:])


def depthwise_correlation(search: Tensor, kernels: Tensor) -> Tensor:
    """Every channel of a search region under the same channel of its own template.

    Args:
        search: ``(N, C, H, W)``; N may be 0.
        kernels: ``(N, C, h, w)``.

    Returns:
        ``(N, C, H - h + 1, W - w + 1)``.
    """
    count, channels, height, width = search.shape
    if not count or kernels.shape[:2] != (count, channels):
        return _nothing_or_error(search, kernels, channels)
    flat = search.reshape(1, count * channels, height, width)
    weight = kernels.reshape(count * channels, 1, *kernels.shape[-2:])
    out = F.conv2d(flat, weight, groups=count * channels)
    return out.view(count, channels, *out.shape[-2:])


def _nothing_or_error(search: Tensor, kernels: Tensor, out_channels: int) -> Tensor:
    if not len(search) and not len(kernels):
        size = [s - k + 1 for s, k in zip(search.shape[2:], kernels.shape[2:], strict=True)]
        return search.new_zeros(0, out_channels, *size)
    raise ValueError(
        "expected as many templates as search regions, with as many channels (or a multiple of "
        f"them), got search {tuple(search.shape)} and kernels {tuple(kernels.shape)}"
    )
