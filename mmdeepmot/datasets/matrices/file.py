"""Distance matrices and their optimal assignments in a file.

An ``.npz`` (never pickled) with the arrays

===============  ========================  =====================================================
``shapes``       ``(K, 2)`` integer        rows and columns of each matrix
``distances``    ``(sum N M,)`` float      the matrices, row after row, one after another; above 1:
                                           forbidden (``FORBIDDEN`` as written here)
``assignments``  ``(sum N,)`` integer      for each row its column or -1, one matrix after another
``source``       ``(K,)`` integer          where a matrix comes from, index into ``sources``
``sources``      ``(S,)`` text, optional   names; without it MOT15, MOT16, MOT17
===============  ========================  =====================================================
"""

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.optimal import FORBIDDEN_ABOVE
from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.errors import InputError

FORBIDDEN = 60000.0
"""What is written for a forbidden pair: far above 1, and within float16."""

DEFAULT_SOURCES = ("MOT15", "MOT16", "MOT17")
_ARRAYS = ("shapes", "distances", "assignments", "source")


@dataclass(frozen=True, slots=True)
class MatrixSet:
    """Distance matrices of different sizes with their optimal assignments.

    Attributes:
        shapes: ``(K, 2)`` int64, rows and columns.
        values: ``(sum N M,)`` float16 or float32, all matrices row by row.
        columns: ``(sum N,)`` int16 or wider, the column of each row, or -1.
        source: ``(K,)`` int64, index into ``sources``.
        sources: Names.
    """

    shapes: NDArray[np.int64]
    values: NDArray[np.floating]
    columns: NDArray[np.integer]
    source: NDArray[np.int64]
    sources: tuple[str, ...]
    _entries: NDArray[np.int64]
    _rows: NDArray[np.int64]

    @classmethod
    def from_arrays(
        cls,
        shapes: NDArray,
        values: NDArray,
        columns: NDArray,
        source: NDArray | None = None,
        sources: Sequence[str] = DEFAULT_SOURCES,
        where: str = "matrices",
    ) -> "MatrixSet":
        """Checks that the arrays belong together.

        Args:
            shapes, values, columns, source, sources: See the attributes; without ``source`` all
                matrices come from the first.
            where: File or other origin, for messages.

        Raises:
            InputError: Shapes, lengths or values do not fit.
        """
        shapes = np.asarray(shapes)
        if shapes.ndim != 2 or shapes.shape[1] != 2 or shapes.dtype.kind not in "iu":
            raise InputError(
                f"{where}: expected shapes (K, 2) of integers, got {shapes.shape} of {shapes.dtype}"
            )
        shapes = shapes.astype(np.int64)
        if (shapes < 0).any():
            raise InputError(f"{where}: expected sizes of at least 0, got {shapes.min()}")
        values, columns = np.asarray(values), np.asarray(columns)
        source = np.zeros(len(shapes), np.int64) if source is None else np.asarray(source)
        entries = np.concatenate([[0], np.cumsum(shapes[:, 0] * shapes[:, 1])])
        rows = np.concatenate([[0], np.cumsum(shapes[:, 0])])
        for name, array, length, kinds in (
            ("distances", values, entries[-1], "f"),
            ("assignments", columns, rows[-1], "iu"),
            ("source", source, len(shapes), "iu"),
        ):
            if array.shape != (length,) or array.dtype.kind not in kinds:
                raise InputError(
                    f"{where}: expected {name} of shape ({length},), "
                    f"{'floats' if kinds == 'f' else 'integers'}, as the {len(shapes)} shapes "
                    f"say; got {array.shape} of {array.dtype}"
                )
        width = np.repeat(shapes[:, 1], shapes[:, 0])
        if ((columns < -1) | (columns >= width)).any():
            row = int(np.flatnonzero((columns < -1) | (columns >= width))[0])
            raise InputError(
                f"{where}: expected assignments from -1 to {width[row] - 1} (the last column of "
                f"its matrix) in row {row}, got {columns[row]}"
            )
        if np.isnan(values).any():
            raise InputError(
                f"{where}: distance {int(np.flatnonzero(np.isnan(values))[0])} is NaN: expected "
                "values in [0, 1], or above 1 where a pair is forbidden"
            )
        if len(source) and not 0 <= source.min() <= source.max() < len(sources):
            raise InputError(
                f"{where}: expected sources from 0 to {len(sources) - 1} ({', '.join(sources)}), "
                f"got {source.min()} to {source.max()}"
            )
        return cls(shapes, values, columns, source.astype(np.int64), tuple(sources), entries, rows)

    def __len__(self) -> int:
        return len(self.shapes)

    def distances(self, index: int) -> NDArray[np.float32]:
        """Matrix ``(N, M)``; above 1: forbidden."""
        first, last = self._entries[index], self._entries[index + 1]
        return self.values[first:last].reshape(self.shapes[index]).astype(np.float32)

    def optimal(self, index: int) -> NDArray[np.bool_]:
        """Optimal assignment ``(N, M)`` of a matrix."""
        columns = self.columns[self._rows[index] : self._rows[index + 1]]
        out = np.zeros(self.shapes[index], dtype=bool)
        rows = np.flatnonzero(columns >= 0)
        out[rows, columns[rows]] = True
        return out

    def source_name(self, index: int) -> str:
        """Where a matrix comes from."""
        return self.sources[self.source[index]]


