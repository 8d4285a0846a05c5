"""List files with ``labels_with_ids``: the form in which the community's joint data circulates.

See :mod:`mmdeepmot.datasets.label_files`. The class column is that of a dataset of several classes,
else it is not used.
"""

import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.datasets.base import MOTDataset, Transform
from mmdeepmot.datasets.index import AnnotationIndex, Boxes, PackedStrings, SequenceRecord
from mmdeepmot.datasets.index_cache import cached_index
from mmdeepmot.datasets.label_files import (
    IMAGE_FOLDER,
    LABEL_COLUMNS,
    check_labels,
    label_path,
    parse_labels,
    read_class_names,
    read_image_list,
)
from mmdeepmot.errors import InputError
from mmdeepmot.io.image import ImageError, image_size
from mmdeepmot.registry import DATASETS

_CHUNK = 512
_THREADS = 8
_PROGRESS_SECONDS = 20.0
_NUMBERED = re.compile(r"^(.*?)(\d+)$")
_UNNAMED_FOLDERS = (IMAGE_FOLDER, "img1")


@dataclass(slots=True)
class _Labels:
    """Images of a chunk (or all) with their boxes, in the order of the list."""

    sizes: list[tuple[int, int]] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    readable: list[bool] = field(default_factory=list)
    without_labels: list[str] = field(default_factory=list)
    bad_images: list[str] = field(default_factory=list)
    bad_rows: list[str] = field(default_factory=list)


def _read_chunk(paths: Sequence[str], num_classes: int) -> _Labels:
    out = _Labels()
    nothing = np.zeros((0, LABEL_COLUMNS))
    for path in paths:
        try:
            out.sizes.append(image_size(path))
            out.readable.append(True)
        except ImageError as error:
            out.sizes.append((0, 0))
            out.rows.append(nothing)
            out.readable.append(False)
            out.bad_images.append(str(error))
            continue
        label_file = label_path(path)
        try:
            with open(label_file, encoding="utf-8") as file:
                rows, lines, problems = parse_labels(file.read())
        except FileNotFoundError:
            out.rows.append(nothing)
            out.without_labels.append(label_file)
            continue
        except UnicodeDecodeError:
            out.rows.append(nothing)
            out.bad_rows.append(f"{label_file}: expected a text file")
            continue
        wrong = check_labels(rows, num_classes)
        problems.update((int(lines[row]), message) for row, message in wrong.items())
        out.bad_rows.extend(f"{label_file}:{n}: {text}" for n, text in sorted(problems.items()))
        keep = np.ones(len(rows), dtype=bool)
        keep[list(wrong)] = False
        out.rows.append(rows[keep].astype(np.float64))
    return out


def _read_all(paths: Sequence[str], name: str, num_classes: int) -> _Labels:
    """Headers and labels of all images; several threads, for slow disks."""
    out = _Labels()
    began = said = time.monotonic()
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    with ThreadPoolExecutor(_THREADS) as pool:
        for chunk in pool.map(_read_chunk, chunks, repeat(num_classes)):
            for part in ("sizes", "rows", "readable", "without_labels", "bad_images", "bad_rows"):
                getattr(out, part).extend(getattr(chunk, part))
            now = time.monotonic()
            if now - said > _PROGRESS_SECONDS:
                said, done = now, len(out.sizes)
                left = (now - began) / done * (len(paths) - done)
                print_log(
                    f"{name}: indexed {done} of {len(paths)} images, {left:.0f} s left",
                    logger="current",
                )
    return out


# --------------------------------------------------------------------------------- the index


def group_frames(
    images: Sequence[str], *, videos: bool, name: str
) -> tuple[list[str], list[bool], NDArray[np.int32], NDArray[np.int64]]:
    """Sequences of a list of images.

    Images of one folder whose names end in a number are the frames of a sequence; what stands
    before the number (``set00_V000_``) tells several sequences of a folder apart. Numbers that
    start at 0 are moved to start at 1. Images without a number, and all images if ``videos`` is
    False, belong to no video.

    Args:
        images: ``F`` paths relative to the root.
        videos: Whether names are to be read that way.
        name: Name of the set.

    Returns:
        Names ``(S,)``, which of them are videos, the sequence ``(F,)`` and number ``(F,)`` from 1
        of each image.
    """
    count = len(images)
    if not videos:
        return [name], [False], np.zeros(count, dtype=np.int32), np.arange(1, count + 1)
    keys: dict[tuple[str, str | None], int] = {}
    sequence = np.empty(count, dtype=np.int32)
    number = np.empty(count, dtype=np.int64)
    for row, image in enumerate(images):
        folder, file = os.path.split(image)
        match = _NUMBERED.match(os.path.splitext(file)[0])
        key = (folder, match[1] if match else None)
        sequence[row] = keys.setdefault(key, len(keys))
        number[row] = int(match[2]) if match else row + 1
    lowest = np.full(len(keys), np.iinfo(np.int64).max)
    np.minimum.at(lowest, sequence, number)
    number += (lowest == 0)[sequence]
    return _sequence_names(list(keys)), [key[1] is not None for key in keys], sequence, number


