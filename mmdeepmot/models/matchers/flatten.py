"""Matrices as sequences: row after row, or column after column, without the padding inside.

A recurrence that runs over padding, forwards or backwards, gives another result than over the
matrix alone. So the valid entries of each matrix are gathered into one contiguous sequence with its
padding behind it, and :func:`run_recurrence` turns each sequence round by itself.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


@dataclass(frozen=True)
class Flattening:
    """Where the valid entries of a padded batch ``(B, N, M)`` stand in sequences.

    Attributes:
        by_rows: ``(L, B)`` int64, for each step of each sequence the index into the flattened
            batch, where matrices are flattened row after row; behind a sequence's end ``B N M``.
        by_columns: ``(L, B)`` int64, the same for column after column.
        rows_to_columns: ``(L B,)`` int64, for each place by columns that by rows; 0 behind the end.
        lengths: ``(B,)`` int64.
    """

    by_rows: Tensor
    by_columns: Tensor
    rows_to_columns: Tensor
    lengths: Tensor


def flattening(valid: Tensor) -> Flattening:
    """Both ways to flatten the valid entries ``(B, N, M)`` bool of a batch."""
    lengths = valid.flatten(1).sum(dim=1)
    index = torch.arange(valid.numel(), device=valid.device).view_as(valid)
    by_rows = _time_major(index, valid, lengths)
    by_columns = _time_major(index.transpose(1, 2), valid.transpose(1, 2), lengths)
    place = index.new_zeros(valid.numel() + 1)
    place[by_rows.flatten()] = torch.arange(by_rows.numel(), device=valid.device)
    place[-1] = 0
    return Flattening(by_rows, by_columns, place[by_columns.flatten()], lengths)


def _time_major(index: Tensor, valid: Tensor, lengths: Tensor) -> Tensor:
    """Valid entries of ``index (B, N, M)``, sequences as columns ``(L, B)``."""
    matrix, _, _ = valid.nonzero(as_tuple=True)
    ends = lengths.cumsum(dim=0)
    step = torch.arange(len(matrix), device=valid.device) - (ends - lengths)[matrix]
    out = index.new_full((int(lengths.max()), len(valid)), valid.numel())
    out[step, matrix] = index[valid]
    return out


def run_recurrence(recurrence: nn.GRU | nn.LSTM, values: Tensor, lengths: Tensor) -> Tensor:
    """A bidirectional recurrence over sequences of different lengths.

    On the CPU the gradient of torch's packed sequences costs the square of their length, so each
    layer and direction runs there by itself, over sequences padded behind their ends, which it
    reads from their own last entry on in the other direction. What stands behind the ends, in and
    out, is of no meaning.

    Args:
        recurrence: Bidirectional.
        values: ``(L, B, C)``, time-major.
        lengths: ``(B,)`` int64, at most L.

    Returns:
        ``(L, B, 2 h)``.
    """
    if values.is_cuda:
        packed = pack_padded_sequence(values, lengths.clamp(min=1).cpu(), enforce_sorted=False)
        return pad_packed_sequence(recurrence(packed)[0], total_length=len(values))[0]
    steps = torch.arange(len(values), device=values.device)[:, None]
    turned = torch.where(steps < lengths, lengths - 1 - steps, steps)
    sequences = torch.arange(len(lengths), device=values.device)
    turned = (turned * len(lengths) + sequences).flatten()

    def turn(states: Tensor) -> Tensor:
        return states.flatten(0, 1).index_select(0, turned).view_as(states)

    for layer in range(recurrence.num_layers):
        if layer and recurrence.dropout:
            values = F.dropout(values, recurrence.dropout, training=recurrence.training)
        forth = _run_layer(recurrence, values, f"_l{layer}")
        back = _run_layer(recurrence, turn(values), f"_l{layer}_reverse")
        values = torch.cat((forth, turn(back)), dim=-1)
    return values


def _run_layer(recurrence: nn.GRU | nn.LSTM, values: Tensor, which: str) -> Tensor:
    """One direction of one layer over ``(L, B, C)``: states ``(L, B, h)``."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = [getattr(recurrence, name + which) for name in names]
    start = values.new_zeros(1, values.shape[1], recurrence.hidden_size)
    options = (True, 1, 0.0, recurrence.training, False, False)
    if isinstance(recurrence, nn.LSTM):
        return torch.lstm(values, (start, start), weights, *options)[0]
    return torch.gru(values, start, weights, *options)[0]
