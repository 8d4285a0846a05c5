"""FairMOT's head: outputs at places, losses by hand, decoding, embedding of given boxes."""

import math

import pytest
import torch
from fairmot_small import small_fairmot
from jde_small import people, sample
from torch.nn import functional as F

from mmdeepmot.models.heads.center_branch import CenterBranch, take_patches
from mmdeepmot.models.heads.center_decode import boxes_at
from mmdeepmot.models.heads.fairmot_head import CenterSettings, CenterValues, center_settings
from mmdeepmot.registry import MODELS

BALANCES = [
    {"type": "UncertaintyWeights"},
    {"type": "UniformWeights"},
    {"type": "AppOptWeights", "weights": {"det": 3.0, "id": 1.0}},
    {"type": "LossNormWeights"},
    {"type": "MGDAUBWeights"},
]
ID_LOSSES = ["IdentityCrossEntropyLoss", "BatchTripletLoss", "BatchUpperBoundLoss"]
PARTS = {"hm", "off", "size", "id"}


def bare_head(**kwargs):
    torch.manual_seed(0)
    head = MODELS.build(
        {"type": "FairMOTHead", "in_channels": 5, "num_ids": 6, "embed_dims": 3,
         "feat_channels": 4, **kwargs}
    )  # fmt: skip
    head.init_weights()
    return head


def values(offsets=(), sizes=(), embeddings=(), dims=2) -> CenterValues:
    return CenterValues(
        offsets=torch.tensor(offsets, dtype=torch.float32).view(-1, 2),
        sizes=torch.tensor(sizes, dtype=torch.float32).view(-1, dims),
        embeddings=torch.tensor(embeddings, dtype=torch.float32).view(-1, 3),
    )


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("between", [None, 7])
def test_a_branch_at_cells_equals_the_whole_map(memory, between):
    branch = CenterBranch(5, 3, between)
    features = torch.randn(2, 5, 6, 8).to(memory_format=memory).requires_grad_()
    images = torch.arange(2).repeat_interleave(48)  # every cell: corners and borders too
    cells = torch.arange(48).repeat(2)
    order = torch.randperm(96)[:90]
    images, cells = torch.cat((images[order], images[:5])), torch.cat((cells[order], cells[:5]))

    def run(out):
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(0))
        return out, torch.autograd.grad((out * weights).sum(), [features, *branch.parameters()])

    here, gradients = run(branch.at(take_patches(features, images, cells)))
    whole, expected = run(branch(features).flatten(2)[images, :, cells])
    torch.testing.assert_close(here, whole)
    for one, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_map_of_one_cell_and_no_cells():
    branch, features = CenterBranch(5, 3, 7), torch.randn(1, 5, 1, 1)
    zero = torch.zeros(1, dtype=torch.int64)
    at = branch.at(take_patches(features, zero, zero))
    torch.testing.assert_close(at, branch(features).flatten(1))
    assert branch.at(take_patches(features, zero[:0], zero[:0])).shape == (0, 3)


def focal_by_hand(logits, target, weight=None):
    """CenterNet's focal loss, summed: exponents 2 and 4."""
    total = 0.0
    weight = torch.ones_like(target) if weight is None else weight
    for x, y, w in zip(
        logits.flatten().tolist(), target.flatten().tolist(), weight.flatten().tolist(), strict=True
    ):
        p = 1 / (1 + math.exp(-x))
        if y == 1:
            total -= w * (1 - p) ** 2 * math.log(p)
        else:
            total -= w * (1 - y) ** 4 * p**2 * math.log(1 - p)
    return total


def test_losses_by_hand():
    head = bare_head()
    truth = [sample([[10, 20, 24, 62], [40, 40, 48, 64]], [2, -1]), sample([], [])]
    targets = head.targets((24, 32), truth)
    assert targets.cells.tolist() == [10 * 32 + 4, 13 * 32 + 11]
    logits = torch.randn(2, 1, 24, 32)
    found = head.loss_by_values(
        logits,
        values([[0.0, 0.5], [0.0, 0.0]], [[3.0, 10.0], [2.0, 7.0]], [[0, 3, 4], [1, 1, 1]]),
        targets,
    )
    assert set(found) == PARTS
    assert found["hm"].item() == pytest.approx(focal_by_hand(logits, targets.heatmap) / 2, rel=1e-5)
    assert found["off"].item() == pytest.approx((0.25 + 0.25 + 0.0 + 0.0) / 4)
    assert found["size"].item() == pytest.approx((0.5 + 0.5 + 0.0 + 1.0) / 4)
    classifier = head.loss_id.classifier
    unit = torch.tensor([0, 0.6, 0.8])
    scale = math.sqrt(2) * math.log(5)
    log_probability = (classifier.weight @ (scale * unit) + classifier.bias).log_softmax(0)
    assert found["id"].item() == pytest.approx(-log_probability[2].item(), rel=1e-5)


