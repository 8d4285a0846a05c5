"""Converters as commands, in this process."""

import importlib.util
from pathlib import Path
from types import ModuleType

TOOLS = Path(__file__).resolve().parents[2] / "tools" / "dataset_converters"


def load_converter(name: str) -> ModuleType:
    """A script of ``tools/dataset_converters`` as a module."""
    spec = importlib.util.spec_from_file_location(f"converter_{name}", TOOLS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call_tool(name: str, *arguments: object) -> int:
    """Run a converter; its exit status."""
    return load_converter(name).main([str(argument) for argument in arguments])
