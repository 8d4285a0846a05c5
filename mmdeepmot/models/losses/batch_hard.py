"""The batch-hard triplet loss.

Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification", 2017, Eq. 5. There of
Euclidean distances; here of cosine similarities, which is what trackers compare.
"""

import math
from typing import ClassVar

from torch import Tensor, nn

from mmdeepmot.models.losses.embedding import hardest_positive
from mmdeepmot.registry import MODELS


def batch_hard_loss(
    embeddings: Tensor, identities: Tensor, margin: float = 0.2
) -> tuple[Tensor, Tensor]:
    """``max(0, max_n f.f_n - min_p f.f_p + margin)``: hardest negative, hardest positive.

    Args:
        embeddings: ``(K, D)``, of any length.
        identities: ``(K,)`` int64, -1 none.
        margin: In cosine similarity.

    Returns:
        Losses ``(K,)`` and which count, ``(K,)`` bool: those with a positive and a negative.
    """
    difference, negative, valid = hardest_positive(embeddings, identities)
    if not len(identities):
        return difference.sum(dim=1), valid
    valid = valid & negative.any(dim=1)
    hardest = difference.masked_fill(~negative, -math.inf).amax(dim=1)
    return (hardest + margin).clamp(min=0).masked_fill(~valid, 0.0), valid


@MODELS.register_module()
class BatchHardTripletLoss(nn.Module):
    """:func:`batch_hard_loss`; needs batches with several crops a person.

    Args:
        margin: In cosine similarity.
    """

    needs_identities: ClassVar[bool] = False
    one_by_one: ClassVar[bool] = False

    def __init__(self, margin: float = 0.2) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: Tensor, identities: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`batch_hard_loss`."""
        return batch_hard_loss(embeddings, identities, self.margin)
