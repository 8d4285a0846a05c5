"""The papers' data sets in small, each in its original format."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from originals import cell, encoded, structs, write_image, write_mat, write_seq


def person(box: list[float], visible: list[float] | None = None, **more: Any) -> dict[str, Any]:
    return {"tag": "person", "fbox": box, "vbox": visible or box, "hbox": [1, 2, 3, 4], **more}


def write_crowdhuman(folder: Path) -> Path:
    """Two images of CrowdHuman's training set: persons, one to ignore, a crowd."""
    root = folder / "CrowdHuman"
    crowd = {"tag": "mask", "fbox": [30, 0, 20, 20], "vbox": [30, 0, 20, 20], "hbox": [0, 0, 1, 1]}
    entries = [
        {
            "ID": "1,a",
            "gtboxes": [
                person([-4, 8, 16, 32], [0, 8, 12, 16]),
                person([20, 4, 8, 16], extra={"ignore": 1}),
                crowd,
            ],
        },
        {"ID": "2,b", "gtboxes": [person([10, 10, 10, 20], extra={"box_id": 0, "occ": 1})]},
    ]
    root.mkdir()
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    (root / "annotation_train.odgt").write_text(text)
    for row, entry in enumerate(entries):
        write_image(root / "Images" / f"{entry['ID']}.jpg", seed=row)
    return root


def write_citypersons(folder: Path) -> Path:
    """Two images of CityPersons' training set, a city spelt in two ways."""
    root = folder / "Cityscapes"
    one = "ulm_000000_000019_leftImg8bit.png"
    two = "bremen_000001_000019_leftImg8bit.png"
    rows = np.array(
        [
            [1, 4, 8, 8, 20, 24001, 4, 8, 8, 10],
            [2, 20, 8, 8, 20, 25000, 20, 8, 8, 20],
            [0, 40, 0, 10, 10, 0, 40, 0, 10, 10],
            [5, 50, 0, 10, 10, 0, 50, 0, 10, 10],
        ],
        dtype=np.int32,
    )
    entries = [
        {"cityname": "ulm", "im_name": one, "bbs": rows},
        {"cityname": "Bremen", "im_name": two, "bbs": rows[:1]},
    ]
    write_mat(
        root / "anno_train.mat", anno_train_aligned=cell([structs([e])[0, 0] for e in entries])
    )
    write_image(root / "leftImg8bit" / "train" / "ulm" / one)
    write_image(root / "leftImg8bit" / "train" / "bremen" / two)
    return root


def write_cuhk_sysu(folder: Path) -> Path:
    """Two training images and a test image of CUHK-SYSU with three persons."""
    root = folder / "CUHK-SYSU"

    def box(*place: int) -> dict[str, Any]:
        return {"idlocate": np.array([place], dtype=np.uint16), "ishard": 0}

    images = {
        "s1.jpg": [box(4, 8, 8, 20), box(20, 8, 8, 20)],
        "s2.jpg": [box(4, 8, 8, 20)],
        "s3.jpg": [box(30, 8, 8, 20), box(4, 8, 8, 20)],
    }
    img = [
        {"imname": name, "nAppear": len(boxes), "box": structs(boxes)}
        for name, boxes in images.items()
    ]

    def scene(name: str, *place: int) -> dict[str, Any]:
        return {"imname": name, **box(*place)}

    persons = [
        {"idname": "p1", "scene": structs([scene("s1.jpg", 20, 8, 8, 20)])},
        {
            "idname": "p2",
            "scene": structs([scene("s1.jpg", 4, 8, 8, 20), scene("s2.jpg", 4, 8, 8, 20)]),
        },
        {"idname": "p3", "scene": structs([scene("s3.jpg", 30, 8, 8, 20)])},
    ]
    folder = root / "annotation"
    write_mat(folder / "Images.mat", Img=structs(img))
    write_mat(folder / "Person.mat", Person=structs(persons))
    write_mat(folder / "pool.mat", pool=cell(["s3.jpg"]))
    for name in images:
        write_image(root / "Image" / "SSM" / name)
    return root


