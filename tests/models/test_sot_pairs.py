"""Single-object training: pairs, labels, sampling, motion models, losses by hand."""

import math

import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from sot_small import BOXES, GOTURN, IDS, SIAMRPN, UP_CHANNEL, build, frames

from mmdeepmot.models.followers.siamrpn import Proposals
from mmdeepmot.models.heads.coding import encode_boxes
from mmdeepmot.models.sot_training.pairs import (
    FramePair,
    common_targets,
    truncated_laplace,
    uniform,
)
from mmdeepmot.models.sot_training.siamrpn_loss import anchor_labels, sample
from mmdeepmot.registry import MODELS

CPU = torch.device("cpu")
LOSSES = {
    "siamrpn": (SIAMRPN, {"type": "SiamRPNPairLoss", "search_shift": 16.0}),
    "up_channel": (UP_CHANNEL, {"type": "SiamRPNPairLoss", "search_shift": 16.0}),
    "goturn": (GOTURN, {"type": "GOTURNPairLoss", "crops": 2}),
}


def pair(count=3):
    first, second = frames((4, 2))
    moved = BOXES[:count] + torch.tensor([4.0, 2, 4, 2])
    return FramePair(first, second, BOXES[:count], moved, IDS[:count])


def clip(boxes, ids):
    samples = []
    for box, number in zip(boxes, ids, strict=True):
        one = DetDataSample(metainfo={"img_shape": (180, 280)})
        one.gt_instances = InstanceData(bboxes=box, instances_ids=torch.tensor(number))
        samples.append(one)
    track = TrackDataSample()
    track.video_data_samples = samples
    return track


def test_common_targets_by_hand():
    first = torch.tensor([[0.0, 0, 9, 9], [1, 1, 9, 9], [2, 2, 9, 9], [3, 3, 4, 9], [5, 5, 9, 9]])
    second = first.flip(0) + 1
    ids = torch.tensor([4, -1, 7, 8, 9]), torch.tensor([2, 8, 7, -1, 4])
    before, now, found = common_targets((first, second), ids, None, 2.0)
    assert found.tolist() == [4, 7]  # 8 is too narrow, 9 has left, -1 is nobody
    torch.testing.assert_close(before, first[[0, 2]])
    torch.testing.assert_close(now, second[[4, 2]])
    before, now, found = common_targets((first, second), ids, 1, 2.0)
    assert len(before) == len(now) == len(found) == 1
    assert found.item() in (4, 7)


def test_labels_of_anchors():
    overlap = torch.tensor([[0.7, 0.61, 0.5, 0.29], [0.5, 0.35, 0.1, 0.0], [0.2, 0.1, 0.0, 0.0]])
    positive, negative = anchor_labels(overlap)
    assert positive.tolist() == [
        [True, True, False, False],
        [True, False, False, False],
        [False] * 4,
    ]
    assert negative.tolist() == [[False] * 3 + [True], [False] * 2 + [True] * 2, [True] * 4]


def test_samples_are_drawn_evenly():
    candidates = torch.rand(4, 30) < 0.5
    candidates[3] = False
    times = torch.zeros(4, 30)
    for _ in range(400):
        drawn = sample(candidates, 5)
        assert drawn.sum(1).tolist() == [5, 5, 5, 0]
        assert not (drawn & ~candidates).any()
        times += drawn
    share = times[:3][candidates[:3]] / 400
    assert (
        share - 5 / candidates.sum(1)[:3].repeat_interleave(candidates.sum(1)[:3])
    ).abs().max() < 0.12
    assert sample(candidates, torch.tensor([[1], [2], [99], [3]])).sum(1).tolist()[:2] == [1, 2]


def test_truncated_laplace():
    draws = truncated_laplace(20000, 2, 0.2, 0.5, CPU)
    assert draws.abs().max() <= 0.5
    assert draws.mean().abs() < 0.01
    # of |x|: an exponential cut at 0.5
    expected = 0.2 - 0.5 * math.exp(-2.5) / (1 - math.exp(-2.5))
    assert draws.abs().mean().item() == pytest.approx(expected, rel=0.03)
    assert uniform(1000, 2, 3.0, CPU).abs().max() <= 3


