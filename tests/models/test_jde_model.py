"""JDE: loss, decoding, embedding of given boxes, normalisation, learning."""

import math

import pytest
import torch
from jde_small import people, sample, small_config, small_jde
from torch.nn import functional as F

from mmdeepmot.models.heads.anchors import grid_anchors
from mmdeepmot.models.heads.coding import encode_boxes
from mmdeepmot.models.heads.jde_head import DecodeSettings, JDEHead, decode_settings
from mmdeepmot.registry import MODELS

BALANCES = [
    "UncertaintyWeights", "UniformWeights", "AppOptWeights", "LossNormWeights", "MGDAUBWeights",
]  # fmt: skip
ID_LOSSES = ["IdentityCrossEntropyLoss", "BatchTripletLoss", "BatchUpperBoundLoss"]
TASKS = {f"{k}/{s}" for k in ("cls", "box", "id") for s in (8, 16, 32)}


def bare_head(**kwargs) -> JDEHead:
    return MODELS.build(
        {"type": "JDEHead", "in_channels": [4, 4, 4], "num_ids": 6, "embed_dims": 3,
         "balance": {"type": "UniformWeights"}, **kwargs}
    )  # fmt: skip


def empty_maps(batch=1, size=(96, 128), dims=3, background=10.0):
    """Maps on which every anchor is surely background."""
    boxes, embeddings = [], []
    for stride in (8, 16, 32):
        shape = (size[0] // stride, size[1] // stride)
        one = torch.zeros(batch, 4, 6, *shape)
        one[:, :, 4] = background
        boxes.append(one.flatten(1, 2))
        embeddings.append(torch.zeros(batch, dims, *shape))
    return boxes, embeddings


def put(maps, image, scale, anchor, row, column, deltas, logit, embedding=None):
    boxes, embeddings = maps
    view = boxes[scale].unflatten(1, (4, 6))
    view[image, anchor, :4, row, column] = torch.as_tensor(deltas, dtype=torch.float32)
    view[image, anchor, 4, row, column] = 0
    view[image, anchor, 5, row, column] = logit
    if embedding is not None:
        embeddings[scale][image, :, row, column] = torch.tensor(embedding)


@pytest.mark.parametrize("balance", BALANCES)
@pytest.mark.parametrize("loss_id", ID_LOSSES)
def test_loss_gives_every_parameter_a_gradient_even_without_boxes(balance, loss_id):
    model = small_jde(balance={"type": balance}, loss_id={"type": loss_id}).train()
    for batch in (people(), [sample([]) for _ in range(2)], people()[1:3]):
        model.zero_grad(set_to_none=True)
        losses = model.loss(torch.randn(len(batch), 3, 96, 128), batch)
        assert [key for key in losses if "loss" in key] == ["loss"]
        assert TASKS | {f"w/{t}" for t in TASKS} | {"loss"} == set(losses)
        assert all(torch.isfinite(value) for value in losses.values())
        losses["loss"].backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("balance", BALANCES)
@pytest.mark.parametrize("loss_id", ID_LOSSES)
def test_mixed_precision_changes_the_losses_little(balance, loss_id):
    model = small_jde(balance={"type": balance}, loss_id={"type": loss_id}).train()
    images = torch.randn(4, 3, 96, 128)
    plain = model.loss(images, people())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.loss(images, people())
    for key in TASKS | {"loss"}:
        assert mixed[key].dtype == torch.float32
        assert mixed[key].item() == pytest.approx(plain[key].item(), rel=0.1, abs=0.02), key
    mixed["loss"].backward()


def test_loss_values_by_hand():
    head = bare_head(anchors=[[(16, 48)], [(64, 192)], [(256, 768)]])
    boxes, embeddings = (
        [m.unflatten(1, (4, 6))[:, :1].flatten(1, 2) for m in empty_maps(background=0.0)[0]],
        empty_maps()[1],
    )
    truth = sample([[24, 0, 40, 48]], [2])  # the anchor of row 3, column 4, moved by nothing
    losses = head.loss_by_feat(boxes, embeddings, [truth])
    assert losses["cls/8"].item() == pytest.approx(math.log(2))
    # The anchors one row up and down overlap with IoU 40/56 > 0.5; dy = 8/48.
    others = 2 * 0.5 * (8 / 48) ** 2
    assert losses["box/8"].item() == pytest.approx(others / (3 * 4))
    grid = head.grid(boxes)
    targets = head.targets(grid, [truth])
    assert sorted(targets.anchors.tolist()) == [2 * 16 + 4, 3 * 16 + 4, 4 * 16 + 4]
    moved = empty_maps(background=0.0)[0]
    moved = [m.unflatten(1, (4, 6))[:, :1].flatten(1, 2) for m in moved]
    moved[0][0, 0, 3, 4] = 3.0  # dx off by 3: smooth L1 is 2.5
    losses = head.loss_by_feat(moved, embeddings, [truth])
    assert losses["box/8"].item() == pytest.approx((2.5 + others) / (3 * 4))
    for key in ("box/16", "box/32", "id/16", "id/32"):
        assert losses[key].item() == 0


def test_foreground_anchors_have_the_expected_deltas():
    head = bare_head(anchors=[[(16, 48)], [(64, 192)], [(256, 768)]])
    maps = [m.unflatten(1, (4, 6))[:, :1].flatten(1, 2) for m in empty_maps()[0]]
    truth = sample([[24, 0, 40, 48]], [2])
    anchors = grid_anchors(torch.tensor([[16.0, 48.0]]), (12, 16), 8)
    wanted = encode_boxes(anchors, truth.gt_instances.bboxes.expand_as(anchors))
    maps[0][0, :4] = wanted.T.reshape(4, 12, 16)
    assert head.loss_by_feat(maps, empty_maps()[1], [truth])["box/8"].item() == pytest.approx(
        0, abs=1e-12
    )


def two_people_in_one_cell(**kwargs):
    """A head and maps where two anchors of one cell belong to different people."""
    head = bare_head(anchors=[[(16, 48), (16, 16)], [(64, 192)] * 2, [(256, 768)] * 2], **kwargs)
    maps = [m.unflatten(1, (4, 6))[:, :2].flatten(1, 2) for m in empty_maps()[0]]
    embeddings = [torch.randn_like(e) for e in empty_maps()[1]]
    truth = sample([[24, 0, 40, 48], [24, 16, 40, 32], [88, 24, 104, 72]], [3, 1, -1])
    return head, maps, embeddings, truth


def identity_loss_by_loops(head, maps, embeddings, truth, per):
    """Mean over foreground anchors with identity (or over cells, the largest identity)."""
    grid = head.grid(maps)
    targets = head.targets(grid, [truth])
    scale, cell = grid.scale_and_cell(targets.anchors)
    rows = list(zip(scale.tolist(), cell.tolist(), targets.identities.tolist(), strict=True))
    if per == "cell":
        rows = [
            (*place, max(i for *p, i in rows if tuple(p) == place))
            for place in {r[:2] for r in rows}
        ]
    values = {0: [], 1: [], 2: []}
    for s, c, identity in rows:
        if identity >= 0:
            one = embeddings[s][0].flatten(1)[:, c][None]
            values[s].append(head.loss_id(one, torch.tensor([identity]))[0].item())
    return [sum(v) / max(len(v), 1) for v in values.values()], len(values[0])


@pytest.mark.parametrize("per", ["anchor", "cell"])
def test_identity_loss_equals_loops_over_anchors_or_cells(per):
    head, maps, embeddings, truth = two_people_in_one_cell(identity_per=per)
    expected, count = identity_loss_by_loops(head, maps, embeddings, truth, per)
    assert (
        count == {"anchor": 4, "cell": 3}[per]
    )  # rows 2, 3, 4 of the tall one; row 3 of the other
    found = head.loss_by_feat(maps, embeddings, [truth])
    assert [found[f"id/{s}"].item() for s in (8, 16, 32)] == pytest.approx(expected, rel=1e-5)


def test_a_cell_of_two_people_goes_to_the_larger_identity_in_the_code_s_way():
    head, maps, embeddings, truth = two_people_in_one_cell(identity_per="cell")
    seen = []
    head.loss_id.forward = lambda e, i: (seen.append(i.tolist()), (e.sum(1) * 0, i >= 0))[1]
    head.loss_by_feat(maps, embeddings, [truth])
    assert seen == [[3, 3, 3]]


@pytest.mark.parametrize("loss_id", ID_LOSSES)
@pytest.mark.parametrize("per", ["anchor", "cell"])
def test_no_identity_at_all_costs_nothing(loss_id, per):
    head = bare_head(loss_id={"type": loss_id}, identity_per=per)
    losses = head.loss_by_feat(*empty_maps(), [sample([[24, 0, 40, 48]], [-1])])
    assert losses["id/8"].item() == 0 and losses["box/8"].item() > 0


def test_normalisers_count_only_what_takes_part():
    head = bare_head()
    maps, embeddings = empty_maps(background=0.0)
    truth = sample([[24, 0, 40, 48]], [2])
    plain = head.loss_by_feat(maps, embeddings, [truth])
    empty = sample([])
    doubled = head.loss_by_feat(
        [m.repeat(2, 1, 1, 1) for m in maps],
        [e.repeat(2, 1, 1, 1) for e in embeddings],
        [truth, empty],
    )
    for key in ("cls/8", "box/8", "id/8"):  # an image without people changes no mean of people
        assert doubled[key].item() == pytest.approx(plain[key].item(), rel=1e-5), key


def test_ignored_boxes_are_neither_rewarded_nor_punished():
    head = bare_head()
    maps, embeddings = empty_maps(background=-8.0)  # everything fires
    box = [24, 0, 40, 48]
    with_ignored = head.loss_by_feat(maps, embeddings, [sample([], ignored=[box])])
    without = head.loss_by_feat(maps, embeddings, [sample([])])
    assert with_ignored["cls/16"] == without["cls/16"] == pytest.approx(8, abs=1e-3)
    labels = head.targets(head.grid(maps), [sample([], ignored=[box])]).labels
    assert (labels == -1).sum() > 3 and (labels == 1).sum() == 0


def test_several_classes_are_warned_of_once_and_learnt_as_one(monkeypatch):
    said = []
    monkeypatch.setattr(
        "mmdeepmot.models.heads.jde_head.print_log", lambda text, **_: said.append(text)
    )
    box = [26, 2, 42, 50]
    head, maps = bare_head(), empty_maps(batch=2)
    plain = head.loss_by_feat(*maps, [sample([]), sample([box])])
    assert said == []
    other = sample([box])
    other.gt_instances.labels += 1
    for _ in range(2):
        found = head.loss_by_feat(*maps, [sample([]), other])
        assert found["cls/8"] == plain["cls/8"] and found["box/8"] == plain["box/8"] > 0
    assert len(said) == 1 and said[0].startswith("JDE knows one class")


def test_decoding_a_map_made_by_hand():
    head = bare_head(anchors=[[(16, 48)] * 4, [(32, 96)] * 4, [(64, 192)] * 4])
    maps = empty_maps(batch=2)
    put(maps, 0, 0, 0, 4, 5, [0, 0, 0, 0], 3.0, [0.0, 3.0, 4.0])  # 16x48 at (40, 32)
    put(maps, 0, 0, 1, 4, 6, [-0.4, 0, 0, 0], 1.0, [1.0, 0.0, 0.0])  # suppressed by it
    put(maps, 0, 1, 2, 3, 6, [0.5, 0, math.log(0.5), 0], 2.0, [2.0, 0.0, 0.0])  # 16x96 at (112, 48)
    put(maps, 0, 0, 0, 8, 1, [0, 0, -2, -2], 4.0)  # 2.2 x 6.5: too small
    put(maps, 0, 0, 0, 9, 9, [0, 0, 1.2, -1.0], 4.0)  # 53 x 18: lying
    put(maps, 0, 0, 0, 10, 12, [0, 0, 0, 0], -0.1)  # below the threshold
    scaled = sample([], scale_factor=(0.5, 0.5), pad_offset=(4.0, 8.0))
    first, second = head.predict_by_feat(*maps, [scaled, sample([])], rescale=False)
    assert len(second) == 0 and second.embeddings.shape == (0, 3)
    expected = [[32, 8, 48, 56], [104, 0, 120, 96]]
    torch.testing.assert_close(first.bboxes, torch.tensor(expected).float())
    torch.testing.assert_close(first.scores, torch.tensor([3.0, 2.0]).sigmoid())
    torch.testing.assert_close(first.embeddings, torch.tensor([[0, 0.6, 0.8], [1.0, 0, 0]]))
    assert first.labels.tolist() == [0, 0]
    first, _ = head.predict_by_feat(*maps, [scaled, sample([])], rescale=True)
    torch.testing.assert_close(
        first.bboxes, torch.tensor([[56.0, 0, 88, 96], [200, -16, 232, 176]])
    )
    # Average precision: lower threshold, no box dropped for its shape.
    first, _ = head.predict_by_feat(*maps, [sample([])] * 2, rescale=False, task="detection")
    assert len(first) == 5


def test_settings_of_both_tasks():
    found = decode_settings({"score_thr": 0.6, "det_cfg": {"score_thr": 0.1}})
    assert found["track"] == DecodeSettings(score_thr=0.6)
    assert found["detection"] == DecodeSettings(score_thr=0.1)
    assert decode_settings(None)["detection"].nms_iou == 0.5
    with pytest.raises(
        ValueError, match=r"test_cfg has no key 'nms_thr' \(did you mean 'nms_pre'\?\)"
    ):
        bare_head(test_cfg={"nms_thr": 0.4})
    with pytest.raises(ValueError, match=r"det_cfg has no key 'score'.*'score_thr'"):
        bare_head(test_cfg={"det_cfg": {"score": 0.4}})
    with pytest.raises(ValueError, match="task must be one of"):
        bare_head().predict_by_feat(*empty_maps(), [sample([])], task="tracking")


def test_candidates_before_suppression_are_bounded_by_score():
    head = bare_head(test_cfg={"nms_pre": 2, "nms_iou": 1.0, "min_area": 0, "max_aspect": None})
    maps = empty_maps()
    for column, logit in enumerate((1.0, 3.0, 2.0)):
        put(maps, 0, 0, 1, 5, 4 * column, [0] * 4, logit)
    (found,) = head.predict_by_feat(*maps, [sample([])])
    torch.testing.assert_close(found.scores, torch.tensor([3.0, 2.0]).sigmoid())


def test_results_do_not_depend_on_the_batch():
    model = small_jde(seed=3).eval()
    for conv in model.bbox_head.box_convs:
        torch.nn.init.normal_(conv[-1].weight, std=0.1)
    images = torch.randn(4, 3, 96, 128)
    with torch.no_grad():
        together = model.predict(images, [sample([]) for _ in range(4)])
        alone = [model.predict(image[None], [sample([])])[0] for image in images]
    assert sum(len(one.pred_instances) for one in alone) > 20
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(
            a.pred_instances.bboxes, b.pred_instances.bboxes, atol=1e-3, rtol=0
        )
        torch.testing.assert_close(
            a.pred_instances.embeddings, b.pred_instances.embeddings, atol=1e-4, rtol=0
        )


def test_embed_takes_the_cell_of_the_best_anchor():
    head = bare_head(anchors=[[(16, 48)] * 4, [(32, 96)] * 4, [(64, 192)] * 4])
    _, embeddings = empty_maps(batch=2)
    embeddings[0][0, :, 4, 5] = torch.tensor([0.0, 3.0, 4.0])
    embeddings[1][1, :, 3, 6] = torch.tensor([2.0, 0.0, 0.0])
    head.forward = lambda features: ([], embeddings)
    boxes = [
        torch.tensor([[32.0, 8, 48, 56], [32.0, 8, 48, 20]]),  # the second: IoU 0.25
        torch.tensor([[81.0, 1, 111, 97]]),
    ]
    (first, valid), (second, also) = head.embed([], boxes)
    torch.testing.assert_close(first[0], torch.tensor([0, 0.6, 0.8]))
    torch.testing.assert_close(second, torch.tensor([[1.0, 0, 0]]))
    assert valid.tolist() == [True, False] and also.tolist() == [True]
    (empty, none), _ = head.embed([], [torch.zeros(0, 4), boxes[1]])
    assert empty.shape == (0, 3) and len(none) == 0


def test_embed_equals_predict_at_its_own_boxes():
    model = small_jde(seed=1).eval()
    with torch.no_grad():
        features = model.extract_feat(torch.randn(1, 3, 96, 128))
        maps, embeddings = model.bbox_head(features)
        anchor = model.bbox_head.grid(maps).boxes()[40:41]
        ((found, valid),) = model.bbox_head.embed(features, [anchor])
        expected = F.normalize(embeddings[0].flatten(2)[0, :, 40 % (12 * 16)], dim=0)
    assert valid.all()
    torch.testing.assert_close(found[0], expected)


def test_input_must_fit_the_strides():
    with pytest.raises(ValueError, match="multiples of 32, got 96x100"):
        small_jde().extract_feat(torch.zeros(1, 3, 96, 100))


def test_features_come_finest_first_and_train_returns_self():
    model = small_jde()
    assert [f.shape[-1] for f in model.extract_feat(torch.zeros(1, 3, 64, 96))] == [12, 6, 3]
    assert model.eval() is model and model.train() is model and model.training


def norms(module):
    return [m for m in module.modules() if isinstance(m, torch.nn.BatchNorm2d)]


@pytest.mark.parametrize(
    ("init_cfg", "freeze", "backbone", "neck"),
    [
        (None, "auto", True, True),
        ({"type": "Pretrained", "checkpoint": "x.pth"}, "auto", False, True),
        ([{"type": "DarknetPretrainedInit", "checkpoint": "x"}], "auto", False, True),
        ({"type": "Pretrained", "checkpoint": "x.pth"}, "none", True, True),
        (None, "all", False, False),
    ],
)
def test_normalisation_is_frozen_only_with_pretrained_weights(init_cfg, freeze, backbone, neck):
    config = small_config()
    config["backbone"]["init_cfg"] = init_cfg
    model = MODELS.build({**config, "freeze_bn": freeze}).train()
    assert {n.weight.requires_grad for n in norms(model.backbone)} == {backbone}
    assert {n.weight.requires_grad for n in norms(model.neck)} == {neck}
    assert all(n.training for n in norms(model))
    assert all(p.requires_grad for n, p in model.named_parameters() if "conv" in n and p.dim() == 4)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="freeze_bn must be one of"):
        MODELS.build({**small_config(), "freeze_bn": "some"})
    with pytest.raises(ValueError, match="strides must rise"):
        bare_head(strides=[32, 16, 8])
    with pytest.raises(ValueError, match="identity_per must be"):
        bare_head(identity_per="box")
    with pytest.raises(ValueError, match="bg_thr <= fg_thr"):
        bare_head(bg_thr=0.6)


def test_prior_sets_the_first_scores():
    head = bare_head(prior=0.01)
    head.init_weights()
    features = [torch.zeros(1, 4, 2, 2)] * 3
    _, logits = head.flatten(head(features)[0])
    torch.testing.assert_close(logits.softmax(-1)[..., 1], torch.full((1, 48), 0.01))


def test_a_few_steps_learn_the_batch():
    torch.manual_seed(0)
    model = small_jde(balance={"type": "UniformWeights"}).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    images, truth = torch.randn(4, 3, 96, 128), people()
    history = []
    for _ in range(40):
        optimizer.zero_grad()
        losses = model.loss(images, truth)
        losses["loss"].backward()
        optimizer.step()
        history.append({k: v.item() for k, v in losses.items()})
    for task in ("cls/8", "box/8", "id/8"):
        assert history[-1][task] < 0.5 * history[0][task], task
