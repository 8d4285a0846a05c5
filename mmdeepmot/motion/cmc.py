"""Camera motion compensation: estimators on OpenCV's image alignment and sparse optical flow."""

from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.motion.affine import IDENTITY, Affine, from_pixel_centres
from mmdeepmot.motion.camera import (
    CameraMotion,
    Floats,
    Image,
    NoMotionError,
    background_mask,
)
from mmdeepmot.registry import CAMERAS

Mode = Literal["translation", "euclidean", "affine"]

_MODES = {
    "translation": cv2.MOTION_TRANSLATION,
    "euclidean": cv2.MOTION_EUCLIDEAN,
    "affine": cv2.MOTION_AFFINE,
}


class _Masked(NamedTuple):
    gray: Image
    mask: Image | None


class _Cornered(NamedTuple):
    gray: Image
    corners: NDArray[np.float32]


@CAMERAS.register_module()
class ECC(CameraMotion):
    """Alignment that maximises the images' correlation (Evangelidis & Psarakis 2008, PAMI).

    The camera motion of Tracktor (Bergmann et al. 2019), there over whole images.

    Args:
        mode: ``translation``, ``euclidean`` (with rotation) or ``affine``.
        iterations: At most so many.
        eps: The correlation must grow by more than this to go on.
        downscale: Images are made smaller by this factor first.
        blur: Width of the Gaussian filter over both images, px of the smaller image, odd.
        min_correlation: Of the aligned images; with less they are taken not to fit.
        min_contrast: Standard deviation of the gray values (0 to 255) that an image needs.
        masked: Leave the boxes of both images out of account.
    """

    def __init__(
        self,
        mode: Mode = "euclidean",
        iterations: int = 100,
        eps: float = 1e-5,
        downscale: float = 2.0,
        blur: int = 5,
        min_correlation: float = 0.3,
        min_contrast: float = 1.0,
        masked: bool = True,
    ) -> None:
        super().__init__(downscale)
        if mode not in get_args(Mode):
            raise InputError(f"mode must be one of {get_args(Mode)}, got {mode!r}")
        if iterations < 1 or blur < 1 or blur % 2 == 0:
            raise InputError(
                f"iterations must be >= 1 and blur odd and >= 1, got {iterations} and {blur}"
            )
        self.mode = mode
        self._criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, eps)
        self.blur = blur
        self.min_correlation = min_correlation
        self.min_contrast = min_contrast
        self.masked = masked

    def view(self, gray: Image, boxes: Floats | None) -> _Masked:
        if gray.std() < self.min_contrast:
            raise NoMotionError(f"its contrast is below {self.min_contrast:g} gray values")
        size = (gray.shape[1], gray.shape[0])
        mask = background_mask(size, boxes) if self.masked else None
        return _Masked(gray, mask)

    def align(self, last: _Masked, now: _Masked) -> Affine:
        warp = IDENTITY.astype(np.float32)
        try:
            correlation, warp = cv2.findTransformECC(  # type: ignore[assignment]
                last.gray,
                now.gray,
                warp,
                _MODES[self.mode],
                self._criteria,
                _both(last.mask, now.mask),  # type: ignore[arg-type]
                self.blur,
            )
        except cv2.error as error:
            raise NoMotionError(f"ECC did not converge ({error.err})") from None
        if not correlation >= self.min_correlation:
            raise NoMotionError(f"the aligned images correlate by {correlation:.2f} only")
        return from_pixel_centres(warp)


@CAMERAS.register_module()
class SparseFlow(CameraMotion):
    """Corners followed by pyramidal Lucas-Kanade flow, and the similarity that most of them obey.

    The camera motion of BoT-SORT (Aharon et al. 2022, Sec. 3.2). Corners whose patch touches an
    object are left out. OpenCV's RANSAC starts from a fixed state: the same images give the same
    motion.

    Args:
        downscale: Images are made smaller by this factor first.
        max_corners: At most so many corners.
        quality: Least strength of a corner, relative to the strongest.
        min_distance: Between two corners, px of the smaller image (BoT-SORT: 1; spread out they
            cost half and align better).
        window: Side of the patch that is followed, px of the smaller image.
        levels: Of the pyramid above the image: motions up to about ``2^levels * window / 2`` px.
        max_error: Distance (px of the smaller image) up to which a corner obeys the motion.
        min_corners: With fewer corners, or fewer that obey, there is no motion.
        min_share: Share of the followed corners that must obey (every second frame of MOT17-11: at
            least 0.68; images of nothing in common: at most 0.2).
    """

    def __init__(
        self,
        downscale: float = 2.0,
        max_corners: int = 1000,
        quality: float = 0.01,
        min_distance: float = 8.0,
        window: int = 21,
        levels: int = 3,
        max_error: float = 1.5,
        min_corners: int = 10,
        min_share: float = 0.3,
    ) -> None:
        super().__init__(downscale)
        if min_corners < 2 or max_corners < min_corners:
            raise InputError(
                "max_corners >= min_corners >= 2 is needed, got max_corners="
                f"{max_corners}, min_corners={min_corners}"
            )
        self.max_corners = max_corners
        self.quality = quality
        self.min_distance = min_distance
        self.window = window
        self.levels = levels
        self.max_error = max_error
        self.min_corners = min_corners
        self.min_share = min_share

    def view(self, gray: Image, boxes: Floats | None) -> _Cornered:
        if boxes is not None:
            boxes = boxes + self.window // 2 * np.array([-1.0, -1.0, 1.0, 1.0])
        mask = background_mask((gray.shape[1], gray.shape[0]), boxes)
        corners = self._corners(gray, mask)
        if len(corners) < self.min_corners and mask is not None:
            corners = self._corners(gray, None)  # nothing but people: their crowd must do
        if len(corners) < self.min_corners:
            raise NoMotionError(
                f"it has {len(corners)} corners to follow, {self.min_corners} needed"
            )
        return _Cornered(gray, corners)

    def _corners(self, gray: Image, mask: Image | None) -> NDArray[np.float32]:
        corners = cv2.goodFeaturesToTrack(
            gray,
            maxCorners=self.max_corners,
            qualityLevel=self.quality,
            minDistance=self.min_distance,
            mask=mask,  # type: ignore[arg-type]
        )
        if corners is None:
            return np.zeros((0, 2), dtype=np.float32)
        return np.asarray(corners, dtype=np.float32).reshape(-1, 2)

    def align(self, last: _Cornered, now: _Cornered) -> Affine:
        moved, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            last.gray,
            now.gray,
            last.corners,
            None,
            winSize=(self.window, self.window),
            maxLevel=self.levels,
        )
        found = found.ravel().astype(bool) & _inside(moved, now.gray.shape)
        affine, obey = None, np.zeros(0)
        if found.sum() >= self.min_corners:
            affine, obey = cv2.estimateAffinePartial2D(
                last.corners[found],
                moved[found],
                method=cv2.RANSAC,
                ransacReprojThreshold=self.max_error,
            )
        needed = max(self.min_corners, self.min_share * found.sum())
        if affine is None or obey.sum() < needed:
            raise NoMotionError(
                f"of {len(found)} corners {found.sum()} were found again, and "
                f"{int(obey.sum()) if affine is not None else 0} of them move alike"
            )
        return from_pixel_centres(affine)


def _both(first: Image | None, second: Image | None) -> Image | None:
    """Where neither mask is 0."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def _inside(points: Floats, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which points ``(K, 2)`` (x, y) px lie in an image of shape (H, W)."""
    return np.all((points >= 0) & (points < shape[::-1]), axis=1)
