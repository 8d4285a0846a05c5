"""TrackingModel with a follower: Tracktor from frames to tracks, its detections, its appearance."""

from unittest import mock

import numpy as np
import pytest
import torch
from mmdet.structures import TrackDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData
from tracktor_small import ROOT, head_config, images, make_tracktor, sample, tracktor_config

from mmdeepmot.models.mot.follower import Follower, Found, Targets
from mmdeepmot.models.mot.tracking_model import TrackingModel
from mmdeepmot.registry import MODELS

FRAMES = 9


@MODELS.register_module(force=True)
class Still(Follower):
    """Says that nothing moves."""

    def start(self, image, boxes, ids):
        return Targets.at(image, boxes, ids)

    def advance(self, image, targets):
        scores = torch.full((len(targets),), 0.9)
        found = Found(targets.near, scores, targets.ids, scores > 0)
        return found, targets.moved(image, targets.near)


def tracker_config(name="tracktor"):
    """The config's tracker with thresholds that a network without training passes."""
    tracker = Config.fromfile(ROOT / f"configs/_base_/trackers/{name}.py").tracker.to_dict()
    for step in tracker["steps"]:
        if "min_score" in step:
            step["min_score"] = 0.4
    return tracker


def make_model(tracker="tracktor", head=False, **kwargs):
    follower = make_tracktor(embedding_head=head_config() if head else None)
    cfg = tracktor_config(embedding_head=head_config() if head else None)
    model = TrackingModel(
        follower=cfg,
        tracker=tracker_config(tracker),
        data_preprocessor={"type": "MOTDataPreprocessor", "mean": [0] * 3, "std": [1] * 3},
        **kwargs,
    )
    model.follower.load_state_dict(follower.state_dict())
    return model.eval()


def clip(frames, first, scale=(1.0, 1.0), offset=(0, 0), public=None, video=0):
    out = TrackDataSample()
    out.video_data_samples = [
        sample(frame_id=first + i, video_id=video, scale_factor=scale, pad_offset=offset)
        for i in range(len(frames))
    ]
    for one in out:
        if public is not None:
            one.public_detections = InstanceData(
                bboxes=torch.tensor(public), scores=torch.full((len(public),), -2.5),
                labels=torch.zeros(len(public), dtype=torch.long),
            )  # fmt: skip
    return out


def track(model, frames, length, **kwargs):
    """Ids and boxes of every frame, ``length`` at a time."""
    found = []
    with torch.no_grad():
        for start in range(0, len(frames), length):
            part = frames[start : start + length]
            (out,) = model(part[None], [clip(part, start, **kwargs)], mode="predict")
            found += [
                (f.pred_track_instances.instances_id.numpy(), f.pred_track_instances.bboxes.numpy())
                for f in out
            ]
    return found


def walk():
    """A picture that drifts by 2 px a frame, with noise."""
    wide = torch.rand(3, 96, 160 + 2 * FRAMES, generator=torch.Generator().manual_seed(3))
    return torch.stack([wide[:, :, 2 * t : 2 * t + 160] for t in range(FRAMES)])


@pytest.mark.parametrize("name", ["tracktor", "tracktor_reid"])
def test_what_comes_out_does_not_depend_on_the_frames_a_batch(name):
    model = make_model(name, head=name == "tracktor_reid")
    frames = walk()
    expected = track(model, frames, 1)
    lives = np.unique(np.concatenate([ids for ids, _ in expected]), return_counts=True)[1]
    assert lives.max() >= 5 and max(len(ids) for ids, _ in expected) >= 3
    for length in (4, 9):
        for one, other in zip(expected, track(model, frames, length), strict=True):
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_allclose(one[1], other[1], atol=1e-3)


