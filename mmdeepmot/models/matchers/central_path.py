"""The central path of the assignment problem: a batched interior-point method in PyTorch.

Sources: Mehrotra, "On the Implementation of a Primal-Dual Interior Point Method", SIAM J. Optim.
1992 (predictor and corrector); Wright, "Primal-Dual Interior-Point Methods", SIAM 1997, Ch. 10 and
11. What the assignment means is in :mod:`mmdeepmot.models.matchers.interior_point`.

For costs ``C (N, M)``, cost ``s`` of being left alone and barrier ``mu > 0``, the point of the
central path is the minimum over ``X, a, b > 0`` of

    sum_ij C_ij X_ij + s (sum_i a_i + sum_j b_j) - mu (sum_ij log X_ij + sum_i log a_i + sum_j log b_j)
    with  sum_j X_ij + a_i = 1  for each row  and  sum_i X_ij + b_j = 1  for each column.

With potentials ``u, v`` of rows and columns and reduced costs ``S_ij = C_ij - u_i - v_j``,
``s - u_i`` and ``s - v_j`` it is where every value times its reduced cost is ``mu``.

Here ``a`` is the last column and ``b`` the last row of one array ``(N + 1, M + 1)``, whose corner
is no variable. Everything is float64: the values span from 1 to ``mu``.
"""  # noqa: E501

from dataclasses import dataclass

import torch
from torch import Tensor

_STEP = 0.995
"""Share of the way to the border of the feasible set that a step goes at most."""

_CENTRING = 2
"""Power of the predicted reduction: how much less than predicted the next barrier is."""

_LEVEL = -0.1
"""Potentials at the start; any below 0 are feasible."""

_NEAR = 3.0
"""Below this many times the barrier that is wanted, steps only centre."""

_RIDGE = 1e-13
"""Added to the diagonal, relative: where all match, ``u + t, v - t`` are as good as ``u, v``."""

_RIDGE_AGAIN = 1e-8
"""The same, after a factorisation that failed."""


@dataclass(frozen=True)
class AssignmentProblem:
    """B problems with their slack row and column, padded.

    Attributes:
        costs: ``(B, N + 1, M + 1)`` float64, finite; anything where there is no variable.
        inside: ``(B, N + 1, M + 1)`` float64, 1 where there is a variable, else 0.
        rows: ``(B, N)`` float64, 1 for rows that exist, else 0: the sums of the rows.
        columns: ``(B, M)`` float64, likewise.
    """

    costs: Tensor
    inside: Tensor
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(
        cls, distances: Tensor, row_mask: Tensor, col_mask: Tensor, slack: Tensor
    ) -> "AssignmentProblem":
        """The problem of matrices.

        Args:
            distances: ``(B, N, M)``, infinity at padding and forbidden pairs.
            row_mask: ``(B, N)`` bool.
            col_mask: ``(B, M)`` bool.
            slack: ``(B,)`` cost of a row or a column left alone.
        """
        batch, height, width = distances.shape
        allowed = ~distances.isinf()
        inside = distances.new_zeros(batch, height + 1, width + 1, dtype=torch.float64)
        rows, columns = row_mask.to(inside), col_mask.to(inside)
        inside[:, :-1, :-1] = allowed
        inside[:, :-1, -1] = rows
        inside[:, -1, :-1] = columns
        costs = slack.to(inside)[:, None, None].expand_as(inside).clone()
        costs[:, :-1, :-1] = distances.masked_fill(~allowed, 1)
        return cls(costs, inside, rows, columns)


@dataclass(frozen=True)
class CentralPoint:
    """Where a solver ended.

    Attributes:
        values: ``(B, N + 1, M + 1)``: X, in the last column a, in the last row b; 0 where there is
            no variable.
        reduced: ``(B, N + 1, M + 1)``: S, above 0; 1 where there is no variable.
        iterations: Steps taken, of the slowest matrix.
        converged: ``(B,)`` bool.
    """

    values: Tensor
    reduced: Tensor
    iterations: int
    converged: Tensor


