"""ETH (Ess et al., CVPR 2008): ``.idl`` files.

A line is an image and its boxes, corner to corner in px, in any order of the corners:
``"left/image_00000012_0.png": (212, 204, 232, 261), (223, 181, 259, 285):0.9;`` and the last line
ends with a dot. Nobody has an identity.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import numpy as np

from mmdeepmot.converters.source import Clip, Picture, SourceSet, Targets
from mmdeepmot.errors import InputError

MOT16_TEST = ("*linthescher*", "eth06", "seq06*")
"""Sequences of which MOT16's (and MOT17's) test set holds a part: MOT16-06 is Linthescher."""

FPS = 14.0
_LINE = re.compile(r'^"(?P<image>[^"]+)"\s*:?\s*(?P<boxes>.*?)\s*[;.]?$')
_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_BOX = re.compile(rf"\({_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\)(?:\s*:\s*[-\d.eE+]+)?")
_FRAME = re.compile(r"(\d+)(?:_\d)?$")


def read_eth(root: Path, leave_out: Sequence[str] = MOT16_TEST) -> SourceSet:
    """ETH's sequences: a folder with ``.idl`` files, or folders with one each.

    A sequence is called as its folder, or as the ``.idl`` file where a folder holds several.

    Args:
        root: The folder.
        leave_out: Names or patterns of sequences, in lower case; compared with the names of the
            file and of all folders from ``root`` on.

    Raises:
        FileNotFoundError: There is no ``.idl`` file.
    """
    files = sorted(root.rglob("*.idl"))
    if not files:
        raise FileNotFoundError(f"{root}: expected ETH's sequences with .idl files, found none")
    source = SourceSet("eth", "ETHZ", {})
    clips: list[Clip] = []
    for file in files:
        alone = len(list(file.parent.glob("*.idl"))) == 1 and file.parent != root
        name = file.parent.name if alone else file.stem
        within = (root.resolve().name, *file.relative_to(root).with_suffix("").parts)
        pattern = next(
            (one for one in leave_out for part in within if fnmatch(part.lower(), one)), None
        )
        if pattern is not None:
            source.notes.append(f"{file}: sequence {name} ({pattern!r} is left out)")
            continue
        if any(clip.name == name for clip in clips):
            name = "-".join(file.relative_to(root).with_suffix("").parts)
        clips.append(Clip(name, _read_idl(file, name, source), FPS))
    source.splits["train"] = [clip for clip in clips if clip.pictures]
    return source


def _read_idl(file: Path, name: str, source: SourceSet) -> list[Picture]:
    pictures = []
    for number, line in enumerate(
        file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
    ):
        if not line.strip(" \t.;"):
            continue
        where = f"{file}:{number}"
        try:
            image, targets = parse_line(line)
        except InputError as error:
            source.bad_files.append(f"{where}: {error}")
            continue
        path = _image_path(file.parent, image)
        frame = _FRAME.search(path.stem)
        short = f"{int(frame[1]):08d}" if frame else path.stem
        pictures.append(Picture(f"{name}/{short}{path.suffix}", path, targets, where=where))
    return pictures


def parse_line(line: str) -> tuple[str, Targets]:
    """An image and its boxes.

    Raises:
        InputError: The line is not of this form.
    """
    match = _LINE.match(line.strip())
    if match is None:
        raise InputError(f'expected "IMAGE": (x1, y1, x2, y2), ...; got {line.strip()!r}')
    text = match["boxes"]
    rest = _BOX.sub("", text)
    if rest.strip(" ,\t"):
        raise InputError(f"expected boxes (x1, y1, x2, y2), ...; got {rest.strip(' ,')!r}")
    corners = np.array(_BOX.findall(text), dtype=np.float64).reshape(-1, 2, 2)
    boxes = np.concatenate((corners.min(axis=1), corners.max(axis=1)), axis=1)
    return match["image"], Targets.of(boxes)


def _image_path(folder: Path, image: str) -> Path:
    """Where an image is: as the line says, or by its name in a folder beside the ``.idl``."""
    parts = PurePosixPath(image).parts
    if ".." not in parts and not PurePosixPath(image).is_absolute():
        for path in (folder / image, *(folder / one / parts[-1] for one in ("left", "images"))):
            if path.is_file():
                return path
    return folder / parts[-1]
