"""COCO-style JSON, with videos and identities where it has them, of several classes.

``images`` (``id``, ``file_name``, ``width``, ``height``; ``video_id``, ``frame_id``),
``annotations`` (``image_id``, ``bbox`` left, top, width, height in px, ``category_id``;
``iscrowd``, ``ignore``; ``track_id`` or ``instance_id``), ``categories`` (``id``, ``name``), and
``videos`` (``id``, ``name``, ``fps``). Crowds and ignored boxes are regions to ignore. A
``track_id`` holds in its video, or in all images where there are no videos.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mmdeepmot.converters.source import UNKNOWN, Clip, Picture, SourceSet, Targets, tlwh
from mmdeepmot.errors import InputError

_IDENTITY_KEYS = ("track_id", "instance_id")
_FRAME_KEYS = ("frame_id", "frame_index")
_FPS = 30.0
_UNFIT = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What values of other types or sizes than expected raise."""


def read_coco(
    files: Mapping[str, Path],
    images: Path,
    name: str,
    categories: Sequence[str] | None = None,
) -> SourceSet:
    """COCO-style files, one for each split.

    Args:
        files: Split -> JSON file.
        images: Folder to which ``file_name`` is relative.
        name: Of the set.
        categories: Names of those that count, in the order of their classes; others are left out.
            None: all, by ascending id.

    Raises:
        FileNotFoundError: A JSON file is missing.
        InputError: It is no such file, or a category is unknown.
    """
    source = SourceSet(name, name, {})
    first_identity = 0
    for split, file in files.items():
        content = _load(file)
        classes = _classes(content["categories"], categories, file)
        names = list(classes.values())
        if source.splits and list(source.classes) != names:
            raise InputError(
                f"{file}: expected the categories of the splits before, {list(source.classes)}, "
                f"got {names}"
            )
        source.classes = names
        clips, first_identity = _read_split(content, file, images, classes, first_identity, source)
        source.splits[split] = clips
    return source


def _load(file: Path) -> dict[str, list[dict[str, Any]]]:
    if not file.is_file():
        raise FileNotFoundError(f"{file}: expected a COCO-style JSON file, found none")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: expected a JSON file ({error})") from None
    for key in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise InputError(
                f"{file}: expected an object with the lists 'images', 'annotations' and "
                f"'categories' (COCO), found no list {key!r}"
            )
    return content


def _classes(
    found: list[dict[str, Any]], wanted: Sequence[str] | None, file: Path
) -> dict[int, str]:
    """Category id -> name, in the order of the classes."""
    try:
        names = {int(entry["id"]): str(entry["name"]) for entry in found}
    except _UNFIT:
        raise InputError(f"{file}: expected 'id' and 'name' in every category") from None
    if wanted is None:
        return dict(sorted(names.items()))
    ids = {name: number for number, name in names.items()}
    unknown = [name for name in wanted if name not in ids]
    if unknown:
        raise InputError(f"{file}: no category is called {unknown[0]!r}: there are {sorted(ids)}")
    return {ids[name]: name for name in wanted}


