"""Shared by all tests."""

import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # a process a core: each of them has one thread
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

import mmdeepmot  # noqa: F401  (before anything of mmdet: see mmdeepmot.ops)

sys.path.insert(0, str(Path(__file__).parent))  # tiny.py


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell lets its background jobs ignore Ctrl-C, and with them what tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """The same random numbers in every test, whichever run before it."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A training that a test lets fail leaves its handlers behind: they end with the test."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data(repository: Path) -> Path:
    """Real sequences, which stand beside the repository and do not belong to it."""
    folder = repository.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.fixture(scope="session")
def _tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import tiny

    return tiny.make_project(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny_project(_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a test: ``street/`` (sequences A, B), ``tiny.py``, ``weights.pth``."""
    shutil.copytree(_tiny, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path
