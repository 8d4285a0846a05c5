"""Logging that shows something at once."""

from typing import Any

from mmengine.hooks import LoggerHook as PlainLoggerHook
from mmengine.runner import Runner

from mmdeepmot.registry import HOOKS


@HOOKS.register_module()
class LoggerHook(PlainLoggerHook):
    """mmengine's hook, which also logs the first iterations of a run, with the time left.

    Args:
        interval: As in mmengine.
        first: Number of iterations after the start (or resume) that are all logged; of a test,
            the first one is.
        **kwargs: As in mmengine.
    """

    def __init__(self, interval: int = 10, first: int = 5, **kwargs: Any) -> None:
        super().__init__(interval=interval, **kwargs)
        self.first = first
        self._started: int | None = None

    def before_train(self, runner: Runner) -> None:
        """Remember where this run starts."""
        self._started = runner.iter

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Log the first iterations, then every ``interval``."""
        early = self._started is not None and runner.iter - self._started < self.first
        if early and not self.every_n_inner_iters(batch_idx, self.interval):
            tag, text = runner.log_processor.get_log_after_iter(runner, batch_idx, "train")
            runner.logger.info(text)
            runner.visualizer.add_scalars(tag, runner.iter + 1, file_path=self.json_log_path)
        else:
            super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Log the first batch, then every ``interval``."""
        if self.first and batch_idx == 0 and self.interval > 1:
            _, text = runner.log_processor.get_log_after_iter(runner, batch_idx, "test")
            runner.logger.info(text)
        else:
            super().after_test_iter(runner, batch_idx, data_batch, outputs)
