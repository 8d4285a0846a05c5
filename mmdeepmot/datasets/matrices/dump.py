"""Distance matrices written while something runs: shards of bounded size and number."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.datasets.matrices.file import pack_matrices, write_matrices
from mmdeepmot.errors import InputError


class MatrixDump:
    """Collects matrices and writes them to ``FOLDER/NAME_0000.npz`` and so on.

    Each file is written whole or not at all. Where files of that name are there already (a resumed
    run), writing goes on behind the last. Matrices that no file holds yet are lost when a run is
    killed.

    Args:
        folder: Made if missing.
        name: Of the files; every process needs its own.
        source: Name of the matrices' source in the files.
        shard: Matrices a file.
        shards: Files in all; what comes after is left out.

    Raises:
        InputError: A number is below 1.
    """

    def __init__(
        self, folder: str | Path, name: str, source: str, shard: int = 1000, shards: int = 20
    ) -> None:
        if shard < 1 or shards < 1:
            raise InputError(
                f"MatrixDump: expected shard and shards above 0, got {shard}, {shards}"
            )
        self.folder = Path(folder)
        self.name = name
        self.source = source
        self.shard = shard
        self.shards = shards
        self._matrices: list[NDArray[np.float32]] = []
        self._written = len(list(self.folder.glob(f"{name}_*.npz")))

    @property
    def full(self) -> bool:
        """Whether all files are written."""
        return self._written >= self.shards

    def add(self, matrix: NDArray) -> None:
        """One matrix ``(N, M)``, above 1: forbidden; those without entries are left out."""
        if self.full or not matrix.size:
            return
        self._matrices.append(np.array(matrix, dtype=np.float32))
        if len(self._matrices) >= self.shard:
            self.flush()

    def flush(self) -> None:
        """Write what is collected, if anything."""
        if not self._matrices:
            return
        # as the file holds them, so that the assignments are those of what is read
        matrices = [one.astype(np.float16).astype(np.float32) for one in self._matrices]
        chosen = [optimal_assignment(one) for one in matrices]
        packed = pack_matrices(matrices, chosen, [0] * len(matrices), (self.source,))
        write_matrices(self.folder / f"{self.name}_{self._written:04d}.npz", packed)
        self._written += 1
        self._matrices = []
