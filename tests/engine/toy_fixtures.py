"""Fixtures: a toy config, and a process that runs tools/train.py on demand.

That process imports everything once and forks for each run, so that a run costs no start-up and
can be killed like any other process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

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

SERVER = """
import atexit, importlib.util, json, os, signal, sys
reply = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)
spec = importlib.util.spec_from_file_location('train', sys.argv[1])
train = importlib.util.module_from_spec(spec)
spec.loader.exec_module(train)
import mmdeepmot
import mmdet.models, toy_project
import mmdeepmot.engine.config, mmdeepmot.engine.resolve
from mmdeepmot.engine.config_check import import_all
import_all()
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        log = os.open(job['log'], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1), os.dup2(log, 2)
        os.chdir(job['folder'])
        sys.argv = ['tools/train.py', *job['arguments']]
        code = 1
        try:
            code = train.main()
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else 1
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            atexit._run_exitfuncs()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    print(json.dumps(os.waitstatus_to_exitcode(status)), file=reply, flush=True)
"""


@dataclass(frozen=True)
class Run:
    """How a run of tools/train.py ended; negative: by that signal."""

    returncode: int
    output: str


def toy_environment() -> dict[str, str]:
    """Environment of processes that use ``toy_project``."""
    return dict(
        os.environ,
        PYTHONPATH=os.pathsep.join([str(HERE), str(ROOT)]),
        OMP_NUM_THREADS="1",
        CUDA_VISIBLE_DEVICES="",
    )


@pytest.fixture
def toy_config(tmp_path: Path) -> Path:
    """A config file that trains the toy model for 3 epochs of 5 batches."""
    path = tmp_path / "toy.py"
    path.write_text(
        TOY_CONFIG.format(base=str(ROOT / "configs/_base_/default_runtime.py")), encoding="utf-8"
    )
    return path


@pytest.fixture(scope="session")
def _server() -> Iterator[subprocess.Popen]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(ROOT / "tools/train.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=toy_environment(),
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def run_train(_server: subprocess.Popen, tmp_path: Path) -> Callable[..., Run]:
    """``run_train('config.py', '--resume')``: tools/train.py in a process of its own."""

    def run(*arguments: object) -> Run:
        log = tmp_path / "train.log"
        job = dict(arguments=list(map(str, arguments)), folder=str(tmp_path), log=str(log))
        assert _server.stdin is not None and _server.stdout is not None
        _server.stdin.write(json.dumps(job) + "\n")
        _server.stdin.flush()
        returncode = json.loads(_server.stdout.readline())
        return Run(returncode, log.read_text(encoding="utf-8"))

    return run
