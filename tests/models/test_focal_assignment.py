"""The focal loss of assignments: values by hand, limits, logits, gradients."""

import math

import pytest
import torch
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.losses import FocalAssignmentLoss, focal_assignment_loss
from mmdeepmot.models.losses.focal_assignment import class_weights
from mmdeepmot.registry import MODELS


def bools(values) -> Tensor:
    return torch.tensor(values, dtype=torch.bool)


def test_value_by_hand():
    soft = torch.tensor([[[0.8, 0.3], [0.4, 0.5]]])
    optimal = bools([[[1, 0], [0, 0]]])
    # n1 = 1, n0 = 3: zeros weigh 1/4, the one 3/4; mean over 4 entries.
    expected = 0.75 * 0.2**2 * -math.log(0.8) + 0.25 * (
        0.3**2 * -math.log(0.7) + 0.4**2 * -math.log(0.6) + 0.5**2 * -math.log(0.5)
    )
    assert focal_assignment_loss(soft, optimal).item() == pytest.approx(expected / 4)
    plain = focal_assignment_loss(soft, optimal, gamma=0).item()
    assert plain == pytest.approx(-(0.75 * math.log(0.8) + 0.25 * math.log(0.7 * 0.6 * 0.5)) / 4)
    loss = MODELS.build(dict(type="FocalAssignmentLoss", loss_weight=10.0))
    assert loss(soft, optimal).item() == pytest.approx(10 * expected / 4)
    logits = soft.logit()
    assert loss(logits, optimal, logits=True).item() == pytest.approx(10 * expected / 4)


def test_a_class_that_is_alone_weighs_one():
    optimal = bools([[[0, 0]], [[1, 1]], [[1, 0]]])
    valid = bools([[[1, 1]], [[1, 0]], [[1, 1]]])
    zero, one = class_weights(optimal, valid)
    assert zero.tolist() == [1, 0, 0.5] and one.tolist() == [0, 1, 0.5]
    zero, one = class_weights(optimal[:1], torch.zeros_like(valid[:1]))
    assert zero.tolist() == [1] and one.tolist() == [0]


def test_padding_and_empty_matrices_count_for_nothing():
    torch.manual_seed(0)
    soft, optimal = torch.rand(2, 3, 4), torch.zeros(2, 3, 4, dtype=torch.bool)
    optimal[0, 0, 1] = optimal[1, 2, 3] = True
    alone = [focal_assignment_loss(soft[at : at + 1], optimal[at : at + 1]) for at in range(2)]
    assert focal_assignment_loss(soft, optimal) == pytest.approx(sum(alone) / 2)
    big = torch.rand(3, 5, 6)
    big[:2, :3, :4] = soft
    target, valid = torch.ones(3, 5, 6) > 0, torch.zeros(3, 5, 6, dtype=torch.bool)
    target[:2, :3, :4] = optimal
    valid[:2, :3, :4] = True
    assert focal_assignment_loss(big, target, valid) == pytest.approx(sum(alone) / 2)
    assert focal_assignment_loss(big, target, torch.zeros_like(valid)) == 0


def test_forbidden_entries_count_as_rightly_zero():
    soft, optimal = torch.tensor([[[0.8, 0.0, 0.3]]]), bools([[[1, 0, 0]]])
    allowed = bools([[[1, 0, 1]]])
    as_zero = focal_assignment_loss(soft, optimal)
    assert focal_assignment_loss(soft, optimal, allowed=allowed) == as_zero
    soft[0, 0, 1] = 0.9
    assert focal_assignment_loss(soft, optimal, allowed=allowed) == as_zero


def test_gradients():
    torch.manual_seed(0)
    optimal = torch.rand(2, 3, 4) > 0.7
    valid, allowed = torch.rand(2, 3, 4) > 0.2, torch.rand(2, 3, 4) > 0.2
    soft = torch.rand(2, 3, 4, dtype=torch.float64).clamp(0.05, 0.95).requires_grad_()
    logits = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)

    def of_soft(x: Tensor) -> Tensor:
        return focal_assignment_loss(x, optimal, valid, allowed=allowed)

    def of_logits(x: Tensor) -> Tensor:
        return focal_assignment_loss(x, optimal, valid, allowed=allowed, logits=True)

    assert torch.autograd.gradcheck(of_soft, soft)
    assert torch.autograd.gradcheck(of_logits, logits)
    of_logits(logits).backward()
    assert torch.equal(logits.grad != 0, valid & allowed)


def test_finite_where_the_assignment_is_certain():
    optimal = bools([[[1, 0], [1, 0]]])
    soft = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]], requires_grad=True)
    loss = focal_assignment_loss(soft, optimal)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(soft.grad).all()
    logits = torch.tensor([[[200.0, -200.0], [-200.0, 200.0]]], requires_grad=True)
    loss = focal_assignment_loss(logits, optimal, logits=True)
    loss.backward()
    assert loss.item() == pytest.approx(0.5 * 2 * 200 / 4)
    assert logits.grad[0, 1, 0] < 0 < logits.grad[0, 1, 1]  # it still teaches
    half = focal_assignment_loss(torch.full((1, 1, 2), 0.5, dtype=torch.bfloat16), optimal[:, :1])
    assert half.dtype == torch.float32


def test_errors():
    with pytest.raises(InputError, match=r"expected optimal .*\(1, 2, 2\), got \(1, 2, 3\)"):
        focal_assignment_loss(torch.rand(1, 2, 2), torch.ones(1, 2, 3) > 0)
    with pytest.raises(InputError, match=r"gamma >= 0 and .*, got -1"):
        FocalAssignmentLoss(gamma=-1)


def test_tempered_class_weights_by_hand() -> None:
    """One of ten entries: weights 1 : 9, their square root 1 : 3, and none 1 : 1."""
    optimal = torch.zeros(1, 2, 5, dtype=torch.bool)
    optimal[0, 0, 0] = True
    valid = torch.ones_like(optimal)
    for balance, expected in ((1.0, 0.1), (0.5, 0.25), (0.0, 0.5)):
        zero, one = class_weights(optimal, valid, balance)
        assert (zero.item(), one.item()) == pytest.approx((expected, 1 - expected))
    # -w log p of each entry, p = 0.5, mean over entries: 9 zeros of weight 1/4, one of 3/4.
    soft = torch.full((1, 2, 5), 0.5)
    loss = focal_assignment_loss(soft, optimal, gamma=0, balance=0.5)
    assert loss.item() == pytest.approx(math.log(2) * (9 * 0.25 + 0.75) / 10)
    module = FocalAssignmentLoss(gamma=0, balance=0.5)
    assert module(soft, optimal).item() == pytest.approx(loss.item())
    alone, _ = class_weights(torch.zeros_like(optimal), valid, 0.5)
    assert alone.item() == 1


def test_a_balance_out_of_range() -> None:
    with pytest.raises(InputError, match=r"balance in \[0, 1\], got 2.0 and 1.5"):
        FocalAssignmentLoss(balance=1.5)
