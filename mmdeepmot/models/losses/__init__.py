"""Losses, and how they are weighted against each other."""

from mmdeepmot.models.losses.balance import (
    AppOptWeights,
    Balance,
    LossNormWeights,
    MGDAUBWeights,
    UncertaintyWeights,
    UniformWeights,
)
from mmdeepmot.models.losses.embedding import (
    BatchTripletLoss,
    BatchUpperBoundLoss,
    IdentityCrossEntropyLoss,
    build_identity_loss,
)
from mmdeepmot.models.losses.min_norm import min_norm_weights

__all__ = [
    "AppOptWeights",
    "Balance",
    "BatchTripletLoss",
    "BatchUpperBoundLoss",
    "IdentityCrossEntropyLoss",
    "LossNormWeights",
    "MGDAUBWeights",
    "UncertaintyWeights",
    "UniformWeights",
    "build_identity_loss",
    "min_norm_weights",
]
