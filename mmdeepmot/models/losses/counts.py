"""Divisors of losses that are means over the whole batch of all processes."""

import torch
from mmdet.utils import reduce_mean
from torch import Tensor


def global_counts(counts: Tensor) -> Tensor:
    """Divisors that make the mean of all processes' losses the loss of the whole batch.

    The sum of ``counts`` over all processes divided by their number, 1 where there are none.
    """
    mean = reduce_mean(counts.float())
    return torch.where(mean > 0, mean, torch.ones_like(mean))
