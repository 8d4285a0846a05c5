"""Whole trackers: a detector and a tracker as one model."""

from mmdeepmot.models.mot.tracking_model import TrackingModel

__all__ = ["TrackingModel"]
