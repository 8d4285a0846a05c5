"""What every registered matcher does alike."""

from collections.abc import Iterator

import pytest
import torch
from matcher_cases import of_many_sizes, padded
from mmengine.registry import init_default_scope
from torch import Tensor

import mmdeepmot.models  # noqa: F401  (registers)
from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers import LogitMatcher, Matcher
from mmdeepmot.registry import MODELS

REGISTERED = sorted(
    name
    for name, kind in MODELS.module_dict.items()
    if isinstance(kind, type) and issubclass(kind, Matcher)
)
SETTINGS: dict[str, dict] = {
    "DHN": dict(hidden=16, widths=(16, 8)),
    "PerturbedHungarian": dict(seed=3),
}
NO_GRADIENT = {"Hungarian"}


def build(name: str, **settings: object) -> Matcher:
    """The matcher, small where it can be, in evaluation mode."""
    init_default_scope("mmdeepmot")
    return MODELS.build({"type": name, **SETTINGS.get(name, {}), **settings}).eval()


@pytest.fixture(params=REGISTERED)
def matcher(request: pytest.FixtureRequest) -> Iterator[Matcher]:
    torch.manual_seed(0)
    yield build(request.param)


def test_known_matchers_are_registered() -> None:
    known = {"DHN", "ConvDHN", "Sinkhorn", "Hungarian", "PerturbedHungarian", "BlackBoxHungarian"}
    assert known <= set(REGISTERED)


def test_padded_batch_equals_one_by_one(matcher: Matcher) -> None:
    matrices = of_many_sizes()
    batch, rows, columns = padded(matrices)
    result = matcher(batch, rows, columns)
    assert result.shape == batch.shape
    assert (result[~(rows[:, :, None] & columns[:, None])] == 0).all()
    for matrix, one in zip(matrices, result, strict=True):
        alone = matcher(matrix)
        assert alone.shape == matrix.shape
        height, width = matrix.shape
        torch.testing.assert_close(one[:height, :width], alone, rtol=1e-5, atol=1e-5)


def test_rows_that_do_not_count_may_stand_anywhere(matcher: Matcher) -> None:
    distances = 1.3 * torch.rand(4, 5, 6)
    rows, columns = torch.rand(4, 5) < 0.7, torch.rand(4, 6) < 0.7
    result = matcher(distances, rows, columns)
    for one, row, column, got in zip(distances, rows, columns, result, strict=True):
        inner = row[:, None] & column[None]
        alone = matcher(one[row][:, column])
        torch.testing.assert_close(got[inner], alone.flatten(), rtol=1e-5, atol=1e-5)
        assert (got[~inner] == 0).all()


def test_values(matcher: Matcher) -> None:
    """In [0, 1]; forbidden pairs get 0, however far they are."""
    distances = 1.5 * torch.rand(3, 6, 4)
    gated = distances > 1
    result = matcher(distances)
    assert result.dtype == torch.float32
    assert ((result >= 0) & (result <= 1)).all()
    assert (result[gated] == 0).all()
    assert (result[~gated] > 0).any()
    for value in (1.001, 6e4, torch.inf):
        assert torch.equal(matcher(distances.masked_fill(gated, value)), result)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0), (0, 0, 0), (0, 4), (3, 0)])
def test_empty(matcher: Matcher, shape: tuple[int, ...]) -> None:
    distances = torch.rand(shape, requires_grad=True)
    assert matcher(distances).shape == shape


def test_everything_forbidden_or_masked(matcher: Matcher) -> None:
    forbidden = torch.full((2, 3, 4), torch.inf, requires_grad=True)
    result = matcher(forbidden)
    assert (result == 0).all()
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    assert (matcher(torch.full((2, 3, 4), torch.nan), nothing) == 0).all()
    if result.requires_grad:
        result.sum().backward()
        assert forbidden.grad is not None and (forbidden.grad == 0).all()


def test_gradient(matcher: Matcher) -> None:
    """Finite, 0 at padding and forbidden pairs, and not 0 everywhere."""
    distances, rows, columns = padded(of_many_sizes())
    distances.requires_grad_()
    result = matcher(distances, rows, columns)
    if type(matcher).__name__ in NO_GRADIENT:
        assert not result.requires_grad
        return
    (result * torch.rand_like(result)).sum().backward()
    gradient = distances.grad
    assert gradient is not None and gradient.isfinite().all()
    still = ~(rows[:, :, None] & columns[:, None]) | (distances.detach() > 1)
    assert (gradient[still] == 0).all()
    assert (gradient != 0).any()


def test_shape_and_type_errors(matcher: Matcher) -> None:
    distances = torch.rand(2, 3, 4)
    with pytest.raises(InputError, match=r"expected floating-point .* got torch.int64 \(2, 3\)"):
        matcher(torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(InputError, match=r"got torch.float32 \(3,\)"):
        matcher(torch.rand(3))
    with pytest.raises(InputError, match=r"row_mask: expected bool \(2, 3\) .* \(2, 4\)"):
        matcher(distances, torch.ones(2, 4, dtype=torch.bool))
    with pytest.raises(InputError, match=r"col_mask: expected bool .* got torch.float32"):
        matcher(distances, None, torch.ones(2, 4))


@pytest.mark.parametrize("value", [torch.nan, -torch.inf])
def test_nan_is_an_error(matcher: Matcher, value: float) -> None:
    distances = torch.rand(2, 3, 4)
    distances[1, 2, 0] = value
    with pytest.raises(InputError, match=r"1 entries are NaN or -inf, the first at \(1, 2, 0\)"):
        matcher(distances)


def test_double_precision(matcher: Matcher) -> None:
    distances = torch.rand(2, 3, 4, dtype=torch.float64)
    result = matcher.double()(distances)
    assert result.dtype == torch.float64


class Diagonal(LogitMatcher):
    """A matcher of a user's own: remembers what it was given."""

    def score(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """10 on the diagonal, else -10."""
        self.given = distances, row_mask, col_mask
        return 20 * torch.eye(*distances.shape[1:]).expand_as(distances) - 10


def test_own_matcher_meets_clean_input() -> None:
    diagonal = Diagonal()
    distances, rows, columns = padded([torch.tensor([[0.2, 3.0]]), torch.rand(2, 1)])
    result = diagonal(distances, rows, columns)
    given, row_mask, col_mask = diagonal.given
    assert given[0].tolist() == [[pytest.approx(0.2), torch.inf], [torch.inf, torch.inf]]
    assert torch.equal(row_mask, rows) and torch.equal(col_mask, columns)
    low, high = torch.tensor([-10.0, 10.0]).sigmoid().tolist()
    assert result.flatten().tolist() == pytest.approx([high, 0, 0, 0, high, 0, low, 0])
    logits = diagonal.logits(distances, rows, columns)
    assert logits.flatten().tolist() == [10, -10, 0, 0, 10, 0, -10, 0]
    assert diagonal.logits(torch.rand(0, 3)).shape == (0, 3)
