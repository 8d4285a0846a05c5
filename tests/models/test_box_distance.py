"""The distance of boxes by hand, against numpy, and its gradients at the edges."""

import math

import numpy as np
import pytest
import torch

from mmdeepmot.models.losses import box_distance
from mmdeepmot.models.losses.box_distance import centre_distances, iou
from mmdeepmot.structures.boxes import iou_matrix

SIZE = (400, 300)  # diagonal 500 px


def boxes(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, 4)


def random_boxes(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand((count, 2), generator=generator, dtype=torch.float64) * 100
    size = torch.rand((count, 2), generator=generator, dtype=torch.float64) * 60 + 1
    return torch.cat((corner, corner + size), dim=1)


def test_by_hand():
    tracks = boxes((0, 0, 10, 20), (100, 0, 110, 20))
    objects = boxes((0, 0, 10, 20), (5, 0, 15, 20))
    # Shifted by half the width: IoU 1/3, centres 5 px apart.
    expected = [[0, (5 / 500 + 2 / 3) / 2], [(100 / 500 + 1) / 2, (95 / 500 + 1) / 2]]
    np.testing.assert_allclose(box_distance(tracks, objects, SIZE), expected)
    far = (1 - math.exp(-5 * 100 / 500) + 1) / 2
    found = box_distance(tracks, objects, SIZE, "exponential")
    assert found[0, 0] == 0 and found[1, 0].item() == pytest.approx(far)


def test_parts_equal_numpy():
    a, b = random_boxes(20, 0), random_boxes(15, 1)
    np.testing.assert_allclose(iou(a, b), iou_matrix(a.numpy(), b.numpy()), atol=1e-12)
    centre_a, centre_b = ((x[:, :2] + x[:, 2:]) / 2 for x in (a, b))
    np.testing.assert_allclose(centre_distances(a, b), torch.cdist(centre_a, centre_b))


def test_leading_axes_and_sizes_of_images():
    tracks = torch.stack([random_boxes(4, seed) for seed in range(6)]).view(2, 3, 4, 4)
    objects = torch.stack([random_boxes(5, seed) for seed in range(6, 12)]).view(2, 3, 5, 4)
    sizes = torch.tensor([[400.0, 300.0], [640.0, 480.0]])
    found = box_distance(tracks, objects, sizes[:, None])
    assert found.shape == (2, 3, 4, 5)
    for clip, size in enumerate(sizes.tolist()):
        for frame in range(3):
            alone = box_distance(tracks[clip, frame], objects[clip, frame], tuple(size))
            torch.testing.assert_close(found[clip, frame], alone)


@pytest.mark.parametrize("normalisation", ["diagonal", "exponential"])
def test_values_lie_between_0_and_1_however_far(normalisation):
    tracks = torch.cat((random_boxes(5, 0), random_boxes(5, 1) + 1e6))
    found = box_distance(tracks, random_boxes(7, 2), SIZE, normalisation)
    assert found.min() >= 0 and found.max() <= 1


def test_pairs_that_hardly_overlap_can_be_forbidden():
    tracks = boxes((0, 0, 10, 10))
    objects = boxes((0, 0, 10, 5), (0, 0, 10, 4.9))  # IoU exactly 0.5, and less
    found = box_distance(tracks, objects, SIZE, min_iou=0.5)
    assert found[0, 0] < 1 and found[0, 1] == math.inf
    assert box_distance(tracks, objects, SIZE).max() < 1


@pytest.mark.parametrize("normalisation", ["diagonal", "exponential"])
def test_gradcheck(normalisation):
    a, b = random_boxes(3, 3).requires_grad_(), random_boxes(4, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: box_distance(a, b, SIZE, normalisation), (a, b))


DEGENERATE = {
    "identical": (boxes((10, 10, 20, 40)), boxes((10, 10, 20, 40))),
    "points": (boxes((10, 10, 10, 10)), boxes((10, 10, 10, 10))),
    "lines": (boxes((10, 10, 10, 40)), boxes((10, 10, 10, 40))),
    "a point in a box": (boxes((15, 20, 15, 20)), boxes((10, 10, 20, 40))),
    "inside out": (boxes((20, 40, 10, 10)), boxes((10, 10, 20, 40))),
    "touching": (boxes((10, 10, 20, 40)), boxes((20, 10, 30, 40))),
    "far apart": (boxes((0, 0, 10, 10)), boxes((1e6, 1e6, 1e6 + 10, 1e6 + 10))),
    "tiny": (boxes((0, 0, 1e-4, 1e-4)), boxes((0, 0, 1e-4, 1e-4))),
    "none": (boxes(), boxes((10, 10, 20, 40))),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("normalisation", ["diagonal", "exponential"])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_boxes_have_finite_gradients(name, normalisation, dtype):
    a, b = (x.to(dtype, copy=True).requires_grad_() for x in DEGENERATE[name])
    for min_iou in (0.0, 0.5):
        found = box_distance(a, b, SIZE, normalisation, min_iou)
        assert not found.isnan().any()
        found[found <= 1].sum().backward()
        assert torch.isfinite(a.grad).all() and torch.isfinite(b.grad).all()


def test_boxes_that_do_not_meet_are_pulled_together():
    track = boxes((0, 0, 10, 20)).requires_grad_()
    for normalisation in ("diagonal", "exponential"):
        track.grad = None
        box_distance(track, boxes((100, 0, 110, 20)), SIZE, normalisation).sum().backward()
        assert (track.grad[0, [0, 2]] < 0).all() and not track.grad[0, [1, 3]].any()


def test_half_precision_is_computed_in_single():
    a, b = random_boxes(3, 0), random_boxes(3, 1)
    with torch.autocast("cpu", torch.bfloat16):
        found = box_distance(a.bfloat16(), b.bfloat16(), SIZE)
    assert found.dtype == torch.float32
    exact = box_distance(a.bfloat16().double(), b.bfloat16().double(), SIZE)
    torch.testing.assert_close(found.double(), exact, atol=1e-5, rtol=0)


def test_errors_name_what_is_wrong():
    a, b = random_boxes(2, 0), random_boxes(3, 1)
    with pytest.raises(ValueError, match=r"xyxy px, got \(2, 4\) and \(1, 3, 4\)"):
        box_distance(a, b[None], SIZE)
    with pytest.raises(ValueError, match=r"got \(2, 2\) and \(3, 4\)"):
        box_distance(a[:, :2], b, SIZE)
    with pytest.raises(ValueError, match=r"\('diagonal', 'exponential'\), got 'diag'"):
        box_distance(a, b, SIZE, "diag")
    with pytest.raises(ValueError, match=r"both above 0.*got \(0, 480\)"):
        box_distance(a, b, (0, 480))
    with pytest.raises(ValueError, match=r"\(width, height\) px.*got 5"):
        box_distance(a, b, torch.tensor(5))
