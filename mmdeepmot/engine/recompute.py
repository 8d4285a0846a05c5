"""Activations computed twice instead of kept (``activation_checkpointing = [...]`` in a config).

Method: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.

mmengine's switch of that name uses torch's re-entrant checkpoints: these give no gradient to a
module whose input needs none, which a backbone's images do not. And a batch normalisation that
runs twice updates its running statistics twice. Here neither happens: weights and statistics are
those of a training without the switch.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from mmengine.runner import runner as mmengine_runner
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.checkpoint import checkpoint

from .parts import find_parts


@contextmanager
def kept_statistics(norms: Sequence[_NormBase]) -> Iterator[None]:
    """Inside, normalisations update copies of their running statistics, which are thrown away."""
    kept = [dict(norm._buffers) for norm in norms]
    for norm, buffers in zip(norms, kept, strict=True):
        norm._buffers.update(
            {name: None if value is None else value.clone() for name, value in buffers.items()}
        )
    try:
        yield
    finally:
        for norm, buffers in zip(norms, kept, strict=True):
            norm._buffers.update(buffers)


def recompute(module: nn.Module) -> None:
    """Let a module forget its activations and compute them again in the backward pass."""
    forward = module.forward
    norms = [one for one in module.modules() if isinstance(one, _NormBase)]

    @torch.compiler.disable(recursive=False)  # the compiler takes the parts inside, not this
    @functools.wraps(forward)
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*args, **kwargs)
        return checkpoint(
            forward,
            *args,
            use_reentrant=False,
            context_fn=lambda: (nullcontext(), kept_statistics(norms)),
            **kwargs,
        )

    module.forward = recomputed  # type: ignore[method-assign]


def turn_on_activation_checkpointing(model: nn.Module, modules: str | Sequence[str]) -> None:
    """Recompute sub-modules of a model by names or patterns.

    Raises:
        ConfigError: If a name fits no module.
    """
    for module in find_parts(model, modules, "activation_checkpointing"):
        recompute(module)


mmengine_runner.turn_on_activation_checkpointing = turn_on_activation_checkpointing
