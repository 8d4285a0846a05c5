"""Head of a ReID network: pooled features, batch-normalised between two losses.

Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification", CVPR-W 2019,
Sec. 3.5 (BNNeck): the triplet loss sees the pooled features, the identity loss the normalised ones,
which are also what is compared at inference. The triplet loss is that of Tracktor's ReID network
(Hermans et al. 2017, batch-hard).
"""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.models.losses.embedding import build_identity_loss, mean_of_counted
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class BNNeckHead(BaseModule):
    """Global average pooling, a linear layer if the embedding is to be shorter, BNNeck.

    Args:
        in_channels: Of the backbone's last map.
        embed_dims: D; None: as many as channels, without a linear layer.
        num_ids: Identities of the training data; None: as many as it has (tools/train.py).
        loss_id: Config of the loss on normalised features; None: none.
        loss_triplet: Config of the loss on pooled features; None: none.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int,
        embed_dims: int | None = None,
        num_ids: int | None = None,
        loss_id: dict | None = None,
        loss_triplet: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.embed_dims = embed_dims or in_channels
        self.reduce = nn.Linear(in_channels, embed_dims) if embed_dims else nn.Identity()
        self.bn = nn.BatchNorm1d(self.embed_dims)
        nn.init.zeros_(self.bn.bias)
        self.bn.bias.requires_grad_(False)  # as published: no shift before a cosine
        self.loss_id = None if loss_id is None else self._build(loss_id, num_ids)
        self.loss_triplet = None if loss_triplet is None else self._build(loss_triplet, num_ids)

    def _build(self, loss: dict, num_ids: int | None) -> nn.Module:
        return build_identity_loss(loss, self.embed_dims, num_ids)

    def pool(self, maps: Tensor) -> Tensor:
        """Features ``(N, D)`` from maps ``(N, C, h, w)``, before normalisation."""
        return self.reduce(maps.mean(dim=(2, 3)))

    def forward(self, maps: Tensor) -> Tensor:
        """Embeddings ``(N, D)`` of unit length from maps ``(N, C, h, w)``."""
        return F.normalize(self.bn(self.pool(maps)).float(), dim=-1)

    def loss(self, maps: Tensor, identities: Tensor) -> dict[str, Tensor]:
        """Losses of crops with ``identities (N,)``, -1: none; means over those that count."""
        pooled = self.pool(maps)
        losses = {}
        if self.loss_triplet is not None:
            losses["loss_triplet"] = mean_of_counted(*self.loss_triplet(pooled, identities))
        if self.loss_id is not None:
            losses["loss_id"] = mean_of_counted(*self.loss_id(self.bn(pooled), identities))
        return losses
