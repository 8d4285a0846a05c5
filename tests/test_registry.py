"""Registries: a user's own parts through custom_imports, and mmdet's parts in our scope."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmdeepmot.registry import COSTS, MODELS, TRACKERS
from mmdeepmot.structures import Detections, Frame

PARTS = """
    import torch
    from torch import nn

    from mmdeepmot.registry import COSTS, MODELS


    @MODELS.register_module()
    class StripedBackbone(nn.Module):
        '''One convolution for each of the strides 8, 16 and 32.'''

        def __init__(self, channels=(8, 12, 16)):
            super().__init__()
            sizes = zip(channels, (8, 16, 32), strict=True)
            self.convs = nn.ModuleList(nn.Conv2d(3, c, s, s) for c, s in sizes)

        def forward(self, images):
            return tuple(conv(images) for conv in self.convs)


    @MODELS.register_module()
    class PullTogetherLoss(nn.Module):
        '''Squared length of the embeddings that have an identity.'''

        def forward(self, embeddings, identities):
            return embeddings.square().sum(dim=1), identities >= 0


    @COSTS.register_module()
    def height_difference(tracks, detections, context, scale=1.0):
        heights = [boxes[:, 3] - boxes[:, 1] for boxes in (tracks.bboxes, detections.bboxes)]
        return abs(heights[0][:, None] - heights[1]) / scale
"""

CONFIG = """
    _base_ = ["{root}/configs/_base_/models/jde_r18.py"]
    custom_imports = dict(imports=["{module}"])
    model = dict(
        detector=dict(
            backbone=dict(_delete_=True, type="StripedBackbone", channels=(4, 6, 8)),
            neck=dict(in_channels=[8, 6, 4], out_channels=[16, 12, 8]),
            bbox_head=dict(
                in_channels=[8, 12, 16],
                embed_dims=16,
                num_ids=3,
                loss_id=dict(_delete_=True, type="PullTogetherLoss"),
            ),
        ),
        tracker=dict(
            type="Tracker",
            motion=dict(type="AspectKalman"),
            steps=[
                dict(type="Predict"),
                dict(
                    type="Associate",
                    cost=[
                        dict(type="iou", weight=0.0),
                        dict(type="height_difference", scale=100.0),
                    ],
                    limit=0.1,
                ),
                dict(type="Refine"),
                dict(type="Birth", min_score=0.5, hits=1),
                dict(type="Confirm", hits=1),
                dict(type="Report"),
            ],
        ),
    )
"""


@pytest.fixture(autouse=True)
def _scope() -> None:
    init_default_scope("mmdeepmot")


@pytest.fixture
def config(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    """A config whose backbone, embedding loss and association cost are a user's own."""
    module = "parts_of_a_user"
    (tmp_path / f"{module}.py").write_text(textwrap.dedent(PARTS))
    file = tmp_path / "own.py"
    file.write_text(textwrap.dedent(CONFIG.format(root=repository, module=module)))
    monkeypatch.syspath_prepend(tmp_path)
    yield Config.fromfile(file)
    sys.modules.pop(module, None)
    for registry, name in (
        (MODELS, "StripedBackbone"),
        (MODELS, "PullTogetherLoss"),
        (COSTS, "height_difference"),
    ):
        registry.module_dict.pop(name, None)


def test_own_backbone_and_loss_train(config: Config) -> None:
    model = MODELS.build(config.model)
    assert type(model.detector.backbone).__name__ == "StripedBackbone"
    assert type(model.detector.bbox_head.loss_id).__name__ == "PullTogetherLoss"
    sample = DetDataSample(
        metainfo={"img_shape": (64, 128), "ori_shape": (64, 128), "scale_factor": (1.0, 1.0)}
    )
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[10.0, 10, 22, 46], [60, 8, 80, 60]]),
        labels=torch.zeros(2, dtype=torch.long),
        instances_ids=torch.tensor([0, 2]),
    )
    sample.ignored_instances = InstanceData(
        bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long)
    )
    losses = model.detector.loss(torch.rand(1, 3, 64, 128), [sample])
    losses["loss"].backward()
    for conv in model.detector.backbone.convs:
        assert conv.weight.grad is not None and conv.weight.grad.abs().sum() > 0


def test_own_cost_decides_who_is_who(config: Config) -> None:
    """Two people swap places between frames; only their heights tell them apart."""
    tracker = TRACKERS.build(config.model.tracker)
    low, high = [0.0, 0, 20, 40], [100.0, 0, 120, 80]
    swapped = [[100.0, 0, 120, 40], [0.0, 0, 20, 80]]
    ids = []
    for index, boxes in enumerate(([low, high], swapped)):
        detections = Detections(np.array(boxes), np.ones(2), np.zeros(2, dtype=np.int64))
        tracks = tracker.step(Frame(index, (200, 100), 30.0, detections))
        heights = tracks.bboxes[:, 3] - tracks.bboxes[:, 1]
        ids.append(tracks.ids[np.argsort(heights)].tolist())
    assert len(set(ids[0])) == 2
    assert ids[0] == ids[1]


def test_unregistered_type_is_named(config: Config) -> None:
    config.model.detector.backbone.type = "StripedBackbon"
    with pytest.raises(KeyError, match="StripedBackbon"):
        MODELS.build(config.model)


def test_mmdet_component_builds_its_own_unscoped_parts() -> None:
    """CenterNetHead asks for a plain ``GaussianFocalLoss``."""
    for name in ("CenterNetHead", "mmdet.CenterNetHead"):
        head = MODELS.build(dict(type=name, in_channels=4, feat_channels=4, num_classes=1))
        assert type(head.loss_center_heatmap).__name__ == "GaussianFocalLoss"
        outputs = head((torch.rand(1, 4, 8, 8),))
        assert outputs[0][0].shape == (1, 1, 8, 8)


def test_operator_layers_of_mmcv_are_found() -> None:
    """``DCNv2`` is known only after ``mmcv.ops`` was imported, which mmdet's models do."""
    MODELS.import_from_location()
    assert MODELS.get("DCNv2") is not None


def test_ours_win_over_mmdets_and_are_not_seen_there() -> None:
    from mmdet.registry import MODELS as MMDET_MODELS

    @MODELS.register_module(name="GaussianFocalLoss")
    class _Ours(torch.nn.Module):
        pass

    try:
        assert type(MODELS.build(dict(type="GaussianFocalLoss"))) is _Ours
        assert type(MODELS.build(dict(type="mmdet.GaussianFocalLoss"))) is not _Ours
        assert MMDET_MODELS.get("GaussianFocalLoss") is not _Ours
    finally:
        MODELS.module_dict.pop("GaussianFocalLoss")


def test_numpy_side_imports_no_torch() -> None:
    code = """
    import sys
    import mmdeepmot
    assert not {"torch", "numpy", "mmengine"} & set(sys.modules)
    import mmdeepmot.registry, mmdeepmot.trackers, mmdeepmot.association, mmdeepmot.motion
    import mmdeepmot.structures, mmdeepmot.io, mmdeepmot.evaluation.functional
    assert not {"torch", "mmdet.models", "mmcv.ops"} & set(sys.modules)
    """
    root = Path(__file__).resolve().parent.parent
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=root
    )
    assert result.returncode == 0, result.stderr
