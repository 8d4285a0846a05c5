"""Two processes on a CPU take the same steps as one with the whole batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from ranks import free_port
from toy_fixtures import ROOT, toy_environment

from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.engine.distributed import init_distributed
from mmdeepmot.errors import InputError

OPTIONS = [
    "model.norm=False",
    "model.dropout=0",
    "train_cfg.max_epochs=1",
    "train_dataloader.sampler.shuffle=False",
    "train_dataloader.dataset.length=8",
    "effective_batch_size=8",
]


def weights(folder):
    return load_checkpoint(Path(folder) / "epoch_1.pth")["state_dict"]


def test_two_processes_equal_one(toy_config, run_train, tmp_path):
    """Same steps: losses normalised over both, DDP averages, accumulation adds up (2 batches)."""
    one = run_train(
        toy_config, "--work-dir", tmp_path / "one",
        "--cfg-options", *OPTIONS, "train_dataloader.batch_size=4",
    )  # fmt: skip
    assert one.returncode == 0, one.output
    two = subprocess.run(
        [
            ROOT / "tools/dist_train.sh", toy_config, "2", "--work-dir", tmp_path / "two",
            "--cfg-options", *OPTIONS, "train_dataloader.batch_size=2",
        ],
        env=dict(toy_environment(), PORT=free_port(), PYTHON=sys.executable),
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert two.returncode == 0, two.stderr[-3000:]
    expected, found = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert len(expected) == 4
    for key in expected:
        torch.testing.assert_close(found[key], expected[key], rtol=1e-5, atol=1e-7, msg=key)


def test_scripts_say_how_they_are_called():
    for name in ("dist_train", "dist_test", "slurm_train", "slurm_test"):
        script = ROOT / f"tools/{name}.sh"
        assert os.access(script, os.X_OK)
        run = subprocess.run([script], capture_output=True, text=True, check=False)
        assert run.returncode == 2 and f"{name}.sh" in run.stderr


def test_scripts_hand_everything_on(tmp_path):
    """NNODES, NODE_RANK, MASTER_ADDR and PORT reach torchrun, options reach the tool."""
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$OMP_NUM_THREADS $@"\n')
    fake.chmod(0o755)
    environment = dict(
        os.environ, PYTHON=str(fake), NNODES="2", NODE_RANK="1", MASTER_ADDR="10.0.0.1", PORT="7"
    )
    environment.pop("OMP_NUM_THREADS", None)
    run = subprocess.run(
        [ROOT / "tools/dist_train.sh", "c.py", "1000", "--amp"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.split() == [
        "1", "-m", "torch.distributed.run", "--nnodes=2", "--node-rank=1",
        "--master-addr=10.0.0.1", "--master-port=7", "--nproc-per-node=1000",
        f"{ROOT}/tools/train.py", "c.py", "--launcher", "pytorch", "--amp",
    ]  # fmt: skip
    run = subprocess.run(
        [ROOT / "tools/dist_test.sh", "c.py", "w.pth", "2", "--eval", "track"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"{ROOT}/tools/test.py c.py w.pth --launcher pytorch --eval track" in run.stdout


def test_slurm_scripts_hand_everything_on(tmp_path):
    """Processes, nodes and what the user adds reach srun, options reach the tool."""
    fake = tmp_path / "srun"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    environment = dict(
        os.environ,
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        PYTHON="py",
        GPUS="16",
        CPUS_PER_TASK="3",
        SRUN_ARGS="--time 60 --qos=high",
    )
    start = [
        "-p", "gpus", "--job-name=j", "--gres=gpu:8", "--ntasks=16", "--ntasks-per-node=8",
        "--cpus-per-task=3", "--kill-on-bad-exit=1", "--time", "60", "--qos=high", "py", "-u",
    ]  # fmt: skip
    for kind, own in (("train", ["c.py"]), ("test", ["c.py", "w.pth"])):
        run = subprocess.run(
            [ROOT / f"tools/slurm_{kind}.sh", "gpus", "j", *own, "--seed", "1"],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        end = [f"{ROOT}/tools/{kind}.py", *own, "--launcher", "slurm", "--seed", "1"]
        assert run.stdout.split() == start + end
    run = subprocess.run(
        [ROOT / "tools/slurm_train.sh", "gpus", "j", "c.py"],
        env=environment | {"GPUS": "2"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "--gres=gpu:2 --ntasks=2 --ntasks-per-node=2" in run.stdout


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> pytest.MonkeyPatch:
    """The environment of the second of four processes on the nodes a3 and a4; no GPU."""
    for name in ("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.setenv(name, "")  # so that they are as before in the end
        monkeypatch.delenv(name)
    command = tmp_path / "scontrol"
    command.write_text('#!/bin/sh\n[ "$*" = "show hostnames a[3-4]" ] && printf "a3\\na4\\n"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name, value in (("NODELIST", "a[3-4]"), ("PROCID", "1"), ("NTASKS", "4"), ("LOCALID", "3")):
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return monkeypatch


def test_slurm_says_who_a_process_is(slurm):
    started = []
    slurm.setattr(torch.distributed, "init_process_group", started.append)
    cfg = Config()
    init_distributed("slurm", cfg)
    names = ("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK")
    assert [os.environ[name] for name in names] == ["a3", "29500", "1", "4", "3"]
    assert started == ["gloo"] and cfg.launcher == "slurm"
    slurm.setenv("MASTER_ADDR", "10.0.0.7")
    slurm.setenv("MASTER_PORT", "29511")
    slurm.delenv("SLURM_LOCALID")
    init_distributed("slurm", cfg)
    assert [os.environ[name] for name in names] == ["10.0.0.7", "29511", "1", "4", "0"]


def test_slurm_without_slurm_is_said(slurm):
    slurm.delenv("SLURM_PROCID")
    with pytest.raises(InputError, match=r"SLURM_PROCID not set: start it by srun"):
        init_distributed("slurm", Config())
