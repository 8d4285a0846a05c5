"""PCB: a part-based convolutional baseline, one feature for each stripe of a person.

Sun et al., "Beyond Part Models: Person Retrieval with Refined Part Pooling", ECCV 2018, Sec. 3.2:
the map is cut into p = 6 horizontal stripes, each is averaged, reduced to 256 channels by a 1x1
convolution of its own and classified by a classifier of its own; the losses add up. The embedding
is the concatenation of the reduced features (their H). Refined part pooling (Sec. 3.4), a second
stage of training, is not used. For a map high enough the backbone's last stage keeps its
resolution, and crops are 128x384 (Sec. 3.3).
"""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.losses.embedding import build_identity_loss, mean_of_counted
from mmdeepmot.registry import MODELS


def stripes(maps: Tensor, parts: int) -> Tensor:
    """Means ``(N, parts, C)`` of horizontal stripes of equal height of maps ``(N, C, h, w)``.

    Raises:
        InputError: The map is lower than it has stripes.
    """
    if maps.shape[2] < parts:
        raise InputError(
            f"PCBHead: {parts} stripes need a map at least {parts} high, got {maps.shape[2]} (of "
            "the crops' height over the backbone's stride): use higher crops, strides=(1, 2, 2, 1) "
            "in the backbone, or fewer parts"
        )
    return F.adaptive_avg_pool2d(maps, (parts, 1)).squeeze(-1).transpose(1, 2)


@MODELS.register_module()
class PCBHead(BaseModule):
    """Stripes, each reduced and classified by itself.

    Args:
        in_channels: C, of the backbone's last map.
        parts: p, stripes (6).
        part_dims: Features of a stripe (256); the embedding has ``parts * part_dims``.
        dropout: Share of a stripe's mean that is left out in training (0.5).
        num_ids: Identities of the training data; None: as many as it has (tools/train.py).
        loss_id: Config of the loss of every stripe's classifier; None: none.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int,
        parts: int = 6,
        part_dims: int = 256,
        dropout: float = 0.5,
        num_ids: int | None = None,
        loss_id: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if parts < 1:
            raise InputError(f"PCBHead.parts must be at least 1, got {parts}")
        self.parts = parts
        self.embed_dims = parts * part_dims
        self.drop = nn.Dropout(dropout)
        self.reduce = nn.ModuleList(
            nn.Sequential(
                nn.Linear(in_channels, part_dims), nn.BatchNorm1d(part_dims), nn.ReLU(inplace=True)
            )
            for _ in range(parts)
        )
        self.loss_id = (
            None
            if loss_id is None
            else nn.ModuleList(
                build_identity_loss(loss_id, part_dims, num_ids) for _ in range(parts)
            )
        )

    def features(self, maps: Tensor) -> list[Tensor]:
        """For each stripe its features ``(N, part_dims)``, from maps ``(N, C, h, w)``."""
        pooled = self.drop(stripes(maps, self.parts)).unbind(dim=1)
        return [reduce(one) for reduce, one in zip(self.reduce, pooled, strict=True)]

    def forward(self, maps: Tensor) -> Tensor:
        """Embeddings ``(N, parts * part_dims)`` of unit length from maps ``(N, C, h, w)``."""
        return F.normalize(torch.cat(self.features(maps), dim=1).float(), dim=-1)

    def loss(self, maps: Tensor, identities: Tensor) -> dict[str, Tensor]:
        """Sum over the stripes of the losses of crops with ``identities (N,)``, -1: none."""
        if self.loss_id is None:
            return {}
        losses = [
            mean_of_counted(*loss(one, identities))
            for loss, one in zip(self.loss_id, self.features(maps), strict=True)
        ]
        return {"loss_id": torch.stack(losses).sum()}
