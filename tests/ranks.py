"""Test files as two processes that train together.

New processes, not forks of the running one: a fork of a process whose threads have computed may
wait for them for ever.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

WORLD_SIZE = 2
_LIMIT = 300.0  # seconds


def run_ranks(file: str, folder: Path) -> None:
    """Run a test file as both ranks; each calls :func:`as_rank`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    env = os.environ | {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    ranks = [
        subprocess.Popen(
            [sys.executable, file, str(rank), str(folder)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(WORLD_SIZE)
    ]
    try:
        said = [rank.communicate(timeout=_LIMIT)[0] for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    for rank, text in zip(ranks, said, strict=True):
        assert rank.returncode == 0, text


def as_rank(work: Callable[[int, Path], None]) -> None:
    """``work(rank, folder)`` inside a group of both ranks, as the command line says."""
    rank = int(sys.argv[1])
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", rank=rank, world_size=WORLD_SIZE, timeout=timedelta(seconds=120)
    )
    work(rank, Path(sys.argv[2]))
    dist.destroy_process_group()
