"""What a resumed run needs beyond weights: random states and the position in the data."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmdeepmot.registry import HOOKS


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seed torch, numpy and random from (seed, iteration, rank) before each iteration.

    Whatever is random in the model (dropout, sampled proposals) is then the same after a resume,
    without any random state in the checkpoint. Without a seed (``randomness=dict(seed=None)``)
    mmengine draws one and keeps it in the checkpoint.
    """

    priority = "VERY_HIGH"

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed."""
        rank, _ = get_dist_info()
        sequence = np.random.SeedSequence((runner.seed, runner.iter, rank))
        torch_seed, numpy_seed, python_seed = sequence.generate_state(3).tolist()
        torch.manual_seed(torch_seed)
        np.random.seed(numpy_seed)
        random.seed(python_seed)


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Keep the sampler's seed and the length of an epoch in checkpoints, and compare on resume.

    Iterations count batches: where the batch size, the number of processes or the dataset has
    changed, the interrupted epoch starts again, with a warning.
    """

    priority = "HIGHEST"

    def __init__(self) -> None:
        self._resumed: dict[str, Any] | None = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add ``meta['progress']``."""
        loader = runner.train_dataloader
        _, world_size = get_dist_info()
        checkpoint["meta"]["progress"] = {
            "batches_per_epoch": len(loader),
            "batch_size": loader.batch_size,
            "world_size": world_size,
            "sampler_seed": getattr(_sampler(loader), "seed", None),
        }

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take over the sampler's seed of the interrupted run."""
        if not runner._resume:
            return
        self._resumed = checkpoint.get("meta", {}).get("progress")
        sampler = _sampler(runner.train_dataloader)
        if self._resumed and self._resumed["sampler_seed"] is not None and hasattr(sampler, "seed"):
            sampler.seed = self._resumed["sampler_seed"]

    def before_train(self, runner: Runner) -> None:
        """Put the iteration to the beginning of the epoch if batches count differently now."""
        if self._resumed is None:
            return
        loop, loader = runner.train_loop, runner.train_dataloader
        _, world_size = get_dist_info()
        then = tuple(
            self._resumed[key] for key in ("batches_per_epoch", "batch_size", "world_size")
        )
        now = (len(loader), loader.batch_size, world_size)
        if then == now:
            return
        loop._iter = loop.epoch * len(loader)
        runner.optim_wrapper.initialize_count_status(runner.model, loop._iter, loop.max_iters)
        runner.logger.warning(
            "The resumed run cannot continue exactly: (batches an epoch, batch size, processes) "
            f"were {then}, are {now}. Epoch {loop.epoch + 1} starts from its beginning."
        )


def _sampler(loader: DataLoader) -> Any:
    """The sampler of items, also that of a batch sampler."""
    return getattr(loader.batch_sampler, "sampler", loader.sampler)
