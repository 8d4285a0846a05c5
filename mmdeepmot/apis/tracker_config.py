"""The tracker that a config describes, with options applied. Imports no torch."""

import os
from collections.abc import Mapping
from typing import Any

from mmdeepmot.config_file import ConfigError, find_config, read_config
from mmdeepmot.registry import TRACKERS
from mmdeepmot.trackers import Tracker
from mmdeepmot.trackers.building import build_part


def load_tracker(
    config: str | os.PathLike[str], options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The tracker's part of a config.

    That is ``model.tracker`` where the config has a model (whatever helper variable called
    ``tracker`` it was made of), else ``tracker`` at the top level.

    Args:
        config: A config's path, or its name in the project's ``configs``.
        options: Values by dotted path: ``{"tracker.steps.1.limit": 0.6}``. ``model.tracker...``
            means the same.

    Returns:
        ``dict(type='Tracker', ...)`` of plain dicts and lists; nothing has been built.

    Raises:
        FileNotFoundError: There is no such config; names near ones.
        ConfigError: It cannot be read, has no tracker, or an option names no place in it.
    """
    path = find_config(config)
    content = read_config(path).to_dict()
    model = content.get("model")
    tracker = model.get("tracker") if isinstance(model, Mapping) else None
    tracker = content.get("tracker") if tracker is None else tracker
    if not isinstance(tracker, dict):
        found = "none" if tracker is None else repr(tracker)
        raise ConfigError(
            f"{path}: expected tracker=dict(type='Tracker', ...) at the top level or in the model, "
            f"got {found}. Configs that have one: configs/bytetrack/bytetrack.py, "
            "configs/sort/sort.py and others"
        )
    for key, value in (options or {}).items():
        _set(tracker, key, value)
    return tracker


def build_tracker(config: Mapping[str, Any], where: str = "config") -> Tracker:
    """Build the tracker of :func:`load_tracker`.

    Args:
        config: ``dict(type='Tracker', ...)``.
        where: Whose tracker it is, for messages: the config's path.

    Raises:
        ConfigError: A part of it is unknown or does not fit; names the place.
    """
    try:
        return build_part(TRACKERS, config, "tracker")
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error.args[0]}") from error


def _set(tracker: dict[str, Any], option: str, value: Any) -> None:
    """Set one value by its dotted path; a new key may only come last (building checks it)."""
    keys = option.removeprefix("model.").split(".")
    if keys[0] != "tracker" or len(keys) == 1:
        raise ConfigError(
            f"--cfg-options {option}: only the tracker is used here; expected tracker.KEY, "
            "e.g. tracker.steps.1.limit=0.6"
        )
    node: Any = tracker
    for depth, key in enumerate(keys[1:], start=1):
        place, last = ".".join(keys[:depth]), depth == len(keys) - 1
        where: Any
        if isinstance(node, list):
            if not key.isdigit() or int(key) >= len(node):
                raise ConfigError(
                    f"--cfg-options {option}: {place} is a list of {len(node)}: expected an index "
                    f"from 0 to {len(node) - 1}, got {key!r}"
                )
            where = int(key)
        elif isinstance(node, dict):
            where = key
            if not last and key not in node:
                raise ConfigError(
                    f"--cfg-options {option}: {place} has no key {key!r}; it has {sorted(node)}"
                )
        else:
            raise ConfigError(
                f"--cfg-options {option}: {place} is {node!r}, which has no keys; expected a dict "
                "or a list"
            )
        if last:
            node[where] = value
        else:
            node = node[where]
