"""Read a config file, apply options to it, and refuse what would be ignored silently.

mmengine accepts misspelt top-level keys and ``--cfg-options`` paths without a word; here each
gives an error that names the file, the key and the nearest known name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdeepmot.config_file import ConfigError, OptionAction, config_files, nearest, read_config

from .config_check import KNOWN_KEYS, check_config, key_problem

__all__ = ["ConfigError", "OptionAction", "load_config"]


def load_config(
    path: str | Path, cfg_options: Mapping[str, Any] | None = None, check: bool = True
) -> Config:
    """Load a config and make sure that everything in it has an effect.

    Args:
        path: Python, JSON or YAML config file.
        cfg_options: Values by dotted path, as of ``--cfg-options``.
        check: Look up all types and compare all arguments with their constructors.

    Returns:
        The config; nothing has been built.

    Raises:
        FileNotFoundError: If the file is missing; names near ones.
        ConfigError: If it cannot be read, or a key, type or option is unknown.
    """
    path = Path(path)
    cfg = read_config(path)
    if cfg_options:
        for key in cfg_options:
            _check_option(cfg, key)
        cfg.merge_from_dict(dict(cfg_options))
    if check:
        check_config(cfg, config_files(path))
    return cfg


def _check_option(cfg: Config, option: str) -> None:
    """Raise unless a dotted path names something that has an effect."""
    node: Any = cfg._cfg_dict
    keys = option.split(".")
    for depth, key in enumerate(keys):
        place, last = ".".join(keys[:depth]), depth == len(keys) - 1
        where = f"--cfg-options {option}"
        if isinstance(node, (list, tuple)):
            if not key.isdigit() or int(key) >= len(node):
                raise ConfigError(
                    f"{where}: '{place}' is a list of {len(node)}; expected an index from 0 to "
                    f"{len(node) - 1}, got '{key}'."
                )
            node = node[int(key)]
        elif isinstance(node, Mapping):
            if depth == 0 and key not in KNOWN_KEYS and key in node:
                raise ConfigError(_helper_message(cfg, where, key))
            if key in node:
                node = node[key]
                if last or node is not None:
                    continue
                raise ConfigError(f"{where}: '{place}.{key}' is None, it has no keys.")
            if depth == 0:
                if key in KNOWN_KEYS and last:
                    return
                raise ConfigError(f"{where}: no key '{key}' in the config{nearest(key, node)}.")
            problem = key_problem(keys[:depth], node, key)
            if problem is not None:
                raise ConfigError(f"{where}: {problem}")
            return
        else:
            raise ConfigError(
                f"{where}: '{place}' is {node!r}, which has no keys; expected a dict or list."
            )


def _helper_message(cfg: Config, where: str, key: str) -> str:
    """Why setting a helper variable does nothing, and what to set instead."""
    value = cfg._cfg_dict[key]
    uses = [path for path in _places(cfg._cfg_dict, value) if path.split(".")[0] in KNOWN_KEYS]
    instead = f" Set {', '.join(uses[:4])} instead." if uses else ""
    return (
        f"{where}: '{key}' is a helper variable of the config file; it was used while reading the "
        f"file, and changing it now has no effect.{instead}"
    )


def _places(node: Any, value: Any, path: str = "") -> list[str]:
    """Dotted paths at which an equal value stands."""
    if path and type(node) is type(value) and node == value:
        return [path]
    if isinstance(node, Mapping):
        items: Any = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    else:
        return []
    prefix = f"{path}." if path else ""
    return [place for key, child in items for place in _places(child, value, f"{prefix}{key}")]
