"""Balancing strategies: closed forms, limits, state, gradients."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import nn

from mmdeepmot.models.losses.balance import gradient_gram
from mmdeepmot.models.losses.min_norm import min_norm_weights
from mmdeepmot.registry import MODELS

TASKS = ["cls/8", "box/8", "id/8"]
VALUES = {"cls/8": 0.5, "box/8": 2.0, "id/8": 4.0}


def build(name: str, **kwargs) -> nn.Module:
    return MODELS.build({"type": name, "tasks": kwargs.pop("tasks", TASKS), **kwargs})


def losses(values=VALUES) -> dict[str, torch.Tensor]:
    return {k: torch.tensor(v, requires_grad=True) for k, v in values.items()}


def test_uniform_is_the_sum():
    total, weights = build("UniformWeights")(losses())
    assert total.item() == 6.5
    assert [w.item() for w in weights.values()] == [1, 1, 1]


def test_app_opt_ties_kinds_and_lets_a_task_differ():
    balance = build(
        "AppOptWeights", tasks=[*TASKS, "id/16"], weights={"cls": 2, "box": 3, "id": 1, "id/16": 7}
    )
    total, weights = balance({**losses(), "id/16": torch.tensor(1.0)})
    assert total.item() == 0.5 * 2 + 2 * 3 + 4 * 1 + 7
    assert weights["id/16"].item() == 7
    assert not balance.state_dict()


def test_app_opt_names_a_missing_weight():
    with pytest.raises(ValueError, match="no value for 'box/8' nor for its kind 'box'"):
        build("AppOptWeights", weights={"cls": 1, "id": 1})


def test_uncertainty_is_equation_6_with_published_starts():
    balance = build("UncertaintyWeights")
    assert balance.log_variance.tolist() == pytest.approx([-4.15, -4.85, -2.3])
    given = losses()
    total, weights = balance(given)
    expected = 0.5 * sum(
        math.exp(-s) * v + s for s, v in zip((-4.15, -4.85, -2.3), VALUES.values(), strict=True)
    )
    assert total.item() == pytest.approx(expected, rel=1e-6)
    total.backward()
    wanted = [
        0.5 * (1 - math.exp(-s) * v)
        for s, v in zip((-4.15, -4.85, -2.3), VALUES.values(), strict=True)
    ]
    assert balance.log_variance.grad.tolist() == pytest.approx(wanted, rel=1e-5)
    assert given["box/8"].grad.item() == pytest.approx(weights["box/8"].item())


def test_uncertainty_settles_where_its_weight_is_the_reciprocal_loss():
    balance = build("UncertaintyWeights", start={"cls": 0, "box": 0, "id": 0})
    optimizer = torch.optim.SGD(balance.parameters(), lr=0.5)
    for _ in range(300):
        optimizer.zero_grad()
        balance(losses())[0].backward()
        optimizer.step()
    assert balance.log_variance.exp().tolist() == pytest.approx(list(VALUES.values()), rel=1e-3)


def test_loss_norm_follows_the_moving_average_and_keeps_it():
    balance = build("LossNormWeights", momentum=0.9)
    total, _ = balance(losses())
    assert total.item() == pytest.approx(3)  # each loss over itself
    total, weights = balance(losses({"cls/8": 1.5, "box/8": 0.0, "id/8": 4.0}))
    assert weights["cls/8"].item() == pytest.approx(1 / (0.9 * 0.5 + 0.1 * 1.5))
    assert weights["box/8"].item() == pytest.approx(0.5)  # nothing to learn from: unchanged
    other = build("LossNormWeights", momentum=0.9)
    other.load_state_dict(balance.state_dict())
    balance.eval(), other.eval()
    assert balance(losses())[0].item() == other(losses())[0].item()


def test_loss_norm_before_the_first_sight_weighs_one_and_ignores_nan():
    balance = build("LossNormWeights")
    _, weights = balance(losses({"cls/8": 2.0, "box/8": 0.0, "id/8": math.nan}))
    assert [w.item() for w in weights.values()] == [0.5, 1, 1]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((1.0, 0.0), (0.0, 1.0), 0.5),  # orthogonal, equal
        ((2.0, 0.0), (0.0, 1.0), 0.2),  # |b|^2 / (|a|^2 + |b|^2)
        ((1.0, 0.0), (3.0, 1.0), 1.0),  # a is the shortest point already
        ((1.0, 1.0), (1.0, -1.0), 0.5),
    ],
)
def test_min_norm_two_tasks_closed_form(a, b, expected):
    vectors = torch.tensor([a, b])
    weights = min_norm_weights(vectors @ vectors.T)
    assert weights.tolist() == pytest.approx([expected, 1 - expected], abs=1e-6)


@pytest.mark.parametrize(("tasks", "seed"), [(3, 0), (3, 1), (3, 2), (9, 3), (9, 4)])
def test_min_norm_equals_scipy(tasks, seed):
    vectors = np.random.default_rng(seed).normal(0.4, 1, (tasks, 12))
    gram = vectors @ vectors.T
    solution = minimize(
        lambda w: w @ gram @ w,
        np.full(tasks, 1 / tasks),
        jac=lambda w: 2 * gram @ w,
        bounds=[(0, 1)] * tasks,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    found = min_norm_weights(torch.tensor(gram)).numpy()
    assert found.sum() == pytest.approx(1) and (found >= 0).all()
    np.testing.assert_allclose(found, solution.x, atol=1e-4)
    np.testing.assert_allclose(min_norm_weights(torch.tensor(gram * 1e6)).numpy(), found, atol=1e-6)


def test_min_norm_limits():
    assert min_norm_weights(torch.tensor([[3.0]])).tolist() == [1]
    assert min_norm_weights(torch.zeros(2, 2)).tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match=r"shape \(T, T\)"):
        min_norm_weights(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="NaN or infinite"):
        min_norm_weights(torch.tensor([[math.nan]]))


def test_gram_is_that_of_explicit_gradients():
    first, second = torch.randn(4, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    scalars = [first.square().sum() + second.sum(), second.cos().sum(), first.sin().sum()]
    rows = torch.stack(
        [
            torch.cat(
                [
                    g.flatten()
                    for g in torch.autograd.grad(
                        s,
                        (first, second),
                        retain_graph=True,
                        allow_unused=True,
                        materialize_grads=True,
                    )
                ]
            )
            for s in scalars
        ]
    )
    torch.testing.assert_close(gradient_gram(scalars, [first, second]), rows @ rows.T)


def test_mgda_weighs_by_gradients_at_the_shared_features():
    balance = build("MGDAUBWeights")
    feature = torch.tensor([1.0, 2.0], requires_grad=True)
    given = {
        "cls/8": 2 * feature[0],  # gradient (2, 0)
        "box/8": feature[1] * 1.0,  # gradient (0, 1)
        "id/8": (0 * feature).sum(),  # none
    }
    total, weights = balance(given, [feature])
    assert [w.item() for w in weights.values()] == pytest.approx([0.2, 0.8, 0], abs=1e-6)
    assert total.item() == pytest.approx(0.2 * 2 + 0.8 * 2)
    total.backward()
    assert feature.grad.tolist() == pytest.approx([0.4, 0.8])
    other = build("MGDAUBWeights")
    other.load_state_dict(balance.state_dict())
    with torch.no_grad():
        assert other(given, [feature])[0].item() == pytest.approx(total.item())


def test_mgda_needs_shared_features():
    with pytest.raises(ValueError, match="needs `shared`"):
        build("MGDAUBWeights")(losses(), [torch.zeros(2)])


@pytest.mark.parametrize("name", ["UniformWeights", "UncertaintyWeights", "LossNormWeights"])
def test_unknown_tasks_are_named(name):
    with pytest.raises(ValueError, match=r"expected losses of .*got \['cls/8'\]"):
        build(name)({"cls/8": torch.tensor(1.0)})
    with pytest.raises(ValueError, match="distinct"):
        build(name, tasks=["cls/8", "cls/8"])
