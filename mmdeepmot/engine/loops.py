"""Training by epochs that can be resumed inside an epoch."""

from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop

from mmdeepmot.registry import LOOPS


@LOOPS.register_module()
class EpochTrainLoop(EpochBasedTrainLoop):
    """mmengine's epoch loop, continued from any iteration.

    The number of batches of the running epoch that are already done follows from (epoch, iter)
    of the checkpoint; the sampler skips them without loading anything. With
    :class:`ResumableSampler`, :class:`IterationSeedHook` and the checkpoints of
    :class:`~mmdeepmot.engine.hooks.CheckpointHook`, a killed and resumed training ends with
    the weights of an uninterrupted one, bit for bit.
    """

    def run(self):
        """Train; returns the model."""
        wrapper = self.runner.optim_wrapper
        if hasattr(wrapper, "set_epoch_length"):
            wrapper.set_epoch_length(len(self.dataloader))
        return super().run()

    def run_epoch(self) -> None:
        """Run what is left of this epoch (all of it, unless resumed inside it)."""
        num_batches = len(self.dataloader)
        done = min(max(self._iter - self._epoch * num_batches, 0), num_batches)
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        if done < num_batches:
            to_load = self._skip(done)
            for idx, data_batch in enumerate(self.dataloader, num_batches - to_load):
                if idx >= done:
                    self.run_iter(idx, data_batch)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _skip(self, num_batches: int) -> int:
        """Skip the first batches in the sampler where it can; returns how many will be loaded."""
        if num_batches == 0:
            return len(self.dataloader)
        sampler = self.dataloader.sampler
        batch_size = self.dataloader.batch_size
        if hasattr(self.dataloader.batch_sampler, "skip"):
            sampler, batch_size = self.dataloader.batch_sampler, 1  # it counts batches
        elif batch_size is None:  # a batch sampler of the user's
            sampler = getattr(self.dataloader.batch_sampler, "sampler", None)
            batch_size = getattr(self.dataloader.batch_sampler, "batch_size", None)
        if hasattr(sampler, "skip") and batch_size is not None:
            sampler.skip(num_batches * batch_size)
            return len(self.dataloader) - num_batches
        print_log(
            f"{type(sampler).__name__} cannot skip: the first {num_batches} batches of the epoch "
            "are loaded and thrown away. sampler=dict(type='ResumableSampler') skips at once.",
            logger="current",
        )
        return len(self.dataloader)
