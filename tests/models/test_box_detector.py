"""Detectors of mmdet in a TrackingModel."""

import pytest
import torch
from mmdet.structures import TrackDataSample
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from tracktor_small import images, sample, tracktor_config

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MODELS

TRACKER = {
    "type": "Tracker",
    "memory": {"type": "MomentumMemory"},
    "steps": [
        {"type": "Predict"},
        {"type": "Associate", "cost": "cosine", "limit": 0.7},
        {"type": "Refine"},
        {"type": "Birth", "min_score": 0.0},
        {"type": "Confirm", "hits": 1},
        {"type": "Retire"},
    ],
}
REID = {
    "type": "ReIDNet",
    "backbone": {"type": "ResNet", "depth": 18, "base_channels": 8, "out_indices": (3,),
                 "frozen_stages": -1, "norm_eval": False},
    "head": {"type": "IDEHead", "in_channels": 64},
    "crop_size": (16, 32),
}  # fmt: skip


def rcnn(classes=1):
    config = tracktor_config()["detector"]
    config["roi_head"]["bbox_head"]["num_classes"] = classes
    config["test_cfg"]["rcnn"].update(score_thr=0.0, max_per_img=300)
    return config


def make(count=1, **options):
    torch.manual_seed(0)
    model = MODELS.build({"type": "BoxDetector", "detector": rcnn(count), **options}).eval()
    model.detector.init_weights()
    head = model.detector.roi_head.bbox_head
    torch.nn.init.normal_(head.fc_reg.weight, std=0.1)
    torch.nn.init.normal_(head.fc_cls.weight, std=0.3)
    return model


def test_boxes_come_back_to_the_original_image():
    model = make()
    # an original of 280x160 (W x H), halved and moved down by 8 px to an input of 160x96
    meta = dict(ori_shape=(160, 280), scale_factor=(0.5, 0.5), pad_offset=(0, 8))
    (plain,) = model.predict(images(1), [sample()], task="detection")
    (moved,) = model.predict(images(1), [sample(**meta)], task="detection")
    assert len(plain.pred_instances) > 5
    expected = (plain.pred_instances.bboxes - torch.tensor([0.0, 8, 0, 8])) / 0.5
    limit = torch.tensor([280.0, 160, 280, 160])
    torch.testing.assert_close(moved.pred_instances.bboxes, expected.clamp(min=0).minimum(limit))
    assert set(moved.pred_instances.keys()) == {"bboxes", "scores", "labels"}


def test_tracking_takes_the_sure_ones():
    model = make()
    (every,) = model.predict(images(1), [sample()], task="detection")
    scores = every.pred_instances.scores
    model.score_thr = float(scores.sort().values[-3])
    (sure,) = model.predict(images(1), [sample()])
    assert len(sure.pred_instances) == 3 < len(scores)
    torch.testing.assert_close(sure.pred_instances.scores, scores[scores >= model.score_thr])


def test_classes_are_chosen_and_labelled_by_their_order():
    every, some = make(4), make(4, classes=[3, 1])
    (all_of_them,) = every.predict(images(1), [sample()], task="detection")
    (chosen,) = some.predict(images(1), [sample()], task="detection")
    labels = all_of_them.pred_instances.labels
    kept = (labels == 3) | (labels == 1)
    assert 0 < kept.sum() < len(labels)
    assert chosen.pred_instances.labels.tolist() == [int(one == 1) for one in labels[kept]]
    torch.testing.assert_close(
        chosen.pred_instances.bboxes, all_of_them.pred_instances.bboxes[kept]
    )


def test_chosen_classes_in_training():
    model = make(4, classes=[3, 1]).train()
    one = sample()
    one.gt_instances = InstanceData(
        bboxes=torch.tensor([[10.0, 10, 40, 80]]), labels=torch.tensor([1])
    )
    losses = model.loss(images(1), [one])
    assert one.gt_instances.labels.tolist() == [1]
    assert {"loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox"} <= losses.keys()


def test_with_a_reid_network_in_a_tracking_model():
    model = MODELS.build({
        "type": "TrackingModel", "detector": {"type": "BoxDetector", "detector": rcnn(),
        "score_thr": 0.0}, "reid": REID, "tracker": TRACKER,
    }).eval()  # fmt: skip
    model.detector.load_state_dict(make().state_dict())
    clip = TrackDataSample()
    clip.video_data_samples = [sample(), sample(frame_id=1)]
    with torch.no_grad():
        (tracked,) = model(images(2)[None], [clip], mode="predict")
    first, second = (frame.pred_track_instances for frame in tracked)
    assert len(first) == len(tracked[0].pred_instances) > 0
    assert set(second.instances_id.tolist()) & set(first.instances_id.tolist())
    times = model.timings
    assert times.detection > 0 and times.embedding > 0 and times.association > 0
    whole = times.detection + times.embedding + times.association
    assert times.fps["FPS"] == pytest.approx(2 / whole)
    assert times.fps["FPSE"] == pytest.approx(2 / times.embedding)


def test_what_is_refused():
    with pytest.raises(InputError, match=r"FasterRCNN is a detector of mmdet: put it into a Box"):
        MODELS.build(ConfigDict({"type": "TrackingModel", "detector": rcnn()}))
    with pytest.raises(InputError, match=r"score_thr must lie in \[0, 1\], got 5"):
        make(score_thr=5)
    with pytest.raises(InputError, match="classes must be class indices"):
        make(classes=[])
