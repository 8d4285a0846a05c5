"""Optimizer wrappers: no step on a loss that is not finite, accumulation inside epochs, AMP.

They are registered under mmengine's names, so that ``type='OptimWrapper'`` in a config of scope
``mmdeepmot`` means the guarded one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import AmpOptimWrapper as CudaAmpOptimWrapper
from mmengine.optim import OptimWrapper as PlainOptimWrapper
from torch import Tensor, nn

from mmdeepmot.errors import UserError
from mmdeepmot.registry import OPTIM_WRAPPERS


class NonFiniteLossError(UserError, FloatingPointError):
    """The loss, or its gradient, is NaN or infinite."""


class _FiniteFlag:
    """Whether a tensor is finite, asked for now and read later.

    On a GPU the answer is copied to the host behind the forward pass, while the backward pass is
    queued: reading it waits for the forward pass alone and costs no extra synchronisation.
    """

    def __init__(self, value: Tensor) -> None:
        finite = torch.isfinite(value.detach()).all()
        self._event: torch.cuda.Event | None = None
        if finite.is_cuda:
            self._finite = torch.empty((), dtype=torch.bool, pin_memory=True)
            self._finite.copy_(finite, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()
        else:
            self._finite = finite

    def __bool__(self) -> bool:
        if self._event is not None:
            self._event.synchronize()
        return bool(self._finite)


class GuardedMixin(PlainOptimWrapper):
    """What all our wrappers add to mmengine's.

    - A loss that is not finite raises before the step, so the weights stay as they were;
      :class:`~mmdeepmot.engine.hooks.NonFiniteLossHook` provides the name of the batch.
    - A gradient that is not finite (from a finite loss) raises too, unless a loss scaler deals
      with it.
    - Accumulation windows end with the epoch: a checkpoint between epochs never falls into one,
      and the last, shorter window is averaged over the batches that it has.
    """

    check_gradients = True
    describe_batch: Callable[[], str] | None = None
    _epoch_length = 0

    def set_epoch_length(self, num_batches: int) -> None:
        """Tell the number of batches an epoch (0: windows run over epoch ends)."""
        self._epoch_length = num_batches

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Set the iteration to start from and the last one."""
        self._inner_count = init_counts
        self._max_counts = max_counts
        self._remainder_counts = max_counts % self._accumulative_counts

    def window(self, iteration: int) -> tuple[int, int]:
        """First iteration and length of the accumulation window of ``iteration`` (from 0)."""
        counts = self._accumulative_counts
        length = self._epoch_length or max(self._max_counts, 0)
        if not length:
            return iteration - iteration % counts, counts
        epoch_start = iteration - iteration % length
        start = epoch_start + (iteration - epoch_start) // counts * counts
        return start, min(counts, epoch_start + length - start)

    def should_update(self) -> bool:
        """Whether the window of the last backward pass is complete."""
        if self._inner_count == 0:
            return True
        start, length = self.window(self._inner_count - 1)
        return self._inner_count == start + length

    def should_sync(self) -> bool:
        """Whether the coming backward pass completes its window."""
        start, length = self.window(self._inner_count)
        return self._inner_count + 1 == start + length

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Divide by the number of batches in the window of the coming backward pass."""
        _, length = self.window(self._inner_count)
        return loss if length == 1 else loss / length

    def update_params(
        self, loss: Tensor, step_kwargs: dict | None = None, zero_kwargs: dict | None = None
    ) -> None:
        """Backward pass and, at the end of an accumulation window, the step.

        Raises:
            NonFiniteLossError: If the loss or its gradient is NaN or infinite.
        """
        finite = _FiniteFlag(loss)
        if not loss.is_cuda and not finite:
            self._raise(f"the loss is {loss.item()}")
        self.backward(self.scale_loss(loss))
        if not finite:
            self._raise(f"the loss is {loss.item()}")
        if self.should_update():
            if self.check_gradients:
                self._check_gradients()
            self.step(**(step_kwargs or {}))
            self.zero_grad(**(zero_kwargs or {}))

    def _check_gradients(self) -> None:
        gradients = [
            parameter.grad
            for group in self.optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if not gradients:
            return
        norms = torch.stack([norm.float() for norm in torch._foreach_norm(gradients)])
        if not torch.isfinite(norms).all():
            self._raise("the loss is finite, but its gradient is not")

    def _raise(self, what: str) -> None:
        where = f" {self.describe_batch()}" if self.describe_batch is not None else ""
        self.zero_grad()
        raise NonFiniteLossError(
            f"Training stopped: {what}.{where} The weights were not updated with it. Look at these "
            "images and their boxes; otherwise lower optim_wrapper.optimizer.lr, or set "
            "optim_wrapper.clip_grad=dict(max_norm=10)."
        )


@OPTIM_WRAPPERS.register_module()
class OptimWrapper(GuardedMixin):
    """Full precision; arguments as mmengine's."""


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(GuardedMixin, CudaAmpOptimWrapper):
    """Mixed precision on a GPU with loss scaling; arguments as mmengine's."""

    check_gradients = False  # the loss scaler skips such steps and lowers its scale


def cpu_has_bfloat16() -> bool:
    """Whether this CPU computes in bfloat16 (AVX512-BF16 or AMX; elsewhere torch emulates it)."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # torch 2.4 lacks some
    return any(getattr(torch.cpu, name, bool)() for name in checks)


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(GuardedMixin):
    """bfloat16 mixed precision on a CPU (mmengine's wrapper refuses one); needs no loss scaling.

    Args:
        **kwargs: As for mmengine's ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in bfloat16 where that is safe."""
        with super().optim_context(model), torch.autocast("cpu", dtype=torch.bfloat16):
            yield
