"""Losses for appearance embeddings.

Paper: Wang et al., "Towards Real-Time Multi-Object Tracking", ECCV 2020, Sec. 3.4: the triplet
loss over all negatives and the hardest positive of the mini-batch (Eq. 1), its smooth upper bound
(Eq. 2, 3) and the cross-entropy over identities (Eq. 4), the default.

Every loss gives one value for each embedding and says which of them count, so that the caller
can group them (by scale) and divide by counts taken over all processes. Embeddings without
identity (-1) never count and are no one's negative or positive.

Class attributes for the caller: ``needs_identities``: the loss wants to be built with
``embed_dims`` and ``num_ids``; ``one_by_one``: the loss of an embedding does not depend on the
others, so that equal embeddings need to be given only once.

The paper does not say how embeddings are scaled in Eq. 1 and 2; here they are L2-normalised (as
they are compared at inference) and their similarity is multiplied by ``scale``. Triplets are mined
within the mini-batch of one process.
"""

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MODELS


def identity_scale(num_ids: int) -> float:
    """``sqrt(2) * ln(num_ids - 1)``, the published scale of embeddings before the classifier.

    It vanishes for two identities and is undefined below: three is taken for fewer.
    """
    return math.sqrt(2) * math.log(max(num_ids, 3) - 1)


def _check(embeddings: Tensor, identities: Tensor) -> None:
    if embeddings.dim() != 2 or identities.shape != embeddings.shape[:1]:
        raise ValueError(
            "expected embeddings (K, D) and identities (K,), got "
            f"{tuple(embeddings.shape)} and {tuple(identities.shape)}"
        )


def identity_cross_entropy(
    embeddings: Tensor, identities: Tensor, weight: Tensor, bias: Tensor | None, scale: float | None
) -> tuple[Tensor, Tensor]:
    """Cross-entropy over identities (Eq. 4) of scaled, normalised embeddings.

    Args:
        embeddings: ``(K, D)``, of any length.
        identities: ``(K,)`` int64, -1 none.
        weight: ``(num_ids, D)`` of the linear classifier.
        bias: ``(num_ids,)`` or None.
        scale: Length to which embeddings are brought; None: they are taken as they are.

    Returns:
        Losses ``(K,)``, 0 where the identity is -1, and which count, ``(K,)`` bool.

    Raises:
        ValueError: If the shapes disagree.
        InputError: If an identity is outside the classifier.
    """
    _check(embeddings, identities)
    if identities.numel() and int(identities.max()) >= len(weight):
        raise InputError(
            f"identity {int(identities.max())} is outside the classifier, which has {len(weight)} "
            "identities: num_ids must be at least the training dataset's num_identities"
        )
    if scale is not None:
        embeddings = scale * F.normalize(embeddings, dim=-1)
    logits = F.linear(embeddings, weight, bias)
    losses = F.cross_entropy(logits.float(), identities, ignore_index=-1, reduction="none")
    return losses, identities >= 0


