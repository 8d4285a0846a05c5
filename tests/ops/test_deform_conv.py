"""Deformable convolution: plain PyTorch against loops, torchvision and mmcv; with gradients."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mmdeepmot.ops.deform_conv import deform_conv2d
from mmdeepmot.ops.implementations import Operators


@dataclass(frozen=True)
class Case:
    """Settings of a convolution of 4 channels to 4; all odd somewhere."""

    groups: int = 1
    deform_groups: int = 1
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    kernel: tuple[int, int] = (3, 3)

    @property
    def options(self) -> dict:
        return dict(stride=self.stride, padding=self.padding, dilation=self.dilation)


CASES = [
    Case(),
    Case(groups=2),
    Case(deform_groups=2),
    Case(groups=2, deform_groups=4, stride=(2, 1), padding=(2, 1), dilation=(2, 1)),
    Case(stride=(2, 2), padding=(0, 1), dilation=(1, 2), kernel=(2, 3)),
    Case(padding=(0, 0), kernel=(1, 1)),
]


def tensors(
    case: Case, modulated: bool, dtype: torch.dtype = torch.float32, integer: bool = False
) -> list[Tensor]:
    """Input, offset, weight, and if modulated mask and bias; some points fall outside."""
    generator = torch.Generator().manual_seed(5)
    height, width = 5, 4
    out = [
        (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
        for size, pad, dilation, kernel, stride in zip(
            (height, width), case.padding, case.dilation, case.kernel, case.stride, strict=True
        )
    ]
    points = math.prod(case.kernel) * case.deform_groups
    made = [
        torch.randn(2, 4, height, width, generator=generator),
        torch.randn(2, points * 2, *out, generator=generator) * 1.5,
        torch.randn(4, 4 // case.groups, *case.kernel, generator=generator),
    ]
    if integer:
        made[1] = made[1].round()
    if modulated:
        made += [
            torch.rand(2, points, *out, generator=generator),
            torch.randn(4, generator=generator),
        ]
    return [tensor.to(dtype) for tensor in made]


def oracle(parts: list[Tensor], case: Case) -> Tensor:
    """Sums one kernel point of one output pixel after another."""
    input, offset, weight = parts[:3]
    batch, channels, _, _ = input.shape
    outputs, per_group, kernel_h, kernel_w = weight.shape
    out_h, out_w = offset.shape[2:]
    points = kernel_h * kernel_w
    rows = []
    for n, o, y, x in itertools.product(range(batch), range(outputs), range(out_h), range(out_w)):
        total = input.new_zeros(()) if len(parts) < 5 else parts[4][o]
        for c, i, j in itertools.product(range(per_group), range(kernel_h), range(kernel_w)):
            channel = o // (outputs // case.groups) * per_group + c
            place = channel // (channels // case.deform_groups) * points + i * kernel_w + j
            value = sample(
                input[n, channel],
                y * case.stride[0]
                - case.padding[0]
                + i * case.dilation[0]
                + offset[n, 2 * place, y, x],
                x * case.stride[1]
                - case.padding[1]
                + j * case.dilation[1]
                + offset[n, 2 * place + 1, y, x],
            )
            share = parts[3][n, place, y, x] if len(parts) > 3 else 1.0
            total = total + weight[o, c, i, j] * value * share
        rows.append(total)
    return torch.stack(rows).view(batch, outputs, out_h, out_w)


def sample(plane: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Bilinear value of a plane (H, W), zero outside, differentiable in all three."""
    top, left = math.floor(y.detach()), math.floor(x.detach())
    value = plane.new_zeros(())
    for row, column in itertools.product((top, top + 1), (left, left + 1)):
        if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
            share_y = y - top if row > top else 1 - (y - top)
            share_x = x - left if column > left else 1 - (x - left)
            value = value + share_y * share_x * plane[row, column]
    return value


def gradients(function, parts: list[Tensor]) -> list[Tensor]:
    """Value of a function of the tensors and its gradients along a fixed direction."""
    leaves = [part.clone().requires_grad_() for part in parts]
    output = function(leaves)
    direction = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)
    return [output.detach(), *torch.autograd.grad(output, leaves, direction)]


