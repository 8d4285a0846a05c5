"""CUHK-SYSU (Xiao et al., CVPR 2017): photographs ``Image/SSM/*.jpg`` with annotations in MATLAB.

``annotation/Images.mat`` has for each image ``imname`` and ``box`` with ``idlocate`` (left, top,
width, height in px); ``annotation/Person.mat`` for each person ``idname`` and ``scene`` with
``imname`` and ``idlocate``: a box is a person's where both are equal. ``annotation/pool.mat`` names
the test images; all others are for training.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mmdeepmot.converters.matfile import as_list, field, numbers, one_row, read_mat
from mmdeepmot.converters.source import UNKNOWN, Clip, Picture, SourceSet, Targets, tlwh
from mmdeepmot.errors import InputError

Place = tuple[str, tuple[float, ...]]


def read_cuhk_sysu(root: Path) -> SourceSet:
    """CUHK-SYSU: training images as ``train``, the gallery of the test as ``val``.

    Args:
        root: Holds ``Image/SSM`` and ``annotation``.

    Raises:
        FileNotFoundError: An annotation file is missing.
        InputError: An annotation file cannot be read.
    """
    folder = root / "annotation"
    if not folder.is_dir():
        raise FileNotFoundError(f"{root}: expected a folder annotation with Images.mat, found none")
    images = as_list(read_mat(folder / "Images.mat", "Img"))
    persons = as_list(read_mat(folder / "Person.mat", "Person"))
    test = {str(name) for name in as_list(read_mat(folder / "pool.mat", "pool"))}
    source = SourceSet("cuhksysu", "CUHKSYSU", {})
    identities = _identities(persons, folder / "Person.mat", source)
    clips = {name: Clip(name, [], is_video=False) for name in ("train", "val")}
    placed: set[Place] = set()
    for number, entry in enumerate(images, start=1):
        where = f"{folder / 'Images.mat'}: image {number}"
        try:
            name = str(field(entry, "imname", where))
            boxes = numbers(
                [_place(box, where) for box in as_list(field(entry, "box", where))], 4, where
            )
        except InputError as error:
            source.bad_files.append(str(error))
            continue
        places: list[Place] = [(name, tuple(row)) for row in boxes.tolist()]
        known = [identities.get(place, UNKNOWN) for place in places]
        placed.update(place for place in places if place in identities)
        targets = Targets.of(tlwh(boxes), known)
        clips["val" if name in test else "train"].pictures.append(
            Picture(name, root / "Image" / "SSM" / name, targets, where=where)
        )
    lost = sorted(set(identities) - placed)
    source.bad_rows += [
        f"{folder / 'Person.mat'}: person {identities[place]} at {list(place[1])} of {place[0]}, "
        "where Images.mat has no box"
        for place in lost
    ]
    source.splits = {name: [clip] for name, clip in clips.items() if clip.pictures}
    return source


def _identities(persons: list[Any], file: Path, source: SourceSet) -> dict[Place, int]:
    """Person (a number) of each place that one is known for."""
    found: dict[Place, int] = {}
    for number, person in enumerate(persons):
        where = f"{file}: person {number + 1}"
        try:
            for scene in as_list(field(person, "scene", where)):
                name = str(field(scene, "imname", where))
                found[name, tuple(_place(scene, where).tolist())] = number
        except InputError as error:
            source.bad_rows.append(str(error))
    return found


def _place(struct: Any, where: str) -> np.ndarray:
    """``idlocate`` as four float64: left, top, width, height."""
    return one_row(field(struct, "idlocate", where), 4, where)
