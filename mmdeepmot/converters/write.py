"""Writing of a plan: what is there already is not made again, and no file is ever half there."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mmdeepmot.converters.plan import Plan
from mmdeepmot.converters.source import Piece
from mmdeepmot.errors import InputError

ImageMode = Literal["link", "copy"]
_SUFFIX = ".writing"


@dataclass(slots=True)
class Written:
    """What was done.

    Attributes:
        images_made: Linked, copied or taken out of a larger file.
        images_kept: There already.
        texts_made: Annotation and list files written.
        texts_kept: There already with the same content.
    """

    images_made: int = 0
    images_kept: int = 0
    texts_made: int = 0
    texts_kept: int = 0


def write_plan(
    plan: Plan,
    out: str | os.PathLike[str],
    images: ImageMode = "link",
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Make the files of a plan that are not there yet.

    Every file appears whole, by a rename, and lists come last; so an interrupted run is taken up
    again by the same command, which first deletes what a killed one left half done.

    Args:
        plan: What to write.
        out: Output folder.
        images: Symbolic links, or copies. Pieces of larger files are always written.
        progress: Told how many of how many files are done.

    Raises:
        InputError: Images would be written to a folder of the original ones.
        OSError: A file cannot be written.
    """
    root = Path(out)
    _check_apart(plan, root)
    sweep(root / target for part in (plan.images, plan.texts, plan.lists) for target in part)
    written = Written()
    total = len(plan.images) + len(plan.texts) + len(plan.lists)
    done = 0
    for target, source in plan.images.items():
        made = _place(source, root / target, images)
        written.images_made += made
        written.images_kept += not made
        done += 1
        if progress is not None:
            progress(done, total)
    for texts in (plan.texts, plan.lists):
        for target, text in texts.items():
            made = write_text(root / target, text)
            written.texts_made += made
            written.texts_kept += not made
            done += 1
            if progress is not None:
                progress(done, total)
    return written


def write_text(path: Path, text: str) -> bool:
    """Write a file unless it has this content; whether it was written."""
    content = text.encode()
    try:
        if path.read_bytes() == content:
            return False
    except OSError:
        pass
    with _replacing(path) as temporary:
        temporary.write_bytes(content)
    return True


def sweep(targets: Iterable[Path]) -> None:
    """Delete what killed runs left half done of these files.

    Other files in their folders may be in the making by another converter, and stay.
    """
    names: dict[Path, set[str]] = {}
    for target in targets:
        names.setdefault(target.parent, set()).add(target.name)
    for folder, known in names.items():
        for leftover in folder.glob(f".*{_SUFFIX}"):
            if leftover.name[1:].rsplit(".", 2)[0] in known:
                leftover.unlink(missing_ok=True)


def _check_apart(plan: Plan, root: Path) -> None:
    """Images never take the place of the original ones, or of others of them.

    Raises:
        InputError: A folder holds original images and would be written to.
    """
    originals = {os.path.dirname(one) for one in plan.images.values() if isinstance(one, Path)}
    targets = {os.path.dirname(target) for target in plan.images}
    both = {Path(folder).resolve() for folder in originals}.intersection(
        (root / folder).resolve() for folder in targets
    )
    if both:
        raise InputError(
            f"{min(both)}: the original images lie where the converted ones would be written, and "
            "would be lost: give another output folder (--out)"
        )


def _place(source: Path | Piece, target: Path, images: ImageMode) -> bool:
    """Put an image to its place; False where it is already.

    A copy has the time of what it was copied from: other images of the same length, as frames
    without compression are, are not taken for it.
    """
    if isinstance(source, Piece):
        status = source.path.stat()
        if _is_copy(target, source.length, status):
            return False
        with _replacing(target) as temporary:
            temporary.write_bytes(source.read())
            _set_time(temporary, status)
        return True
    origin = source.resolve()
    if images == "link":
        if target.is_symlink() and os.readlink(target) == str(origin):
            return False
        with _replacing(target) as temporary:
            _link(origin, temporary)
        return True
    status = origin.stat()
    if _is_copy(target, status.st_size, status):
        return False
    with _replacing(target) as temporary:
        shutil.copyfile(origin, temporary)
        _set_time(temporary, status)
    return True


def _is_copy(target: Path, length: int, origin: os.stat_result) -> bool:
    """Whether a file of its own is there, of this length and of its origin's time."""
    if not target.is_file() or target.is_symlink():
        return False
    status = target.stat()
    return status.st_size == length and status.st_mtime_ns == origin.st_mtime_ns


def _set_time(path: Path, origin: os.stat_result) -> None:
    os.utime(path, ns=(origin.st_atime_ns, origin.st_mtime_ns))


def _link(origin: Path, target: Path) -> None:
    try:
        target.symlink_to(origin)
    except OSError as error:
        raise OSError(
            error.errno, f"{target.parent}: no symbolic link can be made: give --images copy"
        ) from error


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside a file, which takes its place at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{_SUFFIX}")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
