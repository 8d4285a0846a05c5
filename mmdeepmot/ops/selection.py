"""Which implementation of the operators is in use: mmcv's, torchvision's or plain PyTorch."""

import functools
import importlib
import multiprocessing
from typing import Literal

from mmdeepmot.ops.standin import EXTENSION, StandInLoader

Backend = Literal["mmcv", "torchvision", "torch"]

_DESCRIPTIONS: dict[Backend, str] = {
    "mmcv": "mmcv's compiled extension",
    "torchvision": "torchvision (mmcv's compiled extension is not installed)",
    "torch": "plain PyTorch (mmcv's compiled extension is not installed)",
}


@functools.cache
def torchvision_serves(device_type: str) -> bool:
    """Whether torchvision imports and has its compiled operators for this type of device.

    A torchvision without CUDA beside a torch with it serves ``"cpu"`` only.
    """
    import torch

    try:
        from torchvision.ops import nms

        nms(torch.zeros(1, 4, device=device_type), torch.zeros(1, device=device_type), 0.5)
    except (ImportError, RuntimeError):
        return False
    return True


def torchvision_preferred(device_type: str) -> bool:
    """Whether torchvision is the better choice: wherever it serves, except on the CPU.

    There plain PyTorch is faster (one thread, forward and backward: DCNv2 with 64 channels at
    76 x 136 0.26 s against 2.2 s, 512 RoIs of 256 channels 0.26 s against 1.1 s; nms alike).
    """
    return device_type != "cpu" and torchvision_serves(device_type)


@functools.cache
def backend(device_type: str | None = None) -> Backend:
    """Tell which implementation runs ``nms``, ``roi_align`` and the deformable convolutions.

    Args:
        device_type: Where they are to run; by default on CUDA if there is any, else on the CPU.
    """
    import torch

    extension = importlib.import_module(EXTENSION)
    if extension.__spec__ is None or not isinstance(extension.__spec__.loader, StandInLoader):
        return "mmcv"
    device_type = device_type or ("cuda" if torch.cuda.is_available() else "cpu")
    return "torchvision" if torchvision_preferred(device_type) else "torch"


@functools.cache
def announce() -> None:
    """Write to the log, once and in the main process only, which implementation is in use."""
    from mmengine.logging import print_log

    if multiprocessing.parent_process() is None:
        print_log(f"Operators (nms, roi_align, DCN): {_DESCRIPTIONS[backend()]}", logger="current")
