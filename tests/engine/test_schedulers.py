"""The warm-up of JDE, value by value, and in a row with the steps."""

import pytest
import torch
from mmengine.optim import OptimWrapper

from mmdeepmot.registry import PARAM_SCHEDULERS


def wrapper(lr: float = 0.5) -> OptimWrapper:
    return OptimWrapper(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr))


def build(optimizer, epoch_length: int = 5, **kwargs):
    cfg = {"type": "PowerWarmupLR", "convert_to_iter_based": True, **kwargs}
    return PARAM_SCHEDULERS.build(
        cfg, default_args={"optimizer": optimizer, "epoch_length": epoch_length}
    )


def rates(optimizer, scheduler, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(optimizer.get_lr()["lr"][0])
        scheduler.step()
    return found


@pytest.mark.parametrize(("end", "length"), [(1000, 5), (4, 4)])
def test_rates_follow_the_power_and_end_with_the_epoch(end, length):
    optimizer = wrapper()
    found = rates(optimizer, build(optimizer, end=end), 8)
    expected = [0.5 * (min(i, length) / length) ** 4 for i in range(8)]
    assert found == pytest.approx(expected)


def test_state_continues():
    whole, half = wrapper(), wrapper()
    expected = rates(whole, build(whole, end=4), 6)
    scheduler = build(half, end=4)
    rates(half, scheduler, 2)
    resumed = wrapper()
    other = build(resumed, end=4)
    other.load_state_dict(scheduler.state_dict())
    resumed.optimizer.load_state_dict(half.optimizer.state_dict())
    assert rates(resumed, other, 4) == pytest.approx(expected[2:])


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="begin < end, got 3 and 3"):
        build(wrapper(), begin=3, end=3)
    with pytest.raises(ValueError, match="convert_to_iter_based=True"):
        PARAM_SCHEDULERS.build(
            {"type": "PowerWarmupLR", "optimizer": wrapper(), "by_epoch": True, "end": 3}
        )
