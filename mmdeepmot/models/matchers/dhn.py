"""The Deep Hungarian Net: recurrences over the flattened distance matrix.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 4.1, Fig. 2 and 5
(sequential: the default), Fig. 6 (parallel), Table 5 (GRU and LSTM). With the defaults the
sequential GRU has 4.09 M parameters.

Where the paper is silent or this departs from it:

- Two layers a recurrence, dropout 0.2 between them and no activation between the linear layers:
  as in the published implementation.
- Fig. 6 gives no widths. Each recurrence's ``2 h`` channels are reduced to half of the first width
  of the sequential net's fully connected layers, so that both together have that width.
- A forbidden pair enters as the constant ``forbidden_value``, whatever its distance. The published
  set adds 1000 to gated distances, which saturates every gate of the recurrence.
- Forbidden pairs leave as 0 (see :class:`Matcher`); :meth:`DHN.logits` has what the net says.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers.base import LogitMatcher, check_forbidden_value
from mmdeepmot.models.matchers.flatten import flattening, run_recurrence
from mmdeepmot.models.matchers.pretrained import load_pretrained
from mmdeepmot.registry import MODELS

CELLS: dict[str, type[nn.GRU] | type[nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}
WEIGHTS = {
    ("sequential", "gru"): "dhn_seq_gru",
    ("sequential", "lstm"): "dhn_seq_lstm",
    ("parallel", "gru"): "dhn_par_gru",
    ("parallel", "lstm"): "dhn_par_lstm",
}
"""Order and cell -> name of the weights and of the config in configs/dhn."""


@MODELS.register_module()
class DHN(LogitMatcher):
    """Deep Hungarian Net.

    Args:
        order: ``'sequential'``: a recurrence over the rows, one after another, then a second one,
            over the columns, that reads the first one's states. ``'parallel'``: both read the
            distances.
        cell: ``'gru'`` or ``'lstm'``.
        hidden: h, states of a recurrence in one direction.
        num_layers: Of each recurrence.
        dropout: Between these layers, in training.
        widths: Of the fully connected layers before the last.
        forbidden_value: What the net sees of a forbidden pair: a bounded value above 1.
        pretrained: True: the weights that come with the package; or a ``.safetensors`` file.
        init_cfg: mmengine's initialisation config; None: PyTorch's own.
    """

    def __init__(
        self,
        order: Literal["sequential", "parallel"] = "sequential",
        cell: Literal["gru", "lstm"] = "gru",
        hidden: int = 256,
        num_layers: int = 2,
        dropout: float = 0.2,
        widths: Sequence[int] = (256, 64),
        forbidden_value: float = 2.0,
        pretrained: bool | str | Path = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if (order, cell) not in WEIGHTS:
            raise InputError(
                f"DHN: expected (order, cell) among {list(WEIGHTS)}, got ({order!r}, {cell!r})"
            )
        check_forbidden_value("DHN", forbidden_value)
        self.order = order
        self.cell = cell
        self.dropout = dropout if num_layers > 1 else 0.0
        self.forbidden_value = forbidden_value

        def recurrence(channels: int) -> nn.GRU | nn.LSTM:
            return CELLS[cell](
                channels,
                hidden,
                num_layers,
                batch_first=True,
                dropout=self.dropout,
                bidirectional=True,
            )

        self.by_rows = recurrence(1)
        first, *others = widths
        if order == "sequential":
            self.by_columns = recurrence(2 * hidden)
            layers = [nn.Linear(2 * hidden, first)]
        else:
            self.by_columns = recurrence(1)
            self.reduce_rows = nn.Linear(2 * hidden, first // 2)
            self.reduce_columns = nn.Linear(2 * hidden, first // 2)
            layers = []
            first = 2 * (first // 2)
        sizes = [first, *others, 1]
        layers += [nn.Linear(a, b) for a, b in pairwise(sizes)]
        self.head = nn.Sequential(*layers)
        load_pretrained(self, WEIGHTS[order, cell], pretrained)

    def train(self, mode: bool = True) -> "DHN":
        """Sets the mode, which decides on dropout and nothing else.

        The recurrences themselves stay in training mode: cuDNN refuses to differentiate others,
        and the gradient through a frozen net in evaluation mode is what this one is for.
        """
        super().train(mode)
        for recurrence in (self.by_rows, self.by_columns):
            recurrence.train()
            recurrence.dropout = self.dropout if mode else 0.0
        return self

    def score(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Logits ``(B, N, M)``, 0 at padding."""
        distances = distances.to(next(self.parameters()).dtype)
        distances = distances.masked_fill(distances.isinf(), self.forbidden_value)
        if bool(row_mask.all()) and bool(col_mask.all()):
            return self._score_full(distances)
        return self._score_padded(distances, row_mask[:, :, None] & col_mask[:, None, :])

    def _score_full(self, distances: Tensor) -> Tensor:
        """Logits ``(B, N, M)`` of a batch without padding."""
        count, height, width = distances.shape
        rows, _ = self.by_rows(distances.reshape(count, -1, 1))
        rows = rows.view(count, height, width, -1).transpose(1, 2).flatten(1, 2)
        if self.order == "sequential":
            columns, _ = self.by_columns(rows)
        else:
            columns, _ = self.by_columns(distances.transpose(1, 2).reshape(count, -1, 1))
        return self._classify(rows, columns).view(count, width, height).transpose(1, 2)

    def _score_padded(self, distances: Tensor, valid: Tensor) -> Tensor:
        """Logits ``(B, N, M)`` of a batch with padding, where ``valid (B, N, M)`` is False."""
        if not valid.any():
            return torch.zeros_like(distances)
        order = flattening(valid)
        flat = F.pad(distances.flatten(), (0, 1))
        rows = run_recurrence(self.by_rows, flat[order.by_rows, None], order.lengths)
        rows = rows.flatten(0, 1)[order.rows_to_columns].view_as(rows)
        columns = rows if self.order == "sequential" else flat[order.by_columns, None]
        columns = run_recurrence(self.by_columns, columns, order.lengths)
        logits = self._classify(rows, columns)
        logits = logits.new_zeros(len(flat)).index_put((order.by_columns,), logits)
        return logits[:-1].view_as(distances)

    def _classify(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Logits ``(...)`` of the states ``(..., 2 h)`` of both recurrences at the same entries."""
        if self.order == "parallel":
            columns = torch.cat((self.reduce_rows(rows), self.reduce_columns(columns)), dim=-1)
        return self.head(columns).squeeze(-1)
