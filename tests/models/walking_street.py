"""Ten frames of people in bright clothes who walk, and how well a tracking model follows them."""

import numpy as np
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from mmdeepmot.evaluation.functional import TrackingSequence
from mmdeepmot.evaluation.tracking import evaluate_tracking

SIZE = (96, 160)  # height, width
PERSON = (44, 18)
FRAMES, PEOPLE = 10, 4
STEP = torch.tensor([[3.0, 1], [-3, 1], [2, -2], [-2, -1]])
START = torch.tensor([[8.0, 10], [66, 12], [76, 44], [136, 40]])


def walk() -> tuple[Tensor, Tensor]:
    """Frames ``(10, 3, 96, 160)`` in [0, 1] and boxes ``(10, 4, 4)`` xyxy px."""
    rng = torch.Generator().manual_seed(0)
    looks = torch.rand(PEOPLE, 3, 5, 2, generator=rng)
    looks = torch.nn.functional.interpolate(looks, PERSON, mode="nearest")
    images = (0.3 + 0.1 * torch.rand(3, *SIZE, generator=rng)).repeat(FRAMES, 1, 1, 1)
    corners = START + torch.arange(FRAMES)[:, None, None] * STEP
    for image, here in zip(images, corners.int().tolist(), strict=True):
        for look, (left, top) in zip(looks, here, strict=True):
            image[:, top : top + PERSON[0], left : left + PERSON[1]] = look
    return images, torch.cat([corners, corners + torch.tensor(PERSON[::-1])], dim=2)


def truth(boxes: Tensor) -> list[DetDataSample]:
    """Samples of frames with boxes ``(T, N, 4)``; public detections in the first one alone."""
    samples = []
    for time, here in enumerate(boxes):
        sample = DetDataSample(
            metainfo={
                **{"frame_id": time, "video_id": 0, "scale_factor": (1.0, 1.0)},
                **{"ori_shape": SIZE, "img_shape": SIZE, "pad_offset": (0, 0)},
            }
        )
        labels = torch.zeros(len(here), dtype=torch.int64)
        sample.gt_instances = InstanceData(
            bboxes=here, labels=labels, instances_ids=torch.arange(len(here))
        )
        seen = len(here) if time == 0 else 0
        sample.public_detections = InstanceData(
            bboxes=here[:seen], labels=labels[:seen], scores=torch.ones(seen)
        )
        samples.append(sample)
    return samples


def as_clip(samples: list[DetDataSample]) -> TrackDataSample:
    """One sample of consecutive frames."""
    clip = TrackDataSample()
    clip.video_data_samples = samples
    return clip


@torch.no_grad()
def scores(model: torch.nn.Module, images: Tensor, boxes: Tensor) -> dict[str, float]:
    """CLEAR MOT of what the model tracks; it is left in training mode."""
    model.eval()
    (out,) = model(images[None], [as_clip(truth(boxes))], mode="predict")
    model.train()
    tracks = [frame.pred_track_instances for frame in out]
    frames = np.arange(len(boxes))
    sequence = TrackingSequence(
        "walk",
        frames.repeat(PEOPLE),
        np.tile(np.arange(PEOPLE), len(boxes)),
        boxes.reshape(-1, 4).double().numpy(),
        np.zeros(boxes.shape[:2].numel(), dtype=np.int64),
        frames.repeat([len(one) for one in tracks]),
        torch.cat([one.instances_id for one in tracks]).numpy(),
        torch.cat([one.bboxes for one in tracks]).double().numpy(),
    )
    return evaluate_tracking([sequence], ["CLEAR"]).overall
