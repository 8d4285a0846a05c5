"""Letterboxing, JDE's affine augmentation in one warp, and flipping."""

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmdeepmot.datasets.transforms.geometry import (
    MAX_ASPECT,
    MIN_AREA_RATIO,
    MIN_BOX_SIZE,
    PAD_VALUE,
    affine_matrix,
    image_corners,
    letterbox_geometry,
    usable_boxes,
    warp_boxes,
    warp_image,
)
from mmdeepmot.datasets.transforms.loading import keep_boxes
from mmdeepmot.errors import InputError
from mmdeepmot.registry import TRANSFORMS
from mmdeepmot.structures.boxes import box_area, clip_boxes


def _check_size(owner: str, size: tuple[int, int]) -> tuple[int, int]:
    if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise InputError(f"{owner}.size must be (width, height) in whole px > 0, got {size!r}")
    return (size[0], size[1])


def _range(owner: str, bounds: tuple[float, float]) -> tuple[float, float]:
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise InputError(f"{owner} must be (low, high) with low <= high, got {bounds!r}")
    return (bounds[0], bounds[1])


@TRANSFORMS.register_module()
class Letterbox(BaseTransform):
    """Fit the image into the input, its aspect kept, centred on padding.

    Boxes that are in the sample already follow: ``input = original * scale_factor + pad_offset``.

    Args:
        size: (width, height) px of the input.
        pad_value: Grey level of the padding.
    """

    def __init__(self, size: tuple[int, int], pad_value: float = PAD_VALUE) -> None:
        self.size = _check_size("Letterbox", size)
        self.pad_value = pad_value

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = results["img"]
        image_size = (image.shape[1], image.shape[0])
        geometry = letterbox_geometry(image_size, self.size)
        if geometry.resized != image_size:
            shrinks = geometry.resized[0] < image_size[0]
            mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            image = cv2.resize(image, geometry.resized, interpolation=mode)
        left, top = geometry.offset
        right = self.size[0] - geometry.resized[0] - left
        bottom = self.size[1] - geometry.resized[1] - top
        if left or top or right or bottom:
            value = (self.pad_value,) * 3
            image = cv2.copyMakeBorder(
                image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=value
            )
        if "gt_bboxes" in results:
            results["gt_bboxes"] = warp_boxes(results["gt_bboxes"], geometry.matrix)
        results["img"] = image
        results["img_shape"] = image.shape[:2]
        results["scale_factor"] = geometry.scale
        results["pad_offset"] = geometry.offset
        results["image_corners"] = image_corners(image_size, geometry.matrix)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, pad_value={self.pad_value})"


