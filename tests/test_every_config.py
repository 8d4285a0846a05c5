"""Every config builds, its schedulers, hooks, loops and metrics too, and steps on tiny data."""

from collections.abc import Iterator
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
def street(tmp_path_factory) -> Iterator[Path]:
    """Two sequences of ten frames (the longest clips), with public detections, in all forms."""
    root = tmp_path_factory.mktemp("every") / "street"
    tiny.write_street(root, frames=10)
    tiny.write_detections(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMDEEPMOT_CACHE", str(root.parent / "cache"))
        config_steps.write_data(root, patch.setattr)
        yield root


@pytest.fixture(scope="module")
def stepped() -> set[str]:
    """What has made its steps; see :func:`config_steps.run`."""
    return set()


def name(path: Path) -> str:
    return str(path.relative_to(tiny.ROOT / "configs").with_suffix(""))


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_config_is_built_and_makes_a_training_step_and_a_test_step(
    path, street, stepped, monkeypatch
):
    cfg = read_config(path)
    check_config(cfg)
    config_steps.run(cfg, street, monkeypatch.setattr, stepped)
