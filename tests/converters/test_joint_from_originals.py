"""From the six original sets to the joint recipe: converted, read, trained on."""

import json
from pathlib import Path

import numpy as np
import pytest
from original_sets import (
    write_caltech,
    write_citypersons,
    write_cuhk_sysu,
    write_eth,
    write_mot17,
    write_prw,
)
from originals import labels, listed, write_image
from tiny import call, load_tool, write_street
from tiny_tools import call_tool

from mmdeepmot.datasets import JDEListDataset
from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import DATASETS

ROOT = Path(__file__).parents[2]
SETS = {
    "eth": write_eth,
    "citypersons": write_citypersons,
    "caltech": write_caltech,
    "mot_challenge": write_mot17,
    "cuhk_sysu": write_cuhk_sysu,
    "prw": write_prw,
}
SIZE = (64, 64)
CONFIG = f"""
_base_ = [
    "{ROOT}/configs/_base_/models/jde_r18.py",
    "{ROOT}/configs/_base_/datasets/joint.py",
    "{ROOT}/configs/_base_/schedules/jde_30e.py",
    "{ROOT}/configs/_base_/trackers/jde_paper.py",
    "{ROOT}/configs/_base_/default_runtime.py",
]
train_pipeline = [
    {{**step, "size": {SIZE}}} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {{**step, "size": {SIZE}}} if "size" in step else step for step in _base_.test_pipeline
]
here = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(batch_size=7, dataset=dict(pipeline=train_pipeline), **here)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline), **here)
task_dataloaders = dict(
    detection=dict(dataset=dict(pipeline=test_pipeline)),
    embedding=dict(dataset=dict(pipeline=test_pipeline)),
)
val_dataloader = val_cfg = val_evaluator = None
effective_batch_size = 7
train_cfg = dict(max_epochs=1)
model = dict(
    tracker=_base_.tracker,
    detector=dict(
        backbone=dict(base_channels=8),
        neck=dict(in_channels=[64, 32, 16], out_channels=[16, 12, 8]),
        bbox_head=dict(in_channels=[8, 12, 16], embed_dims=16),
        test_cfg=dict(embed_iou=0.02),  # boxes are smaller than the anchors
    ),
)
"""


@pytest.fixture
def joint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with ``data/joint`` as the six commands make it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMDEEPMOT_CACHE", str(tmp_path / "cache"))
    for name, write in SETS.items():
        root = write(tmp_path / "original")
        assert call_tool(name, root) == 0
    return tmp_path


def test_mot17_as_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = write_mot17(tmp_path), tmp_path / "out"
    assert call_tool("mot_challenge", root, "--out", out) == 0
    image = "MOT17/images/train/MOT17-02-FRCNN/img1/00000{}.jpg"
    assert listed(out, "mot17.train") == [image.format(number) for number in (1, 2, 3)]
    assert labels(out, image.format(1)) == [[0, 0, 4, 8, 12, 28], [-1, -1, 20, 8, 28, 28]]
    assert labels(out, image.format(2)) == []
    assert labels(out, image.format(3)) == [[0, 0, 6, 8, 14, 28], [0, 1, 30, 8, 38, 28]]
    said = capsys.readouterr().out
    assert "MOT17-01-FRCNN: all its 3 frames are there; without gt/gt.txt" in said
    assert "images 3: DIFFERS from 5316 (motchallenge.net)" in said


