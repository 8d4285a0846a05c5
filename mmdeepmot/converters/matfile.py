"""MATLAB files, read by SciPy as data alone."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from mmdeepmot.errors import InputError


def read_mat(path: str | os.PathLike[str], *names: str) -> Any:
    """The first of the variables ``names`` that a MATLAB file has.

    Structs come as objects with attributes; arrays of one element as that element
    (see :func:`as_list`).

    Raises:
        FileNotFoundError: No such file.
        InputError: Not such a file, damaged, or without any of the variables.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a MATLAB file with {' or '.join(names)}")
    try:
        content = loadmat(str(path), squeeze_me=True, struct_as_record=False)
    except NotImplementedError:
        raise InputError(
            f"{path}: expected a MATLAB file up to version 7, got 7.3 (HDF5): save it again in "
            "MATLAB by save(..., '-v7')"
        ) from None
    except Exception as error:
        raise InputError(
            f"{path}: expected a MATLAB file, but it cannot be read ({error}): fetch it again"
        ) from None
    for name in names:
        if name in content:
            return content[name]
    found = sorted(name for name in content if not name.startswith("__"))
    raise InputError(f"{path}: expected a variable {' or '.join(names)}, found {found}")


def as_list(value: Any) -> list[Any]:
    """Elements of a cell or struct array, also where it has one or none."""
    if isinstance(value, np.ndarray):
        return list(value.ravel())
    return [value]


def field(struct: Any, name: str, where: str) -> Any:
    """A field of a struct.

    Raises:
        InputError: It is no struct, or has no such field.
    """
    if not hasattr(struct, name):
        fields = getattr(struct, "_fieldnames", None)
        found = f"a struct of {fields}" if fields else type(struct).__name__
        raise InputError(f"{where}: expected a struct with the field {name!r}, got {found}")
    return getattr(struct, name)


def numbers(value: Any, columns: int, where: str) -> np.ndarray:
    """``(N, columns)`` float64 of a matrix, also where it has one row or none.

    Raises:
        InputError: Its size is not a multiple of ``columns``, or it is not numeric.
    """
    try:
        table = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        raise InputError(f"{where}: expected a numeric matrix, got {value!r}") from None
    if table.size == 0:
        return np.zeros((0, columns))
    if table.shape[-1] != columns or table.ndim > 2:
        raise InputError(f"{where}: expected {columns} columns, got the shape {table.shape}")
    return table.reshape(-1, columns)


def one_row(value: Any, columns: int, where: str) -> np.ndarray:
    """``(columns,)`` float64 of a matrix of one row.

    Raises:
        InputError: It is none.
    """
    table = numbers(value, columns, where)
    if len(table) != 1:
        raise InputError(f"{where}: expected one row of {columns} numbers, got {len(table)} rows")
    return table[0]
