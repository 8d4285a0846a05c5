"""A colour for every identity: the same at every run, unlike its neighbours'.

Colours are chosen in OKLCH (B. Ottosson, "A perceptual color space for image processing", 2020),
where equal steps look equally large; in HSV all of blue to violet looks alike.
"""

import numpy as np
from numpy.typing import NDArray

# Steps of hue and lightness from one id to the next, as parts of their range: irrational and
# unrelated, so that ids whose hues come close (13 apart, 21 apart, ...) differ in lightness.
_HUE_STEP = (np.sqrt(5.0) - 1.0) / 2.0
_LIGHTNESS_STEP = np.sqrt(2.0) - 1.0
_LIGHTNESS_RANGE = (0.52, 0.88)
_CHROMA = 0.19

_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_LINEAR_BGR = np.array(
    [
        [-0.0041960863, -0.7034186147, 1.7076147010],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [4.0767416621, -3.3077115913, 0.2309699292],
    ]
)
_LUMA_BGR = np.array([0.114, 0.587, 0.299])  # ITU-R BT.601
_DARK_TEXT_ABOVE = 130.0


def id_colors(ids: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Colours ``(N, 3)`` uint8 BGR of identities ``(N,)``; an id's colour depends on it alone."""
    ids = np.asarray(ids, dtype=np.int64)
    low, high = _LIGHTNESS_RANGE
    lightness = low + (high - low) * ((ids * _LIGHTNESS_STEP) % 1.0)
    return oklch_to_bgr(lightness, np.full(len(ids), _CHROMA), (ids * _HUE_STEP) % 1.0)


def oklch_to_bgr(
    lightness: NDArray[np.floating], chroma: NDArray[np.floating], hue: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """OKLCH to sRGB, cut off at the limits of sRGB.

    Args:
        lightness: ``(N,)`` in [0, 1].
        chroma: ``(N,)``, 0 (grey) to about 0.3.
        hue: ``(N,)``, 1 is once round the circle.

    Returns:
        ``(N, 3)`` uint8 BGR.
    """
    angle = 2.0 * np.pi * hue
    lab = np.stack((lightness, chroma * np.cos(angle), chroma * np.sin(angle)), axis=-1)
    linear = np.clip((lab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_LINEAR_BGR.T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
    return np.rint(encoded * 255.0).astype(np.uint8)


def contrast_colors(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Black or white ``(N, 3)``, whichever is easier to read on ``(N, 3)`` BGR colours."""
    luma = colors @ _LUMA_BGR
    black_or_white = np.where(luma > _DARK_TEXT_ABOVE, 0, 255).astype(np.uint8)
    return black_or_white[:, None].repeat(3, axis=1)
