"""Tracktor: its regression is mmdet's second stage, its gradients go where they should."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from tracktor_small import SIZE, head_config, images, make_tracktor, sample, tracktor_config

from mmdeepmot.registry import MODELS

BOXES = torch.tensor([[10.0, 10, 40, 80], [60, 20, 90, 90], [120, 5, 158, 94]])
IDS = torch.tensor([7, 3, 5])


@pytest.fixture(scope="module")
def follower():
    return make_tracktor()


@pytest.fixture(scope="module")
def with_head():
    return make_tracktor(embedding_head=head_config())


def test_regression_is_that_of_the_detector(follower):
    """The boxes given as proposals to mmdet's own prediction come out as ``advance`` has them."""
    first, second = follower.encode(images())
    found, after = follower.advance(second, follower.start(first, BOXES, IDS))
    proposals = [InstanceData(bboxes=BOXES, scores=torch.ones(3), labels=torch.zeros(3).long())]
    head = follower.detector.roi_head
    cfg = {"score_thr": -1.0, "nms": {"type": "nms", "iou_threshold": 1.0}, "max_per_img": -1}
    with torch.no_grad():
        (expected,) = head.predict_bbox(
            second.levels, [sample().metainfo], proposals, type(head.test_cfg)(cfg)
        )
    order = found.scores.argsort(descending=True)
    torch.testing.assert_close(found.scores[order], expected.scores)
    torch.testing.assert_close(found.boxes[order], expected.bboxes)
    assert (found.boxes - BOXES).abs().max() > 1  # the head does move them
    assert found.row_ids.tolist() == IDS.tolist()
    assert after.image is second
    torch.testing.assert_close(after.boxes, found.boxes)


def test_boxes_are_looked_for_at_near_and_clipped_to_the_input(follower):
    first, second = follower.encode(images())
    targets = follower.start(first, BOXES, IDS)
    there = follower.advance(second, targets.looked_for(BOXES + 4))[0]
    torch.testing.assert_close(there.boxes, follower.refine(second, BOXES + 4)[0])
    far = follower.refine(second, BOXES + 300)[0]
    assert far[:, [0, 2]].max() <= SIZE[1] and far[:, [1, 3]].max() <= SIZE[0]


def test_mixed_precision_pools_at_the_box_itself(follower):
    """bfloat16 has whole pixels from 128 to 256: what lies between must not be rounded to them."""
    boxes = torch.tensor([[130.0, 10, 150, 80], [130.4, 10, 150.4, 80]])
    seen = []
    hook = follower.bbox_head.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.autocast("cpu", torch.bfloat16):
        (image,) = follower.encode(images(1))
        follower.refine(image, boxes)
    assert image.levels[0].dtype == torch.bfloat16
    exact = type(image)(tuple(level.float() for level in image.levels), image.size)
    follower.refine(exact, boxes)
    hook.remove()
    torch.testing.assert_close(seen[0], seen[1])
    assert (seen[0][0] - seen[0][1]).abs().max() > 0.01


def test_a_box_pushed_out_of_the_image_is_not_valid(follower):
    first, second = follower.encode(images())
    out = torch.tensor([[900.0, 900, 930, 990], [60, 20, 90, 90]])
    found, _ = follower.advance(second, follower.start(first, out, IDS[:2]))
    assert found.valid.tolist() == [False, True]


