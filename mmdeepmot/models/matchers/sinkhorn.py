"""Sinkhorn's algorithm: the assignment as entropic partial transport.

Sources: Cuturi, "Sinkhorn Distances", NeurIPS 2013 (the iteration); Schmitzer, "Stabilized Sparse
Scaling Algorithms for Entropy Regularized Transport Problems", SIAM J. Sci. Comput. 2019 (the log
domain, annealing); Sarlin et al., "SuperGlue", CVPR 2020, Sec. 3.2 (a slack row and
column for who has no partner).

With temperature ``T`` and slack ``s``, it minimises over ``P >= 0``, ``a >= 0``, ``b >= 0``

    sum_ij P_ij D_ij + s (sum_i a_i + sum_j b_j) + T sum_p p (log p - 1)    p: all of P, a and b
    with  sum_j P_ij + a_i = 1  for each row  and  sum_i P_ij + b_j = 1  for each column,

where ``a`` (the slack column) and ``b`` (the slack row) say who is left alone.

*The slack's mass.* In SuperGlue the slack row and column have fixed masses (M and N) and a corner
between them that takes what is not used. Here they have no mass to be spent: nothing constrains
their sums, as a distance to be left alone is all that they stand for. At ``T -> 0`` both are the
same; here the slack has no potentials, so that there is no corner to converge, and a matrix of
forbidden pairs only, or one with more rows than columns, is no special case.

*The slack's cost.* A pair is better than two left alone if ``D_ij < 2 s``. With ``s = 1`` (default)
each allowed pair is, by 1 at least; but an exchange of k pairs for k + 1 pairs is only made if it
makes the sum of distances grow by less than 2. It can grow by k + 1 at most, so that
``s > min(N, M) / 2`` gives as many pairs as possible in any case (what
:func:`mmdeepmot.association.optimal_assignment` does), at the price of slower convergence; in real
matrices the difference is rare. A smaller ``s`` prefers being alone to pairs farther than ``2 s``.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers.base import Matcher
from mmdeepmot.registry import MODELS


def sinkhorn(distances: Tensor, temperatures: Sequence[float], slack: float) -> Tensor:
    """Soft assignment by alternating updates of the rows' and the columns' potentials.

    One update of the rows and one of the columns at each temperature. The last update is of the
    columns, whose sums are therefore at most 1 exactly; those of the rows are as converged.

    Args:
        distances: ``(B, N, M)``, infinity at padding and forbidden pairs; N and M at least 1.
        temperatures: One an iteration, positive, in the unit of the distances; at least one.
        slack: Cost of a row or a column left alone.

    Returns:
        ``(B, N, M)`` in [0, 1], exactly 0 at infinite distances.
    """
    rows = distances.new_zeros(distances.shape[0], distances.shape[1], 1)
    columns = distances.new_zeros(distances.shape[0], 1, distances.shape[2])
    for step, temperature in enumerate(temperatures):
        if step:
            columns = _update(rows - distances, temperature, slack, dim=1)
        rows = _update(columns - distances, temperature, slack, dim=2)
    # The last update of the columns, as a softmax: potentials in single precision, divided by a low
    # temperature, would exceed 1 in sum.
    alone = distances.new_full((len(distances), 1, distances.shape[2]), -slack)
    exponents = torch.cat((rows - distances, alone), dim=1) / temperatures[-1]
    return exponents.softmax(dim=1)[:, :-1]


def _update(profits: Tensor, temperature: float, slack: float, dim: int) -> Tensor:
    """Potentials that make the sums along ``dim``, with the slack, 1.

    ``-T log(exp(-s / T) + sum exp(profits / T))``; the largest exponent is the slack's or a finite
    profit, so that infinite distances give no NaN, in the gradient neither.
    """
    largest = profits.detach().amax(dim, keepdim=True).clamp(min=-slack)
    total = ((profits - largest) / temperature).exp().sum(dim, keepdim=True)
    total = total + ((-slack - largest) / temperature).exp()
    return -(largest + temperature * total.log())


def annealing(iterations: int, start: float, end: float, hold: float) -> tuple[float, ...]:
    """Temperatures of the iterations: falling geometrically, then constant.

    Args:
        iterations: K, at least 1.
        start: First temperature.
        end: Last temperature.
        hold: Share of the iterations at the last temperature.
    """
    falling = max(round(iterations * (1 - hold)), 1)
    shares = (min(step / falling, 1.0) for step in range(iterations - 1))
    return (*(start * (end / start) ** share for share in shares), end)


@MODELS.register_module()
class Sinkhorn(Matcher):
    """Annealed log-domain Sinkhorn with slack; see the module for what it minimises.

    The gradient is that of the iterations. It fades where the assignment is sharp: the temperature
    must be of the order of the differences between distances for a gradient to reach them. The
    defaults are for accuracy. Starting below 1 (the slack's order) or in fewer iterations is for
    square matrices: who is left alone in the others takes longest to be found out.

    Args:
        temperature: Last temperature, in the unit of the distances.
        start_temperature: First temperature; None: no annealing.
        iterations: Updates of rows and columns, all temperatures together.
        hold: Share of the iterations at the last temperature.
        slack: Cost of a row or a column left alone.
        init_cfg: As of every module; there are no parameters.
    """

    def __init__(
        self,
        temperature: float = 0.001,
        start_temperature: float | None = 1.0,
        iterations: int = 200,
        hold: float = 0.2,
        slack: float = 1.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        start = temperature if start_temperature is None else start_temperature
        if not 0 < temperature <= start < math.inf or iterations < 1 or not 0 <= hold <= 1:
            raise InputError(
                "Sinkhorn: expected 0 < temperature <= start_temperature, at least one iteration "
                f"and hold in [0, 1], got temperature={temperature}, "
                f"start_temperature={start_temperature}, iterations={iterations}, hold={hold}"
            )
        if not 0 < slack < math.inf:
            raise InputError(f"Sinkhorn: expected slack > 0, finite, got {slack}")
        self.slack = slack
        self.temperatures = annealing(iterations, start, temperature, hold)

    def match(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Soft assignment ``(B, N, M)``."""
        kind = torch.promote_types(distances.dtype, torch.float32)
        result = sinkhorn(distances.to(kind), self.temperatures, self.slack)
        return result.to(distances.dtype)
