"""MOTChallenge text files and sequence folders.

A row is ``frame, id, left, top, width, height, flag or score[, class, visibility]``; frames count
from 1. What follows column 7 differs from set to set (https://motchallenge.net):

========================  =======  ===========================================
file                      columns  after column 7
========================  =======  ===========================================
MOT15 ground truth        10       world x, y, z (not a class: never read)
MOT16/17/20, DanceTrack   9        class, visibility
own exports               7 or 8   nothing, or the class
detections, results       7 to 10  -1, -1, -1 or world coordinates (not read)
results of classes        10       class, -1, -1 (read where asked for)
========================  =======  ===========================================
"""

import configparser
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.io.image import IMAGE_SUFFIXES, image_size
from mmdeepmot.structures.boxes import tlwh_to_xyxy, xyxy_to_tlwh

Kind = Literal["gt", "det", "result"]

MOT_CLASSES: dict[int, str] = {
    1: "pedestrian",
    2: "person on vehicle",
    3: "car",
    4: "bicycle",
    5: "motorbike",
    6: "non motorized vehicle",
    7: "static person",
    8: "distractor",
    9: "occluder",
    10: "occluder on the ground",
    11: "occluder full",
    12: "reflection",
    13: "crowd",
}
"""Classes of MOT16, MOT17 and MOT20 ground truth (column 8)."""
PEDESTRIAN, DISTRACTOR = 1, 8
IGNORED_CLASSES = (2, 7, 8, 12)
"""Neither rewarded nor punished in MOT16 and MOT17."""
MOT20_IGNORED_CLASSES = (2, 6, 7, 8, 12)
"""MOT20 also ignores non motorized vehicles."""

DEFAULT_FPS = 30.0
_MIN_COLUMNS = 7
_MAX_COLUMNS = 10
_MOT15_COLUMNS = 10