def test_siamrpn_crops_without_jitter_hold_the_target_in_the_middle():
    net = build(SIAMRPN)
    loss = MODELS.build(
        {"type": "SiamRPNPairLoss", "template_shift": 0, "template_scale": 0, "search_shift": 0,
         "search_scale": 0}
    )  # fmt: skip
    one = pair()
    templates, searches, truth = loss.crops(net, [one, one])
    assert templates.shape == (6, 3, 127, 127)
    assert searches.shape == (6, 3, 191, 191)
    torch.testing.assert_close(templates[:3], net.template_crops(one.first, one.before))
    torch.testing.assert_close(truth[:, :2], -truth[:, 2:], atol=1e-3, rtol=0)
    # 30 x 90 px: the template's 127 px show sqrt(90 * 150) px
    scale = 127 / math.sqrt(90 * 150)
    torch.testing.assert_close(truth[0], torch.tensor([-15.0, -45, 15, 45]) * scale)
    middle = slice(32, 159)  # the search crop goes on around the same scale
    torch.testing.assert_close(
        searches[0][:, middle, middle],
        net.template_crops(one.second, one.now)[0],
        atol=0.02,
        rtol=0,
    )


def test_jittered_crops_know_where_the_target_is():
    """What an anchor-free reader would decode from the crop is the box in the image."""
    net = build(SIAMRPN)
    loss = MODELS.build({"type": "SiamRPNPairLoss", "search_shift": 40.0})
    ramp = (
        torch.stack(torch.meshgrid(torch.arange(400.0), torch.arange(400.0), indexing="xy")) + 0.5
    )
    image = torch.cat((ramp, ramp[:1]))
    box = torch.tensor([[150.0, 140, 190, 240]]).repeat(5, 1)
    one = FramePair(image, image, box, box, torch.arange(5))
    _, searches, truth = loss.crops(net, [one])
    assert truth.std(dim=0).min() > 3
    for crop, target in zip(searches, truth, strict=True):
        left, top = (target[:2] + 191 / 2).round().long().tolist()
        assert crop[0, 95, left].item() == pytest.approx(150, abs=1.5)
        assert crop[1, top, 95].item() == pytest.approx(140, abs=1.5)


def test_siamrpn_loss_falls_to_zero_for_a_perfect_network():
    net = build(SIAMRPN)
    loss = MODELS.build({"type": "SiamRPNPairLoss", "others": 0.0, "search_shift": 10.0})
    truth = {}
    crops = loss.crops
    loss.crops = lambda *args: truth.setdefault("crops", crops(*args))

    def perfect(*_):
        boxes = truth["crops"][2]
        from mmdeepmot.models.losses.box_distance import iou

        overlap = iou(boxes[:, None], net.anchors.expand(len(boxes), -1, -1)).squeeze(1)
        positive, _ = anchor_labels(overlap)
        logits = torch.stack((~positive, positive), -1).float() * 40
        deltas = encode_boxes(net.anchors, boxes[:, None])
        return Proposals(logits, deltas, boxes[:, None].expand(-1, len(net.anchors), -1))

    net.propose = perfect
    losses = loss(net, [pair(), pair(2)])
    assert losses["loss"].item() == pytest.approx(0, abs=1e-5)
    assert losses["box_iou"].item() == pytest.approx(1, abs=1e-5)


def test_another_person_s_template_is_no_target():
    net = build(SIAMRPN)
    loss = MODELS.build({"type": "SiamRPNPairLoss", "others": 0.999})
    ids = torch.tensor([3, 3, 5, 3])
    assert loss._exchanged(ids).tolist() == [False, False, True, True]
    first, second = frames((4, 2))
    moved = BOXES + torch.tensor([4.0, 2, 4, 2])
    losses = loss(net, [FramePair(first, second, BOXES, moved, torch.tensor([1, 2, 3]))])
    assert losses["box"].item() == 0
    assert losses["box_iou"].item() == 0
    assert losses["cls"].item() > 0


def test_goturn_looks_where_the_target_was_and_around_where_it_is():
    loss = MODELS.build({"type": "GOTURNPairLoss", "crops": 50})
    one = pair()
    boxes = loss.looked_at(one)
    assert boxes.shape == (153, 4)
    torch.testing.assert_close(boxes[:3], one.before)
    random, now = boxes[3:], one.now.repeat(50, 1)
    size = now[:, 2:] - now[:, :2]
    shift = (random[:, :2] + random[:, 2:] - now[:, :2] - now[:, 2:]) / 2 / size
    grow = (random[:, 2:] - random[:, :2]) / size - 1
    assert shift.abs().max() <= 1
    assert grow.abs().max() <= 0.4
    assert shift.abs().mean().item() == pytest.approx(0.2, abs=0.05)
    assert grow.abs().mean().item() == pytest.approx(1 / 15, abs=0.02)