def pack_matrices(
    distances: Sequence[NDArray],
    optimal: Sequence[NDArray],
    source: Sequence[int] | NDArray | None = None,
    sources: Sequence[str] = DEFAULT_SOURCES,
) -> MatrixSet:
    """A set from matrices ``(N, M)`` and their assignments ``(N, M)`` bool.

    Distances above 1 become ``FORBIDDEN``; the others are kept to three digits (float16).
    """
    shapes = np.array([matrix.shape for matrix in distances], dtype=np.int64).reshape(-1, 2)
    values = [np.where(matrix > FORBIDDEN_ABOVE, FORBIDDEN, matrix).ravel() for matrix in distances]
    columns = [
        np.where(one.any(axis=1), one.argmax(axis=1) if one.size else -1, -1) for one in optimal
    ]
    return MatrixSet.from_arrays(
        shapes,
        np.concatenate([*values, np.zeros(0)]).astype(np.float16),
        np.concatenate([*columns, np.zeros(0)]).astype(np.int16),
        None if source is None else np.asarray(source, dtype=np.int64),
        sources,
    )


def write_matrices(path: str | os.PathLike[str], matrices: MatrixSet) -> None:
    """Writes a set, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        shapes=matrices.shapes.astype(np.int16),
        distances=matrices.values,
        assignments=matrices.columns,
        source=matrices.source.astype(np.int8),
        sources=np.array(matrices.sources),
    )
    atomic_write(Path(path), buffer.getvalue())


def join_matrices(sets: Sequence[MatrixSet]) -> MatrixSet:
    """Several sets as one, in order; sources of one name become one.

    Raises:
        ValueError: There is none.
    """
    if not sets:
        raise ValueError("expected at least one set of matrices to join, got none")
    names = list(dict.fromkeys(name for one in sets for name in one.sources))
    source = [np.array([names.index(n) for n in one.sources])[one.source] for one in sets]
    return MatrixSet.from_arrays(
        np.concatenate([one.shapes for one in sets]),
        np.concatenate([one.values for one in sets]),
        np.concatenate([one.columns for one in sets]),
        np.concatenate(source),
        names,
    )


def read_matrices(path: str | os.PathLike[str]) -> MatrixSet:
    """Reads a set, from a file or from all of a folder's in the order of their names.

    Raises:
        FileNotFoundError: No such file, or none in the folder.
        InputError: Not such a file, or its arrays do not fit together.
    """
    path = Path(path)
    if path.is_dir() and any(path.glob("*.npz")):
        return join_matrices([read_matrices(one) for one in sorted(path.glob("*.npz"))])
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} (absolute: {path.resolve()}): expected distance matrices (.npz), found no "
            "such file; tools/dataset_converters/make_dhn_matrices.py makes one"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in _ARRAYS if name not in file.files]
            if missing:
                raise InputError(
                    f"{path}: expected the arrays {', '.join(_ARRAYS)}, got {', '.join(file.files)}"
                )
            arrays = {name: file[name] for name in file.files if name in (*_ARRAYS, "sources")}
    except (zipfile.BadZipFile, EOFError, ValueError, AttributeError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: expected an .npz of distance matrices ({error})") from None
    names = tuple(map(str, arrays.get("sources", DEFAULT_SOURCES)))
    shapes, distances, assignments, source = (arrays[name] for name in _ARRAYS)
    return MatrixSet.from_arrays(shapes, distances, assignments, source, names, str(path))