def test_boxes_are_in_pixels_of_the_original():
    """The same input, from an image of half the size: boxes of half the size."""
    model, frames = make_model(), walk()
    inside = track(model, frames, 4)
    outside = track(model, frames, 4, scale=(2.0, 2.0), offset=(0, 0))
    assert sum(len(ids) for ids, _ in inside) > 10
    for one, other in zip(inside, outside, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_allclose(one[1] / 2, other[1], atol=1e-3)


@MODELS.register_module(force=True)
class LooksElsewhere(torch.nn.Module):
    """Detects one standing person, who looks to it like nothing that the follower knows."""

    def predict(self, inputs, samples):
        for frame in samples:
            frame.pred_instances = InstanceData(
                bboxes=torch.tensor([[10.0, 10, 40, 80]]),
                scores=torch.ones(1),
                labels=torch.zeros(1, dtype=torch.long),
                embeddings=torch.ones(1, 3),
            )


@pytest.mark.parametrize(("head", "whose"), [(True, "follower"), (False, "detector")])
def test_looks_of_two_networks_are_not_mixed(head, whose):
    model = make_model(head=head, detector=dict(type="LooksElsewhere"))
    with mock.patch.object(model.tracker, "step", wraps=model.tracker.step) as step:
        track(model, walk(), 4)
    for (frame,), _ in step.call_args_list:
        assert (frame.embed is not None) == (whose == "follower")
        assert (frame.detections.embeddings is not None) == (whose == "detector")


PUBLIC = [[10.0, 10, 40, 80], [60, 20, 90, 90]]


def test_public_detections_as_they_are_or_as_the_head_sees_them():
    frames = walk()[:1]
    given = track(make_model(detections="public"), frames, 1, public=PUBLIC)
    assert given[0][0].size == 0  # scores of -2.5: a detector on another scale
    model = make_model(detections="refined")
    model.tracker.steps[2].among = model.tracker.steps[2].detections = None
    model.tracker.steps[2].min_score = model.tracker.steps[3].min_score = 0.0
    ids, boxes = track(model, frames, 1, public=PUBLIC)[0]
    (view,) = model.follower.encode(frames)
    with torch.no_grad():
        expected, _ = model.follower.refine(view, torch.tensor(PUBLIC))
    assert ids.tolist() == [1, 2]
    np.testing.assert_allclose(boxes, expected.numpy(), atol=1e-4)
    assert (expected - torch.tensor(PUBLIC)).abs().max() > 1


def test_tasks_detection_and_embedding():
    model = make_model(head=True)
    model.set_task("detection")
    frames = images(2)
    one = clip(frames, 0)
    with torch.no_grad():
        (out,) = model(frames[None], [one], mode="predict")
        expected = model.follower.detect(model.follower.encode(frames), [sample(), sample()])
    assert [len(f.pred_instances) for f in out] == [len(e) for e in expected]
    assert "pred_track_instances" not in out[0]
    model.set_task("embedding")
    one = clip(frames, 0)
    for f in one:
        f.gt_instances = InstanceData(
            bboxes=torch.tensor(PUBLIC), instances_ids=torch.tensor([4, 2])
        )
    with torch.no_grad():
        (out,) = model(frames[None], [one], mode="predict")
        looks = model.follower.embed(model.follower.encode(frames)[1], torch.tensor(PUBLIC))
    torch.testing.assert_close(out[1].pred_embeddings.embeddings, looks)
    assert out[1].pred_embeddings.instances_ids.tolist() == [4, 2]


def test_it_trains_its_detector():
    model = make_model().train()
    truth = sample()
    truth.gt_instances = InstanceData(
        bboxes=torch.tensor(PUBLIC), labels=torch.zeros(2, dtype=torch.long)
    )
    losses = model(images(1), [truth], mode="loss")
    assert "loss_rpn_cls" in losses and "loss_bbox" in losses


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "needs a `detector`, a `follower` or a `reid`"),
        ({"follower": {"type": "Still"}}, "Still follows and does not detect: give .* `detector`"),
        (
            {"follower": {"type": "Still"}, "detections": "refined"},
            r"'refined' needs a follower .* \(Tracktor\), got Still",
        ),
        ({"follower": {"type": "Still"}, "detections": "all"}, "must be one of .* got 'all'"),
    ],
)
def test_combinations_that_cannot_work_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        TrackingModel(**kwargs)


def test_missing_public_detections_are_named():
    with pytest.raises(ValueError, match=r"set with_detections='det/det.txt'"):
        track(make_model(detections="public"), walk()[:1], 1)


def test_a_follower_that_learns_from_clips_only_says_so():
    model = TrackingModel(follower={"type": "Still"}, detections="public")
    with pytest.raises(ValueError, match="Still does not learn from single images"):
        model(images(1), [sample()], mode="loss")
