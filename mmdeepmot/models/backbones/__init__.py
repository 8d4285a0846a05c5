"""Backbones that mmdet lacks."""

from mmdeepmot.models.backbones.dla import DLA

__all__ = ["DLA"]
