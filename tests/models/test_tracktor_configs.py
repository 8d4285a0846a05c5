"""Configs of Tracktor's detectors and of the ReID networks: complete, and they make a step."""

from pathlib import Path

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from tracktor_small import ROOT

from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import MODELS

DETECTORS = sorted((ROOT / "configs/deepmot/detector").glob("*.py"))
REID = sorted((ROOT / "configs/reid").glob("reid_*.py"))
PARTS = (
    "model", "train_dataloader", "test_dataloader", "test_evaluator", "optim_wrapper",
    "param_scheduler", "train_cfg", "test_cfg", "default_hooks", "visualizer",
)  # fmt: skip


def name(path: Path) -> str:
    return path.stem


def one_step(model, inputs, samples) -> dict:
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1e-5)
    total, logged = model.parse_losses(model(inputs, samples, mode="loss"))
    total.backward()
    optimizer.step()
    assert torch.isfinite(total) and all(p.grad is not None for p in trained)
    return logged


@pytest.mark.parametrize("path", [*DETECTORS, *REID], ids=name)
def test_config_is_complete(path):
    cfg = load_config(path)
    assert [part for part in PARTS if not cfg.get(part)] == []
    assert cfg.model.type == "TrackingModel"
    batch = cfg.train_dataloader.batch_size
    if path in DETECTORS:
        assert cfg.effective_batch_size % batch == 0
        assert cfg.model.tracker.type == "Tracker" and cfg.model.camera.type == "ECC"
        assert cfg.model.detections == "refined"
        test = cfg.test_dataloader.dataset
        assert all(part.with_detections for part in test.get("datasets", [test]))
        sizes = {tuple(step["size"]) for key in ("train_pipeline", "test_pipeline")
                 for step in cfg[key] if "size" in step}  # fmt: skip
        assert len(sizes) == 1 and all(side % 32 == 0 for side in sizes.pop())
    else:
        assert tuple(cfg.crop_size) == tuple(cfg.model.reid.crop_size)
        assert batch % cfg.train_dataloader.sampler.crops == 0


@pytest.mark.parametrize("path", DETECTORS, ids=name)
def test_detector_makes_a_step(path):
    torch.manual_seed(0)
    model = MODELS.build(load_config(path, check=False).model).train()
    size = (64, 96)
    sample = DetDataSample(
        metainfo={"img_shape": size, "pad_shape": size, "batch_input_shape": size}
    )
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[10.0, 8, 30, 58], [40, 4, 62, 60]]), labels=torch.zeros(2).long()
    )
    logged = one_step(model, torch.rand(1, 3, *size), [sample])
    assert {"loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox"} <= logged.keys()


@pytest.mark.parametrize("path", REID, ids=name)
def test_reid_network_makes_a_step(path):
    torch.manual_seed(0)
    cfg = load_config(path, check=False).model
    cfg.reid.head.num_ids = 3
    model = MODELS.build(cfg).train()
    samples = [
        DetDataSample(gt_instances=InstanceData(instances_ids=torch.tensor([identity])))
        for identity in (0, 0, 2, 2)
    ]
    width, height = model.reid.crop_size
    logged = one_step(model, torch.rand(4, 3, height, width), samples)
    assert {"loss_id", "loss_triplet"} <= logged.keys()


def test_the_small_network_differs_in_size_alone():
    large, small = (
        load_config(ROOT / f"configs/_base_/models/tracktor_{name}.py", check=False).follower
        for name in ("r50", "r18")
    )
    assert small.detector.keys() == large.detector.keys()
    assert small.detector.roi_head.bbox_head.type == large.detector.roi_head.bbox_head.type
    assert (large.detector.backbone.depth, small.detector.backbone.depth) == (50, 18)


def test_appearance_head_fits_the_features_of_either_network():
    for size in ("r50", "r18"):
        cfg = load_config(ROOT / f"configs/_base_/models/tracktor_{size}_reid_head.py", check=False)
        head = cfg.follower.embedding_head
        assert head.in_features == cfg.follower.detector.roi_head.bbox_head.fc_out_channels
        assert head.embed_dims == 128
