"""Decoding of centres: peaks against a slow program, boxes by hand, and the inverse of targets."""

import pytest
import torch

from mmdeepmot.models.heads.center_decode import boxes_at, find_peaks, local_maxima
from mmdeepmot.models.heads.center_targets import center_targets
from mmdeepmot.models.heads.samples import GroundTruth


def slow_maxima(plane: torch.Tensor) -> torch.Tensor:
    """Cells that exceed all later neighbours and are not below an earlier one, one by one."""
    height, width = plane.shape
    found = torch.zeros_like(plane, dtype=torch.bool)
    for y in range(height):
        for x in range(width):
            keeps = True
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    if (dy, dx) == (0, 0) or not (0 <= y + dy < height and 0 <= x + dx < width):
                        continue
                    other = plane[y + dy, x + dx]
                    later = (dy, dx) > (0, 0)
                    keeps &= bool(plane[y, x] > other if later else plane[y, x] >= other)
            found[y, x] = keeps
    return found


@pytest.mark.parametrize("shape", [(9, 13), (1, 7), (6, 1), (1, 1)])
@pytest.mark.parametrize("levels", [2, 1000])
def test_maxima_equal_a_slow_program(shape, levels):
    maps = torch.randint(levels, (2, 3, *shape)).float()
    expected = torch.stack([slow_maxima(plane) for plane in maps.flatten(0, 1)]).view_as(maps)
    assert torch.equal(local_maxima(maps), expected)


def test_equal_neighbours_give_one_peak():
    plane = torch.zeros(1, 1, 5, 8)
    plane[0, 0, 2, 2:5] = 1
    plane[0, 0, 1:3, 6:] = 1  # a square
    assert local_maxima(plane)[0, 0].nonzero().tolist()[:2] == [[2, 4], [2, 7]]


def test_peaks_by_hand():
    logits = torch.full((3, 2, 4, 6), -8.0)
    logits[0, 0, 1, 1], logits[0, 0, 1, 2] = 2.0, 1.0  # the second is no maximum
    logits[0, 1, 1, 2] = 3.0  # of another class
    logits[0, 0, 3, 5] = -1.0
    logits[2, 0, 0, 0] = 0.5
    peaks = find_peaks(logits, 10, 0.3)
    assert peaks.counts == [2, 0, 1] and peaks.images.tolist() == [0, 0, 2]
    assert peaks.cells.tolist() == [8, 7, 0] and peaks.labels.tolist() == [1, 0, 0]
    torch.testing.assert_close(peaks.scores, torch.tensor([3.0, 2.0, 0.5]).sigmoid())
    assert find_peaks(logits, 1, 0.3).counts == [1, 0, 1]
    assert find_peaks(logits, 10, 0.2).counts == [3, 0, 1]
    assert find_peaks(logits, 10, float(torch.tensor(0.5).sigmoid())).counts == [2, 0, 0]  # exceed


def test_more_wanted_than_there_are():
    peaks = find_peaks(torch.randn(2, 1, 3, 4), 500, 0.0)
    assert all(0 < count <= 4 for count in peaks.counts)
    (scores, _) = peaks.scores.split(peaks.counts)
    assert (scores.diff() <= 0).all()


def test_what_is_not_finite_is_no_peak():
    logits = torch.full((1, 1, 4, 4), torch.nan)
    assert find_peaks(logits, 10, 0.0).counts == [0]


def test_boxes_by_hand():
    cells, offsets = torch.tensor([2 * 10 + 3]), torch.tensor([[0.5, 0.25]])
    wh = boxes_at(cells, offsets, torch.tensor([[4.0, 3.0]]), 10, 4, "wh")
    assert wh.tolist() == [[6, 3, 22, 15]]
    ltrb = boxes_at(cells, offsets, torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 10, 4, "ltrb")
    assert ltrb.tolist() == [[10, 1, 26, 25]]
    negative = boxes_at(cells, offsets, torch.tensor([[-1.0, 2.0, -3.0, 4.0]]), 10, 8, "ltrb")
    assert negative.tolist() == [[28, 2, 28, 50]]
    assert boxes_at(cells[:0], offsets[:0], torch.zeros(0, 2), 10, 4, "wh").shape == (0, 4)


@pytest.mark.parametrize("box", ["wh", "ltrb"])
@pytest.mark.parametrize("stride", [2, 4, 8])
def test_decoding_inverts_the_targets(box, stride):
    """Perfect maps give back every box whose centre has no neighbour."""
    shape = (96 // stride, 160 // stride)
    generator = torch.Generator().manual_seed(stride)
    rows, columns = torch.meshgrid(
        torch.arange(0, shape[0], 2), torch.arange(0, shape[1], 2), indexing="ij"
    )
    grid = torch.stack((columns.flatten(), rows.flatten()), dim=1)
    images = []
    for number in (15, 0, 40):
        places = grid[torch.randperm(len(grid), generator=generator)[:number]]
        centre = (places + torch.rand(number, 2, generator=generator)) * stride
        half = torch.rand(number, 2, generator=generator) * 60 + 1
        images.append(torch.cat((centre - half, centre + half), dim=1))
    images[0][0] = torch.tensor([130.0, 40, 190, 70])  # its centre is on the right border
    none = [torch.zeros(len(boxes), dtype=torch.int64) for boxes in images]
    targets = center_targets(GroundTruth(images, none, none, [None] * 3), shape, stride, box=box)
    maps = torch.zeros(3, targets.sizes.shape[1] + 2, *shape).flatten(2)
    maps[targets.images, :, targets.cells] = torch.cat((targets.offsets, targets.sizes), dim=1)
    peaks = find_peaks(targets.heatmap.logit(), 100, 0.999999)
    assert peaks.counts == [15, 0, 40]
    offsets, sizes = maps[peaks.images, :, peaks.cells].split((2, targets.sizes.shape[1]), dim=1)
    found = boxes_at(peaks.cells, offsets, sizes, shape[1], stride, box).split(peaks.counts)
    for boxes, decoded in zip(images, found, strict=True):
        distance = (boxes[:, None] - decoded[None]).abs().amax(-1)
        if len(boxes):
            assert distance.amin(dim=0).max() < 1e-3 and distance.amin(dim=1).max() < 1e-3
