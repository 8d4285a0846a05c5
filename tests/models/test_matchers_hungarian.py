"""The exact assignment and its two gradients."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers import BlackBoxHungarian, Hungarian, PerturbedHungarian


def test_exact_is_scipys() -> None:
    distances = torch.rand(3, 9, 6)
    for one, result in zip(distances, Hungarian()(distances), strict=True):
        assert torch.equal(result.nonzero().T, torch.tensor(np.array(linear_sum_assignment(one))))
        assert set(result.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("matcher", [Hungarian(), BlackBoxHungarian(), PerturbedHungarian(seed=0)])
def test_permuting_rows_and_columns_permutes_the_result(matcher: torch.nn.Module) -> None:
    distances = torch.rand(2, 5, 7)
    rows, columns = torch.randperm(5), torch.randperm(7)
    permuted = matcher(distances[:, rows][:, :, columns])
    expected = matcher(distances)[:, rows][:, :, columns]
    if isinstance(matcher, PerturbedHungarian):  # the noise is not permuted with the matrix
        assert (permuted - expected).abs().mean() < 0.1
    else:
        assert torch.equal(permuted, expected)


def choice(first: float, second: float, scale: float) -> tuple[float, float]:
    """Chance that the first of two distances is the smaller under noise, and its derivative."""
    z = (second - first) / (scale * math.sqrt(2))
    chance = 0.5 * (1 + math.erf(z / math.sqrt(2)))
    density = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return chance, -density / (scale * math.sqrt(2))


def test_perturbed_choice_of_two_by_hand() -> None:
    """One row, two columns: mean and gradient are those of a normal distribution."""
    scale, samples = 0.2, 10_000
    distances = torch.tensor([[0.4, 0.5]], dtype=torch.float64, requires_grad=True)
    result = PerturbedHungarian(samples, scale, seed=1)(distances)
    result[0, 0].backward()
    chance, slope = choice(0.4, 0.5, scale)
    assert result[0, 0].item() == pytest.approx(chance, abs=4 * 0.5 / math.sqrt(samples))
    assert result.sum().item() == pytest.approx(1)
    assert distances.grad is not None
    assert distances.grad[0].tolist() == pytest.approx([slope, -slope], rel=0.05)


def test_perturbed_gradient_is_on_average_that_of_the_mean() -> None:
    """Against a central difference of the mean along a line, with the same noise on both sides."""
    torch.manual_seed(0)
    matcher = PerturbedHungarian(40_000, 0.2, seed=2)
    distances = 0.4 + 0.2 * torch.rand(3, 3, dtype=torch.float64)
    weights = torch.eye(3, dtype=torch.float64)
    line = 0.05 * weights
    given = distances.clone().requires_grad_()
    (matcher(given) * weights).sum().backward()
    assert given.grad is not None
    ends = [float((matcher(distances + sign * line) * weights).sum()) for sign in (1, -1)]
    slope = (ends[0] - ends[1]) / 2
    assert slope < -0.05
    assert float((given.grad * line).sum()) == pytest.approx(slope, rel=0.05)


def test_perturbed_gradient_is_not_biased_by_few_samples() -> None:
    """Two samples at a time, 3000 times: the mean gradient is the exact one."""
    torch.manual_seed(0)
    scale = 0.2
    distances = torch.tensor([[0.4, 0.5]], dtype=torch.float64).repeat(3000, 1, 1)
    distances.requires_grad_()
    PerturbedHungarian(2, scale)(distances)[:, 0, 0].sum().backward()
    assert distances.grad is not None
    slopes = distances.grad[:, 0, 0]
    error = float(slopes.std()) / math.sqrt(3000)
    assert float(slopes.mean()) == pytest.approx(choice(0.4, 0.5, scale)[1], abs=4 * error)


def test_perturbed_sums_hold_in_each_sample() -> None:
    """As many pairs as allowed whatever the noise: forbidden pairs are not perturbed."""
    distances = torch.rand(4, 5)
    distances[:, :3] = torch.inf
    result = PerturbedHungarian(8, 10.0)(distances)
    assert result.sum().item() == pytest.approx(2)
    assert (result[:, :3] == 0).all()


def test_seeds() -> None:
    distances = torch.rand(2, 6, 6)
    of = lambda seed: PerturbedHungarian(4, 0.3, seed)  # noqa: E731
    fixed = of(5)
    assert torch.equal(fixed(distances), fixed(distances))
    assert torch.equal(fixed(distances), of(5)(distances))
    assert not torch.equal(fixed(distances), of(6)(distances))
    free = of(None)
    torch.manual_seed(1)
    first, second = free(distances), free(distances)
    torch.manual_seed(1)
    assert torch.equal(free(distances), first)
    assert not torch.equal(first, second)


def test_noise_differs_between_samples_and_matrices() -> None:
    matcher = PerturbedHungarian(3, 0.1)
    full = torch.ones(2, 4, dtype=torch.bool)
    noise = matcher.noise(full, full)
    assert noise.shape == (3, 2, 4, 4)
    assert len(noise.flatten().unique()) == noise.numel()


def test_black_box_by_hand() -> None:
    """The loss wants (0, 1) instead of (0, 0): with lambda = 2 that exchange happens."""
    distances = torch.tensor([[0.1, 0.5], [0.6, 0.2]], requires_grad=True)
    result = BlackBoxHungarian(2.0)(distances)
    assert result.tolist() == [[1, 0], [0, 1]]
    (result * torch.tensor([[0.5, -0.5], [0.0, 0.0]])).sum().backward()
    # D + 2 g = [[1.1, -0.5], [0.6, 0.2]]: the other diagonal, 0.1 against 1.3. Descent brings the
    # pairs of that one nearer.
    assert distances.grad is not None
    assert distances.grad.tolist() == [[-0.5, 0.5], [0.5, -0.5]]


def test_black_box_gradient_is_zero_where_nothing_changes() -> None:
    distances = torch.tensor([[0.1, 0.5], [0.6, 0.2]], requires_grad=True)
    result = BlackBoxHungarian(0.1)(distances)
    (result * torch.tensor([[0.5, -0.5], [0.0, 0.0]])).sum().backward()
    assert distances.grad is not None and (distances.grad == 0).all()


def test_black_box_passes_a_gradient_that_is_not_finite() -> None:
    """As loss scaling makes them: the optimiser's wrapper sees them and skips the step."""
    distances = torch.rand(2, 2, requires_grad=True)
    (BlackBoxHungarian()(distances) * torch.inf).nansum().backward()
    assert distances.grad is not None and distances.grad.isnan().any()


@pytest.mark.parametrize("kind", ["perturbed", "black box"])
def test_descent_finds_the_wanted_assignment(kind: str) -> None:
    """Gradient steps on the distances move the assignment to one that is given."""
    torch.manual_seed(0)
    wanted = torch.eye(4)[torch.randperm(4)]
    distances = (0.4 + 0.2 * torch.rand(4, 4)).requires_grad_()
    assert not torch.equal(Hungarian()(distances), wanted)
    matcher = PerturbedHungarian(32, 0.1, 0) if kind == "perturbed" else BlackBoxHungarian(1.0)
    optimizer = torch.optim.SGD([distances], lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        (matcher(distances) - wanted).square().sum().backward()
        optimizer.step()
    assert torch.equal(Hungarian()(distances), wanted)


def test_impossible_settings() -> None:
    with pytest.raises(InputError, match="at least 2 samples and scale > 0, got samples=1"):
        PerturbedHungarian(1)
    with pytest.raises(InputError, match="got samples=16, scale=0"):
        PerturbedHungarian(scale=0.0)
    with pytest.raises(InputError, match="BlackBoxHungarian: expected step > 0, got -1"):
        BlackBoxHungarian(-1.0)
