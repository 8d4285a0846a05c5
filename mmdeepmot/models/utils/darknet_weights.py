"""Weights in Darknet's binary format (``darknet53.conv.74``, ``yolov3.weights``).

The format, as Darknet's ``load_weights`` reads it: int32 major, minor, revision; images seen (int64
from version 0.2 on, int32 before); then float32 for each convolution in order: bias of the batch
normalisation, its scale, running mean, running variance, convolution (out, in, height, width).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmcv.cnn import ConvModule
from mmengine.logging import print_log
from mmengine.registry import WEIGHT_INITIALIZERS
from numpy.typing import NDArray
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.utils.conversion import keep_loaded

SOURCE = "https://pjreddie.com/media/files/darknet53.conv.74"


@dataclass(frozen=True)
class DarknetWeights:
    """Content of a file.

    Attributes:
        version: (major, minor, revision).
        seen: Images seen in training.
        values: All weights, float32, in file order.
    """

    version: tuple[int, int, int]
    seen: int
    values: NDArray[np.float32]


def read_darknet_weights(path: str | Path) -> DarknetWeights:
    """Reads a file.

    Raises:
        FileNotFoundError: If there is none; says where to get it.
        InputError: If it is too short for a header, or no whole number of float32 follows.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"no Darknet weights at {path}: download {SOURCE} to this place, or train from scratch "
            "with --cfg-options model.detector.backbone.init_cfg=None"
        )
    data = path.read_bytes()
    if len(data) < 20:
        raise InputError(f"{path} has {len(data)} bytes: too short for Darknet's header of 20")
    major, minor, revision = (int(value) for value in np.frombuffer(data, "<i4", count=3))
    wide = major * 10 + minor >= 2
    start = 20 if wide else 16
    if (len(data) - start) % 4:
        raise InputError(
            f"{path} has {len(data) - start} bytes after its header, no multiple of 4: it is "
            "truncated or not in Darknet's format"
        )
    seen = int(np.frombuffer(data, "<i8" if wide else "<i4", count=1, offset=12)[0])
    values = np.frombuffer(data, "<f4", offset=start)
    return DarknetWeights((major, minor, revision), seen, values)


def darknet_state_dict(backbone: nn.Module, weights: DarknetWeights) -> dict[str, Tensor]:
    """State dict of ``backbone`` (mmdet's ``Darknet``) with values in the file's order.

    Values beyond the backbone's are left (a whole YOLOv3 begins with its backbone), with a warning.

    Raises:
        InputError: If there are fewer values than the backbone has, naming the layer.
    """
    state: dict[str, Tensor] = {}
    at = 0
    for name, module in backbone.named_modules():
        if not isinstance(module, ConvModule):
            continue
        bn = module.norm
        for key, own in (
            (f"{name}.bn.bias", bn.bias),
            (f"{name}.bn.weight", bn.weight),
            (f"{name}.bn.running_mean", bn.running_mean),
            (f"{name}.bn.running_var", bn.running_var),
            (f"{name}.conv.weight", module.conv.weight),
        ):
            end = at + own.numel()
            if end > len(weights.values):
                raise InputError(
                    f"Darknet weights end inside {key}: it needs values {at} to {end}, the file "
                    f"has {len(weights.values)}; is it the file of another architecture?"
                )
            state[key] = torch.from_numpy(weights.values[at:end].copy()).view(own.shape)
            at = end
    if at < len(weights.values):
        print_log(
            f"Darknet weights: {len(weights.values) - at} of {len(weights.values)} values follow "
            "after the backbone's and are not used",
            logger="current",
            level=30,
        )
    return state


def load_darknet_weights(backbone: nn.Module, path: str | Path) -> None:
    """Loads the file at ``path`` into ``backbone`` (mmdet's ``Darknet``)."""
    state = darknet_state_dict(backbone, read_darknet_weights(path))
    report = backbone.load_state_dict(state, strict=False)
    missing = [key for key in report.missing_keys if not key.endswith("num_batches_tracked")]
    if missing:
        raise InputError(f"the backbone has parameters that Darknet's format lacks: {missing}")


# In mmengine's own registry: BaseModule.init_weights looks there when no default scope is set.
@WEIGHT_INITIALIZERS.register_module()
class DarknetPretrainedInit:
    """``init_cfg=dict(type='DarknetPretrainedInit', checkpoint='…/darknet53.conv.74')``.

    Args:
        checkpoint: Path of the file.
    """

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint

    def __call__(self, module: nn.Module) -> None:
        """Loads the weights into ``module``."""
        load_darknet_weights(module, self.checkpoint)
        keep_loaded(module)
        print_log(f"loaded Darknet weights from {self.checkpoint}", logger="current")
