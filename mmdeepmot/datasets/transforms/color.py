"""Colour jitter."""

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.registry import TRANSFORMS


def jitter_hsv(image: NDArray[np.uint8], saturation: float, value: float) -> NDArray[np.uint8]:
    """Multiply saturation and value, clipped to 255 and truncated to whole numbers.

    Args:
        image: ``(H, W, 3)`` BGR uint8.
        saturation: Factor.
        value: Factor.
    """
    levels = np.arange(256, dtype=np.float32)
    table = np.empty((1, 256, 3), dtype=np.uint8)
    table[0, :, 0] = levels
    table[0, :, 1] = np.minimum(levels * np.float32(saturation), 255)
    table[0, :, 2] = np.minimum(levels * np.float32(value), 255)
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2HSV), table)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)  # type: ignore[return-value]


def padding_mask(corners: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.uint8]:
    """``(H, W)`` mask, 255 where an input is padding and 0 where it shows the image.

    Args:
        corners: ``(4, 2)`` corners of the image in the input, in order around it.
        size: (width, height) px of the input.
    """
    # To pixel indices, and a little inwards: OpenCV fills the pixels on the outline too.
    inner = corners - 0.5 + 0.25 * np.sign(corners.mean(axis=0) - corners)
    mask = np.full((size[1], size[0]), 255, dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.rint(inner).astype(np.int32), (0,))
    return mask


@TRANSFORMS.register_module()
class HSVJitter(BaseTransform):
    """Saturation and value times independent factors from [1 - fraction, 1 + fraction].

    JDE's published augmentation (+-50%) jitters the original image; after the warp to the input
    size there are fewer pixels and the result is the same but for interpolation. Padding around
    the image (``image_corners``) keeps its value.

    Args:
        fraction: 0.5 in JDE.
    """

    def __init__(self, fraction: float = 0.5) -> None:
        if not 0 <= fraction <= 1:
            raise InputError(f"HSVJitter.fraction must lie in [0, 1], got {fraction}")
        self.fraction = fraction

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        saturation, value = np.random.uniform(1 - self.fraction, 1 + self.fraction, 2)
        image = results["img"]
        jittered = jitter_hsv(image, saturation, value)
        corners = results.get("image_corners")
        if corners is not None:
            padding = padding_mask(corners, (image.shape[1], image.shape[0]))
            jittered = cv2.copyTo(image, padding, jittered)  # type: ignore[assignment]
        results["img"] = jittered
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(fraction={self.fraction})"
