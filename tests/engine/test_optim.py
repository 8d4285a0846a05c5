"""The guarded optimizer wrappers."""

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmdeepmot.engine.optim import CpuAmpOptimWrapper, NonFiniteLossError, OptimWrapper
from mmdeepmot.registry import OPTIM_WRAPPERS


def wrapper(counts=1, epoch=0, max_counts=-1, kind=OptimWrapper, lr=1.0):
    parameter = nn.Parameter(torch.zeros(2))
    made = kind(optimizer=torch.optim.SGD([parameter], lr=lr), accumulative_counts=counts)
    made.initialize_count_status(nn.Module(), 0, max_counts)
    made.set_epoch_length(epoch)
    return made, parameter


def steps_of(made, parameter, losses):
    """Parameter after each of the losses ``c * parameter.sum()``."""
    values = []
    for factor in losses:
        made.update_params(factor * parameter.sum())
        values.append(-parameter[0].item())
    return values


def test_windows_end_with_the_epoch_and_average_what_they_hold():
    made, parameter = wrapper(counts=3, epoch=5, max_counts=10)
    # windows (1, 2, 3), (4, 6) | (3, 3, 3), (0, 4): means 2, 5, 3, 2
    values = steps_of(made, parameter, [1, 2, 3, 4, 6, 3, 3, 3, 0, 4])
    assert values == pytest.approx([0, 0, 2, 2, 7, 7, 7, 10, 10, 12])


def test_without_an_epoch_only_the_last_window_is_short():
    made, parameter = wrapper(counts=3, epoch=0, max_counts=4)
    assert steps_of(made, parameter, [1, 2, 3, 5]) == pytest.approx([0, 0, 2, 7])


def test_gradients_are_synchronised_only_where_a_window_ends():
    made, parameter = wrapper(counts=2, epoch=3, max_counts=6)
    synced = []
    for _ in range(6):
        synced.append(made.should_sync())
        made.update_params(parameter.sum())
        assert made.should_update() == synced[-1]
    assert synced == [False, True, True, False, True, True]


def test_the_windows_go_on_from_where_a_run_was_resumed():
    made, _ = wrapper(counts=2, epoch=5, max_counts=20)
    assert [made.window(i) for i in range(4, 8)] == [(4, 1), (5, 2), (5, 2), (7, 2)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_leaves_the_weights(value):
    made, parameter = wrapper()
    made.update_params(parameter.sum())
    made.describe_batch = lambda: "It came from the images ['a.jpg']."
    with pytest.raises(NonFiniteLossError, match=r"the loss is .*\['a\.jpg'\].*not updated"):
        made.update_params(parameter.sum() * value)
    assert parameter.tolist() == [-1, -1] and parameter.grad is None


def test_a_gradient_that_is_not_finite_leaves_the_weights():
    made, parameter = wrapper()
    with pytest.raises(NonFiniteLossError, match="the loss is finite, but its gradient is not"):
        made.update_params(parameter.sum().sqrt())  # d sqrt(x) / dx at 0
    assert parameter.tolist() == [0, 0]


def test_mixed_precision_on_a_cpu():
    layer = nn.Linear(4, 4)
    made = CpuAmpOptimWrapper(optimizer=torch.optim.SGD(layer.parameters(), lr=0.1))
    with made.optim_context(layer):
        out = layer(torch.randn(2, 4))
    assert out.dtype == torch.bfloat16
    before = layer.weight.clone()
    made.update_params(out.float().square().sum())
    assert layer.weight.dtype == torch.float32 and not torch.equal(before, layer.weight)
    with pytest.raises(NonFiniteLossError):
        made.update_params(layer.weight.sum() * float("nan"))


def test_mmengines_name_means_ours():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1)
    built = OPTIM_WRAPPERS.build(Config(dict(a=dict(type="OptimWrapper", optimizer=optimizer))).a)
    assert type(built) is OptimWrapper


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_too():
    parameter = nn.Parameter(torch.zeros(2, device="cuda"))
    made = OptimWrapper(optimizer=torch.optim.SGD([parameter], lr=1.0))
    made.update_params(parameter.sum())
    with pytest.raises(NonFiniteLossError, match="the loss is nan"):
        made.update_params(parameter.sum() * float("nan"))
    assert parameter.tolist() == [-1, -1]
