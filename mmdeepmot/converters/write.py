"""Writing of a plan: what is there already is not made again, and no file is ever half there."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mmdeepmot.converters.plan import Plan
from mmdeepmot.converters.source import Piece

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
    again by the same command.

    Args:
        plan: What to write.
        out: Output folder.
        images: Symbolic links, or copies. Pieces of larger files are always written.
        progress: Told how many of how many files are done.

    Raises:
        OSError: A file cannot be written.
    """
    root = Path(out)
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


def _place(source: Path | Piece, target: Path, images: ImageMode) -> bool:
    """Put an image to its place; False where it is already."""
    if isinstance(source, Piece):
        if target.is_file() and target.stat().st_size == source.length:
            return False
        with _replacing(target) as temporary:
            temporary.write_bytes(source.read())
        return True
    origin = source.resolve()
    if images == "link":
        if target.is_symlink() and os.readlink(target) == str(origin):
            return False
        with _replacing(target) as temporary:
            _link(origin, temporary)
        return True
    there = target.is_file() and not target.is_symlink()
    if there and target.stat().st_size == origin.stat().st_size:
        return False
    with _replacing(target) as temporary:
        shutil.copyfile(origin, temporary)
    return True


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
