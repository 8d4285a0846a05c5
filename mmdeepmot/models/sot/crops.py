"""Crops of N targets out of one image, in one batch.

Coordinates are continuous: pixel i covers [i, i + 1]. A crop shows its region stretched to the
crop's size by bilinear interpolation; what lies outside the image is filled with the image's mean
(SiamFC, SiamRPN). Gradients go neither into the image nor into the regions.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def crop_regions(image: Tensor, regions: Tensor, size: tuple[int, int]) -> Tensor:
    """Regions of an image, stretched to one size.

    Args:
        image: ``(C, H, W)``.
        regions: ``(N, 4)`` xyxy px, wherever; N may be 0.
        size: (height, width) px of the crops.

    Returns:
        ``(N, C, height, width)``, channels last in memory, as do then the features of the network
        behind: on a CPU its poolings are vectorised in that order alone.
    """
    height, width = image.shape[-2:]
    if not len(regions):
        return image.new_zeros(0, image.shape[0], *size)
    boxes = regions.to(torch.float32)
    x = _sample_points(boxes[:, 0], boxes[:, 2], size[1]) * (2 / width) - 1
    y = _sample_points(boxes[:, 1], boxes[:, 3], size[0]) * (2 / height) - 1
    shape = (len(boxes), *size)
    grid = torch.stack((x[:, None, :].expand(shape), y[:, :, None].expand(shape)), dim=-1)
    mean = image.mean(dim=(-2, -1), keepdim=True, dtype=torch.float32)
    # The sampler fills with zeros, which are the mean once that is taken away.
    centred = (image - mean).expand(len(boxes), -1, -1, -1)
    crops = F.grid_sample(centred, grid, padding_mode="zeros", align_corners=False)
    return crops.add_(mean).to(image.dtype, memory_format=torch.channels_last)


def _sample_points(low: Tensor, high: Tensor, count: int) -> Tensor:
    """Centres ``(N, count)`` of the crop's pixels between ``low (N,)`` and ``high (N,)``."""
    at = (torch.arange(count, device=low.device, dtype=low.dtype) + 0.5) / count
    return low[:, None] + (high - low)[:, None] * at


def context_sides(sizes: Tensor, context: float = 0.5) -> Tensor:
    """Sides ``(...)`` px of the squares that show targets with some of their surroundings.

    ``sqrt((w + p)(h + p)), p = context * (w + h)`` (SiamFC, Bertinetto et al. 2016, Sec. 3.1).

    Args:
        sizes: ``(..., 2)`` (width, height) px.
        context: 0.5: twice the box in each direction, for a square one.
    """
    size = sizes.clamp(min=1e-3)
    padded = size + context * size.sum(dim=-1, keepdim=True)
    return padded.prod(dim=-1).sqrt()


def squares(centres: Tensor, sides: Tensor) -> Tensor:
    """Boxes ``(N, 4)`` xyxy px of squares at ``centres (N, 2)`` with ``sides (N,)``."""
    half = 0.5 * sides[..., None]
    return torch.cat((centres - half, centres + half), dim=-1)


def scaled_boxes(boxes: Tensor, factor: float) -> Tensor:
    """``boxes (N, 4)`` xyxy px with ``factor`` times their width and height, about their centres.

    Sides are at least one pixel (GOTURN's published crops).
    """
    centre = 0.5 * (boxes[..., :2] + boxes[..., 2:])
    half = 0.5 * (factor * (boxes[..., 2:] - boxes[..., :2])).clamp(min=1.0)
    return torch.cat((centre - half, centre + half), dim=-1)


def inside_image(boxes: Tensor, size: tuple[int, int], min_side: float) -> Tensor:
    """Boxes whose centre lies in the image and whose sides lie in [``min_side``, its sides].

    What a single-object tracker goes on from, so that it can neither leave the network's input nor
    vanish (published DaSiamRPN and DeepMOT: at least 10 px). Where the input is letterboxed, the
    tracker's ``Propagate`` step keeps it out of the bars.

    Args:
        boxes: ``(N, 4)`` xyxy px.
        size: (height, width) px of the image.
        min_side: px.
    """
    height, width = size
    limit = boxes.new_tensor((width, height))
    centre = (0.5 * (boxes[:, :2] + boxes[:, 2:])).clamp(min=0).minimum(limit)
    half = 0.5 * (boxes[:, 2:] - boxes[:, :2]).clamp(min=min_side).minimum(limit)
    return torch.cat((centre - half, centre + half), dim=-1)


def boxes_in_crops(boxes: Tensor, regions: Tensor, size: tuple[int, int]) -> Tensor:
    """``boxes (N, 4)`` xyxy px of the image in px of the crops of ``regions (N, 4)``.

    Args:
        boxes: ``(N, 4)``.
        regions: ``(N, 4)`` as given to :func:`crop_regions`.
        size: (height, width) px of the crops.
    """
    origin, scale = _crop_frame(regions, size)
    return (boxes - origin) * scale


def boxes_from_crops(boxes: Tensor, regions: Tensor, size: tuple[int, int]) -> Tensor:
    """The inverse of :func:`boxes_in_crops`; differentiable in ``boxes``."""
    origin, scale = _crop_frame(regions, size)
    return boxes / scale + origin


def _crop_frame(regions: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    extent = regions[:, 2:] - regions[:, :2]
    scale = extent.new_tensor((size[1], size[0])) / extent
    return regions[:, :2].repeat(1, 2), scale.repeat(1, 2)
