"""Checkpoints that survive a kill at any moment."""

import time
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook as PlainCheckpointHook
from mmengine.runner import Runner

from mmdeepmot.registry import HOOKS

from ..atomic import atomic_write, remove_leftovers
from ..checkpoint import LATEST_POINTER
from ..sharding import FullySharded, any_process

LATEST_NAME = "latest.pth"


@HOOKS.register_module()
class CheckpointHook(PlainCheckpointHook):
    """mmengine's hook, with atomic writes and a rolling checkpoint inside epochs.

    - A checkpoint and the pointer to it replace their predecessors in one step, after they have
      reached the disk; older checkpoints are deleted after that (mmengine: before).
    - Besides the numbered checkpoints, ``latest.pth`` is written every ``latest_iters``
      iterations or ``latest_minutes`` minutes, so that little is lost of a long epoch. It goes
      when a numbered one supersedes it.
    - Checkpoints are written only at the end of an accumulation window; one that is due inside
      a window waits for its end. Gradients never need saving.

    Args:
        interval: As in mmengine.
        by_epoch: As in mmengine.
        latest_iters: Iterations between rolling checkpoints; 0: not by iterations.
        latest_minutes: Minutes between rolling checkpoints; 0: not by time.
        **kwargs: As in mmengine (``max_keep_ckpts``, ``save_best``, ``rule``, ...).
    """

    best_ckpt_path: str | None
    best_ckpt_path_dict: dict[str, str | None]

    def __init__(
        self,
        interval: int = -1,
        by_epoch: bool = True,
        latest_iters: int = 0,
        latest_minutes: float = 10.0,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("out_dir") is None:
            kwargs.setdefault("backend_args", {"backend": "atomic"})
        super().__init__(interval, by_epoch, **kwargs)
        self.latest_iters = latest_iters
        self.latest_minutes = latest_minutes
        self._last_written = time.monotonic()
        self._numbered_due = False
        self._latest_due = False

    def before_train(self, runner: Runner) -> None:
        """Prepare the folder; remove what an interrupted write has left."""
        super().before_train(runner)
        self._last_written = time.monotonic()
        if is_main_process() and Path(self.out_dir).is_dir():
            remove_leftovers(self.out_dir)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Write what is due, unless an accumulation window is open."""
        if not self.by_epoch:
            self._numbered_due |= self.every_n_train_iters(
                runner, self.interval, self.save_begin
            ) or (self.save_last and self.is_last_train_iter(runner))
        self._latest_due |= self._is_latest_due(runner)
        if not runner.optim_wrapper.should_update():
            return
        if self._numbered_due:
            runner.logger.info(f"Saving checkpoint at {runner.iter + 1} iterations")
            self._save_checkpoint(runner)
        elif self._latest_due:
            self.save_latest(runner)

    def save_latest(self, runner: Runner) -> str:
        """Write the rolling checkpoint after an iteration (main process); returns its path."""
        path = self.file_backend.join_path(self.out_dir, LATEST_NAME)
        runner.save_checkpoint(
            self.out_dir,
            LATEST_NAME,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta={"epoch": runner.epoch, "iter": runner.iter + 1},
            by_epoch=False,
            backend_args=self.backend_args,
        )
        self._written(runner, path)
        return path

    def _is_latest_due(self, runner: Runner) -> bool:
        if self.latest_iters and (runner.iter + 1) % self.latest_iters == 0:
            return True
        minutes = (time.monotonic() - self._last_written) / 60
        due = bool(self.latest_minutes and minutes >= self.latest_minutes)
        # Clocks differ, and all processes have a part of a sharded model's checkpoint.
        return any_process(due) if isinstance(runner.model, FullySharded) else due

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        outdated = []
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            while len(self.keep_ckpt_ids) >= self.max_keep_ckpts:
                outdated.append(self.keep_ckpt_ids.popleft())
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        filename = self.filename_tmpl.format(step)
        path = self.file_backend.join_path(self.out_dir, filename)
        self.last_ckpt = path
        runner.message_hub.update_info("last_ckpt", path)
        runner.save_checkpoint(
            self.out_dir,
            filename,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._written(runner, path)
        self._delete([self.filename_tmpl.format(old) for old in outdated] + [LATEST_NAME])

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """As mmengine's, but the old best goes after the new one is there."""
        if not self.save_best:
            return
        if len(self.key_indicators) == 1:
            old, self.best_ckpt_path = self.best_ckpt_path, None
            super()._save_best_checkpoint(runner, metrics)
            self.best_ckpt_path = self._supersede(old, self.best_ckpt_path)
        else:
            previous = self.best_ckpt_path_dict
            self.best_ckpt_path_dict = dict.fromkeys(self.key_indicators)
            super()._save_best_checkpoint(runner, metrics)
            self.best_ckpt_path_dict = {
                key: self._supersede(previous[key], new)
                for key, new in self.best_ckpt_path_dict.items()
            }

    def _supersede(self, old: str | None, new: str | None) -> str | None:
        """Delete the old best checkpoint if there is a new one; returns the best one."""
        if new is None:
            return old
        if old is not None and old != new:
            self._delete([Path(old).name])
        return new

    def _written(self, runner: Runner, path: str) -> None:
        self._last_written = time.monotonic()
        self._numbered_due = self._latest_due = False
        if is_main_process():
            atomic_write(Path(runner.work_dir) / LATEST_POINTER, str(path).encode())

    def _delete(self, names: list[str]) -> None:
        if not is_main_process():
            return
        for name in names:
            path = self.file_backend.join_path(self.out_dir, name)
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)
