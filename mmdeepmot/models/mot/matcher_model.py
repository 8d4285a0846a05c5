"""A matcher to be trained and judged: distance matrices in, soft assignments out."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor

from mmdeepmot.association.optimal import FORBIDDEN_ABOVE
from mmdeepmot.datasets.matrices import MatrixBatch
from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers import LogitMatcher
from mmdeepmot.registry import MODELS

TASK = "assignment"


@dataclass(frozen=True, slots=True)
class AssignmentResult:
    """What a matcher made of one matrix.

    Attributes:
        soft: ``(N, M)`` float32, its soft assignment, on the CPU.
        optimal: ``(N, M)`` bool, the optimal one.
        source: Where the matrix comes from.
        seconds: Time of the matcher, the equal share of its batch.
    """

    soft: Tensor
    optimal: Tensor
    source: str
    seconds: float


@MODELS.register_module()
class MatcherModel(BaseModel):
    """A matcher with its loss.

    Args:
        matcher: Config of a matcher (``type='DHN'``, ``'Sinkhorn'``, ...).
        loss: Config of the loss on its assignments; ``FocalAssignmentLoss`` by default.
        data_preprocessor: Config; moves batches to the device by default.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        matcher: dict,
        loss: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.matcher = MODELS.build(matcher)
        self.loss_assignment = MODELS.build(loss or {"type": "FocalAssignmentLoss"})

    def set_task(self, task: str) -> None:
        """Accepts 'assignment', the one thing that a matcher does.

        Raises:
            InputError: Any other task.
        """
        if task != TASK:
            raise InputError(f"a MatcherModel can only be asked for {TASK!r}, got {task!r}")

    def forward(
        self, inputs: Tensor, data_samples: MatrixBatch | None = None, mode: str = "tensor"
    ) -> Any:
        """Losses, results of each matrix, or the bare soft assignments.

        Args:
            inputs: ``(B, N, M)`` distances, rows tracks, columns objects; above 1: forbidden.
            data_samples: Masks and optimal assignments; None (``mode='tensor'`` only): no padding.
            mode: ``loss``: ``dict(loss=...)``; ``predict``: one :class:`AssignmentResult` a matrix;
                ``tensor``: ``(B, N, M)`` soft assignments.
        """
        if mode == "tensor":
            masks = () if data_samples is None else data_samples[1:3]
            return self.matcher(inputs, *masks)
        if data_samples is None:
            raise InputError(f"mode {mode!r} needs data_samples: the optimal assignments")
        if mode == "loss":
            return {"loss": self.loss(inputs, data_samples)}
        if mode == "predict":
            return self.predict(inputs, data_samples)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def loss(self, inputs: Tensor, batch: MatrixBatch) -> Tensor:
        """Loss of a padded batch ``(B, N, M)``; by logits where the matcher has them."""
        by_logits = isinstance(self.matcher, LogitMatcher)
        predict = self.matcher.logits if by_logits else self.matcher
        return self.loss_assignment(
            predict(inputs, batch.row_mask, batch.col_mask),
            batch.optimal,
            batch.valid,
            allowed=inputs <= FORBIDDEN_ABOVE,
            logits=by_logits,
        )

    @torch.no_grad()
    def predict(self, inputs: Tensor, batch: MatrixBatch) -> list[AssignmentResult]:
        """Soft assignment of each matrix of a padded batch ``(B, N, M)``, without its padding."""
        start = time.perf_counter()
        soft = self.matcher(inputs, batch.row_mask, batch.col_mask).float().cpu()
        seconds = (time.perf_counter() - start) / max(1, len(inputs))
        optimal = batch.optimal.cpu()
        sides = zip(batch.row_mask.sum(1).tolist(), batch.col_mask.sum(1).tolist(), strict=True)
        return [
            AssignmentResult(soft[at, :n, :m], optimal[at, :n, :m], batch.sources[at], seconds)
            for at, (n, m) in enumerate(sides)
        ]
