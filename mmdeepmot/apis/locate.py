"""Finding a config by its name, the newest checkpoint of a config, and the newest run of all."""

import os
from difflib import get_close_matches
from pathlib import Path

import mmdeepmot
from mmdeepmot.engine.checkpoint import LATEST_POINTER, find_latest_checkpoint
from mmdeepmot.errors import InputError

DEFAULT_WORK_DIRS = "work_dirs"


def config_root() -> Path:
    """Folder of the project's configs."""
    return Path(mmdeepmot.__file__).resolve().parents[1] / "configs"


def find_config(name: str | os.PathLike[str]) -> Path:
    """A config by its path, or by its name in the project's ``configs``.

    Args:
        name: ``configs/jde/jde_r18_synthmot.py``, ``jde/jde_r18_synthmot`` or ``jde_r18_synthmot``.

    Raises:
        FileNotFoundError: There is none; names the nearest.
        InputError: Several configs have the name.
    """
    path = Path(name)
    if path.is_file():
        return path
    root = config_root()
    stem = path.as_posix().removesuffix(".py")
    known = [
        file
        for file in sorted(root.rglob("*.py"))
        if not file.relative_to(root).parts[0].startswith("_")
    ]
    found = [file for file in known if f"/{file.with_suffix('').as_posix()}".endswith(f"/{stem}")]
    if len(found) == 1:
        return found[0]
    if found:
        options = ", ".join(str(file.relative_to(root)) for file in found)
        raise InputError(f"config {name}: several have this name, give the folder too: {options}")
    near = get_close_matches(path.stem, [file.stem for file in known], n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise FileNotFoundError(
        f"config {name}: expected a config file, or the name of one in {root}; found none{hint}"
    )


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
