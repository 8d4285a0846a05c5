"""Every config builds, and makes one training step and one test step on tiny data."""

from pathlib import Path

import config_steps
import pytest
import tiny

from mmdeepmot.config_file import read_config
from mmdeepmot.engine.config_check import check_config

CONFIGS = sorted(
    path for path in (tiny.ROOT / "configs").rglob("*.py") if "_base_" not in path.parts
)


@pytest.fixture(scope="module")
def street(tmp_path_factory) -> Path:
    """Two sequences of ten frames (the longest clips), with public detections."""
    root = tmp_path_factory.mktemp("every") / "street"
    tiny.write_street(root, frames=10)
    tiny.write_detections(root)
    return root


@pytest.fixture(scope="module")
def stepped() -> set[str]:
    """What has made its steps; see :func:`config_steps.run`."""
    return set()


def name(path: Path) -> str:
    return str(path.relative_to(tiny.ROOT / "configs").with_suffix(""))


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_config_makes_a_training_step_and_a_test_step(path, street, stepped, monkeypatch):
    cfg = read_config(path)
    check_config(cfg)
    config_steps.run(cfg, street, monkeypatch.setattr, stepped)
