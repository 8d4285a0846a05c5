"""Separate detection and embedding: the grid is complete, made of its parts, and its parts work."""

from functools import cache
from pathlib import Path

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData

from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
BASES = ROOT / "configs/_base_"
DETECTORS = {
    "joint": (
        "faster_rcnn_r50", "faster_rcnn_r101", "cascade_rcnn_r50", "cascade_rcnn_r101",
        "jde_r50", "jde_r101", "jde_darknet53",
    ),
    "synthmot": ("faster_rcnn_r18", "cascade_rcnn_r18", "jde_r18"),
}  # fmt: skip
REID = {"joint": "r50", "synthmot": "r18"}
TRACKERS = {"sort": "sort", "jde": "jde_paper", "deepsort": "deepsort"}
KINDS = ("ide", "triplet", "pcb")
GRID = [(data, detector) for data, detectors in DETECTORS.items() for detector in detectors]
READY = ("test_dataloader", "train_dataloader", "optim_wrapper", "train_cfg", "test_cfg")


@cache
def base(path: str) -> Config:
    return load_config(BASES / f"{path}.py", check=False)


def same(one, other) -> bool:
    return Config(dict(x=one)).to_dict() == Config(dict(x=other)).to_dict()


@pytest.mark.parametrize(("data", "detector"), GRID)
def test_a_row_of_the_grid(data, detector):
    folder = ROOT / "configs/sde" / data
    alone = load_config(folder / f"{detector}_sort_{data}.py")
    assert [key for key in READY if not alone.get(key)] == []
    assert same(alone.model.detector, base(f"sde/{detector}_{data}").model.detector)
    assert same(alone.model.tracker, base("trackers/sort").tracker)
    assert "reid" not in alone.model
    for kind in KINDS:
        for tracker in ("jde", "deepsort"):
            cfg = load_config(folder / f"{detector}_{kind}_{tracker}_{data}.py", check=False)
            reid = cfg.model.reid.to_dict()
            name = f"{kind}_{REID[data]}_{data}"
            training = base(f"../reid/{name}")
            assert reid.pop("weights") == (
                f"work_dirs/{name}/epoch_{training.train_cfg.max_epochs}.pth"
            )
            trained = training.model.reid.to_dict()
            trained["backbone"].pop("init_cfg", None)  # what weights replace
            assert same(reid, trained)
            assert same(cfg.model.detector, alone.model.detector)
            assert same(cfg.model.data_preprocessor, training.model.data_preprocessor) or (
                cfg.model.data_preprocessor.pop("channels_last")
                and same(cfg.model.data_preprocessor, training.model.data_preprocessor)
            )
            assert same(cfg.model.tracker, base(f"trackers/{TRACKERS[tracker]}").tracker)
            assert same(cfg.test_dataloader, alone.test_dataloader)


def test_nothing_else_is_in_the_grid():
    names = {path.stem for path in (ROOT / "configs/sde").rglob("*.py")}
    expected = {f"{detector}_sort_{data}" for data, detector in GRID} | {
        f"{detector}_{kind}_{tracker}_{data}"
        for data, detector in GRID
        for kind in KINDS
        for tracker in ("jde", "deepsort")
    }
    assert names == expected


@pytest.mark.parametrize("kind", ["faster_rcnn", "cascade_rcnn", "jde", "ide", "triplet", "pcb"])
def test_a_deeper_network_differs_in_depth_alone_and_all_start_from_imagenet(kind):
    part, folder = ("reid", "../reid") if kind in KINDS else ("detector", "sde")
    networks = []
    for depth in (50, 101):
        cfg = base(f"{folder}/{kind}_r{depth}_joint").model[part].to_dict()
        backbone = cfg.get("detector", cfg)["backbone"]
        assert backbone.pop("depth") == depth
        start = {"type": "Pretrained", "checkpoint": f"torchvision://resnet{depth}"}
        assert backbone.pop("init_cfg") == start
        networks.append(cfg)
    assert networks[0] == networks[1]


def one_step(model, inputs, samples) -> dict:
    trained = [p for p in model.parameters() if p.requires_grad]
    total, logged = model.parse_losses(model(inputs, samples, mode="loss"))
    total.backward()
    torch.optim.SGD(trained, lr=1e-5).step()
    assert torch.isfinite(total) and all(p.grad is not None for p in trained)
    return logged


@pytest.mark.parametrize("name", ["faster_rcnn_r18_synthmot", "cascade_rcnn_r18_synthmot"])
def test_detector_makes_a_step_and_detects(name):
    torch.manual_seed(0)
    model = MODELS.build(base(f"sde/{name}").model).train()
    size = (64, 96)
    meta = {"img_shape": size, "pad_shape": size, "batch_input_shape": size, "ori_shape": size,
            "scale_factor": (1.0, 1.0), "pad_offset": (0, 0)}  # fmt: skip
    sample = DetDataSample(metainfo=meta)
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[10.0, 8, 30, 58], [40, 4, 62, 60]]), labels=torch.zeros(2).long()
    )
    logged = one_step(model, torch.rand(1, 3, *size), [sample])
    heads = 3 if "cascade" in name else 1
    assert sum(key.endswith("loss_cls") for key in logged) == heads
    model.eval().detector.predict(torch.rand(1, 3, *size), [sample], task="detection")
    assert sample.pred_instances.bboxes.shape[1] == 4


@pytest.mark.parametrize("name", ["faster_rcnn_r101", "cascade_rcnn_r50"])
def test_large_detectors_build(name):
    with torch.device("meta"):
        model = MODELS.build(base(f"sde/{name}_joint").model)
    stages = model.detector.detector.roi_head.bbox_head
    assert (len(stages) if "cascade" in name else 1) == (3 if "cascade" in name else 1)


@pytest.mark.parametrize(
    ("kind", "data"), [*((kind, "r18_synthmot") for kind in KINDS), ("pcb", "r50_synthmot")]
)
def test_reid_network_makes_a_step(kind, data):
    torch.manual_seed(0)
    cfg = base(f"../reid/{kind}_{data}").model.copy()
    if kind != "triplet":
        cfg.reid.head.num_ids = 3
    model = MODELS.build(cfg).train()
    samples = [
        DetDataSample(gt_instances=InstanceData(instances_ids=torch.tensor([identity])))
        for identity in (0, 0, 2, 2)
    ]
    width, height = model.reid.crop_size
    logged = one_step(model, torch.rand(4, 3, height, width), samples)
    assert {"loss_triplet" if kind == "triplet" else "loss_id"} <= logged.keys()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs/reid").glob("*_joint.py")), ids=lambda p: p.stem
)
def test_reid_training_on_the_joint_set(path):
    cfg = load_config(path)
    assert tuple(cfg.crop_size) == tuple(cfg.model.reid.crop_size)
    crops = cfg.train_dataloader.dataset
    assert {step.get("size") and tuple(step["size"]) for step in crops.pipeline} == {
        None,
        tuple(cfg.crop_size),
    }
    assert crops.dataset.type == "JointDataset" and len(crops.dataset.datasets) == 6
    assert len(cfg.test_dataloader.dataset.datasets) == 3
    assert cfg.val_evaluator.type == cfg.test_evaluator.type == "EmbeddingMetric"