class NewtonSystem:
    """``[diag(r) T; T' diag(c)] [du; dv] = [p; q]`` with r and c the sums of T and its slack.

    The rows are eliminated; what is left, ``(M, M)``, is symmetric and positive definite and is
    factored once.

    Args:
        weights: ``(B, N + 1, M + 1)``, not negative, 0 where there is no variable.
        problem: Says which rows and columns exist.
        ridge: Added to the diagonal, relative.
    """

    def __init__(self, weights: Tensor, problem: AssignmentProblem, ridge: float) -> None:
        self.weights = weights[:, :-1, :-1]
        self.rows = weights[:, :-1].sum(dim=2) + (1 - problem.rows)
        columns = weights[:, :, :-1].sum(dim=1) + (1 - problem.columns)
        self.share = (self.weights / self.rows[:, :, None]).mT
        self.factor, failed = torch.linalg.cholesky_ex(self._schur(columns * (1 + ridge)))
        if failed.any():
            again = self._schur(columns * (1 + _RIDGE_AGAIN))
            repaired, _ = torch.linalg.cholesky_ex(again)
            self.factor = torch.where((failed > 0)[:, None, None], repaired, self.factor)

    def _schur(self, columns: Tensor) -> Tensor:
        return torch.baddbmm(columns.diag_embed(), self.share, self.weights, alpha=-1)

    def solve(self, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """``du (B, N)`` and ``dv (B, M)`` of right-hand sides ``(B, N)`` and ``(B, M)``."""
        right = columns[:, :, None] - self.share @ rows[:, :, None]
        v = torch.cholesky_solve(right, self.factor)
        u = (rows - (self.weights @ v)[:, :, 0]) / self.rows
        return u, v[:, :, 0]


def spread(rows: Tensor, columns: Tensor) -> Tensor:
    """``u_i + v_j`` ``(B, N + 1, M + 1)``; potentials of the slack are 0."""
    u = torch.nn.functional.pad(rows, (0, 1))
    v = torch.nn.functional.pad(columns, (0, 1))
    return u[:, :, None] + v[:, None]


def central_point(
    problem: AssignmentProblem, barrier: Tensor, max_iterations: int, tolerance: float
) -> CentralPoint:
    """Follow the central path from far away to a barrier, and stay there until centred.

    Every matrix takes its own steps and stops on its own: what it gets does not depend on the
    batch that it is in.

    Args:
        problem: The problems.
        barrier: ``(B,)`` float64, mu.
        max_iterations: Steps at most.
        tolerance: Largest relative deviation of a value times its reduced cost from the barrier.
    """
    inside, wanted = problem.inside, barrier[:, None, None]
    exists = inside > 0
    count = inside.flatten(1).sum(dim=1).clamp(min=1)[:, None, None]
    values, u, v = _start(problem)
    converged = torch.zeros_like(barrier, dtype=torch.bool)
    iteration = 0
    while True:
        reduced = torch.where(exists, problem.costs - spread(u, v), 1)
        products = values * reduced
        short = (
            problem.rows - values[:, :-1].sum(dim=2),
            (problem.columns - values[:, :, :-1].sum(dim=1)),
        )
        off = torch.where(exists, (products / wanted - 1).abs(), 0).flatten(1).amax(dim=1)
        converged = converged | (off <= tolerance)
        if iteration == max_iterations or converged.all():
            return CentralPoint(values, reduced, iteration, converged)
        iteration += 1
        system = NewtonSystem(values / reduced, problem, _RIDGE)
        now = products.flatten(1).sum(dim=1)[:, None, None] / count
        near = now < _NEAR * wanted
        target, bend = wanted, torch.zeros_like(products)
        if not near.all():
            _, change, slope = _direction(system, -values, values / reduced, short, inside)
            along, across = _length(values, change, 1.0), _length(reduced, slope, 1.0)
            ahead = (values + along * change) * (reduced + across * slope) * inside
            ratio = (ahead.flatten(1).sum(dim=1)[:, None, None] / count / now).clamp(0, 1)
            target = torch.where(near, wanted, torch.maximum(ratio**_CENTRING * now, wanted))
            bend = torch.where(near, 0, along * across * change * slope)
        push = (target * inside - bend) / reduced - values
        (du, dv), change, slope = _direction(system, push, values / reduced, short, inside)
        go = (~converged)[:, None, None]
        along = _length(values, change, _STEP) * go
        across = (_length(reduced, slope, _STEP) * go)[:, :, 0]
        values = values + along * change
        u, v = u + across * du, v + across * dv


def _start(problem: AssignmentProblem) -> tuple[Tensor, Tensor, Tensor]:
    """Values that keep the sums, and potentials below all costs."""
    inside = problem.inside
    most = torch.maximum(inside.sum(dim=2).amax(dim=1), inside.sum(dim=1).amax(dim=1))
    values = inside / most.clamp(min=1)[:, None, None]
    values[:, :-1, -1] = problem.rows - values[:, :-1, :-1].sum(dim=2)
    values[:, -1, :-1] = problem.columns - values[:, :-1, :-1].sum(dim=1)
    return values, _LEVEL * problem.rows, _LEVEL * problem.columns


def _direction(
    system: NewtonSystem,
    push: Tensor,
    weights: Tensor,
    short: tuple[Tensor, Tensor],
    inside: Tensor,
) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
    """A Newton step: (du, dv), the change of the values and of the reduced costs."""
    rows = short[0] - push[:, :-1].sum(dim=2)
    columns = short[1] - push[:, :, :-1].sum(dim=1)
    du, dv = system.solve(rows, columns)
    both = spread(du, dv) * inside
    return (du, dv), push + weights * both, -both


def _length(values: Tensor, change: Tensor, share: float) -> Tensor:
    """``(B, 1, 1)`` step at most 1 that goes ``share`` of the way to where a value would be 0."""
    ratio = torch.where(change < 0, -values / change, torch.inf)
    return (share * ratio.flatten(1).amin(dim=1)).clamp(max=1)[:, None, None]


def pull_back(problem: AssignmentProblem, point: CentralPoint, gradient: Tensor) -> Tensor:
    """Gradient of the costs from that of the values at a point of the central path.

    Differentiating ``value * reduced cost = mu`` and the sums gives, with ``T = values / reduced``,
    ``dX = T (du + dv - dC)`` and a linear system for ``du`` and ``dv``; this is its transpose.

    Args:
        problem: The problems.
        point: Their central points.
        gradient: ``(B, N, M)`` of X.

    Returns:
        ``(B, N, M)`` of the distances.
    """
    weights = point.values / point.reduced
    inner = weights[:, :-1, :-1]
    weighted = gradient.to(inner) * inner
    u, v = NewtonSystem(weights, problem, 0.0).solve(weighted.sum(dim=2), weighted.sum(dim=1))
    return inner * (u[:, :, None] + v[:, None]) - weighted
