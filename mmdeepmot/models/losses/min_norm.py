"""The point of least norm in the convex hull of gradients (MGDA).

Paper: Sener and Koltun, "Multi-Task Learning as Multi-Objective Optimization", NIPS 2018, Eq. 3
and Algorithm 2. Their Frank-Wolfe steps move weight from all tasks to one and converge slowly in
the interior; these move it from the worst active task to the best (pairwise steps; Lacoste-Julien
and Jaggi, NIPS 2015), which converges linearly. For two tasks the first step is exact.
"""

import torch
from torch import Tensor


def min_norm_weights(gram: Tensor, max_steps: int = 250, tolerance: float = 1e-10) -> Tensor:
    """Weights w on the simplex that minimise ``||sum_t w_t g_t||^2 = w' gram w``.

    Args:
        gram: ``(T, T)`` inner products of the tasks' gradients, T >= 1.
        max_steps: Bound of the Frank-Wolfe steps.
        tolerance: The duality gap, relative to the mean of the diagonal, at which it stops.

    Returns:
        ``(T,)`` float64 on the CPU, non-negative, sum 1; uniform where ``gram`` is all zero.

    Raises:
        ValueError: If ``gram`` is not square or not finite.
    """
    if gram.dim() != 2 or gram.shape[0] != gram.shape[1] or len(gram) == 0:
        raise ValueError(f"gram must have shape (T, T) with T >= 1, got {tuple(gram.shape)}")
    matrix = gram.detach().to("cpu", torch.float64)
    if not bool(torch.isfinite(matrix).all()):
        raise ValueError("gram has NaN or infinite entries: a task's gradient diverged")
    size = len(matrix)
    magnitude = matrix.diagonal().mean()
    weights = torch.full((size,), 1 / size, dtype=torch.float64)
    if magnitude <= 0:
        return weights
    matrix = matrix / magnitude
    weights.zero_()[matrix.diagonal().argmin()] = 1
    for _ in range(max_steps):
        slope = matrix @ weights
        to = int(slope.argmin())
        away = int(slope.masked_fill(weights <= 0, -torch.inf).argmax())
        gap = float(slope[away] - slope[to])
        if gap <= tolerance:
            break
        curvature = float(matrix[to, to] + matrix[away, away] - 2 * matrix[to, away])
        limit = float(weights[away])
        step = limit if curvature <= 0 else min(gap / curvature, limit)
        weights[to] += step
        weights[away] = 0 if step == limit else weights[away] - step
    return weights
