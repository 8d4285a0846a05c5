"""Clips of bright rectangles that walk over dark noise, and a follower that pools and regresses."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmdeepmot.models.mot import DeepMOTModel, Follower, Found, Targets
from mmdeepmot.registry import MODELS

SIZE = (128, 96)
SINKHORN = dict(type="Sinkhorn", temperature=0.05, slack=0.125)


@MODELS.register_module()
class ToyFollower(Follower):
    """Samples a grid over twice the box; a linear layer says how the box has moved and grown.

    Args:
        grid: Points along each side.
        norm: Whether a batch normalisation stands before the layer.
    """

    def __init__(self, grid: int = 6, norm: bool = False) -> None:
        super().__init__()
        self.grid = grid
        self.norm = nn.BatchNorm1d(grid * grid) if norm else nn.Identity()
        self.head = nn.Linear(grid * grid, 4)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def start(self, image: Tensor, boxes: Tensor, ids: Tensor) -> Targets:
        return Targets.at(image, boxes, ids)

    def look(self, image: Tensor, boxes: Tensor) -> Tensor:
        steps = torch.linspace(-1, 1, self.grid)
        offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
        centre, size = 0.5 * (boxes[:, :2] + boxes[:, 2:]), boxes[:, 2:] - boxes[:, :2]
        points = centre[:, None, None] + offsets * size[:, None, None]
        scaled = 2 * points / points.new_tensor(image.shape[:0:-1]) - 1
        grey = image.mean(dim=0).expand(len(boxes), 1, -1, -1)
        return F.grid_sample(grey, scaled, align_corners=False).flatten(1)

    def advance(self, image: Tensor, targets: Targets) -> tuple[Found, Targets]:
        near = targets.near
        change = self.head(self.norm(self.look(image, near)))
        size = near[:, 2:] - near[:, :2]
        centre = 0.5 * (near[:, :2] + near[:, 2:]) + change[:, :2] * size
        half = 0.5 * size * change[:, 2:].clamp(-1, 1).exp()
        boxes = torch.cat((centre - half, centre + half), dim=1)
        found = Found(boxes, torch.ones(len(boxes)), targets.ids, targets.ids >= 0)
        return found, targets.moved(image, boxes)

    def embed(self, image: Tensor, boxes: Tensor) -> Tensor:
        return F.normalize(self.look(image, boxes), dim=1)


def toy_model(matcher: dict | None = None, **changes) -> DeepMOTModel:
    """A model with the toy follower; ``changes`` are arguments of :class:`DeepMOTModel`."""
    criterion = dict(type="DeepMOTCriterion", matcher=matcher or SINKHORN)
    config = dict(follower=dict(type="ToyFollower"), criterion=criterion) | changes
    return DeepMOTModel(**config)


def frame_sample(boxes: Tensor, ids: Sequence[int], ignored: Tensor | None = None) -> DetDataSample:
    """The truth of a frame; boxes ``(N, 4)`` xyxy px."""
    sample = DetDataSample(metainfo={"img_shape": SIZE[::-1]})
    boxes = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    sample.gt_instances = InstanceData(
        bboxes=boxes,
        labels=torch.zeros(len(boxes), dtype=torch.int64),
        instances_ids=torch.tensor(ids, dtype=torch.int64),
    )
    ignored = torch.zeros(0, 4) if ignored is None else ignored
    sample.ignored_instances = InstanceData(
        bboxes=ignored, labels=torch.zeros(len(ignored), dtype=torch.int64)
    )
    return sample


def clip_sample(frames: Sequence[DetDataSample]) -> TrackDataSample:
    sample = TrackDataSample()
    sample.video_data_samples = list(frames)
    return sample


def paint(boxes: Tensor, generator: torch.Generator) -> Tensor:
    """A frame ``(3, H, W)``: noise, and 1 inside of boxes ``(N, 4)``."""
    image = 0.2 * torch.rand(3, SIZE[1], SIZE[0], generator=generator)
    for left, top, right, bottom in boxes.round().int().tolist():
        image[:, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 1
    return image


def toy_clips(
    count: int, length: int = 2, people: int = 3, seed: int = 0
) -> tuple[Tensor, list[TrackDataSample]]:
    """``(B, T, 3, H, W)`` and their truth: people side by side, who walk up to 3 px a frame."""
    generator = torch.Generator().manual_seed(seed)
    images, samples = [], []
    for _ in range(count):
        left = 6 + 40 * torch.arange(people) + 6 * torch.rand(people, generator=generator)
        top = 20 + 20 * torch.rand(people, generator=generator)
        corner = torch.stack((left, top), dim=1)
        boxes = torch.cat((corner, corner + torch.tensor([16.0, 36.0])), dim=1)
        step = (6 * torch.rand(people, 2, generator=generator) - 3).repeat(1, 2)
        walk = [boxes + time * step for time in range(length)]
        images.append(torch.stack([paint(one, generator) for one in walk]))
        samples.append(clip_sample([frame_sample(one, range(people)) for one in walk]))
    return torch.stack(images), samples