def _sequence_names(keys: Sequence[tuple[str, str | None]]) -> list[str]:
    """Short names for (folder, prefix), without folders that say nothing; unique."""
    short, full = [], []
    for folder, prefix in keys:
        parts = [part for part in folder.split("/") if part]
        tail = [prefix.strip("_-. ")] if prefix and prefix.strip("_-. ") else []
        short.append("-".join([*(p for p in parts if p not in _UNNAMED_FOLDERS), *tail]))
        full.append("-".join([*parts, *tail]))
    names = short if len(set(short)) == len(short) else full
    if len(set(names)) == len(names):
        return names
    return [f"{item}-{row}" for row, item in enumerate(names)]


def _first(messages: Sequence[str], total: int, what: str) -> str:
    return f"{len(messages)} of {total} {what}; the first: {messages[0]}"


def build_list_index(
    images: Sequence[str],
    data_root: str,
    *,
    name: str,
    videos: bool = True,
    fps: float = 30.0,
    num_classes: int = 1,
    test_mode: bool = False,
    strict: bool = False,
) -> tuple[AnnotationIndex, list[str]]:
    """Index of the images of a list, and the folders that it came from.

    Those are the folders of labels, and of images that cannot be read: they may be there later.

    Identities are numbered anew, contiguously. The arguments are JDEListDataset's.

    Raises:
        ImageError: ``test_mode`` and an image has no readable header; or none has.
        InputError: ``strict`` and a row is bad.
        FileNotFoundError: No image at all has a label file.
    """
    paths = [os.path.join(data_root, image) for image in images]
    labels = _read_all(paths, name, num_classes)
    _report(labels, len(paths), name, test_mode=test_mode, strict=strict)
    names, is_video, sequence, number = group_frames(images, videos=videos, name=name)
    readable = np.flatnonzero(labels.readable)
    order = readable[np.lexsort((number[readable], sequence[readable]))]
    twice = (sequence[order][1:] == sequence[order][:-1]) & (
        number[order][1:] == number[order][:-1]
    )
    if twice.any():
        print_log(
            f"{name}: {np.count_nonzero(twice)} images are in the list more than once, the first "
            f"is {images[order[1:][twice][0]]}: taken once",
            logger="current",
            level=logging.WARNING,
        )
        order = order[np.concatenate(([True], ~twice))]
    used, frame_sequences = np.unique(sequence[order], return_inverse=True)
    index = AnnotationIndex(
        sequences=[SequenceRecord(names[row], fps, is_video[row]) for row in used],
        frame_sequences=frame_sequences.astype(np.int32),
        frame_numbers=number[order],
        paths=PackedStrings.pack(paths[row] for row in order),
        sizes=np.array([labels.sizes[row] for row in order], dtype=np.int32),
        boxes=_to_boxes(
            [labels.rows[row] for row in order],
            [labels.sizes[row] for row in order],
            num_classes,
        ),
    )
    folders = {os.path.dirname(label_path(path)) for path in paths}
    folders.update(
        os.path.dirname(path)
        for path, readable in zip(paths, labels.readable, strict=True)
        if not readable
    )
    return index, sorted(folders)


def _report(labels: _Labels, total: int, name: str, *, test_mode: bool, strict: bool) -> None:
    """Errors and counted warnings about images and labels."""
    if labels.bad_images and (test_mode or len(labels.bad_images) == total):
        raise ImageError(
            f"{name}: {_first(labels.bad_images, total, 'images cannot be read')}. Check data_root"
        )
    if len(labels.without_labels) == total:
        raise FileNotFoundError(
            f"{name}: expected a label file for each image, found none; the first: "
            f"{labels.without_labels[0]}"
        )
    if labels.bad_rows and strict:
        raise InputError(f"{labels.bad_rows[0]}. Correct or remove the row")
    for messages, what in (
        (labels.bad_images, "images cannot be read and are left out"),
        (labels.without_labels, "images have no label file: taken as images without boxes"),
    ):
        if messages:
            print_log(
                f"{name}: {_first(messages, total, what)}", logger="current", level=logging.WARNING
            )
    if labels.bad_rows:
        print_log(
            f"{name}: skipped {len(labels.bad_rows)} bad rows of label files; the first: "
            f"{labels.bad_rows[0]}",
            logger="current",
            level=logging.WARNING,
        )


