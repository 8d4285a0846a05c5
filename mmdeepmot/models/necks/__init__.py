"""Necks that mmdet lacks: from a backbone's levels to one fine map."""

from mmdeepmot.models.necks.dla_up import DLAUp
from mmdeepmot.models.necks.fpn_up import FPNUp

__all__ = ["DLAUp", "FPNUp"]
