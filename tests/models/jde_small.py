"""A small JDE and samples for it, shared by the tests of the model."""

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmdeepmot.models.detectors import JDE
from mmdeepmot.registry import MODELS


def small_config(**head) -> dict:
    """Config of a JDE with ResNet-18, thin neck, embeddings of 16, 6 identities."""
    return {
        "type": "JDE",
        "backbone": {"type": "ResNet", "depth": 18, "base_channels": 8, "out_indices": (1, 2, 3),
                     "norm_eval": False},
        "neck": {"type": "YOLOV3Neck", "num_scales": 3, "in_channels": [64, 32, 16],
                 "out_channels": [16, 12, 8]},
        "bbox_head": {"type": "JDEHead", "in_channels": [8, 12, 16], "num_ids": 6,
                      "embed_dims": 16, **head},
    }  # fmt: skip


def small_jde(seed: int = 0, **head) -> JDE:
    """The model of :func:`small_config`, its weights fixed by ``seed``."""
    torch.manual_seed(seed)
    return MODELS.build(small_config(**head))


def sample(
    boxes: list, ids: list | None = None, ignored: list | None = None, **meta
) -> DetDataSample:
    """A data sample with ``boxes`` xyxy px and identities (-1 where not given)."""
    ids = [-1] * len(boxes) if ids is None else ids
    found = DetDataSample(metainfo=meta)
    found.gt_instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).view(-1, 4),
        labels=torch.zeros(len(boxes), dtype=torch.int64),
        instances_ids=torch.tensor(ids, dtype=torch.int64),
    )
    if ignored is not None:
        found.ignored_instances = InstanceData(
            bboxes=torch.tensor(ignored, dtype=torch.float32).view(-1, 4),
            labels=torch.zeros(len(ignored), dtype=torch.int64),
        )
    return found


def people() -> list[DetDataSample]:
    """Four images of 96x128: three people, one without identity, nobody, two on coarse scales."""
    return [
        sample([[10, 20, 26, 68], [64, 8, 80, 56], [90, 30, 112, 94]], [0, 3, 5]),
        sample([[40, 16, 56, 64]], [-1]),
        sample([], []),
        sample([[32, 0, 64, 96], [70, 10, 86, 58]], [1, 0]),
    ]
