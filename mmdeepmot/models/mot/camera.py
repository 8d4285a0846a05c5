"""Images for the estimation of camera motion, out of what the network is given."""

from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from numpy.typing import NDArray
from torch import Tensor, nn

from mmdeepmot.errors import InputError


def check_invertible(preprocessor: nn.Module) -> None:
    """Make sure that the normalisation of the network's input can be undone.

    Raises:
        InputError: The data preprocessor does not say how it normalises.
    """
    missing = [name for name in ("mean", "std", "bgr_to_rgb") if not hasattr(preprocessor, name)]
    if missing:
        raise InputError(
            "TrackingModel.camera needs images, which it takes from the network's input: the data "
            f"preprocessor {type(preprocessor).__name__} has no {', '.join(missing)}, so that its "
            "normalisation cannot be undone. Use MOTDataPreprocessor, or give it these attributes"
        )


def input_image(frame: Tensor, sample: DetDataSample, preprocessor: Any) -> NDArray[np.uint8]:
    """The image in a frame of the network's input, as it was before normalisation and padding.

    Args:
        frame: ``(3, H, W)`` normalised.
        sample: Its meta data: ``ori_shape`` (H, W), ``scale_factor`` and ``pad_offset`` (x, y).
        preprocessor: What normalised it (:func:`check_invertible`).

    Returns:
        ``(h, w, 3)`` BGR uint8, whose px are ``scale_factor * original``.
    """
    (left, top), (sw, sh) = map(int, sample.pad_offset), sample.scale_factor
    height, width = sample.ori_shape[:2]
    inner = frame[:, top : top + round(height * sh), left : left + round(width * sw)]
    pixels = inner.float() * preprocessor.std + preprocessor.mean
    pixels = pixels.round_().clamp_(0, 255).to(torch.uint8)
    if preprocessor.bgr_to_rgb:
        pixels = pixels.flip(0)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).cpu().numpy())
