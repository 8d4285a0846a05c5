"""Files that are there whole or not at all."""

import os
import uuid
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

TEMP_SUFFIX = ".writing"


def atomic_write(path: str | Path, content: bytes) -> None:
    """Write beside ``path``, flush to the disk, then take its place.

    Whoever reads ``path`` sees the old content or the new one; an interruption leaves the old
    one and a hidden ``.NAME.*.writing`` beside it (:func:`remove_leftovers`).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{TEMP_SUFFIX}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(
            error.errno,
            f"cannot write {path}: {error.strerror}. Free some space or choose another --work-dir",
        ) from error
    _sync_folder(path.parent)


def remove_leftovers(folder: str | Path) -> int:
    """Delete what interrupted writes have left in ``folder``; returns how many files."""
    leftovers = list(Path(folder).glob(f".*{TEMP_SUFFIX}"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class AtomicBackend(LocalBackend):
    """mmengine's local file backend with atomic writes: ``backend_args=dict(backend='atomic')``."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        atomic_write(filepath, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        """Write text."""
        atomic_write(filepath, obj.encode(encoding))


register_backend("atomic", AtomicBackend, force=True)
