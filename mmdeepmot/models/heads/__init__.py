"""Prediction heads."""

from mmdeepmot.models.heads.fairmot_head import FairMOTHead
from mmdeepmot.models.heads.jde_head import JDEHead
from mmdeepmot.models.heads.track_embedding_head import TrackEmbeddingHead

__all__ = ["FairMOTHead", "JDEHead", "TrackEmbeddingHead"]