def write_prw(folder: Path) -> Path:
    """Two training frames and a test frame of PRW."""
    root = folder / "PRW"
    frames: dict[str, tuple[str, Any]] = {
        "c1s1_000151": ("box_new", [[479, 4.5, 8, 8, 20], [-2, 20, 8, 8, 20]]),
        "c1s1_000176": ("anno_file", [[479, 6, 8, 8, 20]]),
        "c2s1_000001": ("anno_previous", [[5, 6, 8, 8, 20], [5, 30, 8, 8, 20]]),
    }
    for name, (variable, rows) in frames.items():
        write_mat(root / "annotations" / f"{name}.jpg.mat", **{variable: np.array(rows, float)})
        write_image(root / "frames" / f"{name}.jpg")
    names = list(frames)
    write_mat(root / "frame_train.mat", img_index_train=cell(names[:2]).T)
    write_mat(root / "frame_test.mat", img_index_test=cell(names[2:]).T)
    return root


def write_eth(folder: Path) -> Path:
    """Two sequences of ETH, one of which MOT16 tests on."""
    root = folder / "ETH"
    lines = {
        "eth01": '"left/image_00000004_0.png": (4, 8, 12, 28), (30, 28, 20, 8):-1;\n'
        '"left/image_00000008_0.png";\n"left/image_00000012_0.png": (5, 8, 13, 28).\n',
        "eth06": '"left/image_00000000_0.png": (4, 8, 12, 28).\n',
    }
    for name, text in lines.items():
        (root / name).mkdir(parents=True)
        (root / name / "annot.idl").write_text(text)
        for number in (0, 4, 8, 12):
            write_image(root / name / "left" / f"image_{number:08d}_0.png", seed=number)
    return root


def thing(number: int, place: list[float], seen: Any = 0) -> dict[str, Any]:
    """An object of a .vbb's frame, its first pixel 1."""
    return {
        "id": number,
        "pos": np.array([place], dtype=float),
        "occl": int(np.size(seen) == 4),
        "lock": 0,
        "posv": np.array([seen], dtype=float) if np.size(seen) == 4 else 0,
    }


def write_vbb(path: Path, frames: list[list[dict[str, Any]]], names: list[str]) -> Path:
    content = {
        "nFrame": len(frames),
        "objLists": cell([structs(one) for one in frames]),
        "objLbl": cell(names),
    }
    return write_mat(path, A=structs([content]))


def write_caltech(folder: Path) -> Path:
    """Two videos of four frames of Caltech Pedestrian, one for training, one for validation."""
    root = folder / "Caltech"
    frames = [
        [thing(1, [5, 9, 8, 20]), thing(2, [31, 9, 20, 20])],
        [],
        [thing(1, [6, 9, 8, 20], [6, 9, 4, 20]), thing(3, [21, 9, 8, 20])],
        [thing(2, [31, 9, 20, 20])],
    ]
    names = ["person", "people", "person"]
    for folder in ("set00", "set06"):
        write_vbb(root / "annotations" / folder / "V000.vbb", frames, names)
        images = [encoded(seed=row) for row in range(4)]
        write_seq(root / folder / "V000.seq", images, gap=8 if folder == "set00" else 16)
    return root


def write_sequence(place: Path, rows: Sequence[str] | None, digits: int = 6) -> None:
    """Three frames of a MOTChallenge sequence; without rows it has no ground truth."""
    for number in range(1, 4):
        write_image(place / "img1" / f"{number:0{digits}d}.jpg", seed=number)
    (place / "seqinfo.ini").write_text(
        f"[Sequence]\nname={place.name}\nimDir=img1\nframeRate=25\nseqLength=3\n"
        "imWidth=64\nimHeight=48\nimExt=.jpg\n"
    )
    if rows is not None:
        (place / "gt").mkdir()
        (place / "gt" / "gt.txt").write_text("".join(f"{row}\n" for row in rows))


