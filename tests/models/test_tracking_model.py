"""TrackingModel: the same tracks whatever the number of frames a batch, and its tasks."""

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from torch import nn

from mmdeepmot.models.mot.geometry import boxes_to_input, split_detections
from mmdeepmot.models.mot.tracking_model import TrackingModel
from mmdeepmot.registry import MODELS, TRACKERS
from mmdeepmot.structures import Tracks


@MODELS.register_module(force=True)
class PixelDetector(nn.Module):
    """Its one detection sits at the value of the first pixel; its embedding is that value."""

    def predict(self, inputs, samples, task="track"):
        for image, sample in zip(inputs, samples, strict=True):
            x = (image[0, 0, 0] * 255).round()
            box = torch.stack([x, x, x + 10, x + 30])[None]
            if task == "detection":
                box = torch.cat([box, box + 100])
            rows = len(box)
            sample.pred_instances = InstanceData(
                bboxes=box,
                scores=torch.full((rows,), 0.9),
                labels=torch.zeros(rows, dtype=torch.long),
                embeddings=x.expand(rows, 4),
            )
        return samples

    def embed(self, inputs, boxes):
        return [(box[:, :2] * 1.0, box[:, 0] > 0) for box in boxes]

    def loss(self, inputs, samples):
        return {"loss": inputs.mean()}


@TRACKERS.register_module(force=True)
class CountingTracker:
    """Reports each detection under the number of frames since its last reset."""

    def __init__(self):
        self.resets = 0

    def reset(self):
        self.steps = 0
        self.resets += 1

    def step(self, frame):
        self.steps += 1
        dets = frame.detections
        self.last = frame
        return Tracks(dets.bboxes, dets.scores, dets.labels, np.full(len(dets), self.steps))


def clips(values, length, video=0):
    """Frames whose first pixel is the given value, cut into clips of ``length``."""
    frames = torch.zeros(len(values), 3, 32, 32, dtype=torch.uint8)
    frames[:, 2, 0, 0] = torch.tensor(values, dtype=torch.uint8)
    for start in range(0, len(values), length):
        samples = []
        for index in range(start, min(start + length, len(values))):
            gt = InstanceData(
                bboxes=torch.tensor([[0.0, 0, 4, 4], [8.0, 8, 16, 32]]),
                instances_ids=torch.tensor([3, 5]),
            )
            samples.append(
                DetDataSample(
                    metainfo=dict(
                        frame_id=index,
                        video_id=video,
                        ori_shape=(48, 64),
                        fps=7,
                        scale_factor=(0.5, 0.25),
                        pad_offset=(0, 8),
                    ),
                    gt_instances=gt,
                )
            )
        track = TrackDataSample()
        track.video_data_samples = samples
        yield {"inputs": [frames[start : start + length]], "data_samples": [track]}


def run(model, batches):
    rows = []
    for batch in batches:
        for sample in model.test_step(batch):
            rows += [
                (f.pred_track_instances.instances_id.tolist(), f.pred_track_instances.bboxes)
                for f in sample
            ]
    return rows


@pytest.fixture
def model():
    return TrackingModel(dict(type="PixelDetector"), dict(type="CountingTracker")).eval()


@pytest.mark.parametrize("length", [1, 4, 16])
def test_what_comes_out_does_not_depend_on_the_frames_a_batch(model, length):
    values = [5, 7, 9, 40, 80, 81, 82]
    rows = run(model, clips(values, length))
    assert [ids for ids, _ in rows] == [[i + 1] for i in range(7)]
    assert [boxes[0, 0].item() for _, boxes in rows] == values


def test_tracker_starts_afresh_with_each_video(model):
    first = run(model, clips([1, 2, 3], 2, video=0))
    second = run(model, clips([1, 2], 2, video=1))
    assert [ids for ids, _ in first + second] == [[1], [2], [3], [1], [2]]
    assert model.tracker.resets == 2


def test_tracker_sees_size_rate_and_position(model):
    run(model, clips([1, 2], 2))
    assert model.tracker.last.size == (64, 48)
    assert model.tracker.last.fps == 7
    assert model.tracker.last.index == 1
    assert model.tracker.last.detections.embeddings.tolist() == [[2.0] * 4]


def test_detection_task_uses_its_own_settings_and_no_tracker(model):
    model.set_task("detection")
    (batch,) = clips([6], 1)
    frame = model.test_step(batch)[0][0]
    assert len(frame.pred_instances) == 2
    assert "pred_track_instances" not in frame


def test_embedding_task_takes_ground_truth_in_pixels_of_the_input(model):
    model.set_task("embedding")
    (batch,) = clips([6], 1)
    frame = model.test_step(batch)[0][0]
    # box 0 starts at x = 0: the detector calls it invalid; box 1: (8 * .5, 8 * .25 + 8)
    assert frame.pred_embeddings.embeddings.tolist() == [[4.0, 10.0]]
    assert frame.pred_embeddings.instances_ids.tolist() == [5]


def test_boxes_to_input_scales_each_axis_then_shifts():
    sample = DetDataSample(metainfo=dict(scale_factor=(0.5, 2.0), pad_offset=(3, 4)))
    assert boxes_to_input(torch.tensor([[2.0, 2, 4, 4]]), sample).tolist() == [[4, 8, 5, 12]]


def test_frames_without_detections_keep_their_place():
    def instances(count):
        return InstanceData(
            bboxes=torch.full((count, 4), float(count)),
            scores=torch.ones(count),
            labels=torch.zeros(count, dtype=torch.long),
        )

    dets = split_detections([instances(0), instances(2), instances(0), instances(1)])
    assert [len(d) for d in dets] == [0, 2, 0, 1]
    assert dets[3].bboxes.tolist() == [[1.0] * 4]
    assert dets[1].embeddings is None
    assert split_detections([]) == []


def test_timings_count_frames(model):
    run(model, clips([1, 2, 3], 2))
    assert model.timings.frames == 3
    assert model.timings.fps["FPS"] > 0
    model.set_task("track")
    assert model.timings.frames == 0


def test_errors_say_what_is_missing():
    model = TrackingModel(dict(type="PixelDetector")).eval()
    with pytest.raises(ValueError, match="needs a tracker"):
        model.set_task("track")
    with pytest.raises(ValueError, match="task must be one of"):
        model.set_task("segment")
    with pytest.raises(ValueError, match=r"clips of shape \(N, T, 3, H, W\)"):
        model.predict(torch.zeros(1, 3, 32, 32), [])