def test_goturn_loss_by_hand():
    net = build(GOTURN)
    loss = MODELS.build({"type": "GOTURNPairLoss", "crops": 0})
    one = pair()
    net.regress = lambda before, now: torch.tensor([[2.5, 2.5, 7.5, 7.5]]).repeat(3, 1)
    # The target moved by (4, 2) px; search crops are twice the box: 10 units are 2 w, 2 h.
    size = one.before[:, 2:] - one.before[:, :2]
    move = torch.tensor([4.0, 2]) / (2 * size) * 10
    losses = loss(net, [one])
    assert losses["loss"].item() == pytest.approx(2 * move.sum(1).mean().item(), rel=1e-4)
    still = FramePair(one.first, one.second, one.now, one.now, one.ids)
    assert loss(net, [still])["loss"].item() == pytest.approx(0, abs=1e-4)


@torch.no_grad()
def test_every_goturn_crop_is_compared_with_its_own_target():
    net = build(GOTURN)
    loss = MODELS.build({"type": "GOTURNPairLoss", "crops": 0})
    three, two = pair(), pair(2)
    together = loss(net, [three, two])["loss"]
    alone = [loss(net, [one])["loss"] for one in (three, two)]
    torch.testing.assert_close(together, (3 * alone[0] + 2 * alone[1]) / 5, rtol=1e-3, atol=1e-4)
    assert abs(alone[0] - alone[1]) > 1e-3


@pytest.mark.parametrize("name", LOSSES)
def test_every_parameter_learns(name):
    follower, loss = LOSSES[name]
    model = MODELS.build({"type": "SOTPairModel", "follower": follower, "loss": loss}).train()
    inputs = torch.stack(frames((4, 2)))[None].repeat(2, 1, 1, 1, 1)
    samples = [
        clip((BOXES, BOXES + 2), ([1, 2, 3], [1, 2, 3])),
        clip((BOXES, BOXES), ([4, 5, 6], [7, 8, 9])),
    ]
    assert [len(p) for p in model(inputs, samples)] == [3]
    losses = model(inputs, samples, mode="loss")
    losses["loss"].backward()
    assert all(torch.isfinite(value) for value in losses.values())
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    assert sum("loss" in key for key in losses) == 1


def test_pairs_with_nobody_give_zero_gradients_for_all():
    follower, loss = LOSSES["goturn"]
    model = MODELS.build({"type": "SOTPairModel", "follower": follower, "loss": loss})
    inputs = torch.stack(frames())[None]
    value = model(inputs, [clip((BOXES, BOXES), ([1, 2, 3], [4, 5, 6]))], mode="loss")["loss"]
    value.backward()
    assert value.item() == 0
    assert all((p.grad == 0).all() for p in model.parameters())


def test_at_most_so_many_targets():
    follower, loss = LOSSES["goturn"]
    config = {"type": "SOTPairModel", "follower": follower, "loss": loss, "max_targets": 2}
    model = MODELS.build(config)
    (found,) = model(torch.stack(frames())[None], [clip((BOXES, BOXES), ([1, 2, 3], [3, 2, 1]))])
    assert len(found) == 2
    assert (found.ids[:, None] == torch.tensor([1, 2, 3])).any(1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m(torch.zeros(1, 3, 8, 8)), r"pairs of frames \(B, 2, 3, H, W\), got"),
        (lambda m: m(torch.zeros(1, 2, 3, 8, 8)), "needs data_samples"),
        (lambda m: MODELS.build({"type": "GOTURNPairLoss", "max_scale": 2}), "max_scale in"),
        (lambda m: MODELS.build({"type": "SiamRPNPairLoss", "others": 1}), "0 <= others < 1"),
        (lambda m: MODELS.build({"type": "SiamRPNPairLoss", "background": 0.7}), "0.7 and 0.6"),
    ],
)
def test_bad_input(call, message):
    follower, loss = LOSSES["goturn"]
    model = MODELS.build({"type": "SOTPairModel", "follower": follower, "loss": loss})
    with pytest.raises(ValueError, match=message):
        call(model)


def test_the_loss_of_another_follower():
    wrong = {"type": "SOTPairModel", "follower": GOTURN, "loss": {"type": "SiamRPNPairLoss"}}
    with pytest.raises(ValueError, match=r"SiamRPNPairLoss is the loss of a SiamRPN.* a GOTURN"):
        MODELS.build(wrong)
