"""Weights, gradients and optimizer states divided among processes (FSDP).

Method: Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
SC 2020, stage 3; Zhao et al., "PyTorch FSDP", VLDB 2023. The work is done by torch's
``fully_shard``; mmengine's own wrapper (``MMFullyShardedDataParallel``) is built on the class that
torch has deprecated, refuses CPUs, and belongs to another runner, which our hooks do not know.

Checkpoints are those of unsharded models, weights and optimizer states whole: they resume on any
number of processes, sharded or not.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce, broadcast, get_world_size
from mmengine.registry import MODEL_WRAPPERS
from torch import Tensor, nn
from torch.optim import Optimizer

from mmdeepmot.errors import UserError

from .parts import find_parts

try:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import DTensor, distribute_tensor

    if "src_data_rank" not in inspect.signature(distribute_tensor).parameters:
        raise ImportError("torch < 2.7")
except ImportError:
    fully_shard = None  # type: ignore[assignment]


def whole(value: Any) -> Any:
    """A sharded tensor as a plain one, gathered from all processes; anything else as it is."""
    return value.full_tensor().detach() if isinstance(value, DTensor) else value


def share_of(value: Any, parameter: Tensor) -> Any:
    """What this process keeps of a plain tensor that belongs to a sharded parameter.

    Anything that has not the parameter's shape (a step count) is given back as it is.
    """
    if not isinstance(parameter, DTensor) or not isinstance(value, Tensor):
        return value
    if isinstance(value, DTensor) or value.shape != parameter.shape:
        return value
    value = value.to(parameter.device)
    mesh, placements = parameter.device_mesh, parameter.placements
    return distribute_tensor(value, mesh, placements, src_data_rank=None)


def _gather_weights(_: nn.Module, state: dict[str, Any], *__: Any) -> None:
    for key, value in state.items():
        state[key] = whole(value)


def _take_weights(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    for name, parameter in module.named_parameters(recurse=False):
        if prefix + name in state:
            state[prefix + name] = share_of(state[prefix + name], parameter)


def keep_states_whole(optimizer: Optimizer) -> None:
    """Let an optimizer of sharded parameters give and take the states of an unsharded one.

    Its ``state_dict`` is then a matter of all processes.
    """

    def gather(_: Optimizer, state: dict[str, Any]) -> dict[str, Any]:
        values = {
            number: {key: whole(value) for key, value in of_one.items()}
            for number, of_one in state["state"].items()
        }
        return {**state, "state": values}

    def take(owner: Optimizer, state: dict[str, Any]) -> dict[str, Any]:
        parameters = [one for group in owner.param_groups for one in group["params"]]
        numbers = [one for group in state["param_groups"] for one in group["params"]]
        owners = dict(zip(numbers, parameters, strict=True))
        values = {
            number: {key: share_of(value, owners[number]) for key, value in of_one.items()}
            for number, of_one in state["state"].items()
        }
        return {**state, "state": values}

    optimizer.register_state_dict_post_hook(gather)
    optimizer.register_load_state_dict_pre_hook(take)


def any_process(flag: bool) -> bool:
    """Whether a flag is set on any process; to be asked on all of them."""
    value = torch.tensor(int(flag), device=get_device())
    all_reduce(value, "max")
    return bool(value)


@MODEL_WRAPPERS.register_module()  # mmengine's runner looks for wrappers in its own registry only
class FullySharded(nn.Module):
    """A model whose parameters, gradients and optimizer states lie divided over all processes.

    ``model_wrapper_cfg = dict(type="FullySharded")`` in a config. Weights are initialised and
    made equal before they are divided. In evaluation mode the parameters are whole on every
    process, so that each may predict a number of frames of its own.

    Args:
        module: The model, on its device.
        units: Names or patterns of sub-modules whose parameters are gathered for their own
            forward and backward pass only; each must be called like a function (backbones, necks,
            layers). All other parameters are gathered for the whole step. None: backbones and
            necks. Small units need less memory and more messages.
        reshard_after_forward: Whether units give their parameters back between forward and
            backward pass, and gather them again.
    """

    def __init__(
        self,
        module: nn.Module,
        units: Sequence[str] | None = None,
        reshard_after_forward: bool = True,
    ) -> None:
        super().__init__()
        if fully_shard is None:
            raise UserError(
                f"FullySharded needs torch >= 2.7, this is {torch.__version__}: update torch, or "
                "leave model_wrapper_cfg out (every process then keeps the whole model)"
            )
        initialise: Any = getattr(module, "init_weights", None)
        if initialise is not None:
            initialise()
        for value in module.state_dict().values():
            broadcast(value)
        parts = find_parts(module, units, "model_wrapper_cfg.units")
        device = next(module.parameters()).device
        mesh = init_device_mesh(device.type, (get_world_size(),))
        for part in reversed(parts):  # inner ones first
            fully_shard(part, mesh=mesh, reshard_after_forward=reshard_after_forward)
        fully_shard(module, mesh=mesh, reshard_after_forward=False)
        self.module: Any = module
        self._units: list[tuple[Any, bool]] = [(part, reshard_after_forward) for part in parts]
        self._units.append((module, False))
        module.register_state_dict_post_hook(_gather_weights)
        for one in module.modules():
            one.register_load_state_dict_pre_hook(_take_weights)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """As the model's."""
        return self.module(*args, **kwargs)

    def train(self, mode: bool = True) -> "FullySharded":
        """Sharded for training; whole, until training goes on, for evaluation (all processes)."""
        super().train(mode)
        for unit, reshard in self._units:
            unit.set_reshard_after_forward(mode and reshard, recurse=False)
            if mode:
                unit.reshard()
            else:
                unit.unshard()
        return self

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """As the model's; gradients are averaged and divided on the way."""
        return self.module.train_step(data, optim_wrapper)

    def val_step(self, data: Any) -> list:
        """As the model's."""
        return self.module.val_step(data)

    def test_step(self, data: Any) -> list:
        """As the model's."""
        return self.module.test_step(data)
