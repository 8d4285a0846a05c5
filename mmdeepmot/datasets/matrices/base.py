"""What all datasets of matrices share, and how samples become a batch."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from mmengine.registry import FUNCTIONS
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from mmdeepmot.datasets.matrices.file import FORBIDDEN

Key = int | tuple[int, int]
_ANY_EPOCH = 0x5EED


class MatrixDataset(Dataset):
    """Distance matrices with their optimal assignments.

    An item is ``dict(inputs=(N, M) float32, data_samples=(N, M) bool, source=str)``: distances
    (rows tracks, columns objects; above 1: forbidden), the optimal assignment, and where the matrix
    comes from. It is asked for by its index, or by ``(index, sample_seed)`` where the sampler
    chooses what is random in it; its shape depends on the index alone.
    """

    METAINFO: ClassVar[dict[str, Any]] = {}

    shapes: NDArray[np.int64]
    """``(len, 2)`` rows and columns of each item."""

    @property
    def metainfo(self) -> dict[str, Any]:
        """Nothing: mmengine asks for it."""
        return self.METAINFO

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, key: Key) -> dict[str, Any]:
        index, seed = key if isinstance(key, tuple | list) else (key, None)
        if not -len(self) <= index < len(self):
            raise IndexError(f"{type(self).__name__}: item {index} of {len(self)}")
        distances, optimal, source = self.matrix(int(index) % len(self), seed)
        return {
            "inputs": torch.from_numpy(np.ascontiguousarray(distances, dtype=np.float32)),
            "data_samples": torch.from_numpy(np.ascontiguousarray(optimal)),
            "source": source,
        }

    @abstractmethod
    def matrix(
        self, index: int, seed: int | None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], str]:
        """Distances ``(N, M)``, optimal assignment ``(N, M)`` and source of an item.

        Args:
            index: From 0.
            seed: Of what is random in the item; None: the same whenever it is asked for.
        """


def item_rng(own: int, index: int, seed: int | None) -> np.random.Generator:
    """Generator of one item: by the sampler's seed, else by the dataset's own and the index."""
    return np.random.default_rng((own, _ANY_EPOCH, index) if seed is None else (own, seed))


class MatrixBatch(NamedTuple):
    """What is known of the matrices of a batch, padded to one size.

    Attributes:
        optimal: ``(B, N, M)`` bool.
        row_mask: ``(B, N)`` bool, False: padding.
        col_mask: ``(B, M)`` bool, False: padding.
        sources: ``(B,)`` names.
    """

    optimal: Tensor
    row_mask: Tensor
    col_mask: Tensor
    sources: tuple[str, ...]

    @property
    def valid(self) -> Tensor:
        """``(B, N, M)`` bool: entries that are no padding."""
        return self.row_mask[:, :, None] & self.col_mask[:, None, :]


@FUNCTIONS.register_module()
def pad_matrices(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Collates items of a :class:`MatrixDataset`.

    Returns:
        ``inputs`` ``(B, N, M)`` float32 with ``FORBIDDEN`` as padding, and ``data_samples``, a
        :class:`MatrixBatch`; N and M are the largest of the batch.
    """
    shapes = torch.tensor([sample["inputs"].shape for sample in samples]).reshape(-1, 2)
    rows, columns = shapes.amax(dim=0).tolist()
    inputs = torch.full((len(samples), rows, columns), FORBIDDEN)
    optimal = torch.zeros(inputs.shape, dtype=torch.bool)
    for at, sample in enumerate(samples):
        n, m = sample["inputs"].shape
        inputs[at, :n, :m] = sample["inputs"]
        optimal[at, :n, :m] = sample["data_samples"]
    batch = MatrixBatch(
        optimal,
        torch.arange(rows) < shapes[:, :1],
        torch.arange(columns) < shapes[:, 1:],
        tuple(sample["source"] for sample in samples),
    )
    return {"inputs": inputs, "data_samples": batch}
