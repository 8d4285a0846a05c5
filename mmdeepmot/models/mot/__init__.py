"""Whole trackers: a detector and a tracker as one model, and what trains them."""

from mmdeepmot.models.mot.box_noise import BoxNoise
from mmdeepmot.models.mot.deepmot import DeepMOTModel
from mmdeepmot.models.mot.follower import Follower, Found, Targets
from mmdeepmot.models.mot.matcher_model import AssignmentResult, MatcherModel
from mmdeepmot.models.mot.tracking_model import TrackingModel

__all__ = [
    "AssignmentResult",
    "BoxNoise",
    "DeepMOTModel",
    "Follower",
    "Found",
    "MatcherModel",
    "Targets",
    "TrackingModel",
]
