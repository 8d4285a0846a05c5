"""Every FairMOT config is complete; the tables have the paper's rows."""

from pathlib import Path

import pytest
import torch

from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "configs" / "fairmot"
TRACKERS = {"fairmot.py"}
CONFIGS = [path for path in sorted(FOLDER.rglob("*.py")) if path.name not in TRACKERS]
PARTS = (
    "model", "train_dataloader", "test_dataloader", "test_evaluator", "optim_wrapper",
    "param_scheduler", "train_cfg", "test_cfg", "default_hooks", "visualizer",
)  # fmt: skip
VALIDATION = ("val_dataloader", "val_evaluator", "val_cfg")


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def model_cfg(path: str | Path):
    return load_config(FOLDER / path, check=False).model


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_config_is_complete(path):
    cfg = load_config(path)
    assert [part for part in PARTS if not cfg.get(part)] == []
    validates = [bool(cfg.get(part)) for part in VALIDATION]
    assert all(validates) or (path.parent.name == "finetune" and not any(validates))
    assert cfg.model.tracker.type == "Tracker"
    assert cfg.effective_batch_size % cfg.train_dataloader.batch_size == 0
    sizes = {tuple(step["size"]) for key in ("train_pipeline", "test_pipeline")
             for step in cfg[key] if "size" in step}  # fmt: skip
    assert len(sizes) == 1
    assert all(side % 32 == 0 for side in sizes.pop())


def test_the_paper_s_network():
    detector = MODELS.build(model_cfg("fairmot_dla34.py").detector)
    with torch.no_grad():
        heatmap, offset, size, embedding = detector(torch.zeros(1, 3, 64, 96), mode="tensor")
    shapes = [tuple(m.shape) for m in (heatmap, offset, size, embedding)]
    assert shapes == [(1, c, 16, 24) for c in (1, 2, 2, 128)]
    parts = {
        part: sum(p.numel() for p in getattr(detector, part).parameters()) / 1e6
        for part in ("backbone", "neck", "bbox_head")
    }
    assert parts["backbone"] + parts["neck"] == pytest.approx(19.17, abs=0.01)
    assert sum(parts.values()) == pytest.approx(19.7, abs=0.1)


@pytest.mark.parametrize(
    ("config", "millions"),
    [
        ("fairmot_r34.py", 24.7),
        ("fairmot_r34_fpn.py", 25.6),
        ("fairmot_r50.py", 30.5),
        ("fairmot_hrnetw32.py", 29.9),
    ],
)
def test_other_backbones_give_one_map_at_stride_4(config, millions):
    with torch.device("meta"):
        detector = MODELS.build(model_cfg(config).detector)
        (feature,) = detector.extract_feat(torch.zeros(1, 3, 64, 96))
    assert tuple(feature.shape) == (1, 64, 16, 24)
    assert sum(p.numel() for p in detector.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)


def test_table_1_has_its_five_rows():
    rows, shared = set(), set()
    for path in sorted((FOLDER / "table1").glob("*.py")):
        cfg = load_config(path, check=False)
        head, detector = cfg.model.detector.bbox_head, cfg.model.detector
        stride = head.stride if head.type == "FairMOTHead" else head.strides[0]
        rows.add((detector.type, stride))
        assert detector.neck.out_stride == stride
        shared.add((
            cfg.train_cfg.max_epochs, head.embed_dims, cfg.train_dataloader.dataset.type,
            cfg.load_from, str(cfg.param_scheduler), str(cfg.model.tracker),
        ))  # fmt: skip
    assert rows == {("FairMOT", 2), ("FairMOT", 4), ("FairMOT", 8), ("JDE", 4), ("JDE", 8)}
    assert len(shared) == 1
    assert next(iter(shared))[:3] == (10, 128, "JointDataset")


def test_anchor_based_counterpart_has_all_anchors_in_a_cell():
    head = MODELS.build(model_cfg("table1/jde_dla34_stride4.py").detector.bbox_head)
    sizes = head.anchor_sizes[0]
    assert sizes.shape == (12, 2)
    assert sizes[0].tolist() == pytest.approx([11.314, 33.941], abs=1e-3)
    assert sizes[-1].tolist() == pytest.approx([512, 1536])


def test_table_2_changes_the_backbone_alone():
    configs = [load_config(p, check=False) for p in sorted((FOLDER / "table2").glob("*.py"))]
    assert [c.model.detector.backbone.type for c in configs] == [
        "DLA", "HRNet", "ResNet", "ResNet", "ResNet",
    ]  # fmt: skip
    for cfg in configs:
        assert cfg.model.detector.bbox_head == configs[0].model.detector.bbox_head
        assert cfg.train_dataloader == configs[0].train_dataloader
        assert cfg.optim_wrapper == configs[0].optim_wrapper
        assert len(cfg.train_dataloader.dataset.sequences) == 5
        assert len(cfg.test_dataloader.dataset.sequences) == 6


def test_table_4_changes_the_dimension_alone():
    base = load_config(FOLDER / "table2" / "fairmot_dla34_mot15split.py", check=False)
    dims = []
    for path in (FOLDER / "table4").glob("*.py"):
        cfg = load_config(path, check=False)
        dims.append(cfg.model.detector.bbox_head.pop("embed_dims"))
        expected = base.model.detector.bbox_head.copy()
        expected.pop("embed_dims")
        assert cfg.model.detector.bbox_head == expected
        assert cfg.train_dataloader == base.train_dataloader
    assert sorted(dims) == [64, 128, 256, 512]


@pytest.mark.parametrize("year", [15, 16, 17, 20])
def test_fine_tuning_starts_from_the_joint_recipe(year):
    cfg = load_config(FOLDER / "finetune" / f"fairmot_dla34_mot{year}.py", check=False)
    joint = load_config(FOLDER / "fairmot_dla34_joint.py", check=False)
    assert cfg.train_cfg.max_epochs == 10
    assert cfg.load_from == "work_dirs/fairmot_dla34_joint/epoch_30.pth"
    assert cfg.train_dataloader.dataset.data_root == f"data/MOT{year}/train"
    assert cfg.test_dataloader.dataset.data_root == f"data/MOT{year}/test"
    assert cfg.model.detector == joint.model.detector
