"""How the losses of several tasks are weighted against each other.

Paper: Wang et al., "Towards Real-Time Multi-Object Tracking", ECCV 2020, Sec. 3.5 and Table 3.

All share one signature: ``forward(losses, shared) -> (total, weights)``. ``losses`` maps a task's
name, ``'cls/8'`` (kind / scale), to its scalar; ``shared`` are the feature maps from which all
heads compute (used by MGDA-UB only); ``weights`` are those applied, detached, for the log.
Where weights depend on the losses' values these are first averaged over all processes, so that
every process applies the same.
"""

from collections.abc import Mapping, Sequence

import torch
from mmdet.utils import reduce_mean
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.losses.min_norm import min_norm_weights
from mmdeepmot.registry import MODELS

Balanced = tuple[Tensor, dict[str, Tensor]]


def _kind(task: str) -> str:
    return task.split("/")[0]


def _per_task(name: str, tasks: Sequence[str], values: Mapping[str, float]) -> Tensor:
    """One value a task, given for its name or for its kind."""
    missing = [task for task in tasks if task not in values and _kind(task) not in values]
    if missing:
        raise InputError(
            f"{name} has no value for {missing[0]!r} nor for its kind {_kind(missing[0])!r}; "
            f"it has {sorted(values)}"
        )
    return torch.tensor([float(values.get(t, values.get(_kind(t), 0.0))) for t in tasks])


