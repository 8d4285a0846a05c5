"""Every converter's output in the datasets that training reads: the boxes of the original files."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from original_sets import (
    BENCHMARKS,
    write_benchmark,
    write_caltech,
    write_citypersons,
    write_coco,
    write_crowdhuman,
    write_cuhk_sysu,
    write_eth,
    write_prw,
    write_yolo,
)
from tiny_tools import call_tool

from mmdeepmot.datasets import JDEListDataset, MOTChallengeDataset
from mmdeepmot.datasets.index import AnnotationIndex

Row = tuple[list[float], int | None, int, bool]
"""xyxy px, who it is in the original files (None: nobody knows), class, whether it is ignored."""


def seen(left: float, person: int | None = None, label: int = 0) -> Row:
    """A box of 8x20 px, 8 px below the top, as most are here."""
    return [left, 8, left + 8, 28], person, label, False


def ignored(*box: float) -> Row:
    return list(box), None, 0, True


def coco_without_photograph(folder: Path) -> Path:
    return coco(folder, photograph=False)


def coco(folder: Path, photograph: bool = True) -> Path:
    images, content = write_coco(folder)
    if not photograph:
        content["images"].pop()
    (folder / "coco.json").write_text(json.dumps(content))
    return images


@dataclass(frozen=True)
class Case:
    """An original set and what it says, image by image in the order of the dataset.

    Attributes:
        tool: The converter.
        write: Writes the original set.
        images: Rows of each image, by the end of its path.
        list_name: The list file; None: the split ``train`` as MOTChallenge folders.
        arguments: More of the converter.
        options: Of the dataset.
    """

    tool: str
    write: Callable[[Path], Path]
    images: Mapping[str, Sequence[Row]]
    list_name: str | None
    arguments: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


MOT = {
    name: {
        f"/{1:0{digits}d}.jpg": [seen(4, 3)],
        f"/{2:0{digits}d}.jpg": [],
        f"/{3:0{digits}d}.jpg": [seen(6, 3), seen(30, 9)],
    }
    for name, (_, digits, _) in BENCHMARKS.items()
}
for name in ("MOT16", "MOT17", "MOT20"):
    MOT[name]["/000001.jpg"].append(ignored(20, 8, 28, 28))  # class 8, a distractor
MOT["MOT20"]["/000001.jpg"].append(ignored(50, 8, 58, 28))  # class 6, which only MOT20 ignores
CLASSES = ("person", "dog")
DOGS = {
    "/street/a.jpg": [seen(5, 5), seen(20, 0, label=1)],
    "/street/b.jpg": [seen(4, 5)],
    "alone.jpg": [seen(4, 50), ignored(30, 8, 50, 28)],  # a track 5 that is of no video
}
WALK = [
    [([24, 12, 40, 36], 4, 1, False)],
    [([8, 12, 24, 36], 4, 1, False), ([40, 12, 56, 36], 9, 0, False)],
]
CASES = {
    "eth": Case(
        "eth",
        write_eth,
        {
            "/00000004.png": [seen(4), ([20, 8, 30, 28], None, 0, False)],
            "/00000008.png": [],
            "/00000012.png": [seen(5)],
        },
        "eth.train",
    ),
    "caltech": Case(
        "caltech",
        write_caltech,
        {
            "set00_V000_0.jpg": [seen(4, 1), ignored(30, 8, 50, 28)],
            "set00_V000_2.jpg": [seen(5, 1), seen(20, 3)],
        },
        "caltech.train",
    ),
    "citypersons": Case(
        "citypersons",
        write_citypersons,
        {
            "ulm_000000_000019_leftImg8bit.png": [
                seen(4),
                seen(20),
                ignored(40, 0, 50, 10),
                ignored(50, 0, 60, 10),
            ],
            "bremen_000001_000019_leftImg8bit.png": [seen(4)],
        },
        "citypersons.train",
        options={"videos": False},
    ),
    "crowdhuman": Case(
        "crowdhuman",
        write_crowdhuman,
        {
            "/1,a.jpg": [
                ([-4, 8, 12, 40], None, 0, False),
                ignored(20, 4, 28, 20),
                ignored(30, 0, 50, 20),
            ],
            "/2,b.jpg": [([10, 10, 20, 30], None, 0, False)],
        },
        "crowdhuman.train",
        options={"videos": False},
    ),
    "cuhk_sysu": Case(
        "cuhk_sysu",
        write_cuhk_sysu,
        {"/s1.jpg": [seen(4, 2), seen(20, 1)], "/s2.jpg": [seen(4, 2)]},
        "cuhksysu.train",
        options={"videos": False},
    ),
    "prw": Case(
        "prw",
        write_prw,
        {"/c1s1_000151.jpg": [seen(4.5, 479), seen(20)], "/c1s1_000176.jpg": [seen(6, 479)]},
        "prw.train",
        options={"videos": False},
    ),
    "coco": Case("coco", coco, DOGS, "coco.train", options={"videos": False, "classes": CLASSES}),
    "coco as folders": Case(
        "coco",
        coco_without_photograph,
        {"/000001.jpg": DOGS["/street/a.jpg"], "/000002.jpg": DOGS["/street/b.jpg"]},
        None,
        options={"classes": {"person": 1, "dog": 2}},
    ),
    "yolo": Case(
        "yolo",
        write_yolo,
        dict(zip(("/f2.jpg", "/f10.jpg"), WALK, strict=True)),
        "yolo.train",
        ("--track-ids", "--videos"),
        {"classes": CLASSES},
    ),
    "yolo as folders": Case(
        "yolo",
        write_yolo,
        dict(zip(("/000001.jpg", "/000002.jpg"), WALK, strict=True)),
        None,
        ("--track-ids", "--videos"),
        {"classes": {"person": 1, "dog": 2}},
    ),
    **{
        name: Case(
            "mot_challenge",
            lambda folder, name=name: write_benchmark(folder, name),
            images,
            f"{name.lower()}.train",
        )
        for name, images in MOT.items()
    },
}


def convert(case: Case, folder: Path) -> AnnotationIndex:
    """What the real dataset reads of the converted set."""
    source, out = case.write(folder), folder / "out"
    form = "mot" if case.list_name is None else "lists"
    arguments = ["--out", out, "--form", form, *case.arguments]
    if case.tool == "coco":
        arguments += ["--train", folder / "coco.json"]
    assert call_tool(case.tool, source, *arguments) == 0
    if case.list_name is None:
        return MOTChallengeDataset(out / "train", **case.options).index
    return JDEListDataset(out / "lists" / case.list_name, out, **case.options).index


def check(index: AnnotationIndex, images: Mapping[str, Sequence[Row]]) -> None:
    boxes = index.boxes
    assert len(index) == len(images)
    persons: dict[int, int] = {}
    for frame, (end, rows) in enumerate(images.items()):
        assert index.paths[frame].endswith(end)
        here = index.rows(frame)
        expected = np.array([box for box, *_ in rows]).reshape(-1, 4)
        np.testing.assert_allclose(boxes.bboxes[here], expected, atol=1e-4)
        assert boxes.labels[here].tolist() == [label for *_, label, _ in rows]
        assert boxes.ignore[here].tolist() == [ignore for *_, ignore in rows]
        for found, (_, person, *_) in zip(boxes.identities[here].tolist(), rows, strict=True):
            if person is None:
                assert found == -1
            else:
                assert persons.setdefault(person, found) == found
    assert sorted(persons.values()) == list(range(index.num_identities))  # each its own


@pytest.mark.parametrize("name", CASES)
def test_boxes_and_identities_of_the_original(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MMDEEPMOT_CACHE", str(tmp_path / "cache"))
    check(convert(CASES[name], tmp_path), CASES[name].images)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmarks_as_they_are(name: str, tmp_path: Path) -> None:
    check(MOTChallengeDataset(write_benchmark(tmp_path, name) / "train").index, MOT[name])
