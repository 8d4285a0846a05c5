"""Targets of centre-based heads against slow programs, by hand, at borders and without boxes."""

import math
import time

import pytest
import torch
from mmdet.models.utils import gaussian_radius

from mmdeepmot.models.heads.center_targets import (
    center_targets,
    draw_gaussians,
    gaussian_radii,
    inside_boxes,
    locate_centers,
)
from mmdeepmot.models.heads.samples import GroundTruth

SHAPE = (24, 32)
STRIDE = 4


def truth(*boxes, labels=None, identities=None, ignored=None) -> GroundTruth:
    """Ground truth with one list of boxes an image."""
    boxes = [torch.tensor(b, dtype=torch.float32).view(-1, 4) for b in boxes]

    def numbers(values, default):
        if values is None:
            return [torch.full((len(b),), default) for b in boxes]
        return [torch.tensor(v, dtype=torch.int64) for v in values]

    ignored = [None] * len(boxes) if ignored is None else ignored
    return GroundTruth(
        boxes=boxes,
        labels=numbers(labels, 0),
        identities=numbers(identities, -1),
        ignored=[None if i is None else torch.tensor(i).float().view(-1, 4) for i in ignored],
    )


def random_boxes(number: int, seed: int) -> torch.Tensor:
    """Boxes of 1 to 100 px, many of them partly outside the map's 128x96 px."""
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(number, 2, generator=generator) * torch.tensor([160.0, 128]) - 16
    half = torch.rand(number, 2, generator=generator) * 50 + 0.5
    return torch.cat((centre - half, centre + half), dim=1)


def published_radius(width: float, height: float, overlap: float = 0.7) -> int:
    """CornerNet's radius as FairMOT's program has it, for one box."""
    w, h = math.ceil(width), math.ceil(height)
    b1, c1 = h + w, w * h * (1 - overlap) / (1 + overlap)
    r1 = (b1 + math.sqrt(b1**2 - 4 * c1)) / 2
    b2, c2 = 2 * (h + w), (1 - overlap) * w * h
    r2 = (b2 + math.sqrt(b2**2 - 16 * c2)) / 2
    a3, b3, c3 = 4 * overlap, -2 * overlap * (h + w), (overlap - 1) * w * h
    r3 = (b3 + math.sqrt(b3**2 - 4 * a3 * c3)) / 2
    return max(0, int(min(r1, r2, r3)))


def slow_heatmap(boxes: torch.Tensor, radius) -> torch.Tensor:
    """The heatmap of one image and class, cell by cell and box by box."""
    height, width = SHAPE
    heat = torch.zeros(SHAPE)
    for left, top, right, bottom in (boxes / STRIDE).tolist():
        if right <= 0 or bottom <= 0 or left >= width or top >= height:
            continue
        column = min(max(int((left + right) / 2), 0), width - 1)
        row = min(max(int((top + bottom) / 2), 0), height - 1)
        r = radius(right - left, bottom - top)
        sigma = (2 * r + 1) / 6
        for y in range(height):
            for x in range(width):
                if abs(x - column) <= r and abs(y - row) <= r:
                    squared = (x - column) ** 2 + (y - row) ** 2
                    heat[y, x] = max(heat[y, x].item(), math.exp(-squared / (2 * sigma**2)))
    return heat


def test_radii_equal_the_published_program():
    sizes = torch.rand(500, 2) * 80 + 0.1
    expected = [published_radius(w, h) for w, h in sizes.tolist()]
    assert gaussian_radii(sizes).tolist() == expected
    assert max(expected) > 10 and min(expected) == 0


def test_a_radius_by_hand():
    # w = 10, h = 30: the least is (-2.8 * 20 + sqrt(56^2 + 4 * 2.8 * 0.3 * 300)) / 2 = 4.194...
    assert gaussian_radii(torch.tensor([[9.5, 29.1]])).tolist() == [4]
    root = (-56 + math.sqrt(56**2 + 4 * 2.8 * 90)) / (2 * 2.8)
    assert int(root) == gaussian_radii(torch.tensor([[10.0, 30.0]]), corrected=True).item() == 1


