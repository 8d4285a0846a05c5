"""Set-up of the environment: what is chosen, what is pinned, what is never asked for."""

import importlib.metadata
import runpy
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def tool(repository: Path) -> types.SimpleNamespace:
    return types.SimpleNamespace(**runpy.run_path(str(repository / "tools/setup_environment.py")))


@pytest.mark.parametrize(
    ("python", "torch", "suitable"),
    [
        ((3, 11), "2.13.0+cpu", True),
        ((3, 10), "2.4.0", True),
        ((3, 12), "2.10.1+cu130", True),
        ((3, 11), "2.3.1", False),
        ((3, 9), "2.5.0", False),
        ((3, 11), None, False),
    ],
)
def test_suitable_environments(tool, python, torch, suitable) -> None:
    versions = {"numpy": "2.0"} if torch is None else {"torch": torch}
    assert tool.is_suitable(python, versions) is suitable


def test_torch_stays_and_the_rest_is_pinned_where_it_is_not_there_yet(tool) -> None:
    installed = {"torch": "2.5.1+cu124", "torchvision": "0.20.1+cu124", "scipy": "1.13.0"}
    lines = tool.constrain((3, 11), installed)
    assert lines[:2] == ["torch==2.5.1+cu124", "torchvision==0.20.1+cu124"]
    names = [line.partition("==")[0].lower() for line in lines]
    assert names.count("torch") == 1
    assert "numpy" in names and "onedl-mmcv" in names
    assert "scipy" not in names
    assert tool.constrain((3, 10), installed) == lines[:2]


def test_every_requirement_has_a_tested_version(repository: Path) -> None:
    folder = repository / "requirements"
    tested = (folder / "tested.txt").read_text().lower()
    for file in ("runtime.txt", "tests.txt"):
        for line in (folder / file).read_text().split():
            name = line.replace("<", ">").partition(">")[0]
            assert name == "torch" or f"\n{name}==" in tested, f"{name} of {file}"
    assert "\ntorch==" not in tested


def test_active_environment(tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert tool.active_environment() is None  # no interpreter in it
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text('#!/bin/sh\necho \'{"python": [3, 11], "versions": {"torch": "2.9.0"}}\'\n')
    python.chmod(0o755)
    assert tool.active_environment() == tmp_path
    python.write_text('#!/bin/sh\necho \'{"python": [3, 11], "versions": {"torch": "2.1.0"}}\'\n')
    assert tool.active_environment() is None


def test_make_uses_the_interpreter_that_the_tool_names(repository: Path) -> None:
    plan = subprocess.run(
        ["make", "-n", "lint", f"PYTHON3={sys.executable}"],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert plan.returncode == 0, plan.stderr
    assert "bin/python -m ruff check" in plan.stdout


def setup_arguments(
    repository: Path, monkeypatch: pytest.MonkeyPatch, installed: list[str]
) -> dict[str, Any]:
    """What setup.py passes to setuptools beside the given distributions."""
    import setuptools

    found = [types.SimpleNamespace(metadata={"Name": name}) for name in installed]
    caught: dict[str, Any] = {}
    monkeypatch.setattr(importlib.metadata, "distributions", lambda path: found)
    monkeypatch.setattr(setuptools, "setup", lambda **arguments: caught.update(arguments))
    monkeypatch.chdir(repository)
    runpy.run_path(str(repository / "setup.py"))
    return caught


def test_setup_asks_for_the_continued_packages(repository, monkeypatch) -> None:
    import mmdeepmot

    arguments = setup_arguments(repository, monkeypatch, ["torch", "onedl-mmcv"])
    assert arguments["version"] == mmdeepmot.__version__
    assert "mmdeepmot.ops" in arguments["packages"]
    assert {"tests", "optional", "benchmarks"} == set(arguments["extras_require"])
    required = " ".join(arguments["install_requires"])
    for name in ("onedl-mmengine", "onedl-mmcv", "onedl-mmdetection", "torch", "opencv-python<5"):
        assert name in required


def test_setup_takes_original_packages_that_are_there(repository, monkeypatch) -> None:
    arguments = setup_arguments(repository, monkeypatch, ["mmengine", "mmcv", "mmdet", "torch"])
    assert not [name for name in arguments["install_requires"] if name.startswith("onedl")]
    arguments = setup_arguments(repository, monkeypatch, ["mmcv-lite"])
    required = " ".join(arguments["install_requires"])
    assert "onedl-mmengine" in required and "onedl-mmcv" not in required