def test_targets_are_independent_of_each_other_and_of_the_batch(with_head):
    first, second = with_head.encode(images())
    together, _ = with_head.advance(second, with_head.start(first, BOXES, IDS))
    alone = with_head.encode(images()[:1])[0], with_head.encode(images()[1:])[0]
    for row in range(3):
        targets = with_head.start(alone[0], BOXES[row : row + 1], IDS[row : row + 1])
        one, _ = with_head.advance(alone[1], targets)
        torch.testing.assert_close(one.boxes[0], together.boxes[row], atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(one.scores[0], together.scores[row])
        looks = with_head.embed(second, BOXES)[row : row + 1]
        torch.testing.assert_close(with_head.embed(alone[1], BOXES[row : row + 1]), looks)


@pytest.mark.parametrize("name", ["follower", "with_head"])
def test_no_targets(name, request):
    model = request.getfixturevalue(name)
    first, second = model.encode(images())
    found, after = model.advance(second, model.start(first, BOXES[:0], IDS[:0]))
    assert found.boxes.shape == (0, 4) and found.scores.shape == (0,)
    assert len(after) == 0
    both = after.and_also(model.start(second, BOXES, IDS))
    assert both.ids.tolist() == IDS.tolist()


def test_looks_are_unit_vectors_from_the_features_of_the_head(with_head):
    (view,) = with_head.encode(images(1))
    looks = with_head.embed(view, BOXES)
    torch.testing.assert_close(looks.norm(dim=1), torch.ones(3))
    head = with_head.bbox_head
    pooled = with_head._pool(view, BOXES)
    kept = []
    hook = head.fc_cls.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    head(pooled)
    hook.remove()
    expected = with_head.embedding_head.fc(kept[0])
    torch.testing.assert_close(looks, expected / expected.norm(dim=1, keepdim=True))


def test_gradients_reach_the_heads():
    model = make_tracktor(embedding_head=head_config())
    model.detector.backbone.requires_grad_(False)
    first, second = model.encode(images())
    boxes = BOXES.clone().requires_grad_()
    found, _ = model.advance(second, model.start(first, boxes, IDS))
    looks = model.embed(second, found.boxes)
    (found.boxes.sum() + found.scores.sum() + looks[:, 0].sum()).backward()
    assert all(p.grad.abs().sum() > 0 for p in model.bbox_head.parameters())
    assert all(p.grad.abs().sum() > 0 for p in model.embedding_head.parameters())
    assert all(p.grad is None for p in model.detector.backbone.parameters())
    assert torch.isfinite(boxes.grad).all()  # through the decoding only, not through the pooling


def test_class_agnostic_regression_and_another_class():
    cfg = tracktor_config(person=1)
    cfg["detector"]["roi_head"]["bbox_head"].update(num_classes=3, reg_class_agnostic=True)
    model = MODELS.build(cfg).eval()
    (view,) = model.encode(images(1))
    boxes, scores = model.refine(view, BOXES)
    assert boxes.shape == (3, 4) and scores.shape == (3,)
    with torch.no_grad():
        logits, _ = model.bbox_head(model._pool(view, BOXES))
    torch.testing.assert_close(scores, logits.softmax(dim=1)[:, 1])


def test_detections_of_other_classes_are_left_out():
    cfg = tracktor_config(person=1)
    cfg["detector"]["roi_head"]["bbox_head"].update(num_classes=3)
    model = MODELS.build(cfg).eval()
    torch.manual_seed(0)
    model.detector.init_weights()
    torch.nn.init.normal_(model.bbox_head.fc_cls.weight, std=0.5)
    encoded, samples = model.encode(images(1)), [sample()]
    (all_classes,) = model.detector.predict(images(1), [sample()], rescale=False)
    people = all_classes.pred_instances[all_classes.pred_instances.labels == 1]
    assert 0 < len(people) < len(all_classes.pred_instances)
    (found,) = model.detect(encoded, samples)
    np.testing.assert_allclose(found.bboxes.numpy(), people.bboxes.detach().numpy())
    assert found.labels.tolist() == [0] * len(people)


def test_detections_are_the_detector_s(follower):
    batch, samples = images(), [sample(), sample()]
    with torch.no_grad():
        expected = follower.detector.predict(batch, [sample(), sample()], rescale=False)
    found = follower.detect(follower.encode(batch), samples)
    assert sum(len(one) for one in found) > 0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.bboxes.numpy(), other.pred_instances.bboxes.numpy())
        np.testing.assert_allclose(one.scores.numpy(), other.pred_instances.scores.numpy())


def test_it_learns_as_a_detector():
    model = MODELS.build(tracktor_config()).train()
    truth = sample()
    truth.gt_instances = InstanceData(bboxes=BOXES, labels=torch.zeros(3, dtype=torch.long))
    losses = model.loss(images(1), [truth])
    assert {"loss_cls", "loss_bbox", "loss_rpn_cls", "loss_rpn_bbox"} <= losses.keys()
    (losses["loss_cls"] + losses["loss_bbox"]).backward()
    assert model.bbox_head.fc_reg.weight.grad.abs().sum() > 0


def test_without_a_head_there_are_no_embeddings(follower, with_head):
    assert with_head.has_embeddings and not follower.has_embeddings
    (view,) = follower.encode(images(1))
    with pytest.raises(NotImplementedError, match="Tracktor has no embeddings: give it a head"):
        follower.embed(view, BOXES)


def test_a_class_that_the_detector_has_not_is_refused():
    with pytest.raises(ValueError, match="person must be one of 1 classes, got 1"):
        MODELS.build(tracktor_config(person=1))


def test_a_one_stage_detector_is_refused():
    cfg = {"type": "RetinaNet", "backbone": {"type": "ResNet", "depth": 18},
           "neck": {"type": "FPN", "in_channels": [64, 128, 256, 512], "out_channels": 16,
                    "num_outs": 5},
           "bbox_head": {"type": "RetinaHead", "num_classes": 1, "in_channels": 16,
                         "feat_channels": 16, "anchor_generator": {
                             "type": "AnchorGenerator", "scales": [8], "ratios": [1.0],
                             "strides": [8, 16, 32, 64, 128]}}}  # fmt: skip
    with pytest.raises(ValueError, match=r"two-stage detector .*, got RetinaNet"):
        MODELS.build({"type": "Tracktor", "detector": cfg})
