"""A small Tracktor learns a clip of ten frames by the DeepMOT loss.

Its detector is trained first, then its regression is forgotten: tracks stand still, and are lost.
The loss has to teach the regression anew, as in the paper with all else frozen.
"""

import numpy as np
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from tracktor_small import ROOT, SIZE, tracktor_config

from mmdeepmot.engine.config import load_config
from mmdeepmot.evaluation.functional import TrackingSequence
from mmdeepmot.evaluation.tracking import evaluate_tracking
from mmdeepmot.registry import MODELS

FRAMES, PEOPLE = 10, 4
DETECTOR_STEPS, STEPS = 60, 80


def street() -> tuple[torch.Tensor, torch.Tensor]:
    """Frames ``(10, 3, 96, 160)`` in [0, 1] and boxes ``(10, 4, 4)``: textured people who walk."""
    rng = torch.Generator().manual_seed(0)
    ground = 0.3 + 0.1 * torch.rand(3, *SIZE, generator=rng)
    looks = torch.rand(PEOPLE, 3, 5, 2, generator=rng)
    looks = torch.nn.functional.interpolate(looks, (44, 18), mode="nearest")
    step = torch.tensor([[3.0, 1], [-3, 1], [2, -2], [-2, -1]])
    start = torch.tensor([[8.0, 10], [66, 12], [76, 44], [136, 40]])
    boxes = []
    images = ground.repeat(FRAMES, 1, 1, 1)
    for time in range(FRAMES):
        corner = start + time * step
        boxes.append(torch.cat([corner, corner + torch.tensor([18.0, 44])], dim=1))
        for look, (left, top) in zip(looks, corner.int().tolist(), strict=True):
            images[time, :, top : top + 44, left : left + 18] = look
    return images, torch.stack(boxes)


def clip(boxes: torch.Tensor) -> TrackDataSample:
    """The truth; who is there in the first frame is detected there, by others."""
    frames = []
    for time, here in enumerate(boxes):
        sample = DetDataSample(metainfo=dict(
            frame_id=time, video_id=0, ori_shape=SIZE, img_shape=SIZE, pad_shape=SIZE,
            batch_input_shape=SIZE, scale_factor=(1.0, 1.0), pad_offset=(0, 0),
        ))  # fmt: skip
        labels = torch.zeros(len(here), dtype=torch.long)
        sample.gt_instances = InstanceData(
            bboxes=here, labels=labels, instances_ids=torch.arange(len(here))
        )
        found = here if time == 0 else here[:0]
        sample.public_detections = InstanceData(
            bboxes=found, labels=labels[: len(found)], scores=torch.ones(len(found))
        )
        frames.append(sample)
    out = TrackDataSample()
    out.video_data_samples = frames
    return out


def build():
    """The r18 network, narrower, with the paper's loss and the published track management."""
    follower = tracktor_config()
    follower["detector"]["roi_head"]["bbox_head"].update(fc_out_channels=128)
    cfg = load_config(ROOT / "configs/_base_/models/deepmot.py", check=False).model
    tracker = load_config(ROOT / "configs/_base_/trackers/tracktor.py", check=False).tracker
    torch.manual_seed(0)
    model = MODELS.build(
        {**cfg, "follower": follower, "tracker": tracker, "trainable": ["*.bbox_head.fc_reg.*"],
         "data_preprocessor": {"type": "MOTDataPreprocessor", "std": [1.0] * 3}}
    )  # fmt: skip
    model.init_weights()
    return model


def pretrain(model, images: torch.Tensor, samples: list[DetDataSample]) -> None:
    """Trains the detector, then makes its regression that of a network that knows nothing."""
    detector = model.follower.detector
    detector.requires_grad_(True).train()
    optimizer = torch.optim.Adam(detector.parameters(), lr=2e-3)
    for step in range(DETECTOR_STEPS):
        rows = torch.arange(step % 2, FRAMES, 2)
        losses = detector.loss(images[rows], [samples[row] for row in rows.tolist()])
        total, _ = detector.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    torch.nn.init.normal_(model.follower.bbox_head.fc_reg.weight, std=0.001)
    torch.nn.init.zeros_(model.follower.bbox_head.fc_reg.bias)
    detector.requires_grad_(False)
    model.follower.bbox_head.fc_reg.requires_grad_(True)
    model.train()


def scores(model, images: torch.Tensor, boxes: torch.Tensor) -> dict[str, float]:
    """MOTA and IDs of what is tracked."""
    model.eval()
    with torch.no_grad():
        (out,) = model(images[None], [clip(boxes)], mode="predict")
    model.train()
    rows = [(t, int(i), b) for t, frame in enumerate(out) for i, b in zip(
        frame.pred_track_instances.instances_id, frame.pred_track_instances.bboxes.numpy(),
        strict=True)]  # fmt: skip
    count = FRAMES * PEOPLE
    sequence = TrackingSequence(
        "street",
        np.repeat(np.arange(FRAMES), PEOPLE),
        np.tile(np.arange(PEOPLE), FRAMES),
        boxes.reshape(count, 4).double().numpy(),
        np.zeros(count, dtype=np.int64),
        np.array([t for t, _, _ in rows], dtype=np.int64),
        np.array([i for _, i, _ in rows], dtype=np.int64),
        np.array([b for _, _, b in rows], dtype=float).reshape(-1, 4),
    )
    return evaluate_tracking([sequence], ["CLEAR"]).overall


def test_ten_frames_are_learned():
    images, boxes = street()
    model = build()
    pretrain(model, images, list(clip(boxes)))
    before = scores(model, images, boxes)
    assert before["MOTA"] < 60, before
    optimizer = torch.optim.Adam(model.follower.bbox_head.fc_reg.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, STEPS)
    for _ in range(STEPS):
        losses = model(images[None], [clip(boxes)], mode="loss")
        total, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        schedule.step()
    after = scores(model, images, boxes)
    assert after["MOTA"] >= 95 and after["IDs"] == 0, (before, after)
