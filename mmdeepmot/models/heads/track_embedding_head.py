"""The appearance head of Tracktor.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 5.1 (+ReIDhead, a
fully-connected layer with 128 units).
"""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.registry import MODELS


@MODELS.register_module()
class TrackEmbeddingHead(BaseModule):
    """One linear layer, L2-normalised, on the features that class and box are read from.

    Args:
        in_features: Of the detector's shared fully connected layers.
        embed_dims: D.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self, in_features: int = 1024, embed_dims: int = 128, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg or {"type": "Xavier", "layer": "Linear"})
        self.embed_dims = embed_dims
        self.fc = nn.Linear(in_features, embed_dims)

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings ``(N, D)`` of unit length from features ``(N, in_features)``."""
        return F.normalize(self.fc(features).float(), dim=-1)
