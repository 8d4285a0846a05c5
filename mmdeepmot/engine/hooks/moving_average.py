"""Averaged weights for trainings of any length."""

from mmengine.hooks import EMAHook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmdeepmot.registry import HOOKS


@HOOKS.register_module()
class MovingAverageHook(EMAHook):
    """mmengine's ``EMAHook``, which refuses trainings that end before the average begins.

    Here such a training (few images, a trial of one epoch) ends with its own weights, and says so.
    """

    def before_train(self, runner: Runner) -> None:
        """Say so where the average will not begin."""
        unit = "epoch" if self.enabled_by_epoch else "iter"
        begin, last = getattr(self, f"begin_{unit}"), getattr(runner, f"max_{unit}s")
        if begin > last:
            print_log(
                f"Weights are averaged from {unit} {begin} on, but this training ends with {last}: "
                "they stay as they are.",
                logger="current",
            )
