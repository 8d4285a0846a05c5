"""Config files: finding, reading and their options. Imports no torch.

What is read here is checked against all components by ``mmdeepmot.engine.config``.
"""

import argparse
import ast
import os
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from mmdeepmot.errors import InputError


class ConfigError(InputError):
    """A config cannot be read, or contains something that would have no effect."""


def nearest(word: str, known: Any, cutoff: float = 0.6) -> str:
    """`` (did you mean 'X'?)``, or nothing."""
    near = get_close_matches(word, [str(entry) for entry in known], n=1, cutoff=cutoff)
    return f" (did you mean '{near[0]}'?)" if near else ""


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


def config_root() -> Path:
    """Folder of the project's configs."""
    return Path(__file__).resolve().parents[1] / "configs"


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


def _missing(path: Path) -> str:
    present = [str(file) for file in sorted(path.parent.glob("*.py"))]
    near = get_close_matches(str(path), present, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "check the path."
    return f"config {path} does not exist; {hint}"


def config_files(path: Path, seen: tuple[Path, ...] = ()) -> tuple[Path, ...]:
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
                files += config_files(base_path, (*seen, *files))
    return files


def read_config(path: Path) -> Config:
    """Read a config as it is: no options, no checks of what is in it.

    Args:
        path: Python, JSON or YAML config file.

    Raises:
        FileNotFoundError: If the file is missing; names near ones.
        ConfigError: If it cannot be read; names file and line.
    """
    if not path.is_file():
        raise FileNotFoundError(_missing(path))
    config_files(path)
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
