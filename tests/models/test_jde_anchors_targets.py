"""Anchors, box deltas and target assignment of JDE against hand-worked cases and naive loops."""

import math

import numpy as np
import pytest
import torch
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder

from mmdeepmot.models.heads.anchors import grid_anchors, paper_anchors, resolve_anchors
from mmdeepmot.models.heads.coding import decode_boxes, encode_boxes
from mmdeepmot.models.heads.targets import (
    AnchorGrid,
    assign_targets,
    batch_targets,
    best_anchors,
    overlap_share,
)
from mmdeepmot.structures.boxes import iou_matrix


def make_grid(size=(96, 160), anchors="paper", strides=(8, 16, 32)) -> AnchorGrid:
    sizes = resolve_anchors(anchors, len(strides))
    shapes = tuple((size[0] // s, size[1] // s) for s in strides)
    return AnchorGrid(tuple(sizes), shapes, tuple(strides))


def random_boxes(count: int, seed: int = 0, size=(96, 160)) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, (size[1], size[0]), (count, 2))
    width = rng.uniform(8, 60, (count, 1))
    half = 0.5 * np.concatenate((width, width * rng.uniform(2, 4, (count, 1))), axis=1)
    return torch.tensor(np.concatenate((centre - half, centre + half), axis=1)).float()


def test_paper_anchors_are_the_rule_of_the_paper():
    sizes = np.array(paper_anchors()).reshape(-1, 2)
    assert sizes.shape == (12, 2)
    assert sizes[0, 0] == pytest.approx(11.3137, abs=1e-4)
    assert sizes[1] == pytest.approx((16, 48))
    assert sizes[-1] == pytest.approx((512, 1536))
    np.testing.assert_allclose(sizes[1:, 0] / sizes[:-1, 0], math.sqrt(2))
    np.testing.assert_allclose(sizes[:, 1] / sizes[:, 0], 3)


def test_the_full_input_has_54264_anchors():
    assert sum(make_grid((608, 1088)).counts) == 54264


@pytest.mark.parametrize("name", ["published_1088", "published_864", "published_576"])
def test_published_anchors(name):
    sizes = resolve_anchors(name, 3)
    assert [tuple(s.shape) for s in sizes] == [(4, 2)] * 3
    assert (torch.cat(sizes)[1:, 0] > torch.cat(sizes)[:-1, 0]).all()


@pytest.mark.parametrize(
    ("anchors", "match"),
    [
        ("papers", "anchors must be one of .*'papers'"),
        ([[(8, 24)]], "1 scales, but the head has 3"),
        ([[(8, 24)], [(8, 24)], [(8, 24), (9, 27)]], r"same number.*\[1, 1, 2\]"),
        ([[(8, 24)], [(8, 24)], [(8, 0)]], "positive"),
    ],
)
def test_wrong_anchors_are_refused(anchors, match):
    with pytest.raises(ValueError, match=match):
        resolve_anchors(anchors, 3)


def test_grid_anchors_stand_at_integer_cells():
    boxes = grid_anchors(torch.tensor([[4.0, 12.0], [8.0, 8.0]]), (2, 3), 8).view(2, 2, 3, 4)
    assert boxes[0, 0, 0].tolist() == [-2, -6, 2, 6]
    assert boxes[1, 1, 2].tolist() == [12, 4, 20, 12]


def test_deltas_by_hand():
    anchor = torch.tensor([[0.0, 0.0, 10.0, 20.0]])
    box = torch.tensor([[1.0, 4.0, 21.0, 14.0]])
    expected = [[(11 - 5) / 10, (9 - 10) / 20, math.log(2), math.log(0.5)]]
    torch.testing.assert_close(encode_boxes(anchor, box), torch.tensor(expected))


def test_deltas_equal_mmdets_coder_and_come_back():
    anchors, boxes = random_boxes(50, 1).double(), random_boxes(50, 2).double()
    deltas = encode_boxes(anchors, boxes)
    coder = DeltaXYWHBBoxCoder()
    torch.testing.assert_close(deltas.float(), coder.encode(anchors, boxes))
    torch.testing.assert_close(decode_boxes(anchors, deltas), boxes)
    wild = torch.randn(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    torch.testing.assert_close(decode_boxes(anchors, wild), coder.decode(anchors, wild))


def test_deltas_gradcheck():
    anchors = random_boxes(5, 1).double()
    deltas = encode_boxes(anchors, random_boxes(5, 2).double()).requires_grad_()
    assert torch.autograd.gradcheck(lambda d: decode_boxes(anchors, d), deltas)


def test_numbers_lead_back_to_scale_and_cell():
    grid = make_grid()
    numbers = torch.arange(sum(grid.counts))
    scale, cell = grid.scale_and_cell(numbers)
    expected = [
        (s, y * w + x)
        for s, (h, w) in enumerate(grid.shapes)
        for _ in range(4)
        for y in range(h)
        for x in range(w)
    ]
    assert list(zip(scale.tolist(), cell.tolist(), strict=True)) == expected


def test_share_is_iou():
    grid, boxes = make_grid(), random_boxes(20)
    expected = iou_matrix(grid.boxes().double().numpy(), boxes.double().numpy())
    share = torch.cat([overlap_share(*s, boxes).flatten(0, 2) for s in grid.scales()])
    np.testing.assert_allclose((share / (1 - share)).numpy(), expected, atol=1e-5)


def naive_targets(anchors, boxes, ignored):
    """Labels and owner of every anchor, by loops over anchors and boxes."""
    labels, owners = [], []
    for anchor in anchors:
        overlaps = [float(iou_matrix(anchor[None], box[None])[0, 0]) for box in boxes]
        best = max(overlaps, default=0.0)
        label = 1 if best > 0.5 else 0 if best < 0.4 else -1
        for box in ignored:
            iou = float(iou_matrix(anchor[None], box[None])[0, 0])
            size = np.minimum(anchor[2:], box[2:]) - np.maximum(anchor[:2], box[:2])
            inside = np.prod(np.maximum(size, 0)) / np.prod(anchor[2:] - anchor[:2])
            if label != 1 and (iou >= 0.4 or inside > 0.5):
                label = -1
        labels.append(label)
        owners.append(int(np.argmax(overlaps)) if overlaps else -1)
    return np.array(labels), np.array(owners)


@pytest.mark.parametrize(("count", "ignored"), [(12, 0), (12, 4), (0, 3), (0, 0), (1, 1)])
def test_targets_equal_naive_loops(count, ignored):
    grid = make_grid((64, 96))
    boxes = random_boxes(count, 3, (64, 96))
    away = random_boxes(ignored, 4, (64, 96))
    found = assign_targets(grid, boxes, away)
    labels, owners = naive_targets(grid.boxes().double().numpy(), boxes.numpy(), away.numpy())
    np.testing.assert_array_equal(found.labels.numpy(), labels)
    np.testing.assert_array_equal(found.anchors.numpy(), np.flatnonzero(labels == 1))
    np.testing.assert_array_equal(found.boxes.numpy(), owners[labels == 1])


def test_thresholds_are_strict():
    # One anchor 10x10 centred at 0: IoU exactly 0.5 and exactly 0.4 are neither.
    grid = AnchorGrid((torch.tensor([[10.0, 10.0]]),), ((1, 1),), (8,))
    for height, label in ((5.0, -1), (5.01, 1), (4.0, -1), (3.99, 0)):
        box = torch.tensor([[-5.0, -5.0, 5.0, -5.0 + height]])
        assert assign_targets(grid, box).labels.tolist() == [label]


def test_targets_do_not_depend_on_the_order_of_boxes():
    grid, boxes = make_grid(), random_boxes(15, 5)
    order = torch.randperm(15, generator=torch.Generator().manual_seed(0))
    plain, mixed = assign_targets(grid, boxes), assign_targets(grid, boxes[order])
    assert torch.equal(plain.labels, mixed.labels)
    assert torch.equal(plain.boxes, order[mixed.boxes])


def test_best_anchors_equal_argmax_of_iou():
    grid, boxes = make_grid(), random_boxes(30, 6)
    number, iou = best_anchors(grid, boxes)
    overlaps = iou_matrix(grid.boxes().double().numpy(), boxes.double().numpy())
    np.testing.assert_allclose(iou.numpy(), overlaps.max(axis=0), atol=1e-5)
    chosen = overlaps[number.numpy(), np.arange(30)]
    np.testing.assert_allclose(chosen, overlaps.max(axis=0), atol=1e-5)
    assert [len(x) for x in best_anchors(grid, boxes[:0])] == [0, 0]


def test_match_best_gives_every_box_its_anchor():
    grid = make_grid()
    small = torch.tensor([[43.0, 43.0, 46.0, 52.0], [100.0, 20.0, 103.0, 26.0]])
    assert len(assign_targets(grid, small).anchors) == 0
    found = assign_targets(grid, small, match_best=True)
    assert sorted(found.boxes.tolist()) == [0, 1]
    number, _ = best_anchors(grid, small)
    assert sorted(found.anchors.tolist()) == sorted(number.tolist())


def test_match_best_contest_is_won_by_the_higher_iou():
    grid = AnchorGrid((torch.tensor([[16.0, 48.0]]),), ((1, 1),), (8,))
    boxes = torch.tensor([[-2.0, -6.0, 2.0, 6.0], [-3.0, -9.0, 3.0, 9.0], [50.0, 50.0, 60.0, 80.0]])
    assert assign_targets(grid, boxes, match_best=True).boxes.tolist() == [1]


def test_degenerate_and_far_boxes_are_harmless():
    grid = make_grid()
    boxes = torch.tensor([[10.0, 10.0, 10.0, 30.0], [900.0, 900.0, 940.0, 990.0]])
    found = assign_targets(grid, boxes, match_best=True)
    assert (found.labels == 0).all()


def test_batch_joins_images_with_their_identities():
    grid = make_grid()
    boxes = [random_boxes(5, 7), random_boxes(0), random_boxes(3, 8)]
    ids = [
        torch.tensor([4, -1, 2, 0, 9]),
        torch.zeros(0, dtype=torch.int64),
        torch.tensor([7, 8, -1]),
    ]
    joined = batch_targets(grid, boxes, ids, [None, None, random_boxes(2, 9)])
    assert joined.labels.shape == (3, sum(grid.counts))
    assert set(joined.images.tolist()) <= {0, 2}
    single = assign_targets(grid, boxes[0])
    here = joined.images == 0
    assert torch.equal(joined.anchors[here], single.anchors)
    assert torch.equal(joined.boxes[here], boxes[0][single.boxes])
    assert torch.equal(joined.identities[here], ids[0][single.boxes])
