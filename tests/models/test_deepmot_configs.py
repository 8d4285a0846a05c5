"""Every config of configs/deepmot is complete and trains what it should."""

import re
from pathlib import Path

import pytest
import torch

from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import MODELS

FOLDER = Path(__file__).parents[2] / "configs" / "deepmot"
CONFIGS = sorted(path for path in FOLDER.rglob("*.py") if path.parent.name != "detector")
PARTS = (
    "model", "train_dataloader", "train_cfg", "optim_wrapper", "default_hooks", "val_dataloader",
    "val_cfg", "val_evaluator", "test_dataloader", "test_cfg", "test_evaluator",
)  # fmt: skip
SMALL = r"(tracktor_r18|siamrpn_small|goturn_small)_(synthmot|pets)_(deepmot|smoothl1)(_reidext)?$"
MATCHERS = r"tracktor_r18_deepmot_"
REGRESSION = {f"detector.roi_head.bbox_head.fc_reg.{kind}" for kind in ("weight", "bias")}


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def rate_of(stem: str) -> float:
    """The paper's, but for small single-object trackers."""
    if stem.rsplit("_", 1)[0] in ("siamrpn", "goturn") or stem.startswith("goturn_small"):
        return 1e-3
    return 3e-4 if stem.startswith("siamrpn_small") else 1e-4


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_config_is_complete_and_builds(path: Path):
    cfg = load_config(path)
    assert [part for part in PARTS if not cfg.get(part)] == []
    dataset = cfg.train_dataloader.dataset
    clips = dataset.get("dataset_defaults", dataset)
    assert clips.view == "clips"
    data = {"pets": "JointDataset", "mot17": "MOTChallengeDataset"}
    names = [kind for key, kind in data.items() if f"_{key}_" in path.stem]
    assert dataset.type == (names or ["SynthMOTDataset"])[0]
    assert cfg.optim_wrapper.optimizer == dict(type="Adam", lr=rate_of(path.stem))
    assert cfg.model.tracker.type == "Tracker" and cfg.val_evaluator.type == "MOTMetric"
    single = re.match("(siamrpn|goturn)_mot17", path.stem)  # the paper's, fewer false positives
    for stage in ("val", "test"):
        found = cfg[f"{stage}_dataloader"].dataset
        found = found.get("datasets", [found])[0].with_detections
        assert found == ("det/rescored.txt" if single else "det/det.txt")
    with torch.device("meta"):
        model = MODELS.build(cfg.model)
    learning = {key for key, p in model.follower.named_parameters() if p.requires_grad}
    from_nothing = path.stem in ("tracktor_r50_deepmot", "tracktor_r50_smoothl1")
    often = from_nothing or re.match(f"{SMALL}|{MATCHERS}", path.stem) is not None
    assert cfg.model.get("starts_per_clip", 1) == (8 if often else 1)
    if (path.stem.startswith("tracktor") and not from_nothing) or path.parent != FOLDER:
        looks = {key for key in learning if key.startswith("embedding_head.")}
        assert learning - looks == REGRESSION
        assert bool(looks) == (cfg.model.criterion.get("appearance") == "term")
        assert bool(looks) == (clips.clip_length == 10)
    else:
        assert learning == {key for key, _ in model.follower.named_parameters()}
    assert not any(p.requires_grad for p in model.criterion.parameters())


PAPER = sorted(path for path in CONFIGS if "_mot17_" in path.stem)


@pytest.mark.parametrize("path", PAPER, ids=name)
def test_trainings_on_mot17_are_the_papers(path: Path):
    """Appendix A.2: split, public detections of three detectors, starts, camera motion, terms."""
    cfg = load_config(path, check=False)
    train, test = cfg.train_dataloader.dataset, cfg.test_dataloader.dataset
    assert (train.split, test.split, test.sequences) == ("deepmot_train", "deepmot_val", ["*"])
    assert cfg.model.start == dict(type="BoxNoise", scale=(0.8, 1.2), shift=(0.0, 0.25))
    assert cfg.model.compensate and cfg.model.camera.type == "ECC"
    assert cfg.train_cfg.max_epochs == (18 if path.stem.startswith("tracktor") else 15)
    with torch.device("meta"):
        criterion = MODELS.build(cfg.model).criterion
    papers = "_dhn" in path.stem or path.parent != FOLDER
    losses = criterion.monitor if "smoothl1" in path.stem else criterion
    assert type(losses.matcher).__name__ == ("DHN" if papers else "Sinkhorn")
    assert (losses.loss.options.gate is None) == papers
    for kind in ("births", "deaths"):
        assert cfg.model.get(kind, True) != papers


@pytest.mark.parametrize(
    "row", ["tracktor_r18_synthmot_reidhead", "tracktor_r50_mot17_reidhead_dhn"]
)
def test_rows_of_table_2(row):
    names = row.removesuffix("_dhn").replace("_synthmot", "")
    paths = [FOLDER / f"{row}.py", *(FOLDER / "table2").glob(f"{names}_*.py")]
    losses = {path.stem: load_config(path, check=False).model.criterion.loss for path in paths}
    gate = dict(type="DeepMOTLoss")
    if "synthmot" in row:
        gate |= dict(gate=0.25, gate_width=0.05)
    assert losses == {
        row: gate,
        f"{names}_dmota": gate | dict(precision_weight=0.0),
        f"{names}_dmotp": gate | dict(accuracy_weight=0.0),
        f"{names}_without_ids": gate | dict(gamma=0.0),
    }
