"""Runs on disk: the config that a training was started with, and its newest checkpoint."""

from dataclasses import dataclass
from pathlib import Path

from .checkpoint import LATEST_POINTER, find_latest_checkpoint


@dataclass(frozen=True)
class Run:
    """A training's folder.

    Attributes:
        work_dir: The folder.
        config: The whole config that the runner left there.
        checkpoint: The newest checkpoint.
    """

    work_dir: Path
    config: Path
    checkpoint: Path


def open_run(work_dir: str | Path) -> Run:
    """The run in a folder.

    Raises:
        FileNotFoundError: No checkpoint or no config in it.
    """
    folder = Path(work_dir)
    checkpoint = find_latest_checkpoint(folder)
    configs = sorted(folder.glob("*.py"), key=lambda path: path.stat().st_mtime)
    if checkpoint is None or not configs:
        lacks = "checkpoint (*.pth)" if checkpoint is None else "config (*.py)"
        raise FileNotFoundError(
            f"{folder}: expected the folder of a training, but it has no {lacks}: train first, "
            "python tools/train.py CONFIG"
        )
    return Run(folder, configs[-1], checkpoint)


def newest_run(root: str | Path = "work_dirs") -> Run:
    """The run under ``root`` that wrote a checkpoint last.

    Raises:
        FileNotFoundError: There is none.
    """
    pointers = sorted(Path(root).glob(f"*/{LATEST_POINTER}"), key=lambda path: path.stat().st_mtime)
    for pointer in reversed(pointers):
        try:
            return open_run(pointer.parent)
        except FileNotFoundError:
            continue
    raise FileNotFoundError(
        f"no training with a checkpoint under {root}/: give CONFIG and CHECKPOINT, or train first, "
        "python tools/train.py CONFIG"
    )
