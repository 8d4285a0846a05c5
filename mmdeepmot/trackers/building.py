"""Build the parts of a tracker from config; errors name the place and the nearest name."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mmengine.registry import Registry


def _nearest(name: str, names: Iterable[str]) -> str:
    known = sorted(names)
    close = difflib.get_close_matches(name.lower(), [other.lower() for other in known], n=3)
    meant = [other for other in known if other.lower() in close]
    return f"did you mean {' or '.join(map(repr, meant))}? " if meant else ""


def look_up(registry: Registry, cfg: Any, where: str) -> tuple[Callable, dict[str, Any]]:
    """The registered object that a config names, and its parameters.

    Args:
        registry: Where the type is registered.
        cfg: ``dict(type=NAME, **parameters)``, or just NAME.
        where: Place in the config, for messages.

    Raises:
        TypeError: The config is neither a dict nor a name, or a parameter is unknown or missing.
        ValueError: ``type`` is missing.
        KeyError: No such type.
    """
    if isinstance(cfg, str):
        cfg = {"type": cfg}
    if not isinstance(cfg, Mapping):
        raise TypeError(
            f"{where}: expected dict(type=..., ...) of the registry {registry.name!r}, got {cfg!r}"
        )
    parameters = dict(cfg)
    kind = parameters.pop("type", None)
    if kind is None:
        raise ValueError(
            f"{where}: the key 'type' is missing in {dict(cfg)}; known types: "
            f"{sorted(_names(registry))}"
        )
    part = registry.get(kind) if isinstance(kind, str) else kind
    if part is None:
        names = _names(registry)
        raise KeyError(
            f"{where}: no {registry.name} is called {kind!r}; {_nearest(kind, names)}"
            f"Known: {sorted(names)}. One of your own must be registered and its module named in "
            "custom_imports"
        )
    return part, parameters


def _names(registry: Registry) -> list[str]:
    registry.import_from_location()
    return list(registry.module_dict)


def check_parameters(
    part: Callable, parameters: Mapping[str, Any], where: str, positional: int = 0
) -> None:
    """Check that parameters fit a callable's signature.

    Args:
        part: Class or function.
        parameters: Keyword arguments.
        where: Place in the config, for messages.
        positional: Number of leading arguments that are not given by the config.

    Raises:
        TypeError: A parameter is unknown or missing.
    """
    signature = list(inspect.signature(part).parameters.values())[positional:]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature)
    named = [p for p in signature if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    known = [p.name for p in named]
    for name in parameters:
        if name not in known and not open_ended:
            raise TypeError(
                f"{where}: {part.__name__} has no parameter {name!r}; {_nearest(name, known)}"
                f"It takes {known}"
            )
    missing = [p.name for p in named if p.default is p.empty and p.name not in parameters]
    if missing:
        raise TypeError(f"{where}: {part.__name__} needs {missing}")


def build_part(registry: Registry, cfg: Any, where: str) -> Any:
    """Build a registered class from config.

    Raises:
        KeyError, TypeError, ValueError: The config is wrong; the message begins with ``where``.
    """
    part, parameters = look_up(registry, cfg, where)
    check_parameters(part, parameters, where)
    try:
        return part(**parameters)
    except (KeyError, TypeError, ValueError) as error:
        raise type(error)(f"{where} ({part.__name__}): {error.args[0]}") from error
