"""What the camera adds to a frame: tint, changes of light, defocus, motion blur, grain."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.synthmot.camera import CameraPath, smooth_noise
from mmdeepmot.datasets.synthmot.paint import Image
from mmdeepmot.datasets.synthmot.recipe import Recipe

_GRAIN_PAD = 64
# Gain of blue, green, red, and contrast: noon, overcast, evening, winter.
_MOODS = [
    ((0.98, 1.0, 1.02), 1.06),
    ((1.02, 1.0, 0.97), 0.9),
    ((0.86, 0.95, 1.08), 0.98),
    ((1.08, 1.0, 0.95), 0.96),
]


class Effects:
    """Effects of one sequence, drawn once; frames can then be developed in any order."""

    def __init__(self, seed: np.random.SeedSequence, recipe: Recipe, path: CameraPath) -> None:
        rng = np.random.default_rng(seed)
        frames = len(path.zoom)
        gain, contrast = _MOODS[int(rng.integers(len(_MOODS)))]
        slow = 0.07 * smooth_noise(rng, frames, 40) + 0.012 * smooth_noise(rng, frames, 3)
        if rng.uniform() < 0.35:  # a cloud comes or goes
            slow += 0.12 * np.tanh((np.arange(frames) - rng.uniform(0, frames)) / 4)
        brightness = np.clip(1 + recipe.light * slow, 0.6, 1.3)
        tone = 1 + recipe.light * (np.array(gain) - 1)
        self._contrast = 1 + recipe.light * (contrast - 1)
        self._gain: NDArray[np.float64] = brightness[:, None] * tone
        self._sigma = recipe.noise * rng.uniform(1.5, 4.0)
        width, height = recipe.size
        shape = (height + _GRAIN_PAD, width + _GRAIN_PAD, 3)
        self._grain = np.round(rng.standard_normal(shape, dtype=np.float32) * self._sigma).astype(
            np.int16
        )
        self._shifts = rng.integers(0, _GRAIN_PAD, (frames, 2))
        motion = np.gradient(path.corner, axis=0) if frames > 1 else np.zeros((1, 2))
        self._smear = 0.35 * recipe.blur * motion * path.zoom[:, None]
        soft = np.clip(smooth_noise(rng, frames, 25) - 1.0, 0, 1)
        self._defocus = recipe.blur * soft * 1.3 * height / 608

    def develop(self, rendered: Image, frame: int) -> Image:
        """The camera's picture of a rendered frame: ``(H, W, 3)`` uint8 BGR."""
        image: NDArray[Any] = rendered
        if self._defocus[frame] > 0.3:
            image = cv2.GaussianBlur(image, (0, 0), float(self._defocus[frame]))
        dx, dy = self._smear[frame]
        length = float(np.hypot(dx, dy))
        if length > 1.2:
            image = cv2.filter2D(image, -1, _line_kernel(float(dx), float(dy)))
        level = np.arange(256, dtype=np.float64)[:, None]
        curve = (level - 128) * self._contrast + 128
        table = np.clip(np.round(curve * self._gain[frame]), 0, 255).astype(np.uint8)
        image = cv2.LUT(image, table[None])
        if self._sigma > 0:
            top, left = self._shifts[frame]
            height, width = image.shape[:2]
            grain = self._grain[top : top + height, left : left + width]
            image = cv2.add(image, grain, dtype=cv2.CV_8U)
        return np.asarray(image, dtype=np.uint8)


def _line_kernel(dx: float, dy: float) -> NDArray[np.float32]:
    """A kernel that smears along (dx, dy) px."""
    half = int(np.ceil(max(abs(dx), abs(dy)) / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for part in np.linspace(-0.5, 0.5, 4 * half + 1):
        kernel[half + round(part * dy), half + round(part * dx)] += 1
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)
