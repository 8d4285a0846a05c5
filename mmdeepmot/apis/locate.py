"""Finding a config by its name, the newest checkpoint of a config, and the newest run of all."""

import os
from pathlib import Path

from mmdeepmot.config_file import config_root, find_config
from mmdeepmot.engine.checkpoint import LATEST_POINTER, find_latest_checkpoint

__all__ = ["config_root", "find_checkpoint", "find_config", "newest_run"]

DEFAULT_WORK_DIRS = "work_dirs"


def find_checkpoint(
    config: str | os.PathLike[str],
    work_dir: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] = DEFAULT_WORK_DIRS,
) -> Path:
    """The newest checkpoint that was trained with a config.

    That of ``work_dir`` where it has one; else the newest of ``ROOT/NAME`` and of the folders of
    ``ROOT`` that hold a copy of the config, as a training leaves it (``--work-dir ROOT/other``).

    Args:
        config: The config's file; its name counts.
        work_dir: The config's own ``work_dir``, if it sets one.
        root: Folder of work dirs.

    Raises:
        FileNotFoundError: No checkpoint; says where it was looked for and how to make one.
    """
    config, root = Path(config), Path(root)
    own = [] if work_dir is None else [Path(work_dir)]
    others = [root / config.stem, *sorted(copy.parent for copy in root.glob(f"*/{config.stem}.py"))]
    for folders in (own, others):
        found = [find_latest_checkpoint(folder) for folder in folders]
        checkpoints = [file for file in found if file is not None]
        if checkpoints:
            return max(checkpoints, key=lambda file: file.stat().st_mtime)
    places = ", ".join(dict.fromkeys(map(str, own + others)))
    raise FileNotFoundError(
        f"no checkpoint of {config.stem} in {places}: train one (python tools/train.py {config}) "
        "or name one"
    )


def newest_run(root: str | os.PathLike[str] = DEFAULT_WORK_DIRS) -> tuple[Path, Path]:
    """Config and newest checkpoint of the training under ``root`` that wrote one last.

    The config is the whole one that the training left in its folder.

    Raises:
        FileNotFoundError: There is none.
    """
    pointers = sorted(
        Path(root).glob(f"*/{LATEST_POINTER}"), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for folder in (pointer.parent for pointer in pointers):
        configs = sorted(folder.glob("*.py"), key=lambda path: path.stat().st_mtime)
        checkpoint = find_latest_checkpoint(folder)
        if configs and checkpoint is not None:
            return configs[-1], checkpoint
    raise FileNotFoundError(
        f"no training with a checkpoint under {root}: give CONFIG and CHECKPOINT, or train first "
        "(python tools/train.py CONFIG)"
    )
