"""Makes ``toy_project`` importable and writes configs that use it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

TOY_CONFIG = """
_base_ = {base!r}
custom_imports = dict(imports=['toy_project'], allow_failed_imports=False)
model = dict(type='ToyModel', head=dict(type='ToyHead', num_ids=None))
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(type='ToyDataset', length=10),
    sampler=dict(type='ResumableSampler'))
train_cfg = dict(type='EpochTrainLoop', max_epochs=3)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=6),
    dict(type='MultiStepLR', by_epoch=True, milestones=[1, 2], gamma=0.5)]
visualizer = dict(_delete_=True, type='mmengine.Visualizer', vis_backends=[])
default_hooks = dict(checkpoint=dict(latest_iters=2, latest_minutes=0))
"""


@pytest.fixture
def toy_config(tmp_path: Path) -> Path:
    """A config file that trains the toy model for 3 epochs of 5 batches."""
    path = tmp_path / "toy.py"
    path.write_text(
        TOY_CONFIG.format(base=str(ROOT / "configs/_base_/default_runtime.py")), encoding="utf-8"
    )
    return path


@pytest.fixture
def run_train() -> Callable[..., subprocess.CompletedProcess]:
    """Runs tools/train.py in a process of its own."""

    def run(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess:
        environment = dict(
            os.environ,
            PYTHONPATH=os.pathsep.join([str(HERE), str(ROOT)]),
            OMP_NUM_THREADS="1",
            CUDA_VISIBLE_DEVICES="",
        )
        return subprocess.run(
            [sys.executable, str(ROOT / "tools/train.py"), *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
