"""Train a model.

python tools/train.py configs/jde/jde_darknet53.py [--resume] [--amp] [--cfg-options k=v ...]
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmdeepmot.errors import INTERRUPTED, run_command

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmdeepmot.engine.config import OptionAction

    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("config", help="config file")
    parser.add_argument("--work-dir", help="logs and checkpoints (work_dirs/CONFIG_NAME)")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="continue from a checkpoint; without one, from the newest of the work dir",
    )
    parser.add_argument("--amp", action="store_true", help="mixed precision")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=OptionAction,
        metavar="KEY=VALUE",
        help="change values of the config, e.g. optim_wrapper.optimizer.lr=0.001",
    )
    parser.add_argument("--launcher", choices=["none", "pytorch", "slurm"], default="none")
    parser.add_argument("--seed", type=int, help="seed of weights, order and augmentation")
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: cuda where there is one)")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def select_device(arguments: list[str]) -> None:
    """Apply ``--device`` before torch is imported, as mmengine chooses the device on import."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--device", default="")
    device = parser.parse_known_args(arguments)[0].device
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")
    elif device not in ("", "cuda"):
        raise SystemExit(f"--device: expected cpu, cuda or cuda:N, got '{device}'")


def enable_amp(cfg: "Config") -> None:
    """Switch to mixed precision: float16 with loss scaling on a GPU, bfloat16 on a CPU.

    A CPU that has no bfloat16 arithmetic emulates it, slower than float32, and stays with that.
    """
    import torch

    from mmdeepmot.engine.optim import cpu_has_bfloat16

    if torch.cuda.is_available():
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")
    elif cpu_has_bfloat16():
        cfg.optim_wrapper.type = "CpuAmpOptimWrapper"
    else:
        print("--amp: this CPU has no bfloat16 arithmetic; float32 is faster and is used.")


def set_resume(cfg: "Config", resume: str | None) -> None:
    """Point the config to the checkpoint to continue from, if there is one."""
    from mmdeepmot.engine.checkpoint import find_latest_checkpoint

    if resume is None:
        return
    checkpoint = find_latest_checkpoint(cfg.work_dir) if resume == "auto" else Path(resume)
    if checkpoint is None:
        print(f"--resume: no checkpoint in {cfg.work_dir}, starting from the beginning.")
        return
    if not checkpoint.is_file():
        raise FileNotFoundError(f"--resume: checkpoint {checkpoint} does not exist.")
    cfg.load_from, cfg.resume = str(checkpoint), True


def prepare(args: argparse.Namespace) -> "Config":
    """Load the config and apply the command line to it."""
    import torch

    from mmdeepmot.engine.config import ConfigError, load_config

    if args.device and args.device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"--device {args.device}: torch {torch.__version__} sees no GPU.")
    cfg = load_config(args.config, args.cfg_options)
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(args.config).stem}"
    if args.seed is not None:
        cfg.setdefault("randomness", {})["seed"] = args.seed
    if args.amp:
        enable_amp(cfg)
    set_resume(cfg, args.resume)
    return cfg


def train(args: argparse.Namespace) -> None:
    """Build everything and train."""
    from mmengine.dist import get_world_size
    from mmengine.registry import init_default_scope

    from mmdeepmot.engine.distributed import first_process_first, init_distributed
    from mmdeepmot.engine.host_memory import keep_freed_memory
    from mmdeepmot.engine.resolve import build_train_dataset, check_evaluation, resolve_config
    from mmdeepmot.engine.runner import MOTRunner

    keep_freed_memory()
    cfg = prepare(args)
    init_default_scope(cfg.get("default_scope", "mmdeepmot"))
    init_distributed(args.launcher, cfg)
    if cfg.get("val_cfg"):
        check_evaluation(cfg, "val")
    dataset = first_process_first(lambda: build_train_dataset(cfg))
    resolve_config(cfg, dataset, get_world_size())
    runner = MOTRunner.from_cfg(cfg)
    runner._train_dataloader = dict(cfg.train_dataloader, dataset=dataset)
    runner.train()


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    select_device(arguments)
    args = parse_args(arguments)

    def command() -> int | None:
        try:
            train(args)
        except KeyboardInterrupt:
            print(f"Stopped. Continue with: python {' '.join(resume_command())}", file=sys.stderr)
            return INTERRUPTED
        return None

    return run_command(command)


def resume_command() -> list[str]:
    """This command line with ``--resume``."""
    return sys.argv if "--resume" in sys.argv else [*sys.argv, "--resume"]


if __name__ == "__main__":
    sys.exit(main())
