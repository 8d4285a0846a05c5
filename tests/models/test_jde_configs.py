"""Every JDE config is complete; the tables have the paper's rows."""

from pathlib import Path

import pytest
import torch

from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).parents[2]
CONFIGS = [
    path
    for path in sorted((ROOT / "configs" / "jde").rglob("*.py"))
    if not path.stem.startswith(("jde_paper", "jde_code"))  # trackers for tools/track_dets.py
]
PARTS = (
    "model", "train_dataloader", "val_dataloader", "test_dataloader", "val_evaluator",
    "test_evaluator", "optim_wrapper", "param_scheduler", "train_cfg", "val_cfg", "test_cfg",
    "default_hooks", "visualizer",
)  # fmt: skip


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "configs" / "jde"))


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_config_is_complete(path):
    cfg = load_config(path)
    assert [part for part in PARTS if not cfg.get(part)] == []
    assert cfg.model.tracker.type == "Tracker"
    assert cfg.effective_batch_size % cfg.train_dataloader.batch_size == 0
    sizes = {tuple(step["size"]) for key in ("train_pipeline", "test_pipeline")
             for step in cfg[key] if "size" in step}  # fmt: skip
    assert len(sizes) == 1
    assert all(side % 32 == 0 for side in sizes.pop())


@pytest.mark.parametrize(
    ("folder", "data"), [("table3", "SynthMOTDataset"), ("table3_joint", "JointDataset")]
)
def test_table_3_has_its_seven_rows(folder, data):
    configs = [load_config(p, check=False) for p in CONFIGS if p.parent.name == folder]
    assert {cfg.train_dataloader.dataset.type for cfg in configs} == {data}
    heads = [cfg.model.detector.bbox_head for cfg in configs]
    assert {(head.loss_id.type, head.balance.type) for head in heads} == {
        ("BatchTripletLoss", "AppOptWeights"),
        ("BatchUpperBoundLoss", "AppOptWeights"),
        ("IdentityCrossEntropyLoss", "AppOptWeights"),
        ("IdentityCrossEntropyLoss", "UniformWeights"),
        ("IdentityCrossEntropyLoss", "MGDAUBWeights"),
        ("IdentityCrossEntropyLoss", "LossNormWeights"),
        ("IdentityCrossEntropyLoss", "UncertaintyWeights"),
    }


def test_tables_1_and_4_differ_in_tracker_video_and_size_alone():
    rows = {
        name(p): load_config(p, check=False)
        for p in CONFIGS
        if p.parent.name in ("table1", "table4")
    }
    places = {row: (cfg.test_dataloader.dataset.data_root) for row, cfg in rows.items()}
    assert places == {
        "table1/jde_darknet53_low.py": "data/MOT15/train",
        "table1/jde_darknet53_high.py": "data/CVPR19/train",
        "table1/jde_darknet53_sort_low.py": "data/MOT15/train",
        "table1/jde_darknet53_sort_high.py": "data/CVPR19/train",
        "table4/jde_darknet53_joint_1088x608.py": "data/MOT16/test",
        "table4/jde_darknet53_joint_864x480.py": "data/MOT16/test",
    }
    sort = {row for row, cfg in rows.items() if cfg.model.tracker.motion.type == "AreaKalman"}
    assert sort == {row for row in rows if "sort" in row}
    detectors = {row: cfg.model.detector.to_dict() for row, cfg in rows.items()}
    for row in places:
        detectors[row]["backbone"].pop("init_cfg", None)
    large = detectors["table4/jde_darknet53_joint_1088x608.py"]
    assert [row for row in places if detectors[row] != large] == [
        "table4/jde_darknet53_joint_864x480.py"
    ]


@pytest.mark.parametrize("path", [p for p in CONFIGS if "joint" in str(p)], ids=name)
def test_tasks_are_tested_at_the_size_of_the_tracks(path):
    cfg = load_config(path, check=False)
    for task in ("detection", "embedding"):
        assert cfg.task_dataloaders[task].dataset.pipeline == cfg.test_pipeline


def test_the_paper_s_network_at_full_size_has_its_proposals():
    with torch.device("meta"):
        cfg = load_config(ROOT / "configs" / "jde" / "jde_darknet53_mot17half.py", check=False)
        cfg.model.detector.bbox_head.num_ids = 5
        detector = MODELS.build(cfg.model.detector)
        boxes, embeddings = detector(torch.zeros(1, 3, 608, 1088), mode="tensor")
    assert [tuple(m.shape) for m in boxes] == [(1, 24, 76, 136), (1, 24, 38, 68), (1, 24, 19, 34)]
    assert [m.shape[1] for m in embeddings] == [512] * 3
    assert sum(4 * m.shape[2] * m.shape[3] for m in boxes) == 54264
