"""Cutting a box out of its frame."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmdeepmot.datasets.transforms.geometry import warp_image
from mmdeepmot.errors import InputError
from mmdeepmot.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CropBox(BaseTransform):
    """The frame's one box, stretched to a size; afterwards it is the whole image.

    Args:
        size: (width, height) px of the crop.
        shift: The box is moved by up to this share of its sides, as a detector's would be.
        scale: (low, high): its sides are scaled by a factor in between.
        pad_value: Grey level outside of the frame.

    Raises:
        InputError: The sample has not one box.
    """

    def __init__(
        self,
        size: tuple[int, int] = (128, 256),
        shift: float = 0.0,
        scale: tuple[float, float] = (1.0, 1.0),
        pad_value: float = 0.0,
    ) -> None:
        if len(size) != 2 or min(size) < 1:
            raise InputError(f"CropBox.size must be (width, height) in px, got {size!r}")
        if shift < 0 or not 0 < scale[0] <= scale[1]:
            raise InputError(
                "CropBox needs shift >= 0 and scale (low, high) with 0 < low <= high, got "
                f"{shift!r} and {scale!r}"
            )
        self.size = (int(size[0]), int(size[1]))
        self.shift = shift
        self.scale = scale
        self.pad_value = pad_value

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        boxes = results.get("gt_bboxes")
        if boxes is None or len(boxes) != 1:
            raise InputError(
                "CropBox cuts out one box (LoadTracks of an IdentityCropDataset before it), got "
                f"{'none' if boxes is None else len(boxes)} in {results.get('img_path')}"
            )
        draws = np.random.uniform(-1, 1, 3)
        low, high = boxes[0, :2].astype(float), boxes[0, 2:].astype(float)
        factor = self.scale[0] + 0.5 * (draws[2] + 1) * (self.scale[1] - self.scale[0])
        middle = 0.5 * (low + high) + draws[:2] * self.shift * (high - low)
        half = 0.5 * factor * (high - low)
        stretch = np.array(self.size) / (2 * half)
        matrix = np.diag([*stretch, 1.0])
        matrix[:2, 2] = -(middle - half) * stretch
        width, height = self.size
        results["img"] = warp_image(results["img"], matrix, self.size, self.pad_value)
        results["img_shape"] = (height, width)
        results["gt_bboxes"] = np.array([[0, 0, width, height]], dtype=np.float32)
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, shift={self.shift}, scale={self.scale}, "
            f"pad_value={self.pad_value})"
        )
