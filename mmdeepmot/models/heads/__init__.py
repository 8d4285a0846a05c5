"""Prediction heads."""

from mmdeepmot.models.heads.fairmot_head import FairMOTHead
from mmdeepmot.models.heads.jde_head import JDEHead

__all__ = ["FairMOTHead", "JDEHead"]