def plain(parts: list[Tensor], case: Case) -> Tensor:
    return deform_conv2d(*parts, **case.options, deform_groups=case.deform_groups)


def through_mmcv(parts: list[Tensor], case: Case) -> Tensor:
    import mmcv.ops

    function = mmcv.ops.deform_conv2d if len(parts) == 3 else mmcv.ops.modulated_deform_conv2d
    if len(parts) == 3:
        input, offset, weight = parts
        tensors_ = (input, offset, weight)
    else:
        input, offset, weight, mask, bias = parts
        tensors_ = (input, offset, mask, weight, bias)
    return function(
        *tensors_, case.stride, case.padding, case.dilation, case.groups, case.deform_groups
    )


def test_no_offset_is_a_convolution() -> None:
    for case in CASES:
        input, offset, weight, mask, bias = tensors(case, modulated=True)
        output = plain([input, 0 * offset, weight, torch.ones_like(mask), bias], case)
        expected = F.conv2d(input, weight, bias, groups=case.groups, **case.options)
        torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-5)


def test_integer_offset_shifts() -> None:
    input = torch.arange(12.0).view(1, 1, 3, 4)
    offset = torch.zeros(1, 2, 3, 4)
    offset[:, 0], offset[:, 1] = 1, -2
    output = deform_conv2d(input, offset, torch.ones(1, 1, 1, 1))
    expected = torch.tensor([[0.0, 0, 4, 5], [0, 0, 8, 9], [0, 0, 0, 0]])
    torch.testing.assert_close(output[0, 0], expected)


@pytest.mark.parametrize(("shift", "slopes"), [(0.0, [2.0, 4.0, -7.0]), (-1.0, [0.0, 2.0, 4.0])])
def test_derivative_at_integers_is_the_right_one(shift: float, slopes: list[float]) -> None:
    """Row 1, 3, 7 and zero after it: differences to the right neighbour; none from -1."""
    offset = torch.zeros(1, 2, 1, 3)
    offset[:, 1] = shift
    offset.requires_grad_()
    row = torch.tensor([1.0, 3.0, 7.0]).view(1, 1, 1, 3)
    deform_conv2d(row, offset, torch.ones(1, 1, 1, 1)).sum().backward()
    assert offset.grad is not None
    assert offset.grad[0, 1, 0].tolist() == slopes


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_loop(case: Case, modulated: bool) -> None:
    parts = tensors(case, modulated, torch.float64)
    for actual, expected in zip(
        gradients(lambda leaves: plain(leaves, case), parts),
        gradients(lambda leaves: oracle(leaves, case), parts),
        strict=True,
    ):
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


def test_gradcheck() -> None:
    case = Case(groups=2, deform_groups=2, stride=(2, 2))
    parts = [part.requires_grad_() for part in tensors(case, True, torch.float64)]
    assert torch.autograd.gradcheck(lambda *leaves: plain(list(leaves), case), parts)


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_equals_torchvision(torchvision_operators: Operators, case: Case, modulated: bool) -> None:
    parts = tensors(case, modulated)
    for actual, expected in zip(
        gradients(lambda leaves: plain(leaves, case), parts),
        gradients(
            lambda leaves: torchvision_operators.deform_conv2d(
                *leaves, **case.options, deform_groups=case.deform_groups
            ),
            parts,
        ),
        strict=True,
    ):
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.usefixtures("_compiled_mmcv")
@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_equals_compiled_mmcv(case: Case, modulated: bool, integer: bool) -> None:
    parts = tensors(case, modulated, integer=integer)
    for actual, expected in zip(
        gradients(lambda leaves: plain(leaves, case), parts),
        gradients(lambda leaves: through_mmcv(leaves, case), parts),
        strict=True,
    ):
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_mmcv_deform_conv(case: Case, modulated: bool) -> None:
    """mmcv's own functions, on whatever implementation is in use."""
    parts = tensors(case, modulated)
    for actual, expected in zip(
        gradients(lambda leaves: through_mmcv(leaves, case), parts),
        gradients(lambda leaves: plain(leaves, case), [part.double() for part in parts]),
        strict=True,
    ):
        torch.testing.assert_close(actual, expected.float(), rtol=1e-4, atol=2e-5)
