"""IDE: the ID-discriminative embedding, features of a classifier of people.

Zheng, Yang and Hauptmann, "Person Re-identification: Past, Present and Future", 2016, Sec. 4; the
JDE paper's [47]. Global average pooling, dropout, one linear classifier over the identities of the
training data (softmax, unnormalised features); what is pooled is what is compared at inference.
"""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.models.losses.embedding import build_identity_loss, mean_of_counted
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class IDEHead(BaseModule):
    """Pooled features as the embedding, a classifier over them in training.

    Args:
        in_channels: D, of the backbone's last map.
        dropout: Share of the features that the classifier does not see (0.5).
        num_ids: Identities of the training data; None: as many as it has (tools/train.py).
        loss_id: Config of the loss of the classifier; None: none.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int,
        dropout: float = 0.5,
        num_ids: int | None = None,
        loss_id: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.embed_dims = in_channels
        self.drop = nn.Dropout(dropout)
        self.loss_id = (
            None if loss_id is None else build_identity_loss(loss_id, in_channels, num_ids)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Embeddings ``(N, D)`` of unit length from maps ``(N, D, h, w)``."""
        return F.normalize(maps.mean(dim=(2, 3)).float(), dim=-1)

    def loss(self, maps: Tensor, identities: Tensor) -> dict[str, Tensor]:
        """Loss of crops with ``identities (N,)``, -1: none; the mean over those that count."""
        if self.loss_id is None:
            return {}
        pooled = self.drop(maps.mean(dim=(2, 3)))
        return {"loss_id": mean_of_counted(*self.loss_id(pooled, identities))}
