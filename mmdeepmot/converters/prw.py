"""PRW (Zheng et al., CVPR 2017): frames ``frames/*.jpg`` with ``annotations/*.jpg.mat``.

An annotation is a matrix whose rows are identity, left, top, width, height in px; identity -2 is
somebody unknown. ``frame_train.mat`` and ``frame_test.mat`` name the frames of the two splits.
"""

from pathlib import Path

import numpy as np

from mmdeepmot.converters.matfile import as_list, numbers, read_mat
from mmdeepmot.converters.source import UNKNOWN, Clip, Picture, SourceSet, Targets, tlwh
from mmdeepmot.errors import InputError

_VARIABLES = ("box_new", "anno_file", "anno_previous")


def read_prw(root: Path) -> SourceSet:
    """PRW: training frames as ``train``, test frames as ``val``.

    Args:
        root: Holds ``frames``, ``annotations``, ``frame_train.mat`` and ``frame_test.mat``.

    Raises:
        FileNotFoundError: Neither of the two is there.
    """
    source = SourceSet("prw", "PRW", {})
    found = False
    for split, part in (("train", "train"), ("val", "test")):
        file = root / f"frame_{part}.mat"
        if not file.is_file():
            continue
        found = True
        try:
            names = [str(name) for name in as_list(read_mat(file, f"img_index_{part}"))]
        except InputError as error:
            source.bad_files.append(str(error))
            continue
        clip = Clip(split, [], is_video=False)
        for name in names:
            name = name if name.endswith(".jpg") else f"{name}.jpg"
            path = root / "annotations" / f"{name}.mat"
            try:
                targets = _read_frame(path)
            except (InputError, FileNotFoundError) as error:
                source.bad_files.append(str(error))
                continue
            clip.pictures.append(Picture(name, root / "frames" / name, targets, where=str(path)))
        if clip.pictures:
            source.splits[split] = [clip]
    if not found:
        raise FileNotFoundError(
            f"{root}: expected frame_train.mat or frame_test.mat, found neither"
        )
    return source


def _read_frame(path: Path) -> Targets:
    table = numbers(read_mat(path, *_VARIABLES), 5, str(path))
    identities = np.where(table[:, 0] >= 0, table[:, 0], UNKNOWN)
    return Targets.of(tlwh(table[:, 1:]), identities)
