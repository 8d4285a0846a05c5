"""The distance matrices that a training meets, written to judge matchers on them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.registry import HOOKS

if TYPE_CHECKING:
    from mmdeepmot.datasets.matrices.dump import MatrixDump


@HOOKS.register_module()
class MatrixDumpHook(Hook):
    """Writes what the model's matchers are given, with the optimal assignments.

    The paper judges matchers on such matrices (Table 6). They go to
    ``WORK_DIR/matrices/rank0_0000.npz`` and so on, each process its own files; a config of
    ``configs/dhn`` is scored on them by ``tools/test.py CONFIG CHECKPOINT --eval assignment
    --cfg-options test_dataloader.dataset.datasets=[WORK_DIR/matrices]``.

    Args:
        out_dir: Folder; ``WORK_DIR/matrices`` by default.
        interval: Iterations from one that is written to the next.
        shard: Matrices a file.
        shards: Files a process; then nothing more is written.
        source: Name of the matrices' source.
    """

    priority = "LOW"

    def __init__(
        self,
        out_dir: str | None = None,
        interval: int = 1,
        shard: int = 1000,
        shards: int = 20,
        source: str = "deepmot",
    ) -> None:
        if interval < 1:
            raise InputError(f"MatrixDumpHook.interval must be at least 1, got {interval}")
        self.out_dir = out_dir
        self.interval = interval
        self.shard = shard
        self.shards = shards
        self.source = source
        self._dump: MatrixDump | None = None
        self._watches = False
        self._handles: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        """Start to watch the model's matchers.

        Raises:
            InputError: The model has none.
        """
        # Not above: datasets import the engine (its atomic files), which imports its hooks.
        from mmdeepmot.datasets.matrices.dump import MatrixDump
        from mmdeepmot.models.matchers import Matcher

        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        matchers = [part for part in model.modules() if isinstance(part, Matcher)]
        if not matchers:
            raise InputError(
                f"MatrixDumpHook: {type(model).__name__} has no matcher, so that there are no "
                "distance matrices to write; take the hook out of custom_hooks"
            )
        folder = Path(self.out_dir or Path(runner.work_dir) / "matrices")
        name = f"rank{get_rank()}"
        self._dump = MatrixDump(folder, name, self.source, self.shard, self.shards)
        self._handles = [one.register_forward_pre_hook(self._keep) for one in matchers]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Watch or look away."""
        self._watches = runner.iter % self.interval == 0

    def after_train(self, runner: Runner) -> None:
        """Write what is left and stop watching."""
        for handle in self._handles:
            handle.remove()
        if self._dump is not None:
            self._dump.flush()

    def _keep(self, matcher: nn.Module, given: tuple[Tensor | None, ...]) -> None:
        """Called with the arguments of a matcher: distances ``(B, N, M)`` and masks."""
        if self._dump is None or self._dump.full or not self._watches:
            return
        distances, rows, columns = (*given, None, None)[:3]
        if distances is None or not distances.numel():  # frames without rows or columns
            return
        matrices = distances.detach().float().cpu().numpy()
        for at, matrix in enumerate(matrices.reshape(-1, *matrices.shape[-2:])):
            if rows is not None:
                matrix = matrix[rows.reshape(-1, matrix.shape[0])[at].cpu().numpy()]
            if columns is not None:
                matrix = matrix[:, columns.reshape(-1, matrix.shape[1])[at].cpu().numpy()]
            self._dump.add(matrix)
