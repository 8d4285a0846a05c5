"""Several processes, on GPUs (NCCL) or on CPUs (gloo)."""

import os
import subprocess
from collections.abc import Callable
from typing import Any, TypeVar

import torch
import torch.distributed as torch_dist
from mmengine.config import Config
from mmengine.dist import barrier, get_rank, init_dist

from mmdeepmot.errors import InputError

_T = TypeVar("_T")
SHARDED = "FullySharded"
"""Type of the model wrapper that divides the weights (:mod:`.sharding`)."""

_SLURM = ("SLURM_NODELIST", "SLURM_PROCID", "SLURM_NTASKS")
"""What Slurm tells every process, of which the group is made."""


def init_distributed(launcher: str, cfg: Config, train: bool = True) -> None:
    """Start the process group, if there is none, and let the runner wrap the model for it.

    mmengine's own start works on accelerators only (it sets a CUDA device and wraps the model
    with device ids); without one, this takes gloo and wraps without them.

    Args:
        launcher: ``none``, ``pytorch`` (torchrun) or ``slurm``.
        cfg: ``env_cfg.dist_cfg`` is used; ``launcher`` and on CPU ``model_wrapper_cfg`` are set.
        train: Whether the model is to be trained. One that is only tested is never sharded: every
            process predicts sequences of its own.

    Raises:
        InputError: ``slurm`` outside a Slurm job.
    """
    cfg.launcher = launcher
    if not train and _wrapper_type(cfg) == SHARDED:
        cfg.model_wrapper_cfg = None
    if launcher == "none":
        return
    options: dict[str, Any] = dict(cfg.get("env_cfg", {}).get("dist_cfg", {}))
    backend = options.pop("backend", "nccl")
    if launcher == "slurm":
        _check_slurm()
    if torch.cuda.is_available():
        if not torch_dist.is_initialized():
            init_dist(launcher, backend=backend, **options)
        return
    if not torch_dist.is_initialized():
        if launcher == "slurm":
            _slurm_environment()
        torch_dist.init_process_group("gloo")
    if _wrapper_type(cfg) == SHARDED:
        return
    wrapper = dict(cfg.get("model_wrapper_cfg") or {})
    wrapper.setdefault("type", "MMDistributedDataParallel")
    wrapper.setdefault("broadcast_buffers", False)
    wrapper.setdefault("find_unused_parameters", cfg.get("find_unused_parameters", False))
    wrapper["device_ids"] = None
    cfg.model_wrapper_cfg = wrapper


def _wrapper_type(cfg: Config) -> str | None:
    return (cfg.get("model_wrapper_cfg") or {}).get("type")


def _check_slurm() -> None:
    missing = [name for name in _SLURM if name not in os.environ]
    if missing:
        raise InputError(
            f"--launcher slurm: expected Slurm's environment variables, {', '.join(missing)} not "
            "set: start it by srun (tools/slurm_train.sh, tools/slurm_test.sh), or without Slurm "
            "by tools/dist_train.sh, tools/dist_test.sh"
        )


def _slurm_environment() -> None:
    """Translate slurm's variables into those that ``init_process_group`` reads."""
    nodes = os.environ["SLURM_NODELIST"]
    if "MASTER_ADDR" not in os.environ:
        listed = subprocess.run(
            ["scontrol", "show", "hostnames", nodes], capture_output=True, text=True, check=True
        )
        os.environ["MASTER_ADDR"] = listed.stdout.split()[0]
    os.environ.setdefault("MASTER_PORT", "29500")
    os.environ["RANK"] = os.environ["SLURM_PROCID"]
    os.environ["WORLD_SIZE"] = os.environ["SLURM_NTASKS"]
    os.environ["LOCAL_RANK"] = os.environ.get("SLURM_LOCALID", "0")


def first_process_first(build: Callable[[], _T]) -> _T:
    """Call ``build`` on the first process, then on the others.

    For what is made on disk on first use (generated datasets, downloads).
    """
    if get_rank() != 0:
        barrier()
    built = build()
    if get_rank() == 0:
        barrier()
    return built
