"""Losses, and how they are weighted against each other."""

from mmdeepmot.models.losses.balance import (
    AppOptWeights,
    Balance,
    LossNormWeights,
    MGDAUBWeights,
    UncertaintyWeights,
    UniformWeights,
)
from mmdeepmot.models.losses.batch_hard import BatchHardTripletLoss
from mmdeepmot.models.losses.box_distance import box_distance
from mmdeepmot.models.losses.clip_criteria import (
    ClipCriterion,
    DeepMOTCriterion,
    SmoothL1Criterion,
)
from mmdeepmot.models.losses.clip_rows import ClipRows
from mmdeepmot.models.losses.deepmot import DeepMOTLoss, DeepMOTTerms, deepmot_loss
from mmdeepmot.models.losses.deepmot_history import MatchHistory
from mmdeepmot.models.losses.deepmot_options import DeepMOTOptions
from mmdeepmot.models.losses.embedding import (
    BatchTripletLoss,
    BatchUpperBoundLoss,
    IdentityCrossEntropyLoss,
    build_identity_loss,
)
from mmdeepmot.models.losses.focal_assignment import (
    FocalAssignmentLoss,
    focal_assignment_loss,
)
from mmdeepmot.models.losses.min_norm import min_norm_weights

__all__ = [
    "AppOptWeights",
    "Balance",
    "BatchHardTripletLoss",
    "BatchTripletLoss",
    "BatchUpperBoundLoss",
    "ClipCriterion",
    "ClipRows",
    "DeepMOTCriterion",
    "DeepMOTLoss",
    "DeepMOTOptions",
    "DeepMOTTerms",
    "FocalAssignmentLoss",
    "IdentityCrossEntropyLoss",
    "LossNormWeights",
    "MGDAUBWeights",
    "MatchHistory",
    "SmoothL1Criterion",
    "UncertaintyWeights",
    "UniformWeights",
    "box_distance",
    "build_identity_loss",
    "deepmot_loss",
    "focal_assignment_loss",
    "min_norm_weights",
]
