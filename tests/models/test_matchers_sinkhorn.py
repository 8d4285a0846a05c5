"""Sinkhorn: against what it minimises, and against the exact assignment."""

import math

import pytest
import torch

from mmdeepmot.association import optimal_assignment
from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers import Sinkhorn
from mmdeepmot.models.matchers.sinkhorn import annealing


@pytest.mark.parametrize(("distance", "temperature", "slack"), [(0.3, 0.5, 1.0), (0.9, 0.2, 0.5)])
def test_one_pair_by_hand(distance: float, temperature: float, slack: float) -> None:
    """``p / (1 - p)^2 = exp((2 s - d) / T) = r``, the root of ``r p^2 - (2 r + 1) p + r``."""
    ratio = math.exp((2 * slack - distance) / temperature)
    expected = (2 * ratio + 1 - math.sqrt(4 * ratio + 1)) / (2 * ratio)
    matcher = Sinkhorn(temperature, None, 200, slack=slack)
    given = torch.tensor([[distance]], dtype=torch.float64)
    assert float(matcher(given)) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 2)])
def test_converged_result_is_the_minimum(shape: tuple[int, int]) -> None:
    """The optimum's condition at allowed pairs: ``P_ij / (a_i b_j) = exp((2 s - D_ij) / T)``."""
    temperature, slack = 0.1, 0.8
    distances = 1.3 * torch.rand(shape, dtype=torch.float64)
    result = Sinkhorn(temperature, None, 2000, slack=slack)(distances)
    left = (1 - result.sum(1))[:, None] * (1 - result.sum(0))
    allowed = distances <= 1
    ratio = torch.log(result[allowed] / left[allowed])
    torch.testing.assert_close(ratio, (2 * slack - distances[allowed]) / temperature)
    assert (result[~allowed] == 0).all()


@pytest.mark.parametrize("shape", [(8, 8), (5, 9), (9, 5), (1, 6), (6, 1)])
@pytest.mark.parametrize("limit", [1.0, 0.4])
def test_converged_at_low_temperature_is_the_exact_assignment(
    shape: tuple[int, int], limit: float
) -> None:
    """With a slack that makes any additional pair worth its price."""
    distances = torch.rand(4, *shape, dtype=torch.float64)
    distances = distances.masked_fill(distances > limit, torch.inf)
    matcher = Sinkhorn(5e-5, 1.0, 4000, 0.5, slack=1 + min(shape) / 2)
    exact = torch.from_numpy(optimal_assignment(distances.numpy())).double()
    torch.testing.assert_close(matcher(distances), exact, rtol=0, atol=0.02)


def test_cheap_slack_leaves_far_pairs_alone() -> None:
    distances = torch.tensor([[0.3, 0.9], [0.9, 0.7]], dtype=torch.float64)
    for slack, expected in ((1.0, [1, 1]), (0.3, [1, 0]), (0.1, [0, 0])):
        result = Sinkhorn(0.005, iterations=400, slack=slack)(distances)
        assert result.diagonal().tolist() == pytest.approx(expected, abs=0.01)


def test_sums_of_columns_are_at_most_one_however_few_iterations() -> None:
    for iterations in (1, 3, 30):
        result = Sinkhorn(0.01, None, iterations)(torch.rand(2, 20, 10))
        assert (result.sum(1) <= 1 + 1e-5).all()


def test_permuting_rows_and_columns_permutes_the_result() -> None:
    distances = 1.3 * torch.rand(2, 7, 9, dtype=torch.float64)
    rows, columns = torch.randperm(7), torch.randperm(9)
    matcher = Sinkhorn()
    permuted = matcher(distances[:, rows][:, :, columns])
    torch.testing.assert_close(permuted, matcher(distances)[:, rows][:, :, columns])


def test_gradcheck() -> None:
    distances = torch.rand(1, 3, 4, dtype=torch.float64)
    distances[0, 1] = torch.tensor([torch.inf, 0.2, torch.inf, 0.5])
    distances[0, 2, 0] = torch.inf
    allowed = ~distances.isinf()
    matcher = Sinkhorn(0.3, 1.0, 6)

    def of_allowed(values: torch.Tensor) -> torch.Tensor:
        return matcher(distances.masked_scatter(allowed, values))

    assert torch.autograd.gradcheck(of_allowed, distances[allowed].requires_grad_())


def test_sharp_and_gated_without_nan() -> None:
    """float32, a low temperature, distances that differ by thousands of temperatures."""
    distances = torch.rand(2, 30, 40)
    distances[distances > 0.3] = torch.inf
    distances.requires_grad_()
    result = Sinkhorn(1e-4)(distances)
    result.square().sum().backward()
    assert result.isfinite().all()
    assert distances.grad is not None and distances.grad.isfinite().all()


def test_half_precision_is_computed_in_single() -> None:
    distances = torch.rand(5, 6).half()
    result = Sinkhorn()(distances)
    assert result.dtype == torch.float16
    torch.testing.assert_close(result.float(), Sinkhorn()(distances.float()), rtol=0, atol=1e-3)


def test_annealing() -> None:
    assert annealing(5, 1.0, 0.01, 0.2) == pytest.approx([1, 10**-0.5, 0.1, 10**-1.5, 0.01])
    assert annealing(6, 1.0, 0.01, 0.5) == pytest.approx(
        [1, 0.01 ** (1 / 3), 0.01 ** (2 / 3), 0.01, 0.01, 0.01]
    )
    assert annealing(3, 0.1, 0.1, 0.5) == pytest.approx([0.1] * 3)
    assert annealing(1, 1.0, 0.1, 0.0) == (0.1,)


@pytest.mark.parametrize(
    "wrong",
    [
        dict(temperature=0.0),
        dict(temperature=0.5, start_temperature=0.1),
        dict(start_temperature=math.inf),
        dict(iterations=0),
        dict(hold=1.5),
    ],
)
def test_impossible_annealing(wrong: dict) -> None:
    with pytest.raises(
        InputError, match=r"Sinkhorn: expected 0 < temperature <= start_temperature"
    ):
        Sinkhorn(**wrong)


@pytest.mark.parametrize("slack", [0.0, -1.0, math.inf])
def test_impossible_slack(slack: float) -> None:
    with pytest.raises(InputError, match="Sinkhorn: expected slack > 0, finite"):
        Sinkhorn(slack=slack)
