"""The exact assignment, and two ways to a gradient through it.

- :class:`Hungarian`: none; the reference.
- :class:`PerturbedHungarian`: Berthet et al., "Learning with Differentiable Perturbed Optimizers",
  NeurIPS 2020. The mean assignment of noisy distances, a smooth function of the distances; its
  gradient is estimated from the same samples (Prop. 3.1, Eq. 6 with Gaussian noise).
- :class:`BlackBoxHungarian`: Vlastelica et al., "Differentiation of Blackbox Combinatorial
  Solvers", ICLR 2020. The exact assignment; its gradient is that of a piecewise linear
  interpolation of the loss (Algorithm 1), at the price of a second assignment.

All take as many allowed pairs as possible, then those of least total distance; which pairs are
allowed is not perturbed. The solver is scipy's, on the CPU, one call a matrix (and sample).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmdeepmot.association.optimal import solve_allowed
from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers.base import Matcher
from mmdeepmot.registry import MODELS


def exact_assignment(distances: Tensor, allowed: Tensor) -> Tensor:
    """The optimal assignment as 0 and 1, without gradient.

    Args:
        distances: ``(..., N, M)`` of any sign.
        allowed: ``(..., N, M)`` bool.

    Returns:
        ``(..., N, M)``, type and device of the distances.
    """
    costs = distances.detach().double().cpu().numpy()
    chosen = solve_allowed(costs, allowed.cpu().numpy())
    return torch.from_numpy(chosen).to(distances)


@MODELS.register_module()
class Hungarian(Matcher):
    """The optimal assignment, exact; not differentiable."""

    def match(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Assignment ``(B, N, M)`` of 0 and 1, without gradient."""
        return exact_assignment(distances, ~distances.isinf())


class _Perturbed(torch.autograd.Function):
    """Mean of the assignments of perturbed distances."""

    @staticmethod
    def forward(
        ctx: Any, distances: Tensor, allowed: Tensor, noise: Tensor, scale: float
    ) -> Tensor:
        """Mean assignment ``(B, N, M)``.

        Args:
            ctx: For the gradient.
            distances: ``(B, N, M)``.
            allowed: ``(B, N, M)`` bool.
            noise: ``(S, B, N, M)`` standard normal.
            scale: Its factor, in the unit of the distances.
        """
        samples = exact_assignment(distances + scale * noise, allowed.expand_as(noise))
        ctx.save_for_backward(samples, noise)
        ctx.scale = scale
        return samples.mean(dim=0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """``E[<g, A(D + scale Z)> Z] / scale``, with the samples' mean as a control variate."""
        samples, noise = ctx.saved_tensors
        gain = (samples * gradient).sum(dim=(2, 3), keepdim=True)
        gain = gain - gain[:1]  # equal gains become 0, not nearly 0
        gain = (gain - gain.mean(dim=0)) / ((len(gain) - 1) * ctx.scale)
        return (gain * noise).sum(dim=0), None, None, None


@MODELS.register_module()
class PerturbedHungarian(Matcher):
    """Mean of the optimal assignments of distances with Gaussian noise.

    ``A(D) = E[A*(D + scale Z)]``, estimated by ``samples`` draws. Its gradient times ``g`` is
    ``E[<g, A*(D + scale Z)> Z] / scale``; the mean of ``<g, A*>`` over the draws is subtracted,
    which leaves the expectation as it is (with the factor ``S / (S - 1)`` for the draw's own share
    in the mean) and takes away most of the variance.

    Args:
        samples: S, at least 2.
        scale: Standard deviation of the noise, in the unit of the distances.
        seed: None: new noise in every call, from PyTorch's generator (``torch.manual_seed``). A
            number: the same noise in every call and for matrices of equal shape, so that the
            result is a function of the distances alone.
        init_cfg: As of every module; there are no parameters.
    """

    def __init__(
        self,
        samples: int = 16,
        scale: float = 0.05,
        seed: int | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if samples < 2 or not scale > 0:
            raise InputError(
                "PerturbedHungarian: expected at least 2 samples and scale > 0, got "
                f"samples={samples}, scale={scale}"
            )
        self.samples = samples
        self.scale = scale
        self.seed = seed

    def match(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Soft assignment ``(B, N, M)``: multiples of ``1 / samples``."""
        noise = self.noise(row_mask, col_mask).to(distances)
        allowed = ~distances.isinf()
        return _Perturbed.apply(distances, allowed, noise, self.scale)

    def noise(self, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Standard normal ``(S, B, N, M)`` float64 on the CPU, 0 at padding.

        Every matrix has a stream of its own, as long as the matrix, so that padding does not move
        its noise.

        Args:
            row_mask: ``(B, N)`` bool.
            col_mask: ``(B, M)`` bool.
        """
        rows, columns = row_mask.cpu().numpy(), col_mask.cpu().numpy()
        noise = np.zeros((self.samples, *rows.shape, columns.shape[1]))
        drawn = None if self.seed is not None else int(torch.randint(2**62, ()))
        for index, (row, column) in enumerate(zip(rows, columns, strict=True)):
            source = np.random.default_rng(self.seed if drawn is None else (drawn, index))
            size = (self.samples, row.sum(), column.sum())
            noise[:, index][np.ix_(range(self.samples), row, column)] = source.standard_normal(size)
        return torch.from_numpy(noise)


class _BlackBox(torch.autograd.Function):
    """The exact assignment with the gradient of an interpolation."""

    @staticmethod
    def forward(ctx: Any, distances: Tensor, allowed: Tensor, step: float) -> Tensor:
        """Assignment ``(B, N, M)`` of 0 and 1.

        Args:
            ctx: For the gradient.
            distances: ``(B, N, M)``.
            allowed: ``(B, N, M)`` bool.
            step: Lambda.
        """
        result = exact_assignment(distances, allowed)
        ctx.save_for_backward(distances, allowed, result)
        ctx.step = step
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """``(A*(D + lambda g) - A*(D)) / lambda``."""
        distances, allowed, result = ctx.saved_tensors
        if not gradient.isfinite().all():  # as happens under loss scaling, which then skips a step
            return torch.full_like(gradient, torch.nan), None, None
        moved = exact_assignment(distances + ctx.step * gradient, allowed)
        return (moved - result) / ctx.step, None, None


@MODELS.register_module()
class BlackBoxHungarian(Matcher):
    """The optimal assignment, with the gradient of a piecewise linear interpolation of the loss.

    For a gradient ``g`` of the loss by the assignment, the distances get
    ``(A*(D + lambda g) - A*(D)) / lambda``: pairs that should be left move apart, pairs that should
    be taken come nearer. 0 where ``lambda g`` is too small to change the assignment.

    Args:
        step: Lambda. ``lambda g`` must be of the order of the differences between distances for the
            assignment to change; larger values reach further and are less faithful.
            A loss scaled for mixed precision scales g, too.
        init_cfg: As of every module; there are no parameters.
    """

    def __init__(self, step: float = 10.0, init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(init_cfg)
        if not step > 0:
            raise InputError(f"BlackBoxHungarian: expected step > 0, got {step}")
        self.step = step

    def match(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Assignment ``(B, N, M)`` of 0 and 1."""
        return _BlackBox.apply(distances, ~distances.isinf(), self.step)
