"""Dataset configs: they parse, and those whose data is here deliver samples."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mmdeepmot.registry import DATASETS, TRANSFORMS

NAMES = (
    "mot_challenge", "mot15split", "mot17half", "joint", "joint_embedding",
    "pets", "synthmot_small_clips", "mot17_clips", "pets_clips",
    "pets_public",
)  # fmt: skip


def load(repository: Path, name: str) -> Config:
    return Config.fromfile(repository / "configs" / "_base_" / "datasets" / f"{name}.py")


@pytest.mark.parametrize("name", NAMES)
def test_parses(repository: Path, name: str) -> None:
    cfg = load(repository, name)
    for stage in ("train", "val", "test"):
        dataset = cfg[f"{stage}_dataloader"].dataset
        assert DATASETS.get(dataset.type) is not None
        steps = [TRANSFORMS.build(step) for step in dataset.pipeline]
        assert type(steps[-1]).__name__ == "PackFrame"
        if stage != "train":
            view = dataset.get("view") or dataset.dataset_defaults.view
            assert view == "video"
            assert dataset.test_mode is True
            assert cfg[f"{stage}_evaluator"].type == "MOTMetric"
    assert cfg.train_dataloader.sampler.type == "ResumableSampler"
    assert cfg.test_dataloader.sampler.type == "SequenceSampler"


def test_mot15_is_split_by_videos(repository: Path) -> None:
    cfg = load(repository, "mot15split")
    train = set(cfg.train_dataloader.dataset.sequences)
    val = set(cfg.val_dataloader.dataset.sequences)
    assert (len(train), len(val), len(train & val)) == (5, 6, 0)
    assert "split" not in cfg.train_dataloader.dataset


@pytest.mark.parametrize("name", ["mot15split", "mot17half", "joint"])
def test_missing_data_is_named(
    repository: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"data_root data/.*expected .* found none"):
        DATASETS.build(load(repository, name).train_dataloader.dataset)


def test_pets(repository: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    cfg = load(repository, "pets")
    train = DATASETS.build(cfg.train_dataloader.dataset)
    assert (len(train), train.num_identities) == (600 + 179, 16 + 10)
    item = train[(700, 1)]
    assert item["inputs"].shape == (3, 608, 1088)
    assert item["data_samples"].metainfo["video_name"] == "TUD-Stadtmitte"
    ids = item["data_samples"].gt_instances.instances_ids
    assert len(ids)
    assert ids.min() >= 16
    val = DATASETS.build(cfg.val_dataloader.dataset)
    assert val.index.frame_numbers[[0, -1]].tolist() == [601, 795]
    test = DATASETS.build(cfg.test_dataloader.dataset)
    assert np.unique(test.sequence_ids, return_counts=True)[1].tolist() == [49, 225]
    last = test[-1]["data_samples"][-1]
    assert last.metainfo["frame_number"] == 900
    assert last.metainfo["ori_shape"] == (540, 960)


def test_public_detections_of_three_detectors(
    repository: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    test = DATASETS.build(load(repository, "pets_public").test_dataloader.dataset)
    names = ["PETS09-S2L1", *(f"MOT17-11-540p-{one}" for one in ("FRCNN", "DPM", "SDP"))]
    assert [part.index.sequences[0].name for part in test.datasets] == names
    counts = [len(part.index.detections.scores) for part in test.datasets]
    files = ("det.txt", "det_DPM.txt", "det_SDP.txt")
    folder = shared_data / "mot/MOT17-11-540p/det"
    assert counts[1:] == [len((folder / file).read_text().split()) for file in files]


@pytest.mark.parametrize("name", [one for one in NAMES if one.endswith("_clips")])
def test_clips_are_pairs_of_frames_scored_with_public_detections(
    repository: Path, name: str
) -> None:
    cfg = load(repository, name)
    train = cfg.train_dataloader.dataset
    view = train.get("dataset_defaults", train)
    assert (view["view"], view["clip_length"]) == ("clips", 2)
    # the paper augments no images (MOT17); small sets of ours do
    augmented = [] if name == "mot17_clips" else ["HSVJitter", "RandomFlipTracks"]
    assert [step.type for step in train.pipeline] == [
        "LoadFrame", "LoadTracks", "Letterbox", *augmented, "PackFrame"
    ]  # fmt: skip
    for stage in ("val", "test"):
        dataset = cfg[f"{stage}_dataloader"].dataset
        found = [part.with_detections for part in dataset.get("datasets", [dataset])]
        assert found[0] == "det/det.txt" and all(found)
