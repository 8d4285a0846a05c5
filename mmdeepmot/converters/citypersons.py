"""CityPersons (Zhang et al., CVPR 2017): boxes on Cityscapes' images, ``anno_SPLIT.mat``.

``anno_train_aligned`` is a cell of structs ``cityname``, ``im_name`` and ``bbs``, whose rows are
class, left, top, width, height, instance, and the visible box's left, top, width, height, in px.
Classes: 0 ignore, 1 pedestrian, 2 rider, 3 sitting, 4 other posture, 5 group of people. An instance
number holds inside one image only: nobody has an identity.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmdeepmot.converters.matfile import as_list, field, numbers, read_mat
from mmdeepmot.converters.source import Clip, Picture, SourceSet, Targets, tlwh, visible_part
from mmdeepmot.errors import InputError

BoxKind = Literal["full", "visible"]
PERSONS = (1, 2, 3, 4)
"""Classes that are single people."""

_COLUMNS = 10
_SPLITS = ("train", "val")


def read_citypersons(
    root: Path, boxes: BoxKind = "full", pedestrians_only: bool = False
) -> SourceSet:
    """CityPersons from Cityscapes' folder.

    Args:
        root: Holds ``leftImg8bit/SPLIT/CITY/*.png``, and ``anno_train.mat`` and ``anno_val.mat``
            in itself, ``annotations`` or ``gtBbox``.
        boxes: The whole person or the visible part.
        pedestrians_only: Riders, sitting people and other postures are ignored, as the benchmark
            does.

    Raises:
        FileNotFoundError: There is no annotation file.
    """
    source = SourceSet("citypersons", "Cityscapes", {})
    wanted = PERSONS[:1] if pedestrians_only else PERSONS
    found = False
    for split in _SPLITS:
        file = _annotation_file(root, split)
        if file is None:
            continue
        found = True
        try:
            entries = as_list(read_mat(file, f"anno_{split}_aligned", f"anno_{split}"))
        except InputError as error:
            source.bad_files.append(str(error))
            continue
        clip = Clip(split, [], is_video=False)
        for number, entry in enumerate(entries, start=1):
            where = f"{file}: image {number}"
            try:
                clip.pictures.append(_picture(entry, where, root, split, boxes, wanted))
            except InputError as error:
                source.bad_files.append(str(error))
        source.splits[split] = [clip]
    if not found:
        raise FileNotFoundError(
            f"{root}: expected anno_train.mat or anno_val.mat (here, in annotations/ or gtBbox/), "
            "found neither"
        )
    return source


def _annotation_file(root: Path, split: str) -> Path | None:
    for folder in (root, root / "annotations", root / "gtBbox"):
        if (folder / f"anno_{split}.mat").is_file():
            return folder / f"anno_{split}.mat"
    return None


def _picture(
    entry: Any, where: str, root: Path, split: str, boxes: BoxKind, wanted: tuple[int, ...]
) -> Picture:
    name = str(field(entry, "im_name", where))
    city = str(field(entry, "cityname", where))
    table = numbers(field(entry, "bbs", where), _COLUMNS, where)
    full, visible = tlwh(table[:, 1:5]), tlwh(table[:, 6:10])
    image = root / "leftImg8bit" / split / city / name
    if not image.is_file():  # some cities are spelt differently in the annotations
        image = image.parent.with_name(name.split("_")[0]) / name
    targets = Targets.of(
        full if boxes == "full" else visible,
        ignore=~np.isin(table[:, 0], wanted),
        visibility=visible_part(visible, full) if boxes == "full" else None,
    )
    return Picture(f"{split}/{image.parent.name}/{name}", image, targets, where=where)