def hardest_positive(
    embeddings: Tensor, identities: Tensor, scale: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Similarities minus that of the hardest positive, and who has negatives and positives.

    Returns:
        ``(K, K)`` differences, ``(K, K)`` bool negatives, ``(K,)`` bool has a positive.
    """
    _check(embeddings, identities)
    with torch.autocast(embeddings.device.type, enabled=False):
        unit = F.normalize(
            embeddings.to(torch.promote_types(embeddings.dtype, torch.float32)), dim=-1
        )
        similarity = scale * unit @ unit.T
    known = identities >= 0
    same = identities[:, None] == identities[None]
    itself = torch.eye(len(identities), dtype=torch.bool, device=identities.device)
    positive = same & ~itself & known[:, None]
    negative = ~same & known[:, None] & known[None]
    valid = positive.any(dim=1)
    if len(identities) == 0:
        return similarity, negative, valid
    hardest = similarity.masked_fill(~positive, math.inf).amin(dim=1)
    hardest = torch.where(valid, hardest, torch.zeros_like(hardest))
    return similarity - hardest[:, None], negative & valid[:, None], valid


def triplet_loss(
    embeddings: Tensor, identities: Tensor, scale: float = 1.0, margin: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Eq. 1: ``sum_i max(0, f.f_i^- - f.f^+ + margin)``, all negatives, hardest positive.

    Args:
        embeddings: ``(K, D)``, of any length.
        identities: ``(K,)`` int64, -1 none.
        scale: Factor of the cosine similarity.
        margin: The margin that the paper leaves out of its formula.

    Returns:
        Losses ``(K,)`` and which count, ``(K,)`` bool: those with a positive in the batch.
    """
    difference, negative, valid = hardest_positive(embeddings, identities, scale)
    return ((difference + margin).clamp(min=0) * negative).sum(dim=1), valid


def upper_bound_loss(
    embeddings: Tensor, identities: Tensor, scale: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Eq. 2: ``log(1 + sum_i exp(f.f_i^- - f.f^+))``, the smooth upper bound of the triplet loss.

    Arguments and result as :func:`triplet_loss`.
    """
    difference, negative, valid = hardest_positive(embeddings, identities, scale)
    exponents = difference.masked_fill(~negative, -math.inf)
    one = exponents.new_zeros(len(exponents), 1)
    return torch.cat((one, exponents), dim=1).logsumexp(dim=1), valid


@MODELS.register_module()
class IdentityCrossEntropyLoss(nn.Module):
    """Cross-entropy over the training set's identities by one linear classifier.

    Args:
        embed_dims: D.
        num_ids: Identities of the training dataset. None: not known yet; the classifier is then
            made with the shape found in the checkpoint that is loaded, and training is refused.
        scale: Length of embeddings before the classifier; None: :func:`identity_scale`.
        normalize: False: embeddings are classified as they are (IDE, PCB), without a scale.
    """

    needs_identities: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = True

    def __init__(
        self,
        embed_dims: int,
        num_ids: int | None = None,
        scale: float | None = None,
        normalize: bool = True,
    ) -> None:
        super().__init__()
        if scale is not None and not normalize:
            raise InputError(
                f"IdentityCrossEntropyLoss: scale={scale} is for normalize=True: give one of them"
            )
        self.normalize = normalize
        if num_ids is not None and num_ids < 1:
            raise InputError(f"num_ids must be at least 1, got {num_ids}")
        self.embed_dims = embed_dims
        self.fixed_scale = scale
        self.classifier: nn.Linear | None = None
        if num_ids is not None:
            self.classifier = nn.Linear(embed_dims, num_ids)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        weight = state_dict.get(f"{prefix}classifier.weight")
        if self.classifier is None and weight is not None:
            self.classifier = nn.Linear(self.embed_dims, len(weight)).to(weight.device)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    @property
    def num_ids(self) -> int | None:
        """Identities that the classifier knows, None before it has a size."""
        return None if self.classifier is None else self.classifier.out_features

    @property
    def scale(self) -> float:
        """Length of embeddings before the classifier."""
        return identity_scale(self.num_ids or 0) if self.fixed_scale is None else self.fixed_scale

    def forward(self, embeddings: Tensor, identities: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`identity_cross_entropy`."""
        if self.classifier is None:
            raise InputError(
                "the identity classifier has no size: set num_ids of the head to the number of "
                "identities of the training dataset (tools/train.py does so when it is None)"
            )
        scale = self.scale if self.normalize else None
        return identity_cross_entropy(
            embeddings, identities, self.classifier.weight, self.classifier.bias, scale
        )


@MODELS.register_module()
class BatchTripletLoss(nn.Module):
    """:func:`triplet_loss` with fixed ``scale`` and ``margin``; needs batches of frame pairs."""

    needs_identities: ClassVar[bool] = False
    one_by_one: ClassVar[bool] = False

    def __init__(self, scale: float = 1.0, margin: float = 0.0) -> None:
        super().__init__()
        self.scale = scale
        self.margin = margin

    def forward(self, embeddings: Tensor, identities: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`triplet_loss`."""
        return triplet_loss(embeddings, identities, self.scale, self.margin)


@MODELS.register_module()
class BatchUpperBoundLoss(nn.Module):
    """:func:`upper_bound_loss` with fixed ``scale``; needs batches of frame pairs."""

    needs_identities: ClassVar[bool] = False
    one_by_one: ClassVar[bool] = False

    def __init__(self, scale: float = 10.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, embeddings: Tensor, identities: Tensor) -> tuple[Tensor, Tensor]:
        """See :func:`upper_bound_loss`."""
        return upper_bound_loss(embeddings, identities, self.scale)


def mean_of_counted(values: Tensor, counts: Tensor) -> Tensor:
    """The mean of losses ``(K,)`` over those that count ``(K,)``; 0 if none does."""
    return (values * counts).sum() / counts.sum().clamp(min=1)


def build_identity_loss(cfg: dict, embed_dims: int, num_ids: int | None) -> nn.Module:
    """Builds an embedding loss; the sizes go to those that classify (``needs_identities``)."""
    loss_class = MODELS.get(cfg["type"]) if isinstance(cfg["type"], str) else cfg["type"]
    if getattr(loss_class, "needs_identities", False):
        cfg = {"embed_dims": embed_dims, "num_ids": num_ids, **cfg}
    return MODELS.build(cfg)