def test_the_code_s_weight_of_sizes_and_its_four_distances():
    head = bare_head(box="ltrb", loss_box={"type": "L1Loss", "loss_weight": 0.1})
    targets = head.targets((24, 32), [sample([[10, 20, 24, 62]], [2])])
    found = head.loss_by_values(
        torch.zeros(1, 1, 24, 32),
        values([[0.25, 0.25]], [[1.75, 5.25, 2.75, 4.25]], [[1, 0, 0]], dims=4),
        targets,
    )
    assert found["off"] == 0
    assert found["size"].item() == pytest.approx(0.1 * 2 / 4)


def test_total_is_balanced_by_uncertainty():
    model = small_fairmot().train()
    losses = model.loss(torch.randn(4, 3, 96, 128), people())
    detection = sum(losses[key].item() for key in ("hm", "off", "size"))
    expected = 0.5 * (
        math.exp(1.85) * detection + math.exp(1.05) * losses["id"].item() - 1.85 - 1.05
    )
    assert losses["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert losses["w/det"].item() == pytest.approx(0.5 * math.exp(1.85))
    assert losses["w/id"].item() == pytest.approx(0.5 * math.exp(1.05))
    own = small_fairmot(balance={"start": {"det": 0.0, "id": -1.0}})
    assert own.bbox_head.balance.log_variance.tolist() == [0.0, -1.0]


def test_people_without_identity_count_for_detection_only():
    head = bare_head()
    logits = torch.randn(1, 1, 24, 32)
    boxes = [[10, 20, 24, 62], [40, 40, 48, 64]]
    at = values([[0, 0]] * 2, [[1, 1]] * 2, [[0, 3, 4], [9, 1, 1]])
    with_one = head.loss_by_values(logits, at, head.targets((24, 32), [sample(boxes, [2, -1])]))
    alone = head.loss_id(at.embeddings[:1], torch.tensor([2]))[0]
    torch.testing.assert_close(with_one["id"], alone[0])
    none = head.loss_by_values(logits, at, head.targets((24, 32), [sample(boxes)]))
    assert none["id"].item() == 0
    assert all(none[key] == with_one[key] > 0 for key in ("hm", "off", "size"))


def test_an_image_without_people_changes_no_mean_of_people():
    head = bare_head()
    at = values([[0, 0]], [[1, 1]], [[0, 3, 4]])
    logits = torch.full((2, 1, 24, 32), -20.0)  # sure that there is nobody
    truth = sample([[10, 20, 24, 62]], [2])
    one = head.loss_by_values(logits[:1], at, head.targets((24, 32), [truth]))
    two = head.loss_by_values(logits, at, head.targets((24, 32), [truth, sample([])]))
    for key in PARTS:
        assert two[key].item() == pytest.approx(one[key].item(), rel=1e-6), key


def test_ignored_regions_are_neither_rewarded_nor_punished():
    logits = torch.randn(1, 1, 24, 32)
    truth = sample([[10, 20, 24, 62]], [2], ignored=[[40, 0, 128, 96]])
    head = bare_head()
    targets = head.targets((24, 32), [truth])
    found = head.loss_by_values(logits, values([[0, 0]], [[1, 1]], [[0, 3, 4]]), targets)["hm"]
    assert found.item() == pytest.approx(
        focal_by_hand(logits, targets.heatmap, targets.weight), rel=1e-5
    )
    assert (targets.weight == 0).sum() == 24 * 22
    assert bare_head(use_ignored=False).targets((24, 32), [truth]).weight is None


def test_extreme_scores_keep_losses_and_gradients_finite():
    head = bare_head()
    targets = head.targets((24, 32), [sample([[10, 20, 24, 62]], [2])])
    for extreme in (-200.0, 200.0):
        logits = torch.full((1, 1, 24, 32), extreme).requires_grad_()
        at = values([[0, 0]], [[1, 1]], [[0, 3, 4]])
        loss = head.loss_by_values(logits, at, targets)["hm"]
        (gradient,) = torch.autograd.grad(loss, logits)
        assert torch.isfinite(loss) and torch.isfinite(gradient).all()


@pytest.mark.parametrize("balance", BALANCES, ids=lambda b: b["type"])
@pytest.mark.parametrize("loss_id", ID_LOSSES)
def test_loss_gives_every_parameter_a_gradient_even_without_boxes(balance, loss_id):
    head = bare_head(balance=balance, loss_id={"type": loss_id}).train()
    for batch in (people(), [sample([]) for _ in range(2)], people()[1:3]):
        head.zero_grad(set_to_none=True)
        feature = torch.randn(len(batch), 5, 24, 32).requires_grad_()
        losses = head.loss([feature], batch)
        assert [key for key in losses if "loss" in key] == ["loss"]
        assert set(losses) == PARTS | {"w/det", "w/id", "loss"}
        assert all(torch.isfinite(value) for value in losses.values())
        losses["loss"].backward()
        for name, parameter in [("feature", feature), *head.named_parameters()]:
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


def test_every_part_of_the_network_learns_from_people():
    model = small_fairmot().train()
    model.loss(torch.randn(4, 3, 96, 128), people())["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("id_head", ["conv", "stacked"])
def test_mixed_precision_changes_the_losses_little(id_head):
    model = small_fairmot(id_head=id_head).train()
    images = torch.randn(4, 3, 96, 128)
    plain = model.loss(images, people())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.loss(images, people())
    for key in PARTS | {"loss"}:
        assert mixed[key].dtype == torch.float32
        assert mixed[key].item() == pytest.approx(plain[key].item(), rel=0.05, abs=0.02), key
    mixed["loss"].backward()


def test_whole_maps_have_the_numbers_of_the_places():
    head = bare_head(num_classes=2, box="ltrb", id_head="stacked")
    feature = torch.randn(2, 5, 6, 8)
    heatmap, offset, size, embedding = head([feature])
    assert heatmap.shape == (2, 2, 6, 8)
    images, cells = torch.tensor([0, 1, 1]), torch.tensor([0, 47, 20])
    at = head.values_at(feature, images, cells)
    for one, whole in ((at.offsets, offset), (at.sizes, size), (at.embeddings, embedding)):
        torch.testing.assert_close(one, whole.flatten(2)[images, :, cells])


def test_first_scores_are_a_tenth():
    head = bare_head()
    assert head([torch.zeros(1, 5, 2, 2)])[0].sigmoid().mean().item() == pytest.approx(
        0.1, abs=2e-3
    )
    assert all(
        not conv.bias.any()
        for branch in (head.offset, head.size, head.embedding)
        for conv in branch.convolutions()
    )


def put_heatmap(head, logits):
    """Lets the head see a heatmap made by hand."""
    head.heatmap.forward = lambda feature: logits


@pytest.mark.parametrize("box", ["wh", "ltrb"])
def test_detections_stand_at_the_peaks(box):
    head = bare_head(box=box, test_cfg={"min_area": 0, "max_aspect": None})
    for branch in (head.offset, head.size):
        torch.nn.init.constant_(branch.convolutions()[1].bias, 2.0)
    feature = torch.randn(3, 5, 24, 32)
    logits = torch.full((3, 1, 24, 32), -9.0)
    logits[0, 0, 4, 5], logits[0, 0, 20, 31], logits[2, 0, 8, 8] = 1.0, 2.0, 3.0
    logits[0, 0, 12, 12] = -0.5  # below 0.4
    put_heatmap(head, logits)
    scaled = sample([], scale_factor=(0.5, 0.5), pad_offset=(4.0, 8.0))
    first, none, last = head.predict([feature], [scaled, sample([]), sample([])], rescale=False)
    assert len(none) == 0 and none.embeddings.shape == (0, 3) and none.bboxes.shape == (0, 4)
    images, cells = torch.tensor([0, 0, 2]), torch.tensor([20 * 32 + 31, 4 * 32 + 5, 8 * 32 + 8])
    at = head.values_at(feature, images, cells)
    boxes = boxes_at(cells, at.offsets, at.sizes, 32, 4, box)
    torch.testing.assert_close(torch.cat((first.bboxes, last.bboxes)), boxes)
    torch.testing.assert_close(first.scores, torch.tensor([2.0, 1.0]).sigmoid())
    torch.testing.assert_close(last.embeddings[0], F.normalize(at.embeddings[2], dim=0))
    assert first.labels.tolist() == [0, 0]
    (original, *_) = head.predict([feature], [scaled, sample([]), sample([])])
    moved = boxes[:2] - torch.tensor([4.0, 8, 4, 8])
    torch.testing.assert_close(original.bboxes, 2 * moved)
    found = head.predict([feature], [sample([])] * 3, task="detection")
    assert [len(one) for one in found] == [3, 0, 1]


def test_small_and_lying_boxes_are_dropped_in_original_pixels():
    head = bare_head(test_cfg={"min_area": 500, "max_aspect": 1.0})
    put_heatmap(head, torch.zeros(1, 1, 1, 1))  # one peak of score 0.5
    sizes = head.size.convolutions()[1].bias
    for (width, height), scale, kept in (
        ((4, 8), 1.0, True),  # 16 x 32 px = 512
        ((4, 7), 1.0, False),  # 448
        ((4, 7), 0.5, True),  # 4 x 448
        ((8, 7), 0.5, False),  # wider than high
    ):
        torch.nn.init.zeros_(head.size.convolutions()[1].weight)
        sizes.data[:] = torch.tensor([width, height])
        (found,) = head.predict(
            [torch.randn(1, 5, 1, 1)], [sample([], scale_factor=(scale, scale))]
        )
        assert len(found) == kept


def test_settings_of_both_tasks():
    found = center_settings({"score_thr": 0.6, "det_cfg": {"score_thr": 0.1}})
    assert found["track"] == CenterSettings(score_thr=0.6, min_area=100.0, max_per_img=500)
    assert found["detection"] == CenterSettings(score_thr=0.1)
    assert center_settings(None)["detection"] == CenterSettings(
        score_thr=0.3, min_area=0.0, max_aspect=None
    )
    with pytest.raises(ValueError, match=r"test_cfg has no key 'max_per_image' \(did you mean"):
        bare_head(test_cfg={"max_per_image": 4})
    with pytest.raises(ValueError, match="task must be one of"):
        bare_head().predict([torch.zeros(1, 5, 4, 4)], [sample([])], task="tracking")


def test_embed_takes_the_cell_of_the_centre():
    head = bare_head()
    feature = torch.randn(2, 5, 24, 32)
    whole = F.normalize(head([feature])[3], dim=1)
    boxes = [
        torch.tensor([[8.0, 8, 24, 56], [112, 40, 144, 60], [120, 0, 160, 16]]),
        torch.tensor([[81.0, 1, 111, 97]]),
    ]
    (first, valid), (second, also) = head.embed([feature], boxes)
    torch.testing.assert_close(first[0], whole[0, :, 8, 4])
    torch.testing.assert_close(first[1], whole[0, :, 12, 31])  # centre on the right border
    torch.testing.assert_close(second[0], whole[1, :, 12, 24])
    assert valid.tolist() == [True, True, False] and also.tolist() == [True]
    (empty, none), _ = head.embed([feature], [torch.zeros(0, 4), boxes[1]])
    assert empty.shape == (0, 3) and len(none) == 0


def test_several_classes():
    head = bare_head(num_classes=2)
    truth = sample([[10, 20, 24, 62], [40, 40, 48, 64]], [2, 3])
    truth.gt_instances.labels[:] = torch.tensor([1, 0])
    targets = head.targets((24, 32), [truth])
    assert (targets.heatmap == 1).sum(dim=(0, 2, 3)).tolist() == [1, 1]
    logits = targets.heatmap.clamp(1e-6, 1 - 1e-6).logit()
    put_heatmap(head, logits)
    head.size.set_bias(4.0)
    head.settings = center_settings({"score_thr": 0.9, "min_area": 0, "max_aspect": None})
    (found,) = head.predict([torch.randn(1, 5, 24, 32)], [sample([])])
    assert sorted(found.labels.tolist()) == [0, 1]


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="box must be one of"):
        bare_head(box="xyxy")
    with pytest.raises(ValueError, match="id_head must be one of"):
        bare_head(id_head="linear")
    with pytest.raises(ValueError, match="min_overlap must lie between 0 and 1, got 1"):
        bare_head(min_overlap=1)
