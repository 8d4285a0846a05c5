"""Matrices for tests of matchers."""

import torch
from torch import Tensor


def padded(matrices: list[Tensor], fill: float = torch.nan) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices ``(N_b, M_b)`` as one batch ``(B, N, M)`` with its masks; padding is ``fill``."""
    height, width = (max(matrix.shape[side] for matrix in matrices) for side in (0, 1))
    batch = torch.full((len(matrices), height, width), fill, dtype=matrices[0].dtype)
    rows = torch.zeros(len(matrices), height, dtype=torch.bool)
    columns = torch.zeros(len(matrices), width, dtype=torch.bool)
    for index, matrix in enumerate(matrices):
        batch[index, : matrix.shape[0], : matrix.shape[1]] = matrix
        rows[index, : matrix.shape[0]] = True
        columns[index, : matrix.shape[1]] = True
    return batch, rows, columns


def of_many_sizes(dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Matrices of different sizes: empty, single, gated, all forbidden."""
    return [
        torch.rand(3, 5, dtype=dtype),
        torch.rand(1, 1, dtype=dtype),
        torch.rand(0, 4, dtype=dtype),
        torch.rand(4, 1, dtype=dtype),
        1.5 * torch.rand(4, 6, dtype=dtype),
        torch.rand(1, 6, dtype=dtype),
        torch.rand(2, 0, dtype=dtype),
        1.1 + torch.rand(2, 3, dtype=dtype),
        torch.rand(3, 5, dtype=dtype),
    ]