_MOT_ROWS = (
    "1,3,4,8,8,20,1,1,1",
    "1,4,20,8,8,20,0,8,0.5",
    "1,5,40,8,8,20,0,3,1",
    "1,6,50,8,8,20,0,6,1",
    "3,3,6,8,8,20,1,1,1",
    "3,9,30,8,8,20,1,1,1",
)
BENCHMARKS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "MOT15": (
        "PETS09-S2L1",
        6,
        (  # world coordinates where others have a class
            "1,3,4,8,8,20,1,-4.1554,-7.3591,0",
            "1,4,20,8,8,20,0,8,1,0",
            "3,3,6,8,8,20,1,2.5,0.5,0",
            "3,9,30,8,8,20,1,-1,-1,-1",
        ),
    ),
    "MOT16": ("MOT16-02", 6, _MOT_ROWS),
    "MOT17": ("MOT17-02-FRCNN", 6, _MOT_ROWS),
    "MOT20": ("MOT20-01", 6, _MOT_ROWS),
    "DanceTrack": (
        "dancetrack0001",
        8,
        ("1,3,4,8,8,20,1,1,1", "3,3,6,8,8,20,1,1,1", "3,9,30,8,8,20,1,1,1"),
    ),
}
"""A sequence of each benchmark: its name, digits of its images, rows of its ground truth."""


def write_benchmark(folder: Path, name: str) -> Path:
    """A training video of one of :data:`BENCHMARKS`."""
    video, digits, rows = BENCHMARKS[name]
    write_sequence(folder / name / "train" / video, rows, digits)
    return folder / name


def write_mot17(folder: Path) -> Path:
    """Two copies of a training video of MOT17, and one of its test videos, without ground truth."""
    root = write_benchmark(folder, "MOT17")
    write_sequence(root / "train/MOT17-02-SDP", _MOT_ROWS)
    write_sequence(root / "test/MOT17-01-FRCNN", None)
    return root


def annotation(image: int, category: int, box: list[float], **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": box, **more}


def write_coco(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Images of a COCO-style set, a video of two and a photograph, and what its file says."""
    images = folder / "pictures"
    content = {
        "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "person"}],
        "videos": [{"id": 1, "name": "street", "fps": 12.5}],
        "images": [
            {"id": 10, "file_name": "street/b.jpg", "video_id": 1, "frame_id": 1},
            {"id": 11, "file_name": "street/a.jpg", "video_id": 1, "frame_id": 0, "width": 64,
             "height": 48},
            {"id": 12, "file_name": "images/alone.jpg"},
        ],
        "annotations": [
            annotation(10, 3, [4, 8, 8, 20], track_id=5),
            annotation(11, 3, [5, 8, 8, 20], track_id=5),
            annotation(11, 7, [20, 8, 8, 20], track_id=0),
            annotation(12, 3, [4, 8, 8, 20], track_id=5),
            annotation(12, 3, [30, 8, 20, 20], iscrowd=1),
        ],
    }  # fmt: skip
    for image in content["images"]:
        write_image(images / str(image["file_name"]))
    return images, content


def write_yolo(folder: Path) -> Path:
    """A YOLO folder with a video of two images, of a dog and a person, and an empty image."""
    root = folder / "yolo"
    texts = {
        "images/train/walk/f2.jpg": "1 0.5 0.5 0.25 0.5 4\n",
        "images/train/walk/f10.jpg": "1 0.25 0.5 0.25 0.5 4\n0 0.75 0.5 0.25 0.5 9\n",
        "images/val/one.jpg": "",
    }
    for name, text in texts.items():
        write_image(root / name)
        file = (root / name.replace("images", "labels")).with_suffix(".txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "data.yaml").write_text(
        "path: .\ntrain: images/train\nval: images/val\nnames: {0: person, 1: dog}\n"
    )
    return root
