"""Ctrl-C and a scheduler's SIGTERM lose nothing."""

import atexit
import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmdeepmot.registry import HOOKS

from ..sharding import FullySharded, any_process
from .checkpoint import CheckpointHook

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _shield(
    protected: "Synchronized[int]", init: Callable[[int], None] | None, worker_id: int
) -> None:
    """Let a worker process ignore the signals while ``protected`` is set, then initialise it."""

    def receive(_number: int, _frame: FrameType | None) -> None:
        if not protected.value:
            os._exit(0)  # as torch's own handler: another status counts as a crash

    for number in _SIGNALS:
        signal.signal(number, receive)
    if init is not None:
        init(worker_id)


@HOOKS.register_module()
class InterruptHook(Hook):
    """On SIGINT or SIGTERM finish the iteration, write a checkpoint, then stop.

    A second signal stops at once. The stop is a ``KeyboardInterrupt``. Under several processes
    the first one writes; the launcher ends the others. Where weights are sharded all stop after
    the same iteration, since all have a part of the checkpoint. Worker processes of the data
    loaders, which get the same signals from a terminal or a scheduler, ignore them until then.
    """

    priority = "LOWEST"

    def __init__(self) -> None:
        self._received: int | None = None
        self._protected = multiprocessing.Value("b", 0, lock=False)
        self._previous: dict[int, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Start to listen."""
        self._protected.value = 1
        atexit.register(self._unprotect)  # or multiprocessing ends them in vain, and waits
        loaders = [runner.train_dataloader]
        if runner.val_loop is not None:
            loaders.append(runner.val_dataloader)
        for loader in loaders:
            loader.worker_init_fn = partial(_shield, self._protected, loader.worker_init_fn)
        try:
            for number in _SIGNALS:
                self._previous[number] = signal.signal(number, self._receive)
        except ValueError:
            runner.logger.debug("InterruptHook: not in the main thread, signals are left alone.")

    def after_train(self, runner: Runner) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop after the iteration that closes the accumulation window."""
        if not runner.optim_wrapper.should_update():
            return
        if isinstance(runner.model, FullySharded):
            if not any_process(self._received is not None):
                return
        elif self._received is None or not is_main_process():
            return
        self.after_train(runner)
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook):
                runner.logger.warning(
                    f"Interrupted; checkpoint written: {hook.save_latest(runner)}"
                )
                break
        raise KeyboardInterrupt

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop inside a validation: the epoch's checkpoint is already there."""
        if self._received is not None:
            self.after_train(runner)
            raise KeyboardInterrupt

    def _unprotect(self) -> None:
        self._protected.value = 0

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._received is not None:
            raise KeyboardInterrupt
        self._received = number
