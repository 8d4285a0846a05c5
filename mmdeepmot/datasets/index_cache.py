"""An annotation index on disk, so that a set of a million images opens in seconds.

The cache is an ``.npz`` file of plain arrays, read with ``allow_pickle=False``. Its name is a hash
of what it was built from; it also remembers the folders that it read, and is built anew when one of
them has changed since.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.datasets.index import AnnotationIndex, Boxes, PackedStrings, SequenceRecord
from mmdeepmot.errors import InputError

CACHE_VERSION = 2
CACHE_VARIABLE = "MMDEEPMOT_CACHE"


def default_cache_dir() -> Path:
    """``$MMDEEPMOT_CACHE``, else ``mmdeepmot`` in the user's cache folder."""
    if CACHE_VARIABLE in os.environ:
        return Path(os.environ[CACHE_VARIABLE])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mmdeepmot"


def save_index(
    path: str | os.PathLike[str], index: AnnotationIndex, folders: Sequence[str] = ()
) -> None:
    """Write an index (without public detections), whole or not at all.

    Args:
        path: The ``.npz`` file.
        index: What to write.
        folders: Folders that were read; a change of one makes the file stale.
    """
    names = PackedStrings.pack(sequence.name for sequence in index.sequences)
    packed = PackedStrings.pack(folders)
    arrays = {
        "version": np.array(CACHE_VERSION),
        "folders_data": packed.data,
        "folders_offsets": packed.offsets,
        "folder_times": _folder_times(folders),
        "names_data": names.data,
        "names_offsets": names.offsets,
        "fps": np.array([sequence.fps for sequence in index.sequences], dtype=np.float64),
        "is_video": np.array([sequence.is_video for sequence in index.sequences], dtype=bool),
        "has_ground_truth": np.array([s.has_ground_truth for s in index.sequences], dtype=bool),
        "frame_sequences": index.frame_sequences,
        "frame_numbers": index.frame_numbers,
        "paths_data": index.paths.data,
        "paths_offsets": index.paths.offsets,
        "sizes": index.sizes,
        **{f"boxes_{field.name}": getattr(index.boxes, field.name) for field in fields(Boxes)},
    }
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load_index(path: str | os.PathLike[str]) -> AnnotationIndex | None:
    """Read what :func:`save_index` wrote; None when a folder has changed since.

    Raises:
        FileNotFoundError: No such file.
        InputError: Not such a file, damaged, or of another version.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            data: dict[str, NDArray] = {key: file[key] for key in file.files}
        if int(data["version"]) != CACHE_VERSION:
            raise InputError(f"it has version {int(data['version'])}")
        packed = PackedStrings(data["folders_data"], data["folders_offsets"])
        folders = [packed[row] for row in range(len(packed))]
        if not np.array_equal(_folder_times(folders), data["folder_times"]):
            return None
        names = PackedStrings(data["names_data"], data["names_offsets"])
        facts = zip(data["fps"], data["is_video"], data["has_ground_truth"], strict=True)
        return AnnotationIndex(
            sequences=[
                SequenceRecord(names[row], float(fps), bool(video), bool(truth))
                for row, (fps, video, truth) in enumerate(facts)
            ],
            frame_sequences=data["frame_sequences"],
            frame_numbers=data["frame_numbers"],
            paths=PackedStrings(data["paths_data"], data["paths_offsets"]),
            sizes=data["sizes"],
            boxes=Boxes(*(data[f"boxes_{field.name}"] for field in fields(Boxes))),
        )
    except FileNotFoundError:
        raise
    except Exception as error:
        raise InputError(
            f"{path}: expected an annotation index of version {CACHE_VERSION} ({error}); remove "
            "the file, it is built again"
        ) from None


def _folder_times(folders: Sequence[str]) -> NDArray[np.int64]:
    """``(K,)`` times of change in ns, -1 for a folder that is not there."""
    times = np.full(len(folders), -1, dtype=np.int64)
    for row, folder in enumerate(folders):
        try:
            times[row] = os.stat(folder).st_mtime_ns
        except OSError:
            continue
    return times


def cached_index(
    name: str,
    key: Sequence[str | int],
    build: Callable[[], tuple[AnnotationIndex, Sequence[str]]],
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    refresh: bool = False,
) -> AnnotationIndex:
    """The index from the cache, or built and put there.

    Args:
        name: Readable part of the file's name.
        key: All that the index depends on (path, time and size of files, options).
        build: Gives the index and the folders whose change makes it stale.
        cache_dir: Default: :func:`default_cache_dir`.
        refresh: Build in any case (files edited in place do not change their folder's time).
    """
    digest = hashlib.sha256(repr((CACHE_VERSION, *key)).encode()).hexdigest()[:16]
    path = Path(cache_dir or default_cache_dir()) / f"{name}-{digest}.npz"
    if path.is_file() and not refresh:
        try:
            index = load_index(path)
        except ValueError as error:
            print_log(f"cache not used: {error}", logger="current", level=logging.WARNING)
        else:
            if index is not None:
                return index
    index, folders = build()
    try:
        save_index(path, index, folders)
    except OSError as error:
        print_log(
            f"{path}: index of {name} could not be cached ({error}): it is built again next time; "
            f"set {CACHE_VARIABLE} to a folder that can be written",
            logger="current",
            level=logging.WARNING,
        )
    return index
