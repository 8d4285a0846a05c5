"""Caltech Pedestrian (Dollar et al., CVPR 2009): ``setNN/VNNN.seq`` and ``.vbb``.

A ``.vbb`` is a MATLAB file with a struct ``A``: for each frame ``objLists`` has the objects, each
with ``id`` (an index of ``objLbl``), ``pos`` and ``posv`` (left, top, width, height of the whole
and, where ``occl``, of the visible part; the first pixel is 1). ``person`` is one person;
``people``, ``person?``, ``person-fa`` and all others are regions to ignore. An id holds in its
video.
"""

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmdeepmot.converters.matfile import as_list, field, one_row, read_mat
from mmdeepmot.converters.seq_video import read_seq
from mmdeepmot.converters.source import Clip, Picture, Piece, SourceSet, Targets, tlwh, visible_part
from mmdeepmot.errors import InputError

Frames = Literal["persons", "all"]
TRAIN_SETS = tuple(f"set{number:02d}" for number in range(6))
VAL_SETS = tuple(f"set{number:02d}" for number in range(6, 11))
"""The benchmark's own division; the community's lists are of the same."""

EMBEDDING_IMAGES = 10_000
"""Images of ``caltech.10k.val``, on which embeddings are tested."""

FPS = 30.0
_IDS_A_VIDEO = 100_000
_EXTRACTED = re.compile(r"(set\d+)_(V\d+)_(\d+)\.(?:png|jpe?g)$")


def read_caltech(root: Path, frames: Frames = "persons", step: int = 1) -> SourceSet:
    """Caltech Pedestrian.

    Args:
        root: Holds ``.vbb`` files in folders ``setNN`` at any depth, and ``.seq`` files likewise,
            or frames extracted from them, ``setNN_VNNN_FRAME.png``, frames from 0.
        frames: Only frames in which a person is labelled, or all.
        step: One frame in so many, the last of each: from 0, ``step - 1``, ``2 * step - 1``, ... as
            the benchmark's toolbox takes them.

    Raises:
        FileNotFoundError: There is no ``.vbb`` file.
        InputError: ``step`` is below 1.
    """
    if step < 1:
        raise InputError(f"step must be at least 1, got {step}")
    labels = {(file.parent.name, file.stem): file for file in sorted(root.rglob("*.vbb"))}
    if not labels:
        raise FileNotFoundError(f"{root}: expected annotations setNN/VNNN.vbb, found none")
    videos = {(file.parent.name, file.stem): file for file in root.rglob("*.seq")}
    extracted = _extracted_frames(root)
    source = SourceSet("caltech", "Caltech", {})
    splits: dict[str, list[Clip]] = {"train": [], "val": []}
    for number, (key, file) in enumerate(labels.items()):
        split = "train" if key[0] in TRAIN_SETS else "val" if key[0] in VAL_SETS else None
        if split is None:
            source.notes.append(f"{file}: {key[0]} is in no split")
            continue
        try:
            targets = read_vbb(file, number * _IDS_A_VIDEO)
            images, fps = _images(key, videos, extracted, source, file)
        except (InputError, FileNotFoundError) as error:
            source.bad_files.append(str(error))
            continue
        chosen = [
            row
            for row in range(step - 1, len(targets), step)
            if frames == "all" or (~targets[row].ignore).any()
        ]
        missing = [row for row in chosen if row not in images]
        if missing:
            source.bad_files.append(
                f"{file}: expected an image for each of its {len(targets)} frames, {len(missing)} "
                f"of the {len(chosen)} wanted have none, the first is frame {missing[0]}"
            )
        name = "_".join(key)
        pictures = [
            Picture(
                f"{name}_{row}{images[row].suffix}",
                images[row],
                targets[row],
                where=f"{file}: frame {row}",
            )
            for row in chosen
            if row in images
        ]
        if pictures:
            splits[split].append(Clip(name, pictures, fps / step))
    source.splits = {split: clips for split, clips in splits.items() if clips}
    source.subsets = {"10k.val": ("val", EMBEDDING_IMAGES)}
    return source


def read_vbb(file: Path, first_identity: int = 0) -> list[Targets]:
    """Boxes of every frame of a ``.vbb`` file.

    Args:
        file: The file.
        first_identity: Added to the ids of its persons.

    Raises:
        InputError: It is no such file.
    """
    content = read_mat(file, "A")
    names = [str(name) for name in as_list(field(content, "objLbl", str(file)))]
    frames = []
    for row, objects in enumerate(_frames(content, file)):
        where = f"{file}: frame {row}"
        found = [one for one in as_list(objects) if not _is_empty(one)]
        ids = np.array([int(field(one, "id", where)) for one in found], dtype=np.int64)
        if len(ids) and not (ids.min() >= 1 and ids.max() <= len(names)):
            raise InputError(
                f"{where}: expected ids of 1..{len(names)} (objLbl), got {ids.tolist()}"
            )
        boxes = _boxes([field(one, "pos", where) for one in found], where)
        occluded = np.array([bool(getattr(one, "occl", 0)) for one in found], dtype=bool)
        parts = [getattr(one, "posv", 0) for one in found]
        whole = np.array([np.size(part) != 4 or not np.any(part) for part in parts], dtype=bool)
        seen = _boxes([np.zeros(4) if w else p for p, w in zip(parts, whole, strict=True)], where)
        visibility = np.where(occluded & ~whole, visible_part(seen, boxes), 1.0)
        person = np.array([names[one - 1] == "person" for one in ids], dtype=bool)
        frames.append(Targets.of(boxes, first_identity + ids, ~person, visibility=visibility))
    return frames


def _frames(content: Any, file: Path) -> list[Any]:
    """Objects of every frame; a cell of one frame is read as what is in it."""
    objects = field(content, "objLists", str(file))
    return [objects] if int(field(content, "nFrame", str(file))) == 1 else as_list(objects)


def _is_empty(one: Any) -> bool:
    return isinstance(one, np.ndarray) and one.size == 0


def _boxes(rows: list[Any], where: str) -> np.ndarray:
    return tlwh([one_row(row, 4, where) for row in rows], base=1.0)


def _extracted_frames(root: Path) -> dict[tuple[str, str], dict[int, Path]]:
    found: dict[tuple[str, str], dict[int, Path]] = {}
    for pattern in ("*.png", "*.jpg", "*.jpeg"):
        for file in root.rglob(pattern):
            match = _EXTRACTED.fullmatch(file.name)
            if match:
                found.setdefault((match[1], match[2]), {})[int(match[3])] = file
    return found


def _images(
    key: tuple[str, str],
    videos: dict[tuple[str, str], Path],
    extracted: dict[tuple[str, str], dict[int, Path]],
    source: SourceSet,
    labels: Path,
) -> tuple[dict[int, Piece] | dict[int, Path], float]:
    """Images of a video by frame number, and frames per second."""
    if key in videos:
        video = read_seq(videos[key])
        if video.problem:
            source.bad_files.append(video.problem)
        return dict(enumerate(video.frames)), video.fps
    if key in extracted:
        return extracted[key], FPS
    raise FileNotFoundError(
        f"{labels}: expected the video {key[0]}/{key[1]}.seq, or its frames "
        f"{key[0]}_{key[1]}_0.png, ...; found neither"
    )
