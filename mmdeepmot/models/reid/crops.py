"""Crops of boxes out of images on the device."""

from collections.abc import Sequence

import torch
from mmcv.ops import roi_align
from torch import Tensor

#: Sampling points a side of an output pixel: people up to 512 px high are sampled without gaps.
SAMPLES = 2


def crop_boxes(images: Tensor, boxes: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """Crops of boxes, stretched to one size; what lies outside of an image is 0.

    Args:
        images: ``(T, 3, H, W)``, normalised.
        boxes: For each image ``(N, 4)`` xyxy px.
        size: (width, height) px of a crop.

    Returns:
        ``(sum of N, 3, height, width)``, image after image.
    """
    rois = torch.cat(
        [
            torch.cat((box.new_full((len(box), 1), float(index)), box), dim=1)
            for index, box in enumerate(boxes)
        ]
    ).to(images)
    if not len(rois):
        return images.new_zeros(0, images.shape[1], size[1], size[0])
    return roi_align(images, rois, (size[1], size[0]), 1.0, SAMPLES, "avg", True)
