"""YOLO folders: ``images`` and ``labels`` side by side, a text file an image.

A row is class, centre x, centre y, width, height, all relative to the image; or class and a polygon
(three points and more), of which the bounding box is taken; or, with ``track_ids``, class, box and
identity. Names of classes and the images of splits stand in ``data.yaml`` (``names``, ``path``;
``train``, ``val``, ``test``: a folder, a text file with an image a line, or a list of such), or the
names in ``classes.txt``.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mmdeepmot.converters.source import UNKNOWN, Clip, Picture, SourceSet, Targets
from mmdeepmot.errors import InputError
from mmdeepmot.io.image import IMAGE_SUFFIXES, image_size
from mmdeepmot.io.video import natural_key

_SPLITS = ("train", "val", "test")


def read_yolo(root: Path, name: str, track_ids: bool = False, videos: bool = False) -> SourceSet:
    """A YOLO folder.

    Args:
        root: Holds ``data.yaml``, or ``images``, ``labels`` and ``classes.txt``.
        name: Of the set.
        track_ids: The sixth number of a row is an identity, unique in its folder.
        videos: Every folder of images is a video, its frames in the order of their names.

    Raises:
        FileNotFoundError: No images, no names of classes, or no label file of any image.
        InputError: ``data.yaml`` is not as expected.
    """
    classes, places = _layout(root)
    source = SourceSet(name, name, {}, classes)
    identities: dict[tuple[Path, int], int] = {}
    missing: list[tuple[Path, Path]] = []
    images = 0
    for split, entries in places.items():
        folder, files = _find_images(entries)
        clips: dict[Path, Clip] = {}
        images += len(files)
        for image in files:
            label = label_file(image)
            short = image.relative_to(folder)
            clip_name = str(Path(split) / short.parent) if short.parent.parts else split
            clip = clips.setdefault(image.parent, Clip(clip_name, [], is_video=videos))
            try:
                rows = _read_rows(label, len(classes), track_ids, source)
                targets = _to_targets(rows, image_size(image), image.parent, identities)
            except InputError as error:  # an ImageError too
                source.bad_files.append(str(error))
                continue
            except FileNotFoundError:
                missing.append((label, image))
                targets = Targets.of(np.zeros((0, 4)))
            where = f"{split}/{short.as_posix()}"
            clip.pictures.append(Picture(where, image, targets, where=str(label)))
        source.splits[split] = [clip for clip in clips.values() if clip.pictures]
    if missing and len(missing) == images:
        raise FileNotFoundError(
            f"{root}: none of the {images} images has labels, expected {missing[0][0]} and so on: "
            "a text file an image (an empty one, or none, where nobody is)"
        )
    source.notes += [
        f"{label}: there is none, so {image.name} is taken as empty" for label, image in missing
    ]
    return source


def label_file(image: Path) -> Path:
    """``.../images/x.jpg`` -> ``.../labels/x.txt``: the last folder ``images`` counts."""
    parts = list(image.parts)
    for row in range(len(parts) - 2, -1, -1):
        if parts[row] == "images":
            parts[row] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _find_images(entries: Sequence[Path]) -> tuple[Path, list[Path]]:
    """All images of folders and of text files, and the folder that holds them."""
    entries = [entry.absolute() for entry in entries]  # as lines of text files may be
    files: list[Path] = []
    for entry in entries:
        if entry.is_dir():
            found = (path for path in entry.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
            files += sorted(found, key=lambda path: natural_key(str(path)))
        else:
            lines = map(str.strip, entry.read_text(encoding="utf-8").splitlines())
            files += [Path(os.path.normpath(entry.parent / line)) for line in lines if line]
    if len(entries) == 1 and entries[0].is_dir():
        return entries[0], files
    return Path(os.path.commonpath([file.parent for file in files] or [entries[0].parent])), files


def _layout(root: Path) -> tuple[list[str], dict[str, list[Path]]]:
    """Names of the classes; the folders, or text files, of each split's images."""
    for config in (root / "data.yaml", root / "dataset.yaml"):
        if config.is_file():
            return _read_yaml(config, root)
    classes = root / "classes.txt"
    if not classes.is_file():
        raise FileNotFoundError(
            f"{root}: expected data.yaml, or classes.txt with a name a line, found neither"
        )
    names = [line.strip() for line in classes.read_text(encoding="utf-8").splitlines()]
    folders = {split: root / "images" / split for split in _SPLITS}
    folders = {split: folder for split, folder in folders.items() if folder.is_dir()}
    if not folders and (root / "images").is_dir():
        folders = {"train": root / "images"}
    if not folders:
        raise FileNotFoundError(f"{root}: expected a folder images, found none")
    return [name for name in names if name], {split: [at] for split, at in folders.items()}


