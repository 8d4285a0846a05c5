"""The configs of single-object training are complete."""

from pathlib import Path

import pytest
import torch

from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import MODELS

FOLDER = Path(__file__).parents[2] / "configs" / "sot"
CONFIGS = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_is_complete(path):
    cfg = load_config(path)
    for part in ("model", "optim_wrapper", "param_scheduler", "train_dataloader", "train_cfg"):
        assert cfg.get(part), part
    for stage in ("val", "test"):
        assert all(cfg.get(f"{stage}_{part}") for part in ("dataloader", "evaluator", "cfg"))
        dataset = cfg[f"{stage}_dataloader"].dataset
        assert dataset.get("dataset_defaults", dataset).with_detections == "det/det.txt"
    assert cfg.model.tracker.type == "Tracker"
    assert cfg.train_dataloader.dataset.type == "FramePairDataset"
    assert cfg.effective_batch_size % cfg.train_dataloader.batch_size == 0


def test_the_published_networks():
    with torch.device("meta"):
        siamrpn = MODELS.build(load_config(FOLDER / "siamrpn_mot17.py", check=False).model.follower)
        goturn = MODELS.build(load_config(FOLDER / "goturn_mot17.py", check=False).model.follower)
    assert sum(p.numel() for p in siamrpn.parameters()) / 1e6 == pytest.approx(22.6, abs=0.1)
    assert sum(p.numel() for p in goturn.parameters()) / 1e6 == pytest.approx(111.4, abs=0.1)
    assert (siamrpn.window, siamrpn.penalty, siamrpn.rate) == (0.44, 0.04, 0.45)
    assert siamrpn.anchors.shape == (5 * 19 * 19, 4)
