"""Two processes on a CPU take the same steps as one with the whole batch."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import torch
from toy_fixtures import ROOT, toy_environment

from mmdeepmot.engine.checkpoint import load_checkpoint


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


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
        env=dict(toy_environment(), PORT=str(free_port()), PYTHON=sys.executable),
        capture_output=True, text=True, timeout=120, check=False,
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
