"""Matrices of a file as a dataset."""

import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.datasets.matrices.base import MatrixDataset, item_rng
from mmdeepmot.datasets.matrices.file import MatrixSet, pack_matrices, read_matrices
from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATASETS


@DATASETS.register_module()
class MatrixFileDataset(MatrixDataset):
    """Matrices that ``tools/dataset_converters/make_dhn_matrices.py`` or others have written.

    Args:
        path: ``.npz``, see :mod:`mmdeepmot.datasets.matrices.file`; or a folder of them.
        sources: Only matrices of these sources (names as in the file); None: all.
        permute: Whether rows and columns come in random order (the paper's augmentation).
        limit: At most so many, evenly spread over the file; None: all.
        optional: Whether a missing file is an empty dataset, with a line in the log.
        seed: Of the permutations that no sampler chooses.

    Raises:
        FileNotFoundError: The file is missing.
        InputError: It cannot be read, or has no such source.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sources: Sequence[str] | None = None,
        permute: bool = False,
        limit: int | None = None,
        optional: bool = False,
        seed: int = 0,
    ) -> None:
        self.permute = permute
        self.seed = seed
        self.file = self._read(Path(path), optional)
        chosen = np.arange(len(self.file))
        if sources is not None and len(chosen):
            numbers = [_number_of(name, self.file.sources, path) for name in sources]
            chosen = np.flatnonzero(np.isin(self.file.source, numbers))
        if limit is not None and limit < len(chosen):
            chosen = chosen[np.linspace(0, len(chosen), limit, endpoint=False).astype(np.int64)]
        self.chosen: NDArray[np.int64] = chosen
        self.shapes = self.file.shapes[chosen]

    @staticmethod
    def _read(path: Path, optional: bool) -> MatrixSet:
        if optional and not path.exists():
            print_log(f"no matrices at {path}: that source is left out", logger="current")
            return pack_matrices([], [])
        return read_matrices(path)

    def matrix(
        self, index: int, seed: int | None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_], str]:
        """See the base class."""
        at = int(self.chosen[index])
        distances, optimal = self.file.distances(at), self.file.optimal(at)
        if self.permute:
            rng = item_rng(self.seed, index, seed)
            order = np.ix_(*(rng.permutation(side) for side in distances.shape))
            distances, optimal = distances[order], optimal[order]
        return distances, optimal, self.file.source_name(at)


def _number_of(name: str, known: Sequence[str], path: str | os.PathLike[str]) -> int:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"{path}: no source {name!r}, it has {', '.join(known)}{hint}")
    return list(known).index(name)
