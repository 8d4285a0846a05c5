"""Which files a set becomes: every image is looked at, every box checked."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from mmdeepmot.converters.clean import clean_targets
from mmdeepmot.converters.folder_layout import FolderLayout
from mmdeepmot.converters.list_layout import ListLayout
from mmdeepmot.converters.plan import Options, Plan
from mmdeepmot.converters.source import Clip, Picture, Piece, SourceSet, Targets
from mmdeepmot.errors import InputError
from mmdeepmot.io.image import ImageError, decode_image, image_size, read_image

_LAYOUTS: dict[str, type[ListLayout] | type[FolderLayout]] = {
    "lists": ListLayout,
    "mot": FolderLayout,
}


def make_plan(
    source: SourceSet,
    options: Options | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """The files that a set becomes. Every image is looked at.

    Args:
        source: What a reader found.
        options: How it is to be written.
        progress: Told how many of how many images are done.

    Raises:
        InputError: The set cannot be written in this form, or nothing of it is left.
    """
    options = options or Options()
    lay_out = _LAYOUTS[options.form]
    plan = Plan.of(source)
    total = sum(len(clip.pictures) for clips in source.splits.values() for clip in clips)
    done = 0
    for split, clips in source.splits.items():
        layout = lay_out(source, split, options, plan)
        for clip in clips:
            layout.add(clip, _usable(clip, plan, options.verify))
            done += len(clip.pictures)
            if progress is not None:
                progress(done, total)
        layout.close()
    if not plan.images:
        first = next(iter(plan.bad_files), "the reader found no annotated image")
        raise InputError(f"{source.name}: nothing to write: {first}")
    return plan


def _usable(
    clip: Clip, plan: Plan, verify: bool
) -> Iterator[tuple[Picture, tuple[int, int], Targets]]:
    """Images that can be read, their sizes and boxes; the others are noted."""
    for picture in clip.pictures:
        if not _is_name(picture.name):
            plan.bad_files.append(
                f"{picture.where or clip.name}: expected the name of an image inside of the set, "
                f"got {picture.name!r}"
            )
            continue
        try:
            size = _size(picture.source, verify)
        except ImageError as error:
            plan.bad_files.append(f"{error} (named in {picture.where or clip.name})")
            continue
        if picture.size is not None and tuple(picture.size) != size:
            plan.bad_files.append(
                f"{picture.source}: the image is {size[0]}x{size[1]} px where {picture.where} says "
                f"{picture.size[0]}x{picture.size[1]} px: its boxes do not belong to it"
            )
            continue
        targets, problems = clean_targets(picture, size)
        plan.bad_rows.extend(problems)
        yield picture, size, targets


def _is_name(name: str) -> bool:
    """Whether an image may be called so: inside of the set, and a line of a list file."""
    path = PurePosixPath(name)
    one_line = name == name.strip() and len(name.splitlines()) == 1
    inside = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    return inside and one_line and "\\" not in name


def _size(source: Path | Piece, verify: bool) -> tuple[int, int]:
    """(width, height) px of an image.

    Raises:
        ImageError: It cannot be read.
    """
    if not verify:
        return source.size if isinstance(source, Piece) else image_size(source)
    if isinstance(source, Piece):
        image = decode_image(source.read(), f"{source.path}: byte {source.offset}")
    else:
        image = read_image(source)
    return image.shape[1], image.shape[0]
