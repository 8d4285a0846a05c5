"""Imperfect boxes to start tracks from.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Appendix A.2, "Data
Augmentation": true boxes are rescaled by 0.8 to 1.2 and shifted, vertically and horizontally, by up
to a quarter of their height and width, as a detector's would be.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.registry import TASK_UTILS

Range = tuple[float, float]


def perturb_boxes(boxes: Tensor, scale: Range, shift: Range) -> Tensor:
    """Boxes rescaled about their centres, by one factor each, and shifted either way.

    Args:
        boxes: ``(N, 4)`` xyxy px.
        scale: Least and largest factor of width and height.
        shift: Least and largest distance, as a share of the width and of the height, drawn for
            each of them.

    Returns:
        ``(N, 4)``; draws from torch's generator, of the boxes' device.
    """
    draws = torch.rand(len(boxes), 5, dtype=boxes.dtype, device=boxes.device)
    factor = scale[0] + (scale[1] - scale[0]) * draws[:, :1]
    size = boxes[:, 2:] - boxes[:, :2]
    distance = (shift[0] + (shift[1] - shift[0]) * draws[:, 1:3]) * size
    centre = 0.5 * (boxes[:, :2] + boxes[:, 2:]) + distance.copysign(draws[:, 3:] - 0.5)
    half = 0.5 * factor * size
    return torch.cat((centre - half, centre + half), dim=1)


@TASK_UTILS.register_module()
class BoxNoise:
    """:func:`perturb_boxes` with its ranges; by default the paper's.

    Args:
        scale: See there; (1, 1): none.
        shift: See there; (0, 0): none.

    Raises:
        InputError: A range is not (low, high), or a factor is not positive.
    """

    def __init__(self, scale: Range = (0.8, 1.2), shift: Range = (0.0, 0.25)) -> None:
        for name, bounds, least in (("scale", scale, "above 0"), ("shift", shift, "at least 0")):
            pair = isinstance(bounds, Sequence) and len(bounds) == 2
            if not pair or not 0 <= bounds[0] <= bounds[1] or (name == "scale" and not bounds[0]):
                raise InputError(
                    f"BoxNoise.{name}: expected (low, high), low {least} and not above high, got "
                    f"{bounds}"
                )
        self.scale: Range = (scale[0], scale[1])
        self.shift: Range = (shift[0], shift[1])

    def __call__(self, boxes: Tensor) -> Tensor:
        """Perturbed ``(N, 4)`` of ``(N, 4)`` xyxy px."""
        return perturb_boxes(boxes, self.scale, self.shift)
