"""Name the batch when a loss is not finite."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmdeepmot.registry import HOOKS

from ..optim import GuardedMixin, NonFiniteLossError


def batch_images(data_batch: Any) -> list[str]:
    """Paths of the images in a batch as the data loader gives it (``?`` where unknown)."""
    samples = data_batch.get("data_samples", []) if isinstance(data_batch, Mapping) else []
    paths: list[str] = []
    for sample in samples if isinstance(samples, Sequence) else [samples]:
        frames = getattr(sample, "video_data_samples", None) or [sample]
        paths += [str(getattr(frame, "metainfo", {}).get("img_path", "?")) for frame in frames]
    return paths


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Tell the optimizer wrapper which batch is running; check the loss where it does not.

    With the wrappers of :mod:`mmdeepmot.engine.optim` the error comes before the weights are
    touched; with others (mmengine's own) after the step, still naming the batch.
    """

    priority = "VERY_HIGH"

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Remember the batch."""

        def describe() -> str:
            return (
                f"It came at epoch {runner.epoch + 1}, iteration {runner.iter + 1} (batch "
                f"{batch_idx + 1} of the epoch), from the images {batch_images(data_batch)}."
            )

        self._describe = describe
        if isinstance(runner.optim_wrapper, GuardedMixin):
            runner.optim_wrapper.describe_batch = describe

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Check the total loss, if the wrapper has not.

        Raises:
            NonFiniteLossError: If it is NaN or infinite.
        """
        if isinstance(runner.optim_wrapper, GuardedMixin) or not outputs:
            return
        loss = float(outputs.get("loss", 0.0))
        if not math.isfinite(loss):
            raise NonFiniteLossError(f"Training stopped: the loss is {loss}. {self._describe()}")
