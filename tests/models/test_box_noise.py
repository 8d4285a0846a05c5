"""Perturbed boxes to start from."""

import pytest
import torch

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot import BoxNoise
from mmdeepmot.registry import TASK_UTILS


def test_ranges():
    """The paper's: factors of 0.8 to 1.2, shifts of up to a quarter of the size, either way."""
    box = torch.tensor([[10.0, 20.0, 30.0, 60.0]])
    noisy = TASK_UTILS.build({"type": "BoxNoise"})(box.expand(5000, 4))
    size = noisy[:, 2:] - noisy[:, :2]
    factors = size / torch.tensor([20.0, 40.0])
    torch.testing.assert_close(factors[:, 0], factors[:, 1])
    assert 0.8 <= factors.min() < 0.81 and 1.19 < factors.max() <= 1.2 + 1e-6
    shift = (noisy[:, :2] + 0.5 * size - torch.tensor([20.0, 40.0])) / torch.tensor([20.0, 40.0])
    assert shift.abs().max() <= 0.25 + 1e-6
    assert (shift.min(dim=0).values < -0.24).all() and (shift.max(dim=0).values > 0.24).all()
    assert shift.mean(dim=0).abs().max() < 0.01
    assert abs(torch.corrcoef(shift.T)[0, 1]) < 0.05


def test_none():
    boxes = torch.rand(7, 4, dtype=torch.float64)
    torch.testing.assert_close(BoxNoise((1, 1), (0, 0))(boxes), boxes)
    assert BoxNoise()(boxes[:0]).shape == (0, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(scale=(1.2, 0.8)), r"BoxNoise.scale: expected \(low, high\), .* got \(1.2, 0.8\)"),
        (dict(scale=(0.0, 1.0)), "low above 0"),
        (dict(scale=0.2), r"BoxNoise.scale: expected \(low, high\), .* got 0.2"),
        (dict(shift=(-0.1, 0.1)), "BoxNoise.shift: .* low at least 0"),
    ],
)
def test_bad_ranges(options, message):
    with pytest.raises(InputError, match=message):
        BoxNoise(**options)
