"""Installs mmdeepmot: ``pip install -e .``, with extras (tests, optional, benchmarks)."""

import ast
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

# The same import packages under the names of their original distributions. Where one of those is
# installed already, it is taken, and its continuation (which would overwrite it) not asked for.
ORIGINALS = {
    "onedl-mmengine": {"mmengine", "mmengine-lite"},
    "onedl-mmcv": {"mmcv", "mmcv-full", "mmcv-lite"},
    "onedl-mmdetection": {"mmdet"},
}


def read_requirements(name: str) -> list[str]:
    """Requirements of ``requirements/<name>.txt``, without comments and blank lines."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def installed_distributions() -> set[str]:
    """Names of what is installed beside this Python.

    Its folders are named here because pip hides them from the isolated environment in which this
    file runs.
    """
    paths = sysconfig.get_paths()
    found = distributions(path=[paths["purelib"], paths["platlib"]])
    return {str(distribution.metadata["Name"]).lower() for distribution in found}


def runtime_requirements() -> list[str]:
    """What mmdeepmot needs, less what is there under its original name."""
    installed = installed_distributions()
    return [
        requirement
        for requirement in read_requirements("runtime")
        if not ORIGINALS.get(requirement.partition(">")[0], set()) & installed
    ]


def version() -> str:
    """``mmdeepmot.__version__``, read without importing the package."""
    for node in ast.parse((ROOT / "mmdeepmot" / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    raise RuntimeError("mmdeepmot/__init__.py: expected an assignment to __version__, found none")


setup(
    name="mmdeepmot",
    version=version(),
    description="JDE, FairMOT and DeepMOT: multi-object tracking from registered components",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["mmdeepmot", "mmdeepmot.*"]),
    package_data={"mmdeepmot.models.matchers": ["weights/*.safetensors"]},
    install_requires=runtime_requirements(),
    extras_require={name: read_requirements(name) for name in ("benchmarks", "optional", "tests")},
)
