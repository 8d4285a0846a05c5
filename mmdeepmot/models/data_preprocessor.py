"""Batches of images and of clips, on the device and normalised."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class MOTDataPreprocessor(BaseDataPreprocessor):
    """Stacks images or clips, converts BGR to RGB, normalises and pads to a multiple.

    One class for both forms that datasets yield: images ``(3, H, W)`` with a ``DetDataSample``
    each, and clips ``(T, 3, H, W)`` with a ``TrackDataSample`` each. The bytes travel to the
    device as they are (uint8); all arithmetic happens there.

    Args:
        mean: Mean of the three channels, in the order that the network sees.
        std: Standard deviation of the three channels.
        bgr_to_rgb: Whether the network wants RGB (images are read as BGR).
        pad_size_divisor: Height and width are padded, right and below, to a multiple of this.
        pad_value: Value of the padding, before normalisation.
        channels_last: Whether the batch lies in memory channels last, as do then the feature maps
            of convolutions: faster on CPUs, and on GPUs in mixed precision.
    """

    def __init__(
        self,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (255.0, 255.0, 255.0),
        bgr_to_rgb: bool = True,
        pad_size_divisor: int = 32,
        pad_value: float = 127.5,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        if len(mean) != 3 or len(std) != 3:
            raise InputError(f"mean and std need three values each, got {mean} and {std}")
        self.register_buffer(
            "mean", torch.tensor(mean, dtype=torch.float32).view(3, 1, 1), persistent=False
        )
        self.register_buffer(
            "std", torch.tensor(std, dtype=torch.float32).view(3, 1, 1), persistent=False
        )
        self.bgr_to_rgb = bgr_to_rgb
        self.pad_size_divisor = pad_size_divisor
        self.pad_value = pad_value
        self.channels_last = channels_last

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Turns what the data loader yields into what the model takes.

        Args:
            data: ``inputs``: list of uint8 tensors ``(3, H, W)`` or ``(T, 3, H, W)``, or one
                stacked tensor; ``data_samples``: one sample for each.
            training: Unused; part of mmengine's protocol.

        Returns:
            ``inputs`` ``(N, [T,] 3, H', W')`` float and the data samples, which learn
            ``batch_input_shape`` (H', W'), also as ``pad_shape``, which mmdet's anchors ask for.

        Raises:
            ValueError: If the inputs of a batch differ in shape.
        """
        data = self.cast_data(data)
        images = data["inputs"]
        batch = images if isinstance(images, Tensor) else self._stack(images)
        if self.bgr_to_rgb:
            batch = batch.flip(-3)
        batch = batch.to(self.mean.dtype).sub_(self.mean).div_(self.std)
        batch = self._pad(batch)
        if self.channels_last:
            images = batch.flatten(0, -4).contiguous(memory_format=torch.channels_last)
            batch = images.unflatten(0, batch.shape[:-3])
        shape = tuple(batch.shape[-2:])
        samples = data.get("data_samples")
        for sample in samples or ():
            frames = sample if batch.dim() == 5 else (sample,)
            for frame in frames:
                frame.set_metainfo({"batch_input_shape": shape, "pad_shape": shape})
        return {"inputs": batch, "data_samples": samples}

    @staticmethod
    def _stack(images: Sequence[Tensor]) -> Tensor:
        shapes = {tuple(image.shape) for image in images}
        if len(shapes) > 1:
            raise InputError(
                "the images of a batch must have one shape (use the Letterbox transform, and "
                f"batch size 1 for clips), got {sorted(shapes)}"
            )
        return images[0][None] if len(images) == 1 else torch.stack(list(images))

    def _pad(self, batch: Tensor) -> Tensor:
        height, width = batch.shape[-2:]
        right, below = -width % self.pad_size_divisor, -height % self.pad_size_divisor
        if not right and not below:
            return batch
        padded = F.pad(batch, (0, right, 0, below))
        value = (self.pad_value - self.mean) / self.std
        padded[..., height:, :] = value
        padded[..., :, width:] = value
        return padded
