"""A ReID network: crops of people in, embeddings out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.model import BaseModule
from torch import Tensor

from mmdeepmot.engine.checkpoint import CheckpointError, load_checkpoint
from mmdeepmot.engine.weights import state_dict_of
from mmdeepmot.errors import InputError
from mmdeepmot.models.reid.crops import crop_boxes
from mmdeepmot.models.utils.external import keep_out_of_checkpoints
from mmdeepmot.registry import MODELS, SCOPE


@MODELS.register_module()
class ReIDNet(BaseModule):
    """Backbone and head on crops; trained by crops, asked for boxes of images.

    It sees what the ``data_preprocessor`` of the model around it makes of images: train and use it
    with the same normalisation.

    Args:
        backbone: Config of a backbone of mmdet; its last map is used.
        head: Config of a head with ``forward(maps) -> (N, D)`` and ``loss(maps, identities)``.
        crop_size: (width, height) px of the crops.
        weights: Checkpoint of a training of this network, as it is or inside a ``TrackingModel``;
            read when it is first asked. The network is then external: it is not trained, has no
            losses, and is not part of the checkpoints of the model that it serves. None: a part
            like any other.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        crop_size: tuple[int, int] = (128, 256),
        weights: str | Path | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(crop_size) != 2 or min(crop_size) < 1:
            raise InputError(f"ReIDNet.crop_size must be (width, height) px, got {crop_size!r}")
        self.backbone: Any = MODELS.build({"_scope_": SCOPE, **backbone})
        self.external = weights is not None
        if self.external:
            head = {key: value for key, value in head.items() if not key.startswith("loss_")}
        self.head: Any = MODELS.build(head)
        self.crop_size = (int(crop_size[0]), int(crop_size[1]))
        self._unread = None if weights is None else Path(weights)
        if self.external:
            self.requires_grad_(False).eval()
            keep_out_of_checkpoints(self)

    def forward(self, crops: Tensor, *_: Any, **__: Any) -> Tensor:
        """Embeddings ``(N, D)`` of unit length from crops ``(N, 3, h, w)``, normalised.

        Raises:
            FileNotFoundError: There are no such ``weights``.
            CheckpointError: They are those of another network.
        """
        if self._unread is not None:
            self._read(self._unread)
            self._unread = None
        return self.head(self.backbone(crops)[-1])

    def loss(self, inputs: Tensor, samples: list[DetDataSample]) -> dict[str, Tensor]:
        """Losses of crops ``(N, 3, h, w)``, one identity each (``gt_instances.instances_ids``)."""
        identities = [sample.gt_instances.instances_ids for sample in samples]
        if any(len(one) != 1 for one in identities):
            raise InputError(
                "ReIDNet learns from crops with one box each, got samples with "
                f"{sorted({len(one) for one in identities})} boxes: use IdentityCropDataset"
            )
        return self.head.loss(self.backbone(inputs)[-1], torch.cat(identities))

    def embed(self, images: Tensor, boxes: Sequence[Tensor]) -> list[Tensor]:
        """Embeddings of given boxes.

        Args:
            images: ``(T, 3, H, W)``, normalised.
            boxes: For each image ``(N, 4)`` xyxy px.

        Returns:
            For each image ``(N, D)`` of unit length.
        """
        counts = [len(one) for one in boxes]
        return list(self(crop_boxes(images, boxes, self.crop_size)).split(counts))

    def train(self, mode: bool = True) -> "ReIDNet":
        """An external network stays in test mode."""
        mode = mode and not self.external
        super().train(mode)
        self.backbone.train(mode)  # mmdet's return None
        return self

    def init_weights(self) -> None:
        """Nothing, where the weights are there."""
        if not self.external:
            super().init_weights()

    def _read(self, path: Path) -> None:
        weights = state_dict_of(load_checkpoint(path))
        inside = {k.removeprefix("reid."): v for k, v in weights.items() if k.startswith("reid.")}
        own = dict((*self.named_parameters(), *self.named_buffers()))
        given = {k: v for k, v in (inside or weights).items() if not k.startswith("head.loss_")}
        wrong = sorted(
            key
            for key in own.keys() | given.keys()
            if getattr(own.get(key), "shape", None) != getattr(given.get(key), "shape", None)
        )
        if wrong:
            raise CheckpointError(
                f"{path}: weights of another ReID network: {len(wrong)} of {len(own)} tensors are "
                f"missing, unknown or of another shape, the first: {', '.join(wrong[:5])}. Use the "
                "backbone and head that they were trained with"
            )
        with torch.no_grad():
            for key, value in given.items():
                own[key].copy_(value)