@pytest.mark.parametrize("overlap", [0.3, 0.7])
def test_corrected_radii_equal_mmdet(overlap):
    sizes = torch.rand(200, 2) * 80 + 0.1
    expected = [
        max(0, int(gaussian_radius((math.ceil(h), math.ceil(w)), overlap)))
        for w, h in sizes.tolist()
    ]
    assert gaussian_radii(sizes, overlap, corrected=True).tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_heatmap_equals_a_slow_program(seed):
    boxes = [random_boxes(12, seed), random_boxes(1, seed + 10), random_boxes(0, 0)]
    found = center_targets(truth(*(b.tolist() for b in boxes)), SHAPE, STRIDE)
    assert found.heatmap.shape == (3, 1, *SHAPE) and found.heatmap.dtype == torch.float32
    for heat, of_image in zip(found.heatmap[:, 0], boxes, strict=True):
        torch.testing.assert_close(
            heat, slow_heatmap(of_image, published_radius), atol=1e-6, rtol=1e-5
        )
    assert (found.heatmap == 1).sum() <= len(found.cells)
    assert (found.heatmap.flatten(2)[found.images, 0, found.cells] == 1).all()


def test_classes_have_planes_of_their_own():
    boxes = random_boxes(9, 5)
    labels = [0, 2, 1, 2, 2, 0, 0, 1, 0]
    found = center_targets(truth(boxes.tolist(), labels=[labels]), SHAPE, STRIDE, num_classes=3)
    for label in range(3):
        mine = boxes[torch.tensor(labels) == label]
        torch.testing.assert_close(
            found.heatmap[0, label], slow_heatmap(mine, published_radius), atol=1e-6, rtol=1e-5
        )
    one = center_targets(truth(boxes.tolist(), labels=[labels]), SHAPE, STRIDE)
    torch.testing.assert_close(one.heatmap[:, 0], found.heatmap.amax(dim=1))
    with pytest.raises(ValueError, match="label 2 is outside the heatmap, which has 2 classes"):
        center_targets(truth(boxes.tolist(), labels=[labels]), SHAPE, STRIDE, num_classes=2)


def test_gaussians_meet_at_their_maximum():
    heat = draw_gaussians(
        torch.tensor([0, 0]), torch.tensor([3, 5]), torch.tensor([2, 2]), torch.tensor([2, 2]),
        (1, 5, 8),
    )[0]  # fmt: skip
    near = math.exp(-1 / (2 * (5 / 6) ** 2))
    expected = [0, math.exp(-4 / (2 * (5 / 6) ** 2)), near, 1, near, 1, near]
    torch.testing.assert_close(heat[2, :7], torch.tensor(expected))
    assert heat[2, 7] == heat[2, 1]


def test_numbers_at_the_centres_by_hand():
    box = [10, 20, 24, 62]  # centre (17, 41) px = (4.25, 10.25) cells
    wh = center_targets(truth([], [box], identities=[[], [7]]), SHAPE, STRIDE)
    assert wh.images.tolist() == [1] and wh.cells.tolist() == [10 * 32 + 4]
    assert wh.offsets.tolist() == [[0.25, 0.25]] and wh.sizes.tolist() == [[3.5, 10.5]]
    assert wh.identities.tolist() == [7] and wh.weight is None
    ltrb = center_targets(truth([box]), SHAPE, STRIDE, box="ltrb")
    assert ltrb.sizes.tolist() == [[1.75, 5.25, 1.75, 5.25]]
    assert ltrb.identities.tolist() == [-1]


