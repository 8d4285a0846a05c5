"""Whole trackers: a detector and a tracker as one model."""

from mmdeepmot.models.mot.matcher_model import AssignmentResult, MatcherModel
from mmdeepmot.models.mot.tracking_model import TrackingModel

__all__ = ["AssignmentResult", "MatcherModel", "TrackingModel"]
