"""How the camera moved from one image to the next: what every estimator has in common."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.motion.affine import IDENTITY, Affine, affine_scale, move_points, rescale_affine

Floats = NDArray[np.floating]
Image = NDArray[np.uint8]

logger = logging.getLogger(__name__)

#: A motion between two frames that moves the image's centre by more than this share of its size, or
#: scales it by more than this factor, is taken for an error.
MAX_SHIFT = 0.5
MAX_SCALE = 2.0


class NoMotionError(Exception):
    """Two images could not be aligned; the message says why."""


class CameraMotion(ABC):
    """Estimates camera motion from the images of one sequence, one after another.

    What cannot be estimated is identity: the first frame, frames without texture (black ones, say;
    the frame after them is compared with the last one that had some, which is where the tracks
    still are), frames of a new size, images that cannot be aligned. The first such failure of a
    sequence is logged as a warning, all are counted.

    Args:
        downscale: Images are made smaller by this factor first.

    Attributes:
        failures: Number of failures since the last reset.
    """

    def __init__(self, downscale: float = 1.0) -> None:
        if not downscale >= 1:
            raise InputError(f"downscale must be >= 1, got {downscale!r}")
        self.downscale = float(downscale)
        self.reset()

    def reset(self) -> None:
        """Forget all images: the next is the first of a sequence."""
        self.failures = 0
        self.forget()

    def forget(self) -> None:
        """Forget the last image; failures stay counted."""
        self._size: tuple[int, int] | None = None
        self._last: Any = None

    @abstractmethod
    def view(self, gray: Image, boxes: Floats | None) -> Any:
        """What is kept of an image for comparisons.

        Args:
            gray: ``(H, W)``.
            boxes: ``(N, 4)`` xyxy px of this image: things that move by themselves.

        Raises:
            NoMotionError: The image has no texture.
        """

    @abstractmethod
    def align(self, last: Any, now: Any) -> Affine:
        """``(2, 3)`` that moves points of one view to the next, in continuous px.

        Raises:
            NoMotionError: The views do not fit.
        """

    def estimate(self, image: Image, boxes: Floats | None = None) -> Affine:
        """Motion from the last image to this one.

        Args:
            image: ``(H, W)`` gray or ``(H, W, 3)`` BGR, uint8.
            boxes: ``(N, 4)`` xyxy px of objects in this image, which are left out of account.

        Returns:
            ``(2, 3)`` that moves points (x, y) px of the last image to this one.

        Raises:
            InputError: Not an image, or not boxes.
        """
        gray = to_gray(image)
        size = (gray.shape[1], gray.shape[0])
        if self._size not in (None, size):
            self._note(f"the images' size changed from {self._size} to {size} px")
            self._last = None
        self._size = size
        small = (
            max(round(size[0] / self.downscale), 1),
            max(round(size[1] / self.downscale), 1),
        )
        scale = (small[0] / size[0], small[1] / size[1])
        if small != size:
            gray = cv2.resize(gray, small, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        try:
            now = self.view(gray, None if boxes is None else _checked_boxes(boxes) * (scale * 2))
            last, self._last = self._last, now
            if last is None:
                return IDENTITY.copy()
            affine = self.align(last, now)
            _check_plausible(affine, small)
        except NoMotionError as error:
            self._note(str(error))
            return IDENTITY.copy()
        return rescale_affine(affine, scale)

    def _note(self, problem: str) -> None:
        self.failures += 1
        if self.failures == 1:
            logger.warning(
                "Camera motion of a frame could not be estimated: %s. It is taken to stand still "
                "there; further such frames of this sequence are counted and not reported.",
                problem,
            )


def to_gray(image: Any) -> Image:
    """``(H, W)`` uint8 of an image ``(H, W)`` gray or ``(H, W, 3)`` BGR.

    Raises:
        InputError: It is neither, or empty.
    """
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    proper = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if not proper or image.dtype != np.uint8 or not image.size:
        raise InputError(
            "camera motion is estimated on images (H, W) gray or (H, W, 3) BGR, uint8, got an "
            f"array of shape {image.shape}, {image.dtype}"
        )
    if image.ndim == 2:
        return image
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]


def _checked_boxes(boxes: Any) -> Floats:
    boxes = np.asarray(boxes, dtype=np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(f"boxes must have shape (N, 4), xyxy px, got {boxes.shape}")
    return boxes


def _check_plausible(affine: Affine, size: tuple[int, int]) -> None:
    centre = np.array(size) / 2
    shift = np.abs(move_points(centre, affine) - centre) / size
    scale = affine_scale(affine)
    if not (shift.max() <= MAX_SHIFT and 1 / MAX_SCALE <= scale <= MAX_SCALE):  # NaN: not either
        raise NoMotionError(
            f"a shift by {100 * shift.max():.0f}% of the image and a scale of {scale:.2f} are not "
            "plausible"
        )


def background_mask(size: tuple[int, int], boxes: Floats | None) -> Image | None:
    """``(H, W)`` uint8: 255, and 0 inside of the boxes; None if there are none.

    Args:
        size: (width, height) px.
        boxes: ``(N, 4)`` xyxy px; None or empty: no mask. Boxes that are not finite are ignored.
    """
    if boxes is None or not len(boxes):
        return None
    width, height = size
    mask = np.full((height, width), 255, dtype=np.uint8)
    inside = boxes[np.isfinite(boxes).all(axis=1)].clip(0, [width, height, width, height])
    low, high = np.floor(inside[:, :2]).astype(int), np.ceil(inside[:, 2:]).astype(int)
    for left, top, right, bottom in np.concatenate([low, high], axis=1).tolist():
        mask[top:bottom, left:right] = 0
    return mask


class CameraFeed:
    """Camera motion of the frames of one sequence, estimated only where it is asked for.

    ::

        feed = CameraFeed(CAMERAS.build(dict(type='SparseFlow')))
        frame = Frame(index, size, fps, detections,
                      warp=feed.frame(index, lambda: read_image(path), detections.bboxes))

    Frames are handed over in order, all at once or one by one. What comes out is always the motion
    from the frame handed over before: where the estimator has not seen that one (nobody asked, or
    somebody asks out of order), it starts again from its image. To go on from a saved tracker, hand
    over its last frame first.

    Args:
        estimator: Of one sequence at a time.
    """

    def __init__(self, estimator: CameraMotion) -> None:
        self.estimator = estimator
        self.reset()

    def reset(self) -> None:
        """The next frame is the first of a sequence."""
        self.estimator.reset()
        self._index = -1
        self._before: Callable[[], Affine] | None = None  # shows the estimator the last frame
        self._seen: Callable[[], Affine] | None = None  # what it was shown last

    def frame(
        self,
        index: int,
        image: Callable[[], Image],
        boxes: Floats | None = None,
        scale: tuple[float, float] = (1.0, 1.0),
    ) -> Callable[[], Affine]:
        """The ``warp`` of a frame.

        Args:
            index: Position in the sequence; later than that of the frame before.
            image: Gives the image, ``(H, W)`` or ``(H, W, 3)`` BGR uint8.
            boxes: ``(N, 4)`` xyxy px of the original image: objects that move by themselves.
            scale: (x, y): the image's px are ``scale * original``.

        Returns:
            Gives ``(2, 3)`` that moves points (x, y) px of the original image from the frame before
            to this one: identity for the first.

        Raises:
            ValueError: A frame that is not later than the one before.
        """
        if index <= self._index:
            raise ValueError(
                f"CameraFeed.frame: frame {index} came after frame {self._index}: frames of a "
                "sequence come in order, and reset() goes before the next sequence"
            )

        def show() -> Affine:
            self._seen = show
            in_image = None if boxes is None else boxes * np.tile(scale, 2)
            return rescale_affine(self.estimator.estimate(image(), in_image), scale)

        before = self._before

        def warp() -> Affine:
            if before is None:
                self.estimator.reset()
            elif self._seen is not before:
                self.estimator.forget()
                before()
            return show()

        self._index, self._before = index, show
        return warp