class Balance(nn.Module):
    """Base: keeps the order of the tasks and turns weights into a total.

    Args:
        tasks: Names of the tasks; :meth:`forward` must be given exactly these.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        if not tasks or len(set(tasks)) != len(tasks):
            raise ValueError(f"tasks must be distinct and at least one, got {list(tasks)}")
        self.tasks = tuple(tasks)

    def stack(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The losses ``(T,)`` in the tasks' order."""
        if set(losses) != set(self.tasks):
            raise ValueError(f"expected losses of {sorted(self.tasks)}, got {sorted(losses)}")
        return torch.stack([losses[task].float() for task in self.tasks])

    def weigh(self, values: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """Weights ``(T,)``, without gradient, of the losses ``values`` ``(T,)``."""
        raise NotImplementedError

    def forward(self, losses: Mapping[str, Tensor], shared: Sequence[Tensor] = ()) -> Balanced:
        """The weighted sum of ``losses`` and the weights."""
        values = self.stack(losses)
        weights = self.weigh(values, shared).to(values)
        return (weights * values).sum(), dict(zip(self.tasks, weights, strict=True))


@MODELS.register_module()
class UniformWeights(Balance):
    """The same weight, 1, for every loss (``Uniform`` in Table 3)."""

    def weigh(self, values: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """Ones."""
        return torch.ones_like(values)


@MODELS.register_module()
class AppOptWeights(Balance):
    """Fixed weights (``App.Opt`` in Table 3: found by search over two values).

    Sec. 3.5 ties the weights across scales and sets class = box; the paper prints no values. The
    defaults are what the published start values of the uncertainties amount to, ``exp(-s) / 2``:
    for class and box the geometric mean of theirs (45), for the identity 5.

    Args:
        tasks: See :class:`Balance`.
        weights: Weight for each kind (``cls``, ``box``, ``id``) or task.
    """

    weights: Tensor

    def __init__(self, tasks: Sequence[str], weights: Mapping[str, float] | None = None) -> None:
        super().__init__(tasks)
        weights = {"cls": 45.0, "box": 45.0, "id": 5.0} if weights is None else weights
        self.register_buffer("weights", _per_task("weights", tasks, weights), persistent=False)

    def weigh(self, values: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """The given weights."""
        return self.weights


@MODELS.register_module()
class UncertaintyWeights(Balance):
    """Task uncertainty (Eq. 6): ``1/2 * sum(exp(-s) L + s)`` with one learnt s a task.

    After Kendall et al., CVPR 2018. The total may be negative.

    Args:
        tasks: See :class:`Balance`.
        start: Start value of s for each kind or task; by default those of the published
            implementation.
    """

    def __init__(self, tasks: Sequence[str], start: Mapping[str, float] | None = None) -> None:
        super().__init__(tasks)
        start = {"cls": -4.15, "box": -4.85, "id": -2.3} if start is None else start
        self.log_variance = nn.Parameter(_per_task("start", tasks, start))

    def forward(self, losses: Mapping[str, Tensor], shared: Sequence[Tensor] = ()) -> Balanced:
        """Eq. 6; the weights are ``exp(-s) / 2``."""
        values = self.stack(losses)
        weights = 0.5 * torch.exp(-self.log_variance)
        total = (weights * values + 0.5 * self.log_variance).sum()
        return total, dict(zip(self.tasks, weights.detach(), strict=True))


@MODELS.register_module()
class LossNormWeights(Balance):
    """Reciprocal of each loss's moving average (``Loss.Norm`` in Table 3).

    A task whose loss is zero (nothing in the batch to learn it from) does not move its average;
    until it was first seen its weight is 1. Averages are kept in checkpoints.

    Args:
        tasks: See :class:`Balance`.
        momentum: Weight of the old average.
    """

    average: Tensor
    seen: Tensor

    def __init__(self, tasks: Sequence[str], momentum: float = 0.99) -> None:
        super().__init__(tasks)
        if not 0 <= momentum < 1:
            raise InputError(f"momentum must be in [0, 1), got {momentum}")
        self.momentum = momentum
        self.register_buffer("average", torch.ones(len(self.tasks)))
        self.register_buffer("seen", torch.zeros(len(self.tasks), dtype=torch.bool))

    @torch.no_grad()
    def weigh(self, values: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """Updates the averages (in training) and returns their reciprocals."""
        if self.training:
            current = reduce_mean(values.detach())
            fresh = torch.isfinite(current) & (current > 0)
            moved = self.momentum * self.average + (1 - self.momentum) * current
            moved = torch.where(self.seen, moved, current)
            self.average.copy_(torch.where(fresh, moved, self.average))
            self.seen |= fresh
        return 1 / self.average


def gradient_gram(values: Sequence[Tensor], features: Sequence[Tensor]) -> Tensor:
    """Inner products ``(T, T)`` of the gradients of T scalars at all ``features`` together."""
    parts = [
        torch.autograd.grad(value, features, retain_graph=True, allow_unused=True)
        for value in values
    ]
    gram = torch.zeros(len(values), len(values), device=features[0].device)
    for of_feature in zip(*parts, strict=True):
        tasks = [task for task, part in enumerate(of_feature) if part is not None]
        if not tasks:
            continue
        rows = torch.stack([of_feature[task].flatten().float() for task in tasks])
        index = torch.tensor(tasks, device=gram.device)
        with torch.autocast(rows.device.type, enabled=False):
            gram[index[:, None], index] += rows @ rows.T
    return gram


@MODELS.register_module()
class MGDAUBWeights(Balance):
    """MGDA-UB (Sener and Koltun, NIPS 2018): the common descent direction of least norm.

    The gradient of each loss is taken at the shared features (the upper bound of the title), the
    weights are the min-norm point of their convex hull. Inner products are averaged over all
    processes. A task with no gradient (nothing in the batch to learn it from) has weight 0 and
    takes no part: left in, it would be the min-norm point itself and stop the training. The last
    weights are kept in checkpoints; they are used where there is no gradient to be had.

    Args:
        tasks: See :class:`Balance`.
    """

    last: Tensor

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self.register_buffer("last", torch.full((len(self.tasks),), 1 / len(self.tasks)))

    def weigh(self, values: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """The min-norm weights at ``shared``."""
        if not (self.training and torch.is_grad_enabled() and values.requires_grad):
            return self.last
        features = [feature for feature in shared if feature.requires_grad]
        if not features:
            raise ValueError("MGDA-UB needs `shared`: feature maps that require a gradient")
        gram = reduce_mean(gradient_gram(values.unbind(), features))
        active = gram.diagonal() > 0
        weights = torch.zeros_like(self.last)
        if bool(active.any()):
            weights[active] = min_norm_weights(gram[active][:, active]).to(weights)
            self.last.copy_(weights)
        return weights