def _read_split(
    content: dict[str, list[dict[str, Any]]],
    file: Path,
    images: Path,
    classes: dict[int, str],
    first_identity: int,
    source: SourceSet,
) -> tuple[list[Clip], int]:
    """Clips, and the first identity that the next split may use."""
    clips = _clips(content.get("videos") or [], file, source)
    heap = Clip(file.stem, [], is_video=False)
    rows = _rows(content["annotations"], classes, file, source)
    numbers: dict[tuple[Any, int], int] = {}
    order: dict[int, int] = {}
    seen: set[Any] = set()
    for entry_number, entry in enumerate(content["images"]):
        where = f"{file}: images[{entry_number}]"
        try:
            name, number, video = str(entry["file_name"]), entry["id"], entry.get("video_id")
            size = _size(entry)
            frame = int(_first_known(entry, _FRAME_KEYS, entry_number))
            again, unheard_of = number in seen, video is not None and video not in clips
        except _UNFIT as error:
            source.bad_files.append(
                f"{where}: expected 'id' and 'file_name', and numbers for sizes and frames "
                f"({error!r})"
            )
            continue
        if again:
            source.bad_files.append(f"{where}: the id {number!r} is another image's: left out")
            continue
        if unheard_of:
            source.bad_rows.append(
                f"{where}: video_id {video!r} is none of 'videos': the image is taken for a "
                "photograph"
            )
        clip = clips.get(video, heap)
        seen.add(number)
        known = rows.pop(number, [])
        for row in known:
            if row[1] != UNKNOWN:
                next_one = first_identity + len(numbers)
                row[1] = numbers.setdefault((video, row[1]), next_one)
        picture = Picture(name, images / PurePosixPath(name), _targets(known), size, where)
        order[id(picture)] = frame
        clip.pictures.append(picture)
    for number, lost in rows.items():
        source.bad_rows.append(f"{file}: {len(lost)} annotations of an image {number!r}, unknown")
    for clip in clips.values():
        clip.pictures.sort(key=lambda picture: order[id(picture)])
    found = [clip for clip in (*clips.values(), heap) if clip.pictures]
    return found, first_identity + len(numbers)


def _clips(videos: list[Any], file: Path, source: SourceSet) -> dict[Any, Clip]:
    """A clip for each video's id."""
    clips = {}
    for number, video in enumerate(videos):
        where = f"{file}: videos[{number}]"
        try:
            clip = clips[video["id"]] = Clip(str(video["name"]), [], _FPS)
            fps = _first_known(video, ("fps",), _FPS)
        except _UNFIT as error:
            source.bad_rows.append(
                f"{where}: expected 'id' and 'name' ({error!r}): its images are taken for "
                "photographs"
            )
            continue
        if isinstance(fps, int | float) and 0 < fps < math.inf:
            clip.fps = float(fps)
        else:
            source.bad_rows.append(
                f"{where}: expected frames per second, got {fps!r}: {_FPS:g} are taken"
            )
    return clips


def _first_known(entry: dict[str, Any], keys: Sequence[str], default: Any) -> Any:
    """The first of the values that is there and not null."""
    return next((entry[key] for key in keys if entry.get(key) is not None), default)


def _size(entry: dict[str, Any]) -> tuple[int, int] | None:
    if entry.get("width") is not None and entry.get("height") is not None:
        return int(entry["width"]), int(entry["height"])
    return None


def _rows(
    annotations: list[dict[str, Any]], classes: dict[int, str], file: Path, source: SourceSet
) -> dict[Any, list[list[Any]]]:
    """For each image rows of box, identity, class, whether it is to be ignored."""
    labels = {category: label for label, category in enumerate(classes)}
    rows: dict[Any, list[list[Any]]] = {}
    others = 0
    for number, entry in enumerate(annotations):
        try:
            image, category = entry["image_id"], int(entry["category_id"])
            box = [float(value) for value in entry["bbox"]]
            if len(box) != 4:
                raise ValueError(f"{len(box)} numbers in bbox")
            identity = max(int(_first_known(entry, _IDENTITY_KEYS, UNKNOWN)), UNKNOWN)
            ignore = bool(entry.get("iscrowd", 0)) or bool(entry.get("ignore", 0))
        except _UNFIT as error:
            source.bad_rows.append(
                f"{file}: annotations[{number}]: expected 'image_id', 'category_id' and 'bbox' of "
                f"four numbers ({type(error).__name__}: {error}): left out"
            )
            continue
        if category not in labels:
            others += 1
            continue
        rows.setdefault(image, []).append([box, identity, labels[category], ignore])
    if others:
        source.notes.append(
            f"{file}: {others} boxes of other categories than {[*classes.values()]}"
        )
    return rows


def _targets(rows: list[list[Any]]) -> Targets:
    return Targets.of(
        tlwh([row[0] for row in rows]),
        identities=np.array([row[1] for row in rows], dtype=np.int64),
        labels=np.array([row[2] for row in rows], dtype=np.int64),
        ignore=np.array([row[3] for row in rows], dtype=bool),
    )