def test_a_dry_run_checks_a_split_s_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_mot17(tmp_path)
    (root / "train" / "MOT17-02-SDP" / "img1" / "000002.jpg").unlink()
    arguments = (root / "train", "--dry-run", "--out", tmp_path / "out", "--sequences")
    assert call_tool("mot_challenge", *arguments, "*-FRCNN") == 0
    assert "mot17.train" in capsys.readouterr().out
    assert call_tool("mot_challenge", *arguments, "*") == 1
    message = "MOT17-02-SDP/img1: expected the frames 1..3 (seqLength of seqinfo.ini), found 2"
    assert message in capsys.readouterr().err
    (root / "test" / "MOT17-01-FRCNN" / "img1" / "000003.jpg").unlink()
    assert call_tool("mot_challenge", root, "--dry-run") == 1
    assert "MOT17-01-FRCNN/img1: expected the frames 1..3" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_sequence_whose_ground_truth_is_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its frames must not become images without persons."""
    root, out = write_mot17(tmp_path), tmp_path / "out"
    (root / "train" / "MOT17-02-SDP" / "gt" / "gt.txt").write_text("")
    assert call_tool("mot_challenge", root / "train", "--out", out, "--sequences", "*") == 1
    message = "MOT17-02-SDP/gt/gt.txt: expected rows of ground truth, found none"
    assert message in capsys.readouterr().err
    assert all("MOT17-02-FRCNN" in image for image in listed(out, "mot17.train"))


def test_identities_of_the_joint_set_are_told_apart(joint: Path) -> None:
    cfg = load_config(ROOT / "configs" / "jde" / "jde_darknet53_joint.py")
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert [part.num_identities for part in dataset.datasets] == [0, 0, 2, 2, 2, 1]
    assert dataset.identity_offsets.tolist() == [0, 0, 0, 2, 4, 6]
    assert dataset.num_identities == 7
    assert len(dataset) == 3 + 2 + 2 + 3 + 2 + 2
    counts = {
        name: counts
        for file in (joint / "data" / "joint" / "reports").glob("*.json")
        for name, counts in json.loads(file.read_text())["counts"].items()
        if name.endswith(".train")
    }
    for key in ("images", "boxes", "ignored"):
        assert sum(part.count_boxes()[key] for part in dataset.datasets) == sum(
            one[key] for one in counts.values()
        )
    eth, caltech, mot17 = (dataset.datasets[row] for row in (0, 2, 3))
    assert eth.successors.tolist() == [-1, -1, -1]  # frames 4, 8 and 12
    assert caltech.successors.tolist() == [-1, -1]  # frames 0 and 2
    assert mot17.successors.tolist() == [1, 2, -1]


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("detection", ["caltech.val"]),
        ("embedding", ["caltech.10k.val", "cuhksysu.val", "prw.val"]),
    ],
)
def test_what_the_paper_validates_on(joint: Path, task: str, names: list[str]) -> None:
    cfg = load_config(ROOT / "configs" / "jde" / "jde_darknet53_joint.py")
    dataset = DATASETS.build(cfg.task_dataloaders[task].dataset)
    parts = getattr(dataset, "datasets", [dataset])
    assert [part.name for part in parts] == names
    assert all(part.count_boxes()["with identity"] for part in parts)


def test_the_joint_recipe_trains_and_is_tested_as_in_the_paper(
    joint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (joint / "joint.py").write_text(CONFIG)
    assert call(load_tool("train"), "joint.py --work-dir work") == 0
    lines = [
        json.loads(line)
        for file in (joint / "work").rglob("vis_data/*.json")
        if "config" not in file.name
        for line in file.read_text().splitlines()
    ]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses
    assert np.isfinite(losses).all()
    saved = load_checkpoint(joint / "work" / "epoch_1.pth")
    assert saved["meta"]["iter"] == 2

    videos = ("KITTI-13", "KITTI-17", "PETS09-S2L1", "TUD-Campus", "TUD-Stadtmitte")
    write_street(joint / "data" / "MOT15" / "train", videos, frames=2)
    words = "joint.py work/epoch_1.pth --eval detection embedding track --out scores.json"
    assert call(load_tool("test"), words) == 0
    tables = json.loads((joint / "scores.json").read_text())["tables"]
    assert list(tables["track"]["rows"]) == [*videos, "OVERALL"]
    assert tables["detection"]["rows"]["OVERALL"]["GT"] == 3  # Caltech's persons
    assert tables["embedding"]["rows"]["OVERALL"]["Boxes"] == 3 + 1 + 1  # and the other two's
    said = capsys.readouterr().out
    assert "detection: on data/joint/lists/caltech.val" in said
    assert "data/joint/lists/cuhksysu.val, data/joint/lists/prw.val" in said
    assert all(name in said for name in ("FPSD", "FPSA", "AP@0.5", "TPR@FAR=0.1", "MOTA"))


def test_classes_of_one_s_own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a converter writes of several classes, a dataset reads: names, labels, identities."""
    monkeypatch.setenv("MMDEEPMOT_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}]
    content = {
        "categories": [{"id": 3, "name": "person"}, {"id": 7, "name": "dog"}],
        "images": images,
        "annotations": [
            {"image_id": 1, "category_id": 7, "bbox": [4, 8, 8, 20], "track_id": 5},
            {"image_id": 1, "category_id": 3, "bbox": [20, 8, 8, 20], "iscrowd": 1},
            {"image_id": 2, "category_id": 3, "bbox": [20, 8, 8, 20], "track_id": 6},
        ],
    }
    for image in images:
        write_image(tmp_path / "images" / str(image["file_name"]))
    (tmp_path / "x.json").write_text(json.dumps(content))
    arguments = (tmp_path / "images", "--train", tmp_path / "x.json", "--out", out)
    assert call_tool("coco", *arguments) == 0
    dataset = JDEListDataset(
        out / "lists" / "coco.train", out, classes=str(out / "coco" / "classes.txt"), videos=False
    )
    boxes = dataset.index.boxes
    assert dataset.metainfo["classes"] == ("person", "dog")
    assert boxes.labels.tolist() == [1, 0, 0]
    assert boxes.ignore.tolist() == [False, True, False]
    assert boxes.identities.tolist() == [0, -1, 1]
    assert np.allclose(boxes.bboxes, [[4, 8, 12, 28], [20, 8, 28, 28], [20, 8, 28, 28]], atol=1e-4)
    with pytest.raises(FileNotFoundError, match=r"no\.txt .*expected a file of classes"):
        JDEListDataset(out / "lists" / "coco.train", out, classes=str(out / "no.txt"))
