"""Several sources of matrices as one dataset."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.matrices.base import MatrixDataset
from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATASETS


@DATASETS.register_module()
class MixedMatrices(MatrixDataset):
    """Items of several datasets: all of them, or so many drawn by weight.

    Args:
        datasets: Configs, built datasets, or paths of files (all their matrices, as they are).
            Datasets without items (an optional file that is missing) are left out.
        weights: One a dataset, for drawing; None: nothing is drawn, all items of the first dataset
            come first, then those of the next.
        length: Number of items drawn; needed with ``weights``. Each dataset gives its items in
            turn, from the beginning again after the last.
        seed: Of the drawing.

    Raises:
        InputError: Nothing is left, or weights and length do not fit.
    """

    def __init__(
        self,
        datasets: Sequence[dict[str, Any] | MatrixDataset | str],
        weights: Sequence[float] | None = None,
        length: int | None = None,
        seed: int = 0,
    ) -> None:
        if (weights is None) != (length is None) or len(weights or datasets) != len(datasets):
            raise InputError(
                f"MixedMatrices: expected weights for {len(datasets)} datasets and a length, or "
                f"neither; got weights {weights} and length {length}"
            )
        built = [_build(one) for one in datasets]
        used = [at for at, one in enumerate(built) if len(one)]
        self.datasets = [built[at] for at in used]
        if not used or (length is not None and length < 1):
            raise InputError(f"MixedMatrices: no items in {len(built)} datasets, length {length}")
        sizes = [len(one) for one in self.datasets]
        if weights is None or length is None:
            self._which = np.repeat(np.arange(len(sizes)), sizes)
            self._item = np.concatenate([np.arange(size) for size in sizes])
        else:
            chosen = np.array([weights[at] for at in used], dtype=np.float64)
            if (chosen < 0).any() or not chosen.sum() > 0:
                raise InputError(f"MixedMatrices: expected weights above 0, got {list(weights)}")
            self._which, self._item = _deal(length, chosen / chosen.sum(), sizes, seed)
        shapes = np.empty((len(self._which), 2), dtype=np.int64)
        for at, one in enumerate(self.datasets):
            rows = self._which == at
            shapes[rows] = one.shapes[self._item[rows]]
        self.shapes = shapes

    def matrix(
        self, index: int, seed: int | None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], str]:
        """See the base class."""
        dataset = self.datasets[self._which[index]]
        return dataset.matrix(int(self._item[index]), seed)


def _build(dataset: dict[str, Any] | MatrixDataset | str) -> MatrixDataset:
    if isinstance(dataset, str | os.PathLike):
        return DATASETS.build({"type": "MatrixFileDataset", "path": dataset})
    return DATASETS.build(dataset) if isinstance(dataset, dict) else dataset


def _deal(
    length: int, shares: NDArray[np.float64], sizes: Sequence[int], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Dataset ``(length,)`` of each item, and the item's number there."""
    which = np.random.default_rng(seed).choice(len(shares), size=length, p=shares)
    item = np.empty(length, dtype=np.int64)
    for at, size in enumerate(sizes):
        rows = np.flatnonzero(which == at)
        item[rows] = np.arange(len(rows)) % size
    return which, item
