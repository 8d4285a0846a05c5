"""Detectors."""

from mmdeepmot.models.detectors.jde import JDE

__all__ = ["JDE"]