def test_centres_on_and_outside_the_border_belong_to_the_last_cell():
    boxes = [
        [112, 40, 144, 60],  # centre (128, 50): on the right border
        [20, 90, 30, 102],  # centre (25, 96): on the lower border
        [124, 92, 131, 99],  # centre (127.5, 95.5): in the last cell
        [120, 0, 160, 16],  # centre (140, 8): outside, moved to (128, 8)
        [-30, -20, 10, 4],  # centre (-10, -8): moved to (0, 0)
    ]
    found = center_targets(truth(boxes), SHAPE, STRIDE, box="ltrb")
    assert found.cells.tolist() == [12 * 32 + 31, 23 * 32 + 6, 24 * 32 - 1, 2 * 32 + 31, 0]
    assert found.offsets.tolist() == [[1, 0.5], [0.25, 1], [0.875, 0.875], [1, 0], [0, 0]]
    assert found.sizes[3].tolist() == [2, 2, 8, 2] and found.sizes[4].tolist() == [7.5, 5, 2.5, 1]
    assert (found.sizes >= 0).all()
    wh = center_targets(truth(boxes), SHAPE, STRIDE)
    assert wh.sizes[3].tolist() == [10, 4]
    *_, inside = locate_centers(torch.tensor(boxes).float(), SHAPE, STRIDE)
    assert inside.tolist() == [True, True, True, False, False]


def test_boxes_that_cannot_be_seen_are_left_out():
    boxes = [[10, 10, 10, 30], [30, 40, 20, 60], [128, 10, 140, 30], [-20, 10, 0, 30],
             [10, 96, 20, 120], [40, 40, 48, 64]]  # fmt: skip
    found = center_targets(truth(boxes, identities=[list(range(6))]), SHAPE, STRIDE)
    assert found.identities.tolist() == [5]
    assert (found.heatmap == 1).sum() == 1


@pytest.mark.parametrize("box", ["wh", "ltrb"])
def test_no_boxes_at_all(box):
    found = center_targets(truth([], []), SHAPE, STRIDE, box=box)
    assert found.heatmap.shape == (2, 1, *SHAPE) and not found.heatmap.any()
    assert found.cells.shape == found.images.shape == found.identities.shape == (0,)
    assert found.offsets.shape == (0, 2) and found.sizes.shape == (0, 2 if box == "wh" else 4)


def test_nothing_is_punished_inside_ignored_boxes_but_centres_count():
    ignored = [[8, 8, 24, 40], [60, 60, 61, 61]]
    found = center_targets(
        truth([[12, 12, 20, 36], [90, 20, 100, 50]], [[30, 30, 40, 60]], ignored=[ignored, None]),
        SHAPE,
        STRIDE,
        num_classes=2,
    )
    free = found.weight == 0
    assert found.weight.shape == found.heatmap.shape
    assert free.sum().item() == 2 * 4 * 8 - 1 and not free[1].any()
    assert free[0, :, 2:10, 2:6].sum().item() == 2 * 4 * 8 - 1
    assert not free[0, 0, 6, 4] and free[0, 1, 6, 4]  # a centre of class 0
    assert center_targets(truth([], ignored=[[]]), SHAPE, STRIDE).weight is None


def test_a_cell_is_inside_by_its_middle():
    inside = inside_boxes(torch.tensor([[6.0, 0, 10, 4], [11, 9, 13, 11]]), (3, 4), 4)
    assert inside.tolist() == [[False, True, True, False], [False] * 4, [False] * 4]
    assert not inside_boxes(torch.zeros(0, 4), (3, 4), 4).any()


def test_a_crowd_is_quick():
    crowd = truth(*((random_boxes(100, seed) * 4).tolist() for seed in range(4)))  # up to 400 px
    times = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine several threads burn time waiting for each other
    try:
        for _ in range(6):
            start = time.process_time()  # whatever else the machine does
            center_targets(crowd, (152, 272), STRIDE)
            times.append(time.process_time() - start)
    finally:
        torch.set_num_threads(threads)
    assert min(times) < 0.05