def _to_boxes(
    rows: Sequence[NDArray[np.float64]], sizes: Sequence[tuple[int, int]], num_classes: int
) -> Boxes:
    counts = np.array([len(part) for part in rows])
    table = np.concatenate([*rows, np.zeros((0, LABEL_COLUMNS))])
    scale = np.repeat(np.array(sizes, dtype=np.float64).reshape(-1, 2), counts, axis=0)
    centre, half = table[:, 2:4] * scale, 0.5 * table[:, 4:6] * scale
    return Boxes.of_frames(
        np.repeat(np.arange(len(rows)), counts),
        len(rows),
        np.concatenate((centre - half, centre + half), axis=1),
        table[:, 1].astype(np.int64),
        table[:, 0] < 0,
        np.ones(len(table)),
        np.clip(table[:, 0], 0, num_classes - 1),
    )


@DATASETS.register_module()
class JDEListDataset(MOTDataset):
    """Images of list files with ``labels_with_ids``.

    The index is kept in the user's cache folder (``cached_index``); it is built again when a list
    file, a label folder, or a folder of images of which some could not be read, changes.

    Args:
        list_files: A list file, or several that share their identities.
        data_root: Folder to which their lines are relative.
        pipeline: See :class:`~mmdeepmot.datasets.base.MOTDataset`.
        videos: Whether numbered images of a folder are the frames of a video (for consecutive
            pairs and clips); False for collections of photographs.
        fps: Frames per second, if they are.
        classes: Names of the classes of the first column, from 0, or a file with a name a line;
            None: one class, pedestrians, whatever the column says.
        cache: Whether to keep the index on disk.
        cache_dir: Where; default: the user's cache folder.
        refresh: Build the index anew (after labels were edited in place).
        strict: A bad row in a label file is an error instead of a counted warning.
        test_mode: An unreadable image is an error.
        kwargs: Of :class:`~mmdeepmot.datasets.base.MOTDataset`.
    """

    def __init__(
        self,
        list_files: str | os.PathLike[str] | Sequence[str],
        data_root: str | os.PathLike[str],
        pipeline: Sequence[dict | Transform] = (),
        *,
        videos: bool = True,
        fps: float = 30.0,
        classes: Sequence[str] | str | None = None,
        cache: bool = True,
        cache_dir: str | os.PathLike[str] | None = None,
        refresh: bool = False,
        strict: bool = False,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        files = [list_files] if isinstance(list_files, str | os.PathLike) else list(list_files)
        self.list_files = [Path(file) for file in files]
        self.data_root = Path(data_root)
        if isinstance(classes, str):
            classes = read_class_names(classes)
        num_classes = len(classes or ("pedestrian",))
        name = kwargs.setdefault("name", "+".join(file.name for file in self.list_files))
        if not self.data_root.is_dir():
            raise FileNotFoundError(
                f"data_root {self.data_root} (absolute: {self.data_root.resolve()}): expected the "
                f"folder to which the lines of {self.list_files[0]} are relative, found none"
            )

        def build() -> tuple[AnnotationIndex, Sequence[str]]:
            images = [image for file in self.list_files for image in read_image_list(file)]
            return build_list_index(
                images,
                str(self.data_root),
                name=name,
                videos=videos,
                fps=fps,
                num_classes=num_classes,
                test_mode=test_mode,
                strict=strict,
            )

        if cache and not strict:
            key = (*self._cache_key(), videos, repr(fps), num_classes, test_mode, name)
            index = cached_index(name, key, build, cache_dir=cache_dir, refresh=refresh)
        else:
            index = build()[0]
        super().__init__(index, pipeline, test_mode=test_mode, classes=classes, **kwargs)

    def _cache_key(self) -> Iterator[str | int]:
        yield str(self.data_root)
        yield str(self.data_root.resolve())
        for file in self.list_files:
            if not file.is_file():
                raise FileNotFoundError(
                    f"{file} (absolute: {file.resolve()}): expected a list file, one image path "
                    "a line"
                )
            status = file.stat()
            yield from (str(file.resolve()), status.st_mtime_ns, status.st_size)
