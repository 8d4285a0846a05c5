"""Matrices as sequences: row after row, or column after column, without their padding.

A recurrence that runs over padding, forwards or backwards, gives another result than over the
matrix alone. So the valid entries of each matrix are gathered into one contiguous sequence, and the
sequences of a batch are laid out time-major as :class:`torch.nn.utils.rnn.PackedSequence` wants
them: all first entries, all second ones, and so on, longest sequence first.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Flattening:
    """Where the valid entries of a padded batch ``(B, N, M)`` stand in packed sequences.

    Attributes:
        by_rows: ``(K,)`` int64, for each packed position the index into the flattened batch, where
            matrices are flattened row after row.
        by_columns: ``(K,)`` int64, the same for column after column.
        rows_to_columns: ``(K,)`` int64, for each packed position by columns that by rows.
        batch_sizes: ``(L,)`` int64 on the CPU, how many sequences have a first, second, ... entry.
    """

    by_rows: Tensor
    by_columns: Tensor
    rows_to_columns: Tensor
    batch_sizes: Tensor


def flattening(valid: Tensor) -> Flattening:
    """Both ways to flatten the valid entries ``(B, N, M)`` bool of a batch."""
    count, height, width = valid.shape
    lengths = valid.flatten(1).sum(dim=1)
    longest_first = lengths.argsort(descending=True, stable=True)
    lengths = lengths[longest_first]
    index = torch.arange(valid.numel(), device=valid.device).view_as(valid)[longest_first]
    valid = valid[longest_first]
    by_rows = _time_major(index, valid, lengths)
    by_columns = _time_major(index.transpose(1, 2), valid.transpose(1, 2), lengths)
    place = torch.empty(count * height * width, dtype=torch.int64, device=valid.device)
    place[by_rows] = torch.arange(len(by_rows), device=valid.device)
    steps = torch.arange(int(lengths[0]), device=valid.device)
    batch_sizes = (lengths > steps[:, None]).sum(dim=1).cpu()
    return Flattening(by_rows, by_columns, place[by_columns], batch_sizes)


def _time_major(index: Tensor, valid: Tensor, lengths: Tensor) -> Tensor:
    """Valid entries of ``index (B, N, M)`` in order of step, then of matrix."""
    matrix, _, _ = valid.nonzero(as_tuple=True)
    ends = lengths.cumsum(dim=0)
    step = torch.arange(len(matrix), device=valid.device) - (ends - lengths)[matrix]
    return index[valid][(step * len(valid) + matrix).argsort()]