@dataclass(slots=True)
class MOTRows:
    """Rows of a MOTChallenge text file, as arrays of equal length.

    Attributes:
        frames: ``(N,)`` int64, from 1.
        ids: ``(N,)`` int64 (-1 for detections).
        bboxes: ``(N, 4)`` float64 xyxy px: left, top, left + width, top + height.
        scores: ``(N,)`` float64: the flag of ground truth, else the raw score.
        classes: ``(N,)`` int64, -1 where the file has none.
        visibility: ``(N,)`` float64 in [0, 1], 1 where the file has none.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    bboxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]
    visibility: NDArray[np.float64]

    def __post_init__(self) -> None:
        count = len(self.frames)
        if self.bboxes.shape != (count, 4):
            raise InputError(
                f"MOTRows.bboxes must have shape ({count}, 4), xyxy in pixels, one row a frame "
                f"entry; got {self.bboxes.shape}"
            )
        for field in fields(self):
            array = getattr(self, field.name)
            if len(array) != count:
                raise InputError(
                    f"MOTRows.{field.name} has {len(array)} rows where MOTRows.frames has {count}"
                )

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: NDArray | slice) -> "MOTRows":
        """The rows of a boolean mask, an index array or a slice."""
        return MOTRows(*(getattr(self, field.name)[rows] for field in fields(self)))

    def sorted(self) -> "MOTRows":
        """The same rows in the order of frames; rows of one frame keep their order."""
        return self[np.argsort(self.frames, kind="stable")]

    @classmethod
    def from_arrays(
        cls,
        frames: NDArray,
        ids: NDArray,
        bboxes: NDArray,
        scores: NDArray | None = None,
        classes: NDArray | None = None,
        visibility: NDArray | None = None,
    ) -> "MOTRows":
        """Rows from any integer and float arrays; what is left out gets the neutral value.

        Args:
            frames: ``(N,)`` from 1.
            ids: ``(N,)``.
            bboxes: ``(N, 4)`` xyxy px.
            scores: ``(N,)``, default 1.
            classes: ``(N,)``, default -1 (none).
            visibility: ``(N,)``, default 1.
        """
        count = len(frames)
        return cls(
            np.asarray(frames, dtype=np.int64),
            np.asarray(ids, dtype=np.int64),
            np.asarray(bboxes, dtype=np.float64).reshape(-1, 4),
            np.ones(count) if scores is None else np.asarray(scores, dtype=np.float64),
            np.full(count, -1, np.int64) if classes is None else np.asarray(classes, np.int64),
            np.ones(count) if visibility is None else np.asarray(visibility, dtype=np.float64),
        )

    @classmethod
    def empty(cls) -> "MOTRows":
        """No rows."""
        return cls.from_arrays(np.zeros(0), np.zeros(0), np.zeros((0, 4)))

    @classmethod
    def concatenate(cls, parts: "list[MOTRows]") -> "MOTRows":
        """The rows of all parts, one part after another."""
        if not parts:
            return cls.empty()
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            )
        )


# ------------------------------------------------------------------------------------ reading


def _parse_lines(lines: list[str]) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[int, str]]:
    """Parse comma-separated (or, without commas, space-separated) numbers.

    Returns:
        table ``(N, 10)`` (NaN where a row has fewer columns), columns ``(N,)`` present in each
        row, and the problems found: row -> what was expected and what came.
    """
    if not lines:
        return np.zeros((0, _MAX_COLUMNS)), np.zeros(0, dtype=np.int64), {}
    delimiter = "," if any("," in line for line in lines[:20]) else None
    try:
        if not lines or any(not line.strip() for line in lines):
            raise ValueError("no rows or an empty line: parsed one by one")
        table = np.loadtxt(lines, delimiter=delimiter, ndmin=2, comments=None)
        table = table.reshape(len(lines), -1)
        columns = np.full(len(lines), table.shape[1], dtype=np.int64)
    except ValueError:
        return _parse_one_by_one(lines, delimiter)
    problems = {}
    if len(lines) and not _MIN_COLUMNS <= table.shape[1] <= _MAX_COLUMNS:
        problems = dict.fromkeys(range(len(lines)), _columns_message(table.shape[1]))
    return _to_width(table), columns, problems


def _to_width(table: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full((len(table), _MAX_COLUMNS), np.nan)
    width = min(table.shape[1], _MAX_COLUMNS)
    out[:, :width] = table[:, :width]
    return out


def _columns_message(count: int) -> str:
    return (
        f"expected {_MIN_COLUMNS} to {_MAX_COLUMNS} comma-separated numbers "
        f"(frame, id, left, top, width, height, flag or score, ...), got {count}"
    )


def _parse_one_by_one(
    lines: list[str], delimiter: str | None
) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[int, str]]:
    table = np.full((len(lines), _MAX_COLUMNS), np.nan)
    columns = np.zeros(len(lines), dtype=np.int64)
    problems: dict[int, str] = {}
    for row, line in enumerate(lines):
        if not line.strip():
            problems[row] = "expected a row of numbers, got an empty line"
            continue
        parts = line.strip().split(delimiter)
        if parts and not parts[-1].strip():
            parts.pop()  # a comma at the end of the line
        if not _MIN_COLUMNS <= len(parts) <= _MAX_COLUMNS:
            problems[row] = _columns_message(len(parts))
            continue
        try:
            table[row, : len(parts)] = [float(part) for part in parts]
            columns[row] = len(parts)
        except ValueError:
            problems[row] = f"expected numbers, got {line.strip()!r}"
    return table, columns, problems


def _note(problems: dict[int, str], bad: Any, message: Callable[[int], str]) -> None:
    """Add a message for every true row of ``bad`` ``(N,)`` that has none yet."""
    for row in np.flatnonzero(bad).tolist():
        problems.setdefault(row, message(row))


def _check_values(
    table: NDArray[np.float64],
    kind: Kind,
    size: tuple[int, int] | None,
    problems: dict[int, str],
) -> None:
    """Add to ``problems`` what is wrong with the values of a ``(N, 10)`` table."""
    numbers = table[:, :7]
    finite = np.isfinite(numbers).all(axis=1)
    _note(problems, ~finite, lambda row: f"expected finite numbers, got {numbers[row].tolist()}")
    frames, ids = table[:, 0], table[:, 1]
    whole = finite & (frames >= 1) & (frames == np.floor(frames)) & (ids == np.floor(ids))
    _note(
        problems,
        finite & ~whole,
        lambda row: (
            "expected a whole frame number from 1 and a whole id, got frame "
            f"{frames[row]:g}, id {ids[row]:g}"
        ),
    )
    positive = (table[:, 4] > 0) & (table[:, 5] > 0)
    _note(
        problems,
        finite & ~positive,
        lambda row: (
            "expected a box of positive width and height, got width "
            f"{table[row, 4]:g}, height {table[row, 5]:g}"
        ),
    )
    if size is not None:
        left, top = table[:, 2], table[:, 3]
        right, bottom = left + table[:, 4], top + table[:, 5]
        outside = (right <= 0) | (bottom <= 0) | (left >= size[0]) | (top >= size[1])
        _note(
            problems,
            finite & outside,
            lambda row: (
                f"expected a box that meets the image of {size[0]}x{size[1]} px, got left, top, "
                f"width, height = {table[row, 2:6].tolist()}"
            ),
        )
    if kind != "det":
        _check_duplicates(frames, ids, problems)


def _check_duplicates(
    frames: NDArray[np.float64], ids: NDArray[np.float64], problems: dict[int, str]
) -> None:
    good = np.ones(len(frames), dtype=bool)
    good[list(problems)] = False
    rows = np.flatnonzero(good)
    order = rows[np.lexsort((rows, ids[rows], frames[rows]))]
    same = (frames[order][1:] == frames[order][:-1]) & (ids[order][1:] == ids[order][:-1])
    bad = np.zeros(len(frames), dtype=bool)
    bad[order[1:][same]] = True
    _note(
        problems,
        bad,
        lambda row: (
            f"expected one box for each id in a frame, got id {ids[row]:g} twice or more "
            f"in frame {frames[row]:g}"
        ),
    )


def read_mot_text(
    path: str | os.PathLike[str],
    kind: Kind,
    *,
    image_size: tuple[int, int] | None = None,
    strict: bool = False,
    with_classes: bool | None = None,
) -> MOTRows:
    """Read a MOTChallenge text file: ground truth, public detections, or results.

    Rows come in the order of the file (public detections are often unsorted: ``.sorted()``). A
    bad row is one that is empty or malformed, has a NaN, an infinite value or a box without
    positive width and height, repeats an id of its frame (ground truth and results), or lies
    wholly outside the image (checked when ``image_size`` is given).

    Args:
        path: The file. An empty file is valid and has no rows.
        kind: What it holds; visibility is read from ground truth ('gt') only.
        image_size: (width, height) px.
        strict: Raise at the first bad row; otherwise bad rows are left out with one warning that
            counts them and names the first.
        with_classes: Whether column 8 is the class; None: in ground truth (but MOT15's).

    Raises:
        FileNotFoundError: There is no such file.
        InputError: ``strict`` and a row is bad (file and line named), or the file is no text.
    """
    if kind not in ("gt", "det", "result"):
        raise InputError(f"kind must be 'gt', 'det' or 'result', got {kind!r}")
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a MOTChallenge text file ({kind}), found none")
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected a text file of comma-separated numbers") from None
    table, columns, problems = _parse_lines(lines)
    with np.errstate(invalid="ignore"):
        _check_values(table, kind, image_size, problems)
    if problems:
        first = min(problems)
        message = f"{path}:{first + 1}: {problems[first]}"
        if strict:
            raise InputError(f"{message}. Correct or remove the row")
        print_log(
            f"skipped {len(problems)} of {len(lines)} rows of {path}; the first: {message}",
            logger="current",
            level=logging.WARNING,
        )
    good = np.ones(len(lines), dtype=bool)
    good[list(problems)] = False
    return _to_rows(table[good], columns[good], kind, with_classes)


def _to_rows(
    table: NDArray[np.float64],
    columns: NDArray[np.int64],
    kind: Kind,
    with_classes: bool | None = None,
) -> MOTRows:
    annotated = (kind == "gt") & (columns != _MOT15_COLUMNS) & np.isfinite(table[:, 7])
    has_class = annotated if with_classes is None else with_classes & np.isfinite(table[:, 7])
    has_visibility = annotated & np.isfinite(table[:, 8])
    classes = np.where(has_class, table[:, 7], -1)
    visibility = np.where(has_visibility, table[:, 8], 1.0)
    return MOTRows(
        frames=table[:, 0].astype(np.int64),
        ids=table[:, 1].astype(np.int64),
        bboxes=tlwh_to_xyxy(table[:, 2:6]).astype(np.float64, copy=False),
        scores=table[:, 6].copy(),
        classes=classes.astype(np.int64),
        visibility=np.where(visibility < 0, 1.0, visibility),
    )


# ------------------------------------------------------------------------------------ writing


def write_mot_text(
    path: str | os.PathLike[str],
    rows: MOTRows,
    kind: Literal["gt", "result"] = "result",
    *,
    with_classes: bool = False,
) -> None:
    """Write rows as MOTChallenge text, whole or not at all (a temporary file, then a rename).

    Args:
        path: The file; missing folders are made.
        rows: Written in the order given.
        kind: 'result' (also for detections): ``frame,id,left,top,width,height,score,-1,-1,-1``;
            'gt': ``frame,id,left,top,width,height,flag,class,visibility``.
        with_classes: Column 8 of a result is the class (of ground truth it always is).

    Raises:
        InputError: ``kind`` is unknown, or a box is not finite.
    """
    if kind not in ("gt", "result"):
        raise InputError(f"kind must be 'gt' or 'result', got {kind!r}")
    if not np.isfinite(rows.bboxes).all():
        bad = int(np.flatnonzero(~np.isfinite(rows.bboxes).all(axis=1))[0])
        raise InputError(
            f"{path}: refused to write a box that is not finite: frame {rows.frames[bad]}, "
            f"id {rows.ids[bad]}, xyxy {rows.bboxes[bad].tolist()}"
        )
    head = (rows.frames, rows.ids, xyxy_to_tlwh(rows.bboxes), rows.scores)
    if kind == "gt":
        table = np.column_stack((*head, rows.classes, rows.visibility))
        form = "%d,%d,%.3f,%.3f,%.3f,%.3f,%g,%d,%.5g"
    else:
        classes = rows.classes if with_classes else np.full(len(rows), -1)
        table = np.column_stack((*head, classes))
        form = "%d,%d,%.3f,%.3f,%.3f,%.3f,%.6g,%d,-1,-1"
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(form % tuple(row) + "\n" for row in table.tolist())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# ------------------------------------------------------------------------------ sequence folders


@dataclass(frozen=True, slots=True)
class SequenceInfo:
    """What is known of a sequence folder.

    Attributes:
        name: Name of the sequence.
        folder: Its folder.
        image_dir: Folder of its images (need not exist: sequences without frames can be scored).
        image_ext: Suffix of the images, with the dot.
        fps: Frames per second.
        width: px.
        height: px.
        length: Number of frames.
    """

    name: str
    folder: Path
    image_dir: Path
    image_ext: str
    fps: float
    width: int
    height: int
    length: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px."""
        return self.width, self.height


def _list_images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


def read_seqinfo(folder: str | os.PathLike[str]) -> SequenceInfo:
    """Read ``seqinfo.ini`` of a sequence folder; what it lacks is taken from the images.

    Without ``seqinfo.ini`` the images are those of ``img1``, or of the folder itself, and the
    frame rate is taken to be 30.

    Raises:
        FileNotFoundError: No such folder, or neither ``seqinfo.ini`` nor images in it.
        InputError: A value of ``seqinfo.ini`` cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected a sequence folder, found none")
    ini = folder / "seqinfo.ini"
    values = _read_ini(ini) if ini.is_file() else {}
    image_dir = folder / values.get("imdir", "img1")
    if "imdir" not in values and not image_dir.is_dir() and _list_images(folder):
        image_dir = folder

    def number(key: str) -> float | None:
        text = values.get(key)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not 0 < value < float("inf"):
            raise InputError(f"{ini}: expected a positive number for {key}, got {text!r}")
        return value

    fps, length = number("framerate"), number("seqlength")
    width, height = number("imwidth"), number("imheight")
    ext = values.get("imext")
    if length is None or width is None or height is None or ext is None:
        images = _list_images(image_dir)
        if not images:
            raise FileNotFoundError(
                f"{folder}: expected seqinfo.ini with imWidth, imHeight, seqLength and imExt, or "
                f"images in {image_dir.name}/; found neither"
            )
        ext = images[0].suffix if ext is None else ext
        length = len(images) if length is None else length
        if width is None or height is None:
            width, height = image_size(images[0])
    return SequenceInfo(
        name=values.get("name", folder.resolve().name),
        folder=folder,
        image_dir=image_dir,
        image_ext=ext,
        fps=DEFAULT_FPS if fps is None else fps,
        width=int(width),
        height=int(height),
        length=int(length),
    )


def _read_ini(ini: Path) -> dict[str, str]:
    """Keys in lower case -> values of section [Sequence]."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(ini.read_text(encoding="utf-8-sig"), source=str(ini))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InputError(f"{ini}: expected an ini file with [Sequence] ({error})") from None
    if not parser.has_section("Sequence"):
        raise InputError(f"{ini}: expected a section [Sequence], got {parser.sections()}")
    return {key: value.strip() for key, value in parser.items("Sequence") if value.strip()}
