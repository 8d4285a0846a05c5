"""Soft counts of false positives, misses and identity switches.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 4.2, Fig. 3, Eq. 5
and 6.

The softmaxes as printed act on values in [0, 1] and cannot come near 0 or 1: in a row of ten a sure
match counts as 0.12 false positives, a sure false positive as 0.14. As in the published code they
are sharpened: the values are multiplied by ``sharpness``, the inverse temperature, first.
"""

import math

import torch.nn.functional as F
from torch import Tensor


def gated(assignment: Tensor, distances: Tensor, limit: float, width: float) -> Tensor:
    """Assignment ``(..., N, M)`` that fades out where distances ``(..., N, M)`` exceed the limit.

    Matchers pair what is far apart if there is nothing nearer; the metrics do not. Unlike a pair
    that is forbidden outright, a faded one has a gradient that draws it back.
    """
    return assignment * ((limit - distances) / width).sigmoid()


def soft_counts(
    assignment: Tensor,
    possible: Tensor,
    switched: Tensor,
    row_mask: Tensor,
    col_mask: Tensor,
    delta: float,
    sharpness: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """FP and FN of Eq. 5 and IDS of Eq. 6 of every frame.

    Args:
        assignment: ``(..., N, M)`` soft assignment in [0, 1], rows are tracks.
        possible: ``(..., N, M)`` bool, pairs that exist and are not forbidden; the others take no
            part in the softmaxes.
        switched: ``(..., N, M)`` bool, pairs whose match is a switch.
        row_mask: ``(..., N)`` bool, which tracks exist.
        col_mask: ``(..., M)`` bool, which objects exist.
        delta: Value at which a track or an object is alone.
        sharpness: Factor before the softmaxes.

    Returns:
        FP, FN, IDS ``(...)``.
    """
    logits = (sharpness * (assignment - delta)).masked_fill(~possible, -math.inf)
    by_row = F.pad(logits, (0, 1)).softmax(dim=-1)  # C^r: a column of delta, 0 as logit
    by_column = F.pad(logits, (0, 0, 0, 1)).softmax(dim=-2)  # C^c: a row of delta
    false_positives = (by_row[..., -1] * row_mask).sum(dim=-1)
    misses = (by_column[..., -1, :] * col_mask).sum(dim=-1)
    switches = (by_column[..., :-1, :] * switched).sum(dim=(-2, -1))
    return false_positives, misses, switches
