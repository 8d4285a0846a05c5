"""Read a config file, apply options to it, and refuse what would be ignored silently.

mmengine accepts misspelt top-level keys and ``--cfg-options`` paths without a word; here each
gives an error that names the file, the key and the nearest known name.
"""

import argparse
import ast
import traceback
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from .config_check import KNOWN_KEYS, ConfigError, check_config, key_problem, nearest

__all__ = ["ConfigError", "OptionAction", "load_config"]


class OptionAction(DictAction):
    """``--cfg-options key=value key=[1,2] ...``: mmengine's syntax, but blanks stay."""

    @classmethod
    def parse(cls, texts: Sequence[str]) -> dict[str, Any]:
        """Options by key from ``KEY=VALUE`` texts.

        Raises:
            ConfigError: A text is not of this form.
        """
        options: dict[str, Any] = {}
        for text in texts:
            key, equals, value = text.partition("=")
            if not equals or not key:
                raise ConfigError(f"expected KEY=VALUE, got '{text}'")
            structured = any(mark in value for mark in ",[(")
            parse = cls._parse_iterable if structured else cls._parse_int_float_bool
            try:
                options[key] = parse(value.strip("'\""))
            except AssertionError as error:
                raise ConfigError(f"{key}: {error}") from error
        return options

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add to the dict of options."""
        try:
            given = self.parse([str(value) for value in values or ()])
        except ConfigError as error:
            parser.error(f"{option_string}: {error}")
        options = {**(getattr(namespace, self.dest, None) or {}), **given}
        setattr(namespace, self.dest, options)


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
    if not path.is_file():
        raise FileNotFoundError(_missing(path))
    files = _config_files(path)
    cfg = _read(path)
    if cfg_options:
        for key in cfg_options:
            _check_option(cfg, key)
        cfg.merge_from_dict(dict(cfg_options))
    if check:
        check_config(cfg, files)
    return cfg


def _missing(path: Path) -> str:
    present = [str(file) for file in sorted(path.parent.glob("*.py"))]
    near = get_close_matches(str(path), present, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "check the path."
    return f"config {path} does not exist; {hint}"


def _config_files(path: Path, seen: tuple[Path, ...] = ()) -> tuple[Path, ...]:
    """The file and those it is based on; raises on the first that is not valid Python."""
    if path in seen or path.suffix != ".py" or not path.is_file():
        return ()
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        raise ConfigError(
            f"{path}:{error.lineno}: {error.msg}: {(error.text or '').strip()}"
        ) from error
    files: tuple[Path, ...] = (path,)
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "_base_" for target in node.targets
        ):
            try:
                bases = ast.literal_eval(node.value)
            except ValueError:
                continue
            for base in [bases] if isinstance(bases, str) else bases:
                if "::" in base:
                    continue
                base_path = (path.parent / base).resolve()
                if not base_path.is_file():
                    raise ConfigError(f"{path}:{node.lineno}: _base_: {_missing(base_path)}")
                files += _config_files(base_path, (*seen, *files))
    return files


def _read(path: Path) -> Config:
    try:
        return Config.fromfile(str(path), lazy_import=False)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{_error_place(path, error)}: {type(error).__name__}: {error}"
        ) from error


def _error_place(path: Path, error: Exception) -> str:
    """File and line of the config (or base) that raised."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        is_config = "/mmengine/" not in frame.filename and frame.filename.endswith(".py")
        if is_config and Path(frame.filename).resolve() != Path(__file__).resolve():
            return f"{frame.filename}:{frame.lineno}"
    return str(path)


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
