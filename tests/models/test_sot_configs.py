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
        assert all(part.with_detections for part in dataset.get("datasets", [dataset]))
    assert cfg.model.tracker.type == "Tracker"
    assert cfg.train_dataloader.dataset.type == "FramePairDataset"
    assert cfg.effective_batch_size % cfg.train_dataloader.batch_size == 0


ROWS = {
    "sot/goturn_mot17": "goturn_mot17",
    "sot/goturn_small_pets": "goturn_small_pets",
    "sot/goturn_small_synthmot": "goturn_small_synthmot",
    "sot/siamrpn_mot17": "siamrpn_mot17",
    "sot/siamrpn_small_pets": "siamrpn_small_pets",
    "sot/siamrpn_small_synthmot": "siamrpn_small_synthmot",
    "deepmot/detector/faster_rcnn_r18_pets": "tracktor_r18_pets",
    "deepmot/detector/faster_rcnn_r18_synthmot": "tracktor_r18_synthmot",
    "deepmot/detector/faster_rcnn_r50_mot17": "tracktor_r50_mot17",
}


@pytest.mark.parametrize("criterion", ["smoothl1", "deepmot"])
@pytest.mark.parametrize("start", ROWS)
def test_rows_of_a_table_differ_in_their_training_alone(start, criterion):
    """Pre-trained, Smooth L1 and DeepMOT are tested by the same tracker on the same detections."""
    folder = FOLDER.parent
    one = load_config(folder / f"{start}.py", check=False)
    other = load_config(folder / "deepmot" / f"{ROWS[start]}_{criterion}.py", check=False)
    for part in ("follower", "tracker", "camera", "detections", "detector", "reid"):
        assert one.model.get(part) == other.model.get(part), part
    assert one.test_dataloader == other.test_dataloader
    assert one.test_evaluator == other.test_evaluator


WITH_WEIGHTS = sorted(
    path
    for path in FOLDER.parent.rglob("*.py")
    if "_base_" not in path.parts and "**_base_.reid, weights=" in path.read_text()
)


@pytest.mark.parametrize("path", WITH_WEIGHTS, ids=lambda path: path.stem)
def test_an_external_network_sees_images_as_it_was_trained(path):
    """The tracker's normalisation is that of the config whose weights it names."""
    cfg = load_config(path, check=False)
    (own,) = FOLDER.parent.rglob(f"{Path(cfg.model.reid.weights).parent.name}.py")
    trained = load_config(own, check=False).model.data_preprocessor
    for part in ("mean", "std", "bgr_to_rgb"):
        assert cfg.model.data_preprocessor.get(part) == trained.get(part), part


def test_the_published_networks():
    with torch.device("meta"):
        siamrpn = MODELS.build(load_config(FOLDER / "siamrpn_mot17.py", check=False).model.follower)
        goturn = MODELS.build(load_config(FOLDER / "goturn_mot17.py", check=False).model.follower)
    assert sum(p.numel() for p in siamrpn.parameters()) / 1e6 == pytest.approx(22.6, abs=0.1)
    assert sum(p.numel() for p in goturn.parameters()) / 1e6 == pytest.approx(111.4, abs=0.1)
    assert (siamrpn.window, siamrpn.penalty, siamrpn.rate) == (0.44, 0.04, 0.45)
    assert siamrpn.anchors.shape == (5 * 19 * 19, 4)
