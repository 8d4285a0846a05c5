"""Several datasets as one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdeepmot.datasets import JDEListDataset, JointDataset, MOTChallengeDataset
from mmdeepmot.errors import InputError

FRAME: list[dict[str, Any]] = [{"type": "LoadFrame"}, {"type": "LoadTracks"}, {"type": "PackFrame"}]


@pytest.fixture
def parts(write_sequence, write_list, tmp_path: Path) -> tuple[Path, Path]:
    """A sequence with identities 1 and 2, and a list with identities 0, 9 and one unknown."""
    gt = ["1,1,10,10,8,16,1,1,1", "2,2,11,10,8,16,1,1,1", "2,3,30,10,8,16,0,8,1"]
    folder = write_sequence(length=2, gt=gt)
    labels = {
        "A/images/1.png": "0 9 0.5 0.5 0.2 0.4\n0 -1 0.2 0.2 0.1 0.1\n",
        "A/images/2.png": "0 0 0.5 0.5 0.2 0.4\n",
    }
    return folder.parent, write_list(labels)


@pytest.fixture
def joint(parts: tuple[Path, Path], monkeypatch, tmp_path: Path) -> JointDataset:
    monkeypatch.setenv("MMDEEPMOT_CACHE", str(tmp_path / "cache"))
    root, file = parts
    return JointDataset(
        [
            {"type": "MOTChallengeDataset", "data_root": str(root)},
            {"type": "JDEListDataset", "list_files": str(file), "data_root": str(file.parent)},
        ],
        pipeline=FRAME,
    )


def identities(dataset: JointDataset) -> list[list[int]]:
    samples = [dataset[item]["data_samples"] for item in range(len(dataset))]
    return [sample.gt_instances.instances_ids.tolist() for sample in samples]


def test_identities_are_moved_and_unknown_ones_are_not(joint: JointDataset) -> None:
    assert joint.identity_offsets.tolist() == [0, 2]
    assert joint.num_identities == 4
    assert joint.metainfo["num_identities"] == 4
    assert identities(joint) == [[0], [1], [3, -1], [2]]
    assert identities(joint) == [[0], [1], [3, -1], [2]]  # asking twice does not move them twice


def test_sequences_and_successors(joint: JointDataset) -> None:
    assert joint.sequence_ids.tolist() == [0, 0, 1, 1]
    assert joint.successors.tolist() == [1, -1, 3, -1]
    ids = [joint[item]["data_samples"].metainfo["video_id"] for item in range(4)]
    assert ids == [0, 0, 1, 1]


def test_items(joint: JointDataset) -> None:
    assert len(joint) == 4
    assert joint.locate(1) == (0, 1)
    assert joint.locate(2) == (1, 0)
    assert joint.locate(-1) == (1, 1)
    assert joint[(2, 11)]["data_samples"].metainfo["frame_number"] == 1
    with pytest.raises(IndexError, match="item 4 of 4"):
        joint[4]


def test_table(joint: JointDataset) -> None:
    lines = joint.table().splitlines()
    assert lines[1].split() == [
        *("dataset", "items", "images", "boxes", "with", "identity"),
        *("ignored", "identities", "first", "identity"),
    ]
    assert lines[2].split() == ["data", "2", "2", "2", "2", "1", "2", "0"]
    assert lines[3].split() == ["set.train", "2", "2", "3", "2", "0", "2", "2"]
    assert lines[4].split() == ["all", "4", "4", "5", "4", "1", "4", "0"]
    assert joint.table() in repr(joint)


def test_the_order_decides_the_offsets(joint: JointDataset, parts: tuple[Path, Path]) -> None:
    root, file = parts
    swapped = JointDataset(
        [JDEListDataset(file, file.parent), MOTChallengeDataset(root)], pipeline=FRAME
    )
    assert identities(swapped) == [[1, -1], [0], [2], [3]]


def test_defaults_and_own_pipelines(parts: tuple[Path, Path]) -> None:
    root, _ = parts
    own = [*FRAME[:2], {"type": "RandomFlipTracks", "prob": 1.0}, FRAME[2]]
    part = {"type": "MOTChallengeDataset"}
    joint = JointDataset(
        [{**part, "frame_range": (1, 1)}, {**part, "pipeline": own, "frame_range": (2, 2)}],
        pipeline=FRAME,
        dataset_defaults={"data_root": str(root), "view": "video", "clip_length": 2},
    )
    assert len(joint) == 2
    assert "flip" not in joint[0]["data_samples"][0].metainfo
    assert joint[1]["data_samples"][0].metainfo["flip"] is True


def test_test_mode_reaches_the_datasets(parts: tuple[Path, Path]) -> None:
    root, _ = parts
    (root / "MOT17-02-FRCNN" / "gt" / "gt.txt").unlink()
    with pytest.raises(FileNotFoundError, match="sequence with no ground truth"):
        JointDataset(
            [{"type": "MOTChallengeDataset", "data_root": str(root)}], FRAME, test_mode=True
        )


def test_sequences_of_one_name_cannot_be_tested_together(parts: tuple[Path, Path]) -> None:
    root, _ = parts
    twice = [MOTChallengeDataset(root), MOTChallengeDataset(root)]
    with pytest.raises(ValueError, match=r"\['MOT17-02-FRCNN'\] are in it more than once"):
        JointDataset(twice, FRAME, test_mode=True)
    assert JointDataset(twice, FRAME).num_identities == 4


def test_bad_arguments(parts: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match=r"JointDataset\.datasets is empty"):
        JointDataset([])
    with pytest.raises(TypeError, match=r"joins datasets of this framework .* got list"):
        JointDataset([[1, 2]])  # type: ignore[list-item]
    one = MOTChallengeDataset(parts[0])
    with pytest.raises(ValueError, match="the same dataset object is there twice"):
        JointDataset([one, one])


def test_counts_agree_with_the_boxes(joint: JointDataset) -> None:
    every = np.concatenate([np.array(part) for part in identities(joint)])
    assert sorted(every[every >= 0].tolist()) == [0, 1, 2, 3]


def test_only_datasets_of_named_sequences(write_sequence, tmp_path: Path) -> None:
    gt = ["1,1,10,10,8,16,1,1,1", "2,2,11,10,8,16,1,1,1"]
    for name, group in (("A-01", "one"), ("A-02", "one"), ("B-01", "two")):
        (tmp_path / group).mkdir(exist_ok=True)
        write_sequence(name, length=2, gt=gt).rename(tmp_path / group / name)
    parts = [
        {"type": "MOTChallengeDataset", "data_root": str(tmp_path / group)}
        for group in ("one", "two")
    ]
    assert len(JointDataset(parts)) == 6
    one = JointDataset(parts, sequences=["B-*"])
    assert len(one) == 2 and one.num_identities == 2 and one.identity_offsets.tolist() == [0]
    assert len(JointDataset(parts, sequences=["A-01", "*-02"])) == 4
    with pytest.raises(InputError, match=r"no sequence is called 'C'; there are .*'B-01'"):
        JointDataset(parts, sequences=["C"])
    with pytest.raises(InputError, match=r"chooses whole datasets, .'A-01'. names 1 of the 2"):
        JointDataset(parts, sequences=["A-01"])
