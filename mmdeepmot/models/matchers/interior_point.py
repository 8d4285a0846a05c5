"""Assignments by an interior-point method: exact when read, soft when differentiated.

Sources: Mandi & Guns, "Interior Point Solving for LP-based Prediction+Optimisation", NeurIPS 2020
(a gradient through a linear program at a point of its central path, with a barrier that does not
vanish). Ours: an assignment with slack, batched; one barrier for the value and another for the
gradient; both without parameters.

Why not a network, or Sinkhorn: Newton steps on the potentials see the whole matrix at once. About
ten to fifteen of them find the optimal assignment at any size, where the Deep Hungarian Net needs
``2 N M`` recurrent steps and Sinkhorn more iterations the larger the matrix is.

*Two barriers.* The value is the point of the central path at ``barrier``, so low that it is 0 or 1
but where several assignments are equally good: then it is their mean. Its own gradient is as good
as 0. The gradient that is given instead is that of the point at ``backward_barrier``, of the
assignment at that softness. A barrier's softness decays with the inverse of the reduced cost, that
of an entropy exponentially: a wrong pair that is clearly the nearest still hands on a gradient.

*Slack.* By default as many pairs are made as possible, as by
:func:`mmdeepmot.association.optimal_assignment`. A number for ``slack`` leaves pairs farther than
``2 slack`` alone: to be used with distances that are not gated, whose far pairs would be matches
else, but of which one wants gradients (those of gated pairs are 0).
"""

import logging
import math
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers.base import Matcher
from mmdeepmot.models.matchers.central_path import (
    AssignmentProblem,
    CentralPoint,
    central_point,
    pull_back,
)
from mmdeepmot.registry import MODELS


def complete_slack(distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
    """Cost ``(B,)`` of being left alone at which as many pairs as possible are made.

    One pair more, along an alternating path, replaces k pairs by k + 1 and adds at most k + 1 to
    the sum of distances, ``min(N, M)`` at most; it saves twice the slack. Where nothing is
    forbidden, a row and a column that are alone can be paired directly, for 1 at most.

    Args:
        distances: ``(B, N, M)``, infinity at padding and forbidden pairs.
        row_mask: ``(B, N)`` bool.
        col_mask: ``(B, M)`` bool.
    """
    gated = distances.isinf() & row_mask[:, :, None] & col_mask[:, None, :]
    pairs = torch.minimum(row_mask.sum(dim=1), col_mask.sum(dim=1))
    longest = torch.where(gated.flatten(1).any(dim=1), pairs, 1)
    return (longest.to(torch.float64) + 1) / 2


def mean_partners(problem: AssignmentProblem) -> Tensor:
    """Allowed pairs a row or column ``(B,)``, on average, at least 1."""
    pairs = problem.inside[:, :-1, :-1].sum(dim=(1, 2))
    sides = problem.rows.sum(dim=1) + problem.columns.sum(dim=1)
    return (2 * pairs / sides.clamp(min=1)).clamp(min=1)


class _Assign(torch.autograd.Function):
    """The value of one central point, with the gradient of another."""

    @staticmethod
    def forward(
        ctx: Any,
        distances: Tensor,
        value: CentralPoint,
        problem: AssignmentProblem,
        point: CentralPoint,
    ) -> Tensor:
        """Assignment ``(B, N, M)`` of ``value``; ``problem`` and ``point`` are for the gradient."""
        ctx.problem, ctx.point = problem, point  # no graph: nothing of it requires a gradient
        return value.values[:, :-1, :-1].to(distances.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Of the distances."""
        result = pull_back(ctx.problem, ctx.point, gradient)
        return result.to(gradient.dtype), None, None, None


@MODELS.register_module()
class InteriorPoint(Matcher):
    """Optimal assignments by Newton steps along the central path, with gradients that teach.

    Permutation-equivariant, without parameters, float64 inside. See the module for what it is.

    Args:
        barrier: Of the value, in the unit of the distances. What deviates from the least total
            distance is ``(N M + N + M) barrier`` at most.
        backward_barrier: Of the gradient, shared by the partners that a row or column has on
            average, so that it means the same softness in small and large matrices.
        slack: Cost of a row or a column left alone; None: as many pairs as possible are made.
        backward_slack: The same for the gradient; 0.5: a pair at distance 1 is as good as none.
        max_iterations: Newton steps at most.
        tolerance: Relative deviation from the central path at which a matrix is done.
        pretrained: True or False: there are no weights. Here so that a config can name one matcher
            in place of another.
        init_cfg: As of every module; there are no parameters.

    Raises:
        InputError: If a setting is out of range.
    """

    def __init__(
        self,
        barrier: float = 1e-7,
        backward_barrier: float = 0.3,
        slack: float | None = None,
        backward_slack: float | None = 0.5,
        max_iterations: int = 60,
        tolerance: float = 1e-3,
        pretrained: bool = True,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not (1e-9 <= barrier < math.inf and 1e-9 <= backward_barrier < math.inf):
            raise InputError(
                "InteriorPoint: expected barriers of at least 1e-9 (below, float64 does not tell "
                f"values from 0), got barrier={barrier}, backward_barrier={backward_barrier}"
            )
        for name, cost in (("slack", slack), ("backward_slack", backward_slack)):
            if cost is not None and not 0 < cost < math.inf:
                raise InputError(f"InteriorPoint: expected {name} > 0, finite, got {cost}")
        if not isinstance(pretrained, bool):
            raise InputError(f"InteriorPoint has no weights to read from a file: {pretrained!r}")
        if max_iterations < 1 or not 0 < tolerance < 1:
            raise InputError(
                "InteriorPoint: expected max_iterations >= 1 and 0 < tolerance < 1, got "
                f"{max_iterations} and {tolerance}"
            )
        self.barrier = barrier
        self.backward_barrier = backward_barrier
        self.slack = slack
        self.backward_slack = backward_slack
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self._warned = False

    def match(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Assignment ``(B, N, M)``."""
        if distances.shape[2] > distances.shape[1]:  # the solver eliminates the rows
            return self.match(distances.mT, col_mask, row_mask).mT
        given = distances.detach(), row_mask, col_mask
        with torch.no_grad():
            problem = self._problem(*given, self.slack)
            sharp = self._solve(problem, torch.full_like(problem.rows[:, 0], self.barrier))
        if not (torch.is_grad_enabled() and distances.requires_grad):
            return sharp.values[:, :-1, :-1].to(distances.dtype)
        with torch.no_grad():
            problem = self._problem(*given, self.backward_slack)
            soft = self._solve(problem, self.backward_barrier / mean_partners(problem))
        result: Tensor = _Assign.apply(distances, sharp, problem, soft)
        return result

    @staticmethod
    def _problem(
        distances: Tensor, row_mask: Tensor, col_mask: Tensor, slack: float | None
    ) -> AssignmentProblem:
        costs = complete_slack(distances, row_mask, col_mask)
        if slack is not None:
            costs = torch.full_like(costs, slack)
        return AssignmentProblem.of(distances, row_mask, col_mask, costs)

    def _solve(self, problem: AssignmentProblem, barrier: Tensor) -> CentralPoint:
        point = central_point(problem, barrier, self.max_iterations, self.tolerance)
        missed = int((~point.converged).sum())
        if missed and not self._warned:
            self._warned = True
            print_log(
                f"InteriorPoint: {missed} of {len(point.converged)} matrices are not on the "
                f"central path after {self.max_iterations} Newton steps, their assignments may be "
                "wrong: raise max_iterations or the barrier (said once)",
                logger="current",
                level=logging.WARNING,
            )
        return point
