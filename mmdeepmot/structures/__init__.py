"""Structures that every layer shares: boxes, frames, tracks."""

from mmdeepmot.structures.frame import Detections, Frame, Tracks

__all__ = ["Detections", "Frame", "Tracks"]