@TRANSFORMS.register_module()
class RandomAffineLetterbox(BaseTransform):
    """Letterbox and random affine in one warp of the image.

    Defaults are JDE's (``random_affine`` in Towards-Realtime-MOT): the affine acts on the
    letterboxed input. Two departures: one interpolation instead of two, and ``translate`` is a
    fraction of the side along which it moves (the published code takes the other side).
    Boxes: see :func:`~mmdeepmot.datasets.transforms.geometry.warp_boxes` and ``usable_boxes``;
    identities, labels, visibility and ignore flags are filtered with them.

    Args:
        size: (width, height) px of the input.
        degrees: Rotation lies in +-degrees.
        translate: Shift lies in +-translate of the width and of the height.
        scale: (low, high).
        shear: Shear lies in +-shear degrees, in x and in y.
        pad_value: Grey level of what the image does not cover.
        clip: Cut boxes to the input (published). False keeps whole boxes of persons half outside.
        min_size: px; smaller boxes (by their part inside) go.
        min_area_ratio: Boxes with less of their area left go.
        max_aspect: Boxes longer than this go.
    """

    def __init__(
        self,
        size: tuple[int, int],
        degrees: float = 5.0,
        translate: float = 0.1,
        scale: tuple[float, float] = (0.5, 1.2),
        shear: float = 2.0,
        pad_value: float = PAD_VALUE,
        clip: bool = True,
        min_size: float = MIN_BOX_SIZE,
        min_area_ratio: float = MIN_AREA_RATIO,
        max_aspect: float = MAX_ASPECT,
    ) -> None:
        self.size = _check_size("RandomAffineLetterbox", size)
        self.scale = _range("RandomAffineLetterbox.scale", scale)
        if self.scale[0] <= 0:
            raise InputError(f"RandomAffineLetterbox.scale must be positive, got {scale!r}")
        self.degrees = degrees
        self.translate = translate
        self.shear = shear
        self.pad_value = pad_value
        self.clip = clip
        self.min_size = min_size
        self.min_area_ratio = min_area_ratio
        self.max_aspect = max_aspect

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = results["img"]
        image_size = (image.shape[1], image.shape[0])
        # Six draws whatever the frame holds: the same seed gives the frames of a clip one warp.
        draws = np.random.uniform(-1, 1, 6)
        angle = draws[0] * self.degrees
        scale = self.scale[0] + 0.5 * (draws[1] + 1) * (self.scale[1] - self.scale[0])
        shift = draws[2:4] * self.translate * np.array(self.size)
        shear = draws[4:6] * self.shear
        affine = affine_matrix(self.size, angle, scale, (shift[0], shift[1]), (shear[0], shear[1]))
        letterbox = letterbox_geometry(image_size, self.size).matrix
        matrix = affine @ letterbox
        results["img"] = warp_image(image, matrix, self.size, self.pad_value)
        results["img_shape"] = (self.size[1], self.size[0])
        results["homography_matrix"] = matrix
        results["image_corners"] = image_corners(image_size, matrix)
        if "gt_bboxes" in results:
            self._warp_boxes(results, letterbox, affine, angle)
        return results

    def _warp_boxes(
        self, results: dict[str, Any], letterbox: np.ndarray, affine: np.ndarray, angle: float
    ) -> None:
        before = warp_boxes(results["gt_bboxes"], letterbox)
        warped = warp_boxes(before, affine, angle)
        visible = clip_boxes(warped, self.size)
        keep = usable_boxes(
            visible,
            box_area(before),
            min_size=self.min_size,
            min_area_ratio=self.min_area_ratio,
            max_aspect=self.max_aspect,
        )
        results["gt_bboxes"] = visible if self.clip else warped
        keep_boxes(results, keep)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, degrees={self.degrees}, "
            f"translate={self.translate}, scale={self.scale}, shear={self.shear}, "
            f"pad_value={self.pad_value}, clip={self.clip}, min_size={self.min_size}, "
            f"min_area_ratio={self.min_area_ratio}, max_aspect={self.max_aspect})"
        )


@TRANSFORMS.register_module()
class RandomFlipTracks(BaseTransform):
    """Mirror image and boxes left to right.

    Args:
        prob: Probability.
    """

    def __init__(self, prob: float = 0.5) -> None:
        if not 0 <= prob <= 1:
            raise InputError(f"RandomFlipTracks.prob must lie in [0, 1], got {prob}")
        self.prob = prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        results["flip"] = bool(np.random.random() < self.prob)
        if not results["flip"]:
            return results
        image = results["img"]
        width = image.shape[1]
        results["img"] = cv2.flip(image, 1)
        if "gt_bboxes" in results:
            boxes = results["gt_bboxes"]
            mirrored = boxes.copy()
            mirrored[:, 0] = width - boxes[:, 2]
            mirrored[:, 2] = width - boxes[:, 0]
            results["gt_bboxes"] = mirrored
        mirror = np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]])
        if "homography_matrix" in results:
            results["homography_matrix"] = mirror @ results["homography_matrix"]
        if "image_corners" in results:
            corners = results["image_corners"].copy()
            corners[:, 0] = width - corners[:, 0]
            results["image_corners"] = corners
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob})"
