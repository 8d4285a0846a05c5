"""CrowdHuman (Shao et al., arXiv:1805.00123): ``annotation_SPLIT.odgt``, a JSON object a line.

``ID`` names the image ``Images/ID.jpg``; of its ``gtboxes`` those with the tag ``person`` count,
others (``mask``: crowds, reflections) and those with ``extra.ignore`` 1 are regions to ignore.
``fbox`` is the whole person, ``vbox`` the visible part, ``hbox`` the head (to be ignored where
``head_attr.ignore`` is 1); all left, top, width, height in px. Nobody has an identity.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmdeepmot.converters.source import Clip, Picture, SourceSet, Targets, tlwh, visible_part
from mmdeepmot.errors import InputError

BoxKind = Literal["full", "visible", "head"]
Identities = Literal["none", "each"]
_KEYS = {"full": "fbox", "visible": "vbox", "head": "hbox"}


def read_crowdhuman(
    root: Path, boxes: BoxKind = "full", identities: Identities = "none"
) -> SourceSet:
    """CrowdHuman from a folder that holds ``annotation_train.odgt``, ``annotation_val.odgt``.

    Args:
        root: The folder; images lie in ``Images``, ``CrowdHuman_train/Images`` or alike.
        boxes: Which of a person's boxes.
        identities: ``none``, or ``each``: every box an identity of its own, as FairMOT trains on
            single images (paper, Sec. 4.2).

    Raises:
        FileNotFoundError: There is no annotation file.
    """
    files = {
        split: root / f"annotation_{split}.odgt"
        for split in ("train", "val")
        if (root / f"annotation_{split}.odgt").is_file()
    }
    if not files:
        raise FileNotFoundError(
            f"{root}: expected annotation_train.odgt or annotation_val.odgt, found neither"
        )
    source = SourceSet("crowdhuman", "CrowdHuman", {})
    next_identity = 0
    for split, file in files.items():
        clip = Clip(split, [], is_video=False)
        folders = [
            folder
            for folder in (
                root / f"CrowdHuman_{split}" / "Images",
                root / f"Images_{split}",
                root / split,
                root / "Images",
                root / "images",
            )
            if folder.is_dir()
        ]
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            where = f"{file}:{number}"
            if not line.strip():
                continue
            try:
                name, targets = parse_line(line, _KEYS[boxes])
            except InputError as error:
                source.bad_files.append(f"{where}: {error}")
                continue
            if identities == "each":
                known = np.flatnonzero(~targets.ignore)
                targets.identities[known] = next_identity + np.arange(len(known))
                next_identity += len(known)
            image = _find(folders, f"{name}.jpg", root)
            clip.pictures.append(Picture(f"{split}/{name}.jpg", image, targets, where=where))
        source.splits[split] = [clip]
    return source


def parse_line(line: str, key: str) -> tuple[str, Targets]:
    """One image of an ``.odgt`` file.

    Args:
        line: A JSON object.
        key: Which box: ``fbox``, ``vbox`` or ``hbox``.

    Returns:
        The image's ID and its boxes.

    Raises:
        InputError: The line is not such an object.
    """
    try:
        entry: dict[str, Any] = json.loads(line)
        name, found = str(entry["ID"]), entry["gtboxes"]
        rows = [_row(box, key) for box in found]
    except json.JSONDecodeError as error:
        raise InputError(f"expected a JSON object ({error})") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"expected 'ID' and 'gtboxes' with 'tag' and {key!r}, each of four numbers "
            f"({type(error).__name__}: {error})"
        ) from None
    boxes = tlwh([row[0] for row in rows])
    visible = tlwh([row[1] for row in rows])
    ignore = [row[2] for row in rows]
    visibility = visible_part(visible, boxes) if key == "fbox" else None
    return name, Targets.of(boxes, ignore=ignore, visibility=visibility)


def _row(box: dict[str, Any], key: str) -> tuple[list[float], list[float], bool]:
    """The box, its visible part, and whether it is to be ignored."""
    marks = [box.get("extra", {}), box.get("head_attr", {}) if key == _KEYS["head"] else {}]
    ignore = box["tag"] != "person" or any(int(mark.get("ignore", 0)) == 1 for mark in marks)
    chosen = [float(value) for value in box[key]]
    visible = [float(value) for value in box.get("vbox", box[key])]
    if len(chosen) != 4 or len(visible) != 4:
        raise ValueError(f"{len(chosen)} numbers in {key}")
    return chosen, visible, ignore


def _find(folders: Sequence[Path], name: str, root: Path) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    return (folders[0] if folders else root / "Images") / name
