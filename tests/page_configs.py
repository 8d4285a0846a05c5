"""Configs that the commands of a page name, made small enough to run, and weights for them."""

import re
from collections.abc import Callable
from pathlib import Path

import tiny
import torch
from config_steps import build_model, make_shallow, shrink, write_data

from mmdeepmot.config_file import read_config

LARGE = re.compile(r"configs/(sde|reid|sot|deepmot|dhn)/[\w/]+\.py")
"""Of all but one-shot networks, for which page_project puts ``tiny.py``."""

_WEIGHTS = re.compile(r"(?:\w+=)?(work_dirs/(\w+)/epoch_\d+\.pth)")


def in_small(words: list[str]) -> list[str]:
    """A command with the small configs and their weights; itself where it names none."""
    path = _config(words)
    if path is None:
        return words
    files = {str(path): f"small_{path.stem}.py", "CHECKPOINT": f"small_{path.stem}.pth"}
    return [files.get(word, word) for word in words]


def write_small(folder: Path, commands: list[list[str]], patch: Callable[..., None]) -> None:
    """Writes what :func:`in_small` of the commands names.

    Args:
        folder: Holds ``street``, MOTChallenge sequences with public detections.
        commands: Of a page, in their order.
        patch: ``monkeypatch.setattr``.
    """
    large = [(path, words) for words in commands if (path := _config(words)) is not None]
    if not large:
        return
    make_shallow(patch)
    write_data(folder / "street", patch)
    for path in {path for path, _ in large}:
        cfg = read_config(tiny.ROOT / path)
        weights = (cfg.model.get("reid") or {}).get("weights")
        cfg = shrink(cfg, folder / "street")
        if weights:
            cfg.model.reid.weights = weights
            _write_named(weights, folder)
        cfg.train_cfg.max_epochs = 1
        cfg.dump(str(folder / f"small_{path.stem}.py"))
    trained: set[str] = set()
    for path, words in large:
        for word in filter(_WEIGHTS.fullmatch, words):
            _write_named(word, folder)
        if "CHECKPOINT" in words:
            _write_weights(path, folder / f"small_{path.stem}.pth")
        elif words[1] == "tools/train.py":
            trained.add(path.stem)
        elif path.stem not in trained:
            _write_weights(path, folder / f"work_dirs/small_{path.stem}/epoch_1.pth")


def _config(words: list[str]) -> Path | None:
    """The config that a command names, if it is one of these."""
    return next((Path(word) for word in words if LARGE.fullmatch(word)), None)


def _write_named(word: str, folder: Path) -> None:
    """What the config of that work dir would have left there."""
    found = _WEIGHTS.fullmatch(word)
    assert found is not None
    (path,) = (tiny.ROOT / "configs").rglob(f"{found[2]}.py")
    _write_weights(path, folder / found[1])


def _write_weights(config: Path, file: Path) -> None:
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    model = build_model(shrink(read_config(tiny.ROOT / config), Path("street")))
    torch.save({"state_dict": model.state_dict()}, file)
