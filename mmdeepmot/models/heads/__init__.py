"""Prediction heads."""

from mmdeepmot.models.heads.jde_head import JDEHead

__all__ = ["JDEHead"]
