"""The implementations that plain PyTorch is compared with, where they are installed."""

import pytest

from mmdeepmot import ops
from mmdeepmot.ops.implementations import TORCHVISION, Operators
from mmdeepmot.ops.selection import torchvision_serves


@pytest.fixture(scope="session")
def torchvision_operators() -> Operators:
    if not torchvision_serves("cpu"):
        pytest.skip("no torchvision that belongs to the installed torch")
    return TORCHVISION


@pytest.fixture(scope="session")
def _compiled_mmcv() -> None:
    if ops.backend("cpu") != "mmcv":
        pytest.skip("mmcv's compiled extension is not installed")
