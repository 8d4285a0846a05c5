"""What heads read from data samples: ground truth, and the way back to the original image."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor


@dataclass(frozen=True)
class GroundTruth:
    """Ground truth of a batch; one entry an image.

    Attributes:
        boxes: ``(N_i, 4)`` xyxy px of the input, float32.
        labels: ``(N_i,)`` int64 (0 where the sample has none).
        identities: ``(N_i,)`` int64, -1 none (all where the sample has no ``instances_ids``).
        ignored: ``(M_i, 4)`` xyxy px, or None where the sample has no ``ignored_instances``.
    """

    boxes: list[Tensor]
    labels: list[Tensor]
    identities: list[Tensor]
    ignored: list[Tensor | None]


def _numbers(instances: InstanceData, key: str, default: int, device: torch.device) -> Tensor:
    """``(N,)`` int64 of a field, ``default`` where it is missing."""
    if key in instances:
        return instances.get(key).to(device, torch.int64)
    return torch.full((len(instances),), default, device=device)


def ground_truth(samples: Sequence[DetDataSample], device: torch.device) -> GroundTruth:
    """The ground truth of ``samples`` on ``device``."""
    instances = [sample.gt_instances for sample in samples]
    return GroundTruth(
        boxes=[i.bboxes.to(device, torch.float32) for i in instances],
        labels=[_numbers(i, "labels", 0, device) for i in instances],
        identities=[_numbers(i, "instances_ids", -1, device) for i in instances],
        ignored=[
            sample.ignored_instances.bboxes.to(device, torch.float32)
            if "ignored_instances" in sample
            else None
            for sample in samples
        ],
    )


def boxes_to_original(boxes: Tensor, sample: DetDataSample) -> Tensor:
    """``(N, 4)`` xyxy boxes from px of the network's input to px of the original image.

    ``input = original * scale_factor + pad_offset``; a sample without one of them has not been
    scaled, or not been padded.
    """
    scale = boxes.new_tensor(sample.get("scale_factor", (1.0, 1.0))).repeat(2)
    offset = boxes.new_tensor(sample.get("pad_offset", (0.0, 0.0))).repeat(2)
    return (boxes - offset) / scale
