"""Two implementations of the operators under one signature: torchvision's and plain PyTorch."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmdeepmot.ops import deform_conv, nms, roi_align
from mmdeepmot.ops.selection import torchvision_preferred


@dataclass(frozen=True)
class Operators:
    """The operators; signatures and semantics are those of the functions in ``PLAIN``."""

    nms: Callable[..., Tensor]
    roi_align: Callable[..., Tensor]
    deform_conv2d: Callable[..., Tensor]


PLAIN = Operators(nms.nms, roi_align.roi_align, deform_conv.deform_conv2d)


def operators_for(device: torch.device) -> Operators:
    """The implementation that is in use on this device."""
    return TORCHVISION if torchvision_preferred(device.type) else PLAIN


def _torchvision_nms(
    boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0
) -> Tensor:
    from torchvision.ops import nms

    if offset:
        boxes = boxes + boxes.new_tensor((0, 0, offset, offset))
    return nms(boxes, scores, iou_threshold)


def _torchvision_roi_align(
    features: Tensor,
    rois: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    aligned: bool = True,
) -> Tensor:
    from torchvision.ops import roi_align

    return roi_align(features, rois, output_size, spatial_scale, sampling_ratio, aligned)


def _torchvision_deform_conv2d(
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
    # torchvision reads the number of groups off the tensors' shapes.
    from torchvision.ops import deform_conv2d

    return deform_conv2d(input, offset, weight, bias, stride, padding, dilation, mask)


TORCHVISION = Operators(_torchvision_nms, _torchvision_roi_align, _torchvision_deform_conv2d)
