"""Files of the list form: lists, names of classes, and ``labels_with_ids``.

A list file (``mot17.train``) holds one image path a line, relative to a root. Beside a folder
``images`` lies ``labels_with_ids`` with the same tree of ``.txt`` files, one row a box: class,
identity (-1 none), centre x, centre y, width, height, all relative to the image
(Towards-Realtime-MOT, ``DATASET_ZOO.md``). Class -1, which only this project writes, is a region to
ignore.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError

IMAGE_FOLDER = "images"
LABEL_FOLDER = "labels_with_ids"
LABEL_COLUMNS = 6


def label_path(image_path: str) -> str:
    """The label file of an image: the last folder ``images`` becomes ``labels_with_ids``.

    Raises:
        InputError: There is no folder ``images`` in the path.
    """
    folder, name = os.path.split(image_path)
    parts = folder.split("/")
    for row in range(len(parts) - 1, -1, -1):
        if parts[row] == IMAGE_FOLDER:
            parts[row] = LABEL_FOLDER
            return f"{'/'.join(parts)}/{os.path.splitext(name)[0]}.txt"
    raise InputError(
        f"{image_path}: expected a folder {IMAGE_FOLDER!r} in the path, beside which "
        f"{LABEL_FOLDER!r} lies"
    )


def read_image_list(list_file: str | os.PathLike[str]) -> list[str]:
    """Lines of a list file that are not empty.

    Raises:
        FileNotFoundError: No such file.
        InputError: The file names no image, or is no text.
    """
    return _read_lines(Path(list_file), "list file, one image path a line")


def read_class_names(file: str | os.PathLike[str]) -> list[str]:
    """Names of classes, as the converters leave them in ``classes.txt``.

    Raises:
        FileNotFoundError: No such file.
        InputError: The file names no class, or is no text.
    """
    return _read_lines(Path(file), "file of classes, one name a line")


def _read_lines(path: Path, what: str) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} (absolute: {path.resolve()}): expected a {what}")
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected a text {what}") from None
    if not any(lines):
        raise InputError(f"{path}: expected a {what}, found no line")
    return [line for line in lines if line]


def parse_labels(text: str) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[int, str]]:
    """Rows of a label file.

    Returns:
        rows ``(N, 6)``: class, identity, cx, cy, w, h; their line numbers ``(N,)`` from 1; and what
        is wrong, line -> message.
    """
    lines = [line.split() for line in text.splitlines()]
    if all(len(parts) == LABEL_COLUMNS for parts in lines):
        try:
            rows = np.array(lines, dtype=np.float64).reshape(-1, LABEL_COLUMNS)
            return rows, np.arange(1, len(rows) + 1), {}
        except ValueError:
            pass  # one by one, to say where
    good: list[list[float]] = []
    numbers: list[int] = []
    problems: dict[int, str] = {}
    for number, parts in enumerate(lines, start=1):
        if not parts:
            continue
        try:
            values = [float(part) for part in parts]
        except ValueError:
            values = []
        if len(values) == LABEL_COLUMNS:
            good.append(values)
            numbers.append(number)
        else:
            problems[number] = (
                f"expected {LABEL_COLUMNS} numbers (class, identity, centre x, centre y, width, "
                f"height), got {' '.join(parts)!r}"
            )
    table = np.array(good, dtype=np.float64).reshape(-1, LABEL_COLUMNS)
    return table, np.array(numbers, dtype=np.int64), problems


def check_labels(rows: NDArray[np.float64], num_classes: int = 1) -> dict[int, str]:
    """What is wrong with rows ``(N, 6)`` of one image: row -> message.

    Where there is one class, its number is not looked at.
    """
    problems: dict[int, str] = {}
    finite = np.isfinite(rows).all(axis=1)
    centre, size = rows[:, 2:4], rows[:, 4:6]
    positive = (size > 0).all(axis=1)
    meets = ((centre + size / 2 > 0) & (centre - size / 2 < 1)).all(axis=1)
    known = np.flatnonzero(finite & positive & meets & (rows[:, 1] >= 0))
    _, first = np.unique(rows[known, 1], return_index=True)
    repeated = np.zeros(len(rows), dtype=bool)
    repeated[known] = True
    repeated[known[first]] = False
    checks = [
        (~finite, "expected finite numbers"),
        (~positive, "expected a box of positive width and height"),
        (~meets, "expected a box that meets the image, relative to its size (0 to 1)"),
        (repeated, "expected each identity once in an image"),
    ]
    if num_classes > 1:
        classes = rows[:, 0]
        unknown = finite & ((classes >= num_classes) | (classes != np.floor(classes)))
        checks.append((unknown, f"expected a class below {num_classes}, the number of classes"))
    for bad, message in checks:
        for row in np.flatnonzero(bad).tolist():
            problems.setdefault(row, f"{message}, got {rows[row].tolist()}")
    return problems
