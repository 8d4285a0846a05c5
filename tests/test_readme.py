"""The README's example of a user's own parts, taken from the page and run."""

import re
import sys
from pathlib import Path

import numpy as np
import torch
from mmengine.structures import InstanceData

from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import MODELS
from mmdeepmot.structures import Detections, Frame


def blocks(readme: Path) -> dict[str, str]:
    """Python blocks by the file name in their first line."""
    found = re.findall(r"```python\n# (\w+\.py)[^\n]*\n(.*?)```", readme.read_text(), re.DOTALL)
    return dict(found)


def test_own_backbone_loss_and_cost(repository, tmp_path, monkeypatch):
    parts = blocks(repository / "README.md")
    assert set(parts) == {"my_parts.py", "my_config.py"}
    (tmp_path / "my_parts.py").write_text(parts["my_parts.py"])
    config = parts["my_config.py"].replace("configs/", f"{repository}/configs/")
    (tmp_path / "my_config.py").write_text(config)
    monkeypatch.syspath_prepend(tmp_path)
    cfg = load_config(tmp_path / "my_config.py")
    model = MODELS.build(cfg.model)
    try:
        assert type(model.detector.backbone).__name__ == "TinyBackbone"
        assert type(model.detector.bbox_head.loss_id).__name__ == "LengthLoss"
        from mmdet.structures import DetDataSample

        person = InstanceData(
            bboxes=torch.tensor([[8.0, 8, 24, 56]]),
            labels=torch.tensor([0]),
            instances_ids=torch.tensor([0]),
        )
        sample = DetDataSample(gt_instances=person)
        losses = model(torch.rand(1, 3, 64, 64), [sample], mode="loss")
        losses["loss"].backward()
        assert model.detector.backbone.fine.weight.grad.abs().sum() > 0
        assert losses["id/8"] > 0

        def step(index, height):
            boxes = np.array([[10.0, 10, 30, 10 + height]])
            dets = Detections(boxes, np.array([0.9]), np.array([0]))
            return model.tracker.step(Frame(index=index, size=(100, 100), detections=dets))

        model.tracker.reset()
        step(0, 60)
        assert step(1, 60).ids.tolist() == [1]
        # IoU 0.5 alone would pass the limit of 0.7; log(2) / 2 more does not
        assert step(2, 30).ids.tolist() == []
    finally:
        sys.modules.pop("my_parts", None)
