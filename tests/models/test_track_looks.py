"""Mean embeddings of the frames before."""

import pytest
import torch

from mmdeepmot.models.mot.track_looks import past_means


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


def ids(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int64)


def test_by_hand():
    known = past_means(
        [ids(5, 7), ids(7, -1), ids(5, 7, 9), ids(9, 5)],
        [column(1, 10), column(30, 99), column(3, 50, 4), column(6, 8)],
    )
    assert [one.flatten().tolist() for one in known] == [
        [1, 10],  # no past: their own
        [10, 99],  # -1 is no one
        [1, 20, 4],
        [4, 2],  # 5 was not seen in the second frame
    ]


def test_only_the_last_frames_count():
    everyone = [ids(3)] * 13
    looks = [column(2.0**at) for at in range(13)]
    known = past_means(everyone, looks)
    assert known[10].item() == pytest.approx((2**10 - 1) / 10)
    assert known[12].item() == pytest.approx((2**12 - 2**2) / 10)
    assert past_means(everyone, looks, frames=1)[12].item() == 2**11
    gone = past_means([ids(3), *[ids()] * 2, ids(3)], [column(1), *[column()] * 2, column(9)], 2)
    assert gone[3].item() == 9


def test_nobody():
    (one,) = past_means([ids()], [torch.zeros(0, 4)])
    assert one.shape == (0, 4)


def test_gradients_flow_into_the_past_only_if_asked():
    looks = [column(1.0).requires_grad_(), column(2.0).requires_grad_()]
    first, second = past_means([ids(0), ids(0)], looks)
    gradients = torch.autograd.grad(first.sum() + second.sum(), looks)
    assert [one.item() for one in gradients] == [1, 0]  # a first look is its own past
    _, second = past_means([ids(0), ids(0)], looks, through_time=True)
    gradients = torch.autograd.grad(second.sum(), looks)
    assert [one.item() for one in gradients] == [1, 0]
