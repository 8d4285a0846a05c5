"""Crops: geometry by hand, the same values as OpenCV's resize, padding by the mean."""

import cv2
import numpy as np
import pytest
import torch

from mmdeepmot.models.sot.crops import (
    boxes_from_crops,
    boxes_in_crops,
    context_sides,
    crop_regions,
    inside_image,
    scaled_boxes,
    squares,
)


def ramp(height=40, width=60):
    """Channels that hold the x and the y of every pixel's centre, and a constant."""
    x = torch.arange(width).add(0.5).expand(height, width)
    y = torch.arange(height).add(0.5)[:, None].expand(height, width)
    return torch.stack((x, y, torch.full((height, width), 7.0)))


def test_pixels_lie_where_the_region_says():
    crops = crop_regions(
        ramp(), torch.tensor([[10.0, 4, 20, 34], [30.25, 8.5, 40.25, 18.5]]), (6, 5)
    )
    assert crops.shape == (2, 3, 6, 5)
    torch.testing.assert_close(crops[0, 0], torch.tensor([11.0, 13, 15, 17, 19]).expand(6, 5))
    torch.testing.assert_close(crops[0, 1, :, 0], torch.tensor([6.5, 11.5, 16.5, 21.5, 26.5, 31.5]))
    torch.testing.assert_close(crops[1, 0, 0], torch.tensor([31.25, 33.25, 35.25, 37.25, 39.25]))
    torch.testing.assert_close(crops[:, 2], torch.full((2, 6, 5), 7.0))
    assert crops.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("size", [(20, 24), (10, 12), (31, 17)])
def test_equals_cutting_and_resizing(size):
    rng = np.random.default_rng(0)
    image = rng.random((40, 60, 3), dtype=np.float32)
    expected = cv2.resize(image[8:28, 12:36], size[::-1], interpolation=cv2.INTER_LINEAR)
    got = crop_regions(
        torch.from_numpy(image).permute(2, 0, 1), torch.tensor([[12.0, 8, 36, 28]]), size
    )
    inner = slice(2, -2)  # OpenCV repeats the cut's border, the image goes on beyond it
    np.testing.assert_allclose(
        got[0].permute(1, 2, 0)[inner, inner], expected[inner, inner], atol=1e-5
    )


def test_outside_is_the_mean_of_the_image():
    image = torch.rand(3, 20, 30) + torch.tensor([0.0, 1, 2])[:, None, None]
    crops = crop_regions(image, torch.tensor([[-30.0, -20, 0, 0], [100.0, 0, 110, 10]]), (8, 8))
    mean = image.mean(dim=(1, 2))[:, None, None]
    torch.testing.assert_close(crops[:, :, :7, :7], mean.expand(2, 3, 7, 7))


def test_half_outside():
    image = torch.full((1, 8, 8), 3.0)
    image[0, :, 4:] = 5
    crop = crop_regions(image, torch.tensor([[4.0, 0, 12, 8]]), (8, 8))[0, 0]
    torch.testing.assert_close(crop[:, :4], torch.full((8, 4), 5.0))
    torch.testing.assert_close(crop[:, 4:], torch.full((8, 4), 4.0))


def test_no_targets_and_no_gradients():
    image = torch.rand(3, 8, 8, requires_grad=True)
    assert crop_regions(image, torch.zeros(0, 4), (5, 6)).shape == (0, 3, 5, 6)
    assert not crop_regions(image, torch.rand(2, 4, requires_grad=True), (5, 6)).requires_grad


def test_every_target_by_itself():
    image, regions = torch.rand(3, 50, 70), torch.rand(9, 4) * 40
    regions[:, 2:] += regions[:, :2] + 3
    together = crop_regions(image, regions, (17, 13))
    alone = torch.cat([crop_regions(image, region[None], (17, 13)) for region in regions])
    torch.testing.assert_close(together, alone)


def test_context_of_a_pedestrian_by_hand():
    sizes = torch.tensor([[30.0, 90], [40, 40]])
    expected = [(90 * 150) ** 0.5, 80.0]
    torch.testing.assert_close(context_sides(sizes), torch.tensor(expected))
    torch.testing.assert_close(context_sides(sizes, 0.0)[1], torch.tensor(40.0))


def test_squares_and_scaled_boxes():
    assert squares(torch.tensor([[10.0, 20]]), torch.tensor([6.0])).tolist() == [[7, 17, 13, 23]]
    assert scaled_boxes(torch.tensor([[10.0, 20, 30, 60]]), 2.0).tolist() == [[0, 0, 40, 80]]
    assert scaled_boxes(torch.tensor([[5.0, 5, 5, 5]]), 2.0).tolist() == [[4.5, 4.5, 5.5, 5.5]]


def test_boxes_stay_in_the_image():
    boxes = torch.tensor([[-30.0, 10, -10, 50], [10, 10, 12, 40], [0, 0, 500, 500], [5, 5, 25, 45]])
    expected = [[-10, 10, 10, 50], [6, 10, 16, 40], [50, 30, 150, 130], [5, 5, 25, 45]]
    assert inside_image(boxes, (100, 100), 10.0).tolist()[:2] == expected[:2]
    assert inside_image(boxes, (100, 100), 10.0)[3].tolist() == expected[3]
    big = inside_image(boxes, (100, 100), 10.0)[2]
    assert big.tolist() == [50, 50, 150, 150]  # the centre in the corner, the sides the image's


def test_into_crops_and_back():
    regions = torch.tensor([[10.0, 20, 30, 60], [-5, -5, 5, 15]])
    boxes = torch.tensor([[15.0, 30, 25, 50], [0, 0, 2, 2]])
    inside = boxes_in_crops(boxes, regions, (80, 10))
    torch.testing.assert_close(inside[0], torch.tensor([2.5, 20, 7.5, 60]))
    torch.testing.assert_close(inside[1], torch.tensor([5.0, 20, 7, 28]))
    torch.testing.assert_close(boxes_from_crops(inside, regions, (80, 10)), boxes)
