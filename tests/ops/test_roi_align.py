"""RoIAlign: plain PyTorch against loops, torchvision and mmcv; values and gradients."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from mmdeepmot.ops import roi_align as module
from mmdeepmot.ops.implementations import Operators
from mmdeepmot.ops.roi_align import roi_align, roi_align_max, roi_align_max_backward

SIZE = (3, 2)
SCALE = 0.5
ROIS = torch.tensor(
    [
        [0, 2.3, 4.1, 17.9, 21.7],
        [1, -6.2, -3.4, 9.1, 8.3],  # partly outside
        [1, 15.2, 17.7, 40.3, 60.9],  # far outside: some samples count as zero
        [0, 7.1, 7.4, 7.6, 7.9],  # less than a feature pixel
        [0, 1.3, 2.2, 1.3, 2.2],  # empty
    ]
)
VARIANTS = list(itertools.product([True, False], [0, 2]))


def features(dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 3, 13, 11, generator=generator).to(dtype)


def oracle(features: Tensor, rois: Tensor, sampling_ratio: int, aligned: bool, mode: str) -> Tensor:
    """One sample after another."""
    output = features.new_zeros(len(rois), features.shape[1], *SIZE)
    shift = 0.5 if aligned else 0.0
    for number, (image, *box) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (coordinate * SCALE - shift for coordinate in box)
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = max(width, 1.0), max(height, 1.0)
        bin_h, bin_w = height / SIZE[0], width / SIZE[1]
        grid_h, grid_w = sampling_ratio or math.ceil(bin_h), sampling_ratio or math.ceil(bin_w)
        for row, column in itertools.product(range(SIZE[0]), range(SIZE[1])):
            samples = [
                sample(
                    features[int(image)],
                    y1 + row * bin_h + (i + 0.5) * bin_h / grid_h,
                    x1 + column * bin_w + (j + 0.5) * bin_w / grid_w,
                )
                for i, j in itertools.product(range(grid_h), range(grid_w))
            ]
            if samples:
                stacked = torch.stack(samples)
                pooled = stacked.mean(0) if mode == "avg" else stacked.amax(0)
                output[number, :, row, column] = pooled
    return output


def sample(image: Tensor, y: float, x: float) -> Tensor:
    """Bilinear value (C,) of an image (C, H, W)."""
    height, width = image.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return torch.zeros_like(image[:, 0, 0])
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    dy, dx = y - top, x - left
    upper = (1 - dx) * image[:, top, left] + dx * image[:, top, right]
    lower = (1 - dx) * image[:, bottom, left] + dx * image[:, bottom, right]
    return (1 - dy) * upper + dy * lower


def gradient(function, features: Tensor) -> tuple[Tensor, Tensor]:
    """Value of a function of the features and its gradient along a fixed direction."""
    leaf = features.clone().requires_grad_()
    output = function(leaf)
    direction = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)
    return output.detach(), torch.autograd.grad(output, leaf, direction)[0]


def test_constant_features_stay_constant() -> None:
    inside = torch.tensor([[0, 4.0, 4.0, 16.0, 20.0]])
    output = roi_align(torch.full((1, 1, 13, 11), 7.0), inside, SIZE, SCALE)
    torch.testing.assert_close(output, torch.full((1, 1, *SIZE), 7.0))


def test_linear_features_give_the_bins_centres() -> None:
    """The mean of a linear function over a bin is its value at the bin's centre."""
    column = torch.arange(11.0).expand(1, 1, 13, 11)
    # x from 2 to 8 in feature px, less half a pixel; bins of 3 px centred at 3 and 6
    output = roi_align(column, torch.tensor([[0, 4.0, 4.0, 16.0, 20.0]]), SIZE, SCALE)
    torch.testing.assert_close(output[0, 0], torch.tensor([[3.0, 6.0]]).expand(3, 2))


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize(("aligned", "ratio"), VARIANTS)
def test_equals_the_loop(aligned: bool, ratio: int, mode: str) -> None:
    expected, expected_gradient = gradient(
        lambda leaf: oracle(leaf, ROIS.double(), ratio, aligned, mode), features(torch.float64)
    )
    arguments = (ROIS.double(), SIZE, SCALE, ratio, aligned)
    if mode == "avg":
        output, grad = gradient(lambda leaf: roi_align(leaf, *arguments), features(torch.float64))
    else:
        output, rows, columns = roi_align_max(features(torch.float64), *arguments)
        direction = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)
        grad = roi_align_max_backward(direction, ROIS, rows, columns, features().shape)
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(grad, expected_gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("aligned", [True, False])
def test_gradcheck(aligned: bool) -> None:
    inputs = features(torch.float64)[:, :1, :5, :6].clone().requires_grad_()
    rois = torch.tensor([[0, 1.3, 0.7, 8.1, 9.2], [1, -2.0, 3.1, 5.2, 6.3]], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda leaf: roi_align(leaf, rois, (2, 2), SCALE, 0, aligned), inputs
    )


def test_no_rois_and_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert roi_align(features(), ROIS[:0], SIZE).shape == (0, 3, *SIZE)
    assert roi_align_max(features(), ROIS[:0], SIZE)[0].shape == (0, 3, *SIZE)
    rois = ROIS.repeat(4, 1)
    whole = roi_align(features(), rois, SIZE, SCALE, 2)
    monkeypatch.setattr(module, "MAX_CORNERS", 1)
    torch.testing.assert_close(roi_align(features(), rois, SIZE, SCALE, 2), whole)


def test_permutation_of_rois() -> None:
    order = torch.tensor([3, 0, 4, 2, 1])
    output = roi_align(features(), ROIS, SIZE, SCALE)
    torch.testing.assert_close(roi_align(features(), ROIS[order], SIZE, SCALE), output[order])


@pytest.mark.parametrize(("aligned", "ratio"), VARIANTS)
def test_equals_torchvision(torchvision_operators: Operators, aligned: bool, ratio: int) -> None:
    arguments = (ROIS, SIZE, SCALE, ratio, aligned)
    expected = gradient(lambda x: torchvision_operators.roi_align(x, *arguments), features())
    actual = gradient(lambda x: roi_align(x, *arguments), features())
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.usefixtures("_compiled_mmcv")
@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize(("aligned", "ratio"), VARIANTS)
def test_equals_compiled_mmcv(aligned: bool, ratio: int, mode: str) -> None:
    import mmcv.ops

    # For a bin without samples the compiled maximum is -10000, ours 0.
    rois = ROIS[:4]
    expected, expected_gradient = gradient(
        lambda x: mmcv.ops.roi_align(x, rois, SIZE, SCALE, ratio, mode, aligned), features()
    )
    arguments = (rois, SIZE, SCALE, ratio, aligned)
    if mode == "avg":
        output, grad = gradient(lambda leaf: roi_align(leaf, *arguments), features())
    else:
        output, rows, columns = roi_align_max(features(), *arguments)
        direction = torch.linspace(-1, 1, output.numel()).view_as(output)
        grad = roi_align_max_backward(direction, rois, rows, columns, features().shape)
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=2e-6)
    torch.testing.assert_close(grad, expected_gradient, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize(("aligned", "ratio"), VARIANTS)
def test_mmcv_roi_align(aligned: bool, ratio: int, mode: str) -> None:
    """mmcv's own function, on whatever implementation is in use."""
    import mmcv.ops

    rois = ROIS[:4]
    expected = gradient(lambda leaf: oracle(leaf, rois, ratio, aligned, mode), features())
    actual = gradient(
        lambda leaf: mmcv.ops.roi_align(leaf, rois, SIZE, SCALE, ratio, mode, aligned), features()
    )
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)