def _read_yaml(config: Path, root: Path) -> tuple[list[str], dict[str, list[Path]]]:
    try:
        content: Any = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{config}: expected a YAML file ({error})") from None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and set(names) == set(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise InputError(
            f"{config}: expected 'names' of the classes, a list or numbered from 0, got {names!r}"
        )
    base = root / str(content.get("path") or ".")
    if not base.is_dir():
        base = root
    folders: dict[str, list[Path]] = {}
    for split in _SPLITS:
        given = content.get(split) or []
        for place in given if isinstance(given, list) else [given]:
            folders.setdefault(split, []).append(_find_place(str(place), base, config, split))
    if not folders:
        raise InputError(f"{config}: expected folders of images under 'train' or 'val', found none")
    return [str(name) for name in names], folders


def _find_place(text: str, base: Path, config: Path, split: str) -> Path:
    """A folder of images, or a text file that lists some."""
    place = base / text
    if not place.exists() and text.startswith("../"):
        place = base / text[3:]  # exports that say where they were trained from
    if not (place.is_dir() or (place.is_file() and place.suffix == ".txt")):
        raise FileNotFoundError(
            f"{config}: {split}: expected the folder {place}, or a text file with an image a line, "
            "found none"
        )
    return place


def _read_rows(
    file: Path, num_classes: int, track_ids: bool, source: SourceSet
) -> list[tuple[int, int, tuple[float, ...]]]:
    """Class, identity, relative xyxy of every good row; the others are noted.

    Raises:
        FileNotFoundError: No such file.
        InputError: It is no text.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{file}: expected a text file, a row a box") from None
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(parse_row(line.split(), num_classes, track_ids))
        except ValueError as error:
            source.bad_rows.append(f"{file}:{number}: {error}, got {line.strip()!r}: left out")
    return rows


def parse_row(
    parts: Sequence[str], num_classes: int, track_ids: bool
) -> tuple[int, int, tuple[float, ...]]:
    """Class, identity (-1 unknown) and relative xyxy of a row.

    Raises:
        ValueError: It is none.
    """
    try:
        values = [float(part) for part in parts]
    except ValueError:
        raise ValueError("expected numbers") from None
    if not all(map(math.isfinite, values)):
        raise ValueError("expected finite numbers")
    label = int(values[0]) if values and values[0] == int(values[0]) else -1
    if not 0 <= label < num_classes:
        raise ValueError(f"expected a class of 0..{num_classes - 1}")
    rest = values[1:]
    if len(rest) == (5 if track_ids else 4):
        x, y, width, height = rest[:4]
        identity = max(int(rest[4]), UNKNOWN) if track_ids else UNKNOWN
        return label, identity, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if not track_ids and len(rest) >= 6 and len(rest) % 2 == 0:
        across, down = rest[::2], rest[1::2]
        return label, UNKNOWN, (min(across), min(down), max(across), max(down))
    raise ValueError(
        "expected class, centre x, centre y, width, height"
        + (", identity" if track_ids else ", or class and a polygon")
        + (" (six numbers: --track-ids?)" if len(rest) == 5 else "")
    )


def _to_targets(
    rows: Sequence[tuple[int, int, tuple[float, ...]]],
    size: tuple[int, int],
    folder: Path,
    identities: dict[tuple[Path, int], int],
) -> Targets:
    boxes = np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4)
    known = [
        identities.setdefault((folder, row[1]), len(identities)) if row[1] >= 0 else UNKNOWN
        for row in rows
    ]
    return Targets.of(
        boxes * np.tile(np.array(size, dtype=np.float64), 2),
        identities=np.array(known, dtype=np.int64),
        labels=np.array([row[0] for row in rows], dtype=np.int64),
    )
