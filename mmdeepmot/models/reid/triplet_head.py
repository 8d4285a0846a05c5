"""The triplet network (TriNet): an embedding learnt by batch-hard triplets alone.

Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017,
Sec. 4.2: pooled features, a linear layer of 1024 with batch normalisation and ReLU, one of 128.
Departure: similarities are cosines and the margin is hard, for trackers compare by the cosine;
there Euclidean distances and a soft margin.
"""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.models.losses.embedding import mean_of_counted
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class TripletHead(BaseModule):
    """Pooling and two linear layers.

    Args:
        in_channels: Of the backbone's last map.
        hidden: Width of the first layer (1024).
        embed_dims: D (128).
        loss_triplet: Config of the loss; it needs batches with several crops a person
            (``IdentitySampler``). None: none.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int,
        hidden: int = 1024,
        embed_dims: int = 128,
        loss_triplet: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.embed_dims = embed_dims
        self.layers = nn.Sequential(
            nn.Linear(in_channels, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, embed_dims),
        )
        self.loss_triplet = None if loss_triplet is None else MODELS.build(loss_triplet)

    def forward(self, maps: Tensor) -> Tensor:
        """Embeddings ``(N, D)`` of unit length from maps ``(N, C, h, w)``."""
        return F.normalize(self.layers(maps.mean(dim=(2, 3))).float(), dim=-1)

    def loss(self, maps: Tensor, identities: Tensor) -> dict[str, Tensor]:
        """Loss of crops with ``identities (N,)``, -1: none; the mean over those that count."""
        if self.loss_triplet is None:
            return {}
        embeddings = self.layers(maps.mean(dim=(2, 3)))
        return {"loss_triplet": mean_of_counted(*self.loss_triplet(embeddings, identities))}
