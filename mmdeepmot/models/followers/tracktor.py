"""Tracktor: a detector's own regression carries boxes from frame to frame.

Bergmann et al., "Tracking without bells and whistles", ICCV 2019, Sec. 2: the box of a track is a
proposal in the next frame; the second stage moves it to the person and says whether there is one.
Trained through the DeepMOT loss in Xu et al., CVPR 2020, Sec. 5.1, where the appearance head is
new. What becomes of tracks (birth, death, suppression) is the business of a tracker config.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.detecting_follower import DetectingFollower
from mmdeepmot.models.mot.follower import Found, Targets
from mmdeepmot.registry import MODELS, SCOPE


@dataclass(frozen=True)
class FeatureMaps:
    """One image through backbone and neck.

    Attributes:
        levels: Maps ``(1, C, h, w)``, the finest first.
        size: (height, width) px of the input, to which boxes are clipped.
    """

    levels: tuple[Tensor, ...]
    size: tuple[int, int]


@MODELS.register_module()
class Tracktor(DetectingFollower):
    """Follows targets by the second stage of a two-stage detector.

    A target's box is looked for at ``targets.near``: features are pooled there, the detector's head
    gives the score of the person class and the regressed box, clipped to the input. Both are
    differentiable into the head, and into what lies below it unless that is frozen.

    With an embedding head it says how any boxes look (:meth:`embed`); it remembers no looks, which
    is left to the loss and to the tracker's memory.

    Args:
        detector: Config of a two-stage detector of mmdet (``FasterRCNN``) whose head has shared
            fully connected layers.
        embedding_head: Config of a ``TrackEmbeddingHead``; None: no appearance.
        person: The detector's class that is followed; detections of others are left out, and those
            of this one have label 0.
        init_cfg: mmengine's initialisation config.
    """

    start_sees = False

    def __init__(
        self,
        detector: dict,
        embedding_head: dict | None = None,
        person: int = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.detector: Any = MODELS.build(ConfigDict({"_scope_": SCOPE, **detector}))
        if not getattr(self.detector, "with_roi_head", False):
            raise InputError(
                "Tracktor.detector must be a two-stage detector with a roi_head (FasterRCNN), got "
                f"{type(self.detector).__name__}"
            )
        classes = self.bbox_head.num_classes
        if not 0 <= person < classes:
            raise InputError(f"Tracktor.person must be one of {classes} classes, got {person}")
        self.embedding_head = None if embedding_head is None else MODELS.build(embedding_head)
        self.person = person

    @property
    def bbox_head(self) -> Any:
        """The second stage's head: class and box."""
        return self.detector.roi_head.bbox_head

    @property
    def has_embeddings(self) -> bool:
        return self.embedding_head is not None

    def forward(
        self,
        inputs: Tensor,
        samples: list[DetDataSample] | None = None,
        mode: str = "tensor",
    ) -> Any:
        """The detector on images ``(B, 3, H, W)``, as mmdet has it."""
        return self.detector(inputs, samples, mode=mode)

    def encode(self, images: Tensor) -> list[FeatureMaps]:
        """Feature maps of T images ``(T, 3, H, W)``, in one pass."""
        levels = self.detector.extract_feat(images)
        size = (int(images.shape[-2]), int(images.shape[-1]))
        return [
            FeatureMaps(tuple(level[index : index + 1] for level in levels), size)
            for index in range(len(images))
        ]

    def start(self, image: FeatureMaps, boxes: Tensor, ids: Tensor) -> Targets:
        return Targets.at(image, boxes, ids)

    def advance(self, image: FeatureMaps, targets: Targets) -> tuple[Found, Targets]:
        boxes, scores = self.refine(image, targets.near)
        valid = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
        return Found(boxes, scores, targets.ids, valid), targets.moved(image, boxes)

    def refine(self, image: FeatureMaps, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes regressed by the head from ``boxes (N, 4)``, and the person's scores ``(N,)``."""
        score, delta = self.bbox_head(self._pool(image, boxes))
        person = score.float().softmax(dim=-1)[:, self.person]
        if not self.bbox_head.reg_class_agnostic:
            delta = delta.view(len(boxes), self.bbox_head.num_classes, 4)[:, self.person]
        decoded = self.bbox_head.bbox_coder.decode(
            boxes.float(), delta.float(), max_shape=image.size
        )
        return decoded, person

    def embed(self, image: FeatureMaps, boxes: Tensor) -> Tensor:
        if self.embedding_head is None:
            return super().embed(image, boxes)
        return self.embedding_head(shared_features(self.bbox_head, self._pool(image, boxes)))

    @torch.no_grad()
    def detect(
        self, images: Sequence[FeatureMaps], samples: list[DetDataSample]
    ) -> list[InstanceData]:
        levels = tuple(torch.cat(maps) for maps in zip(*(i.levels for i in images), strict=True))
        proposals = self.detector.rpn_head.predict(levels, samples, rescale=False)
        found = self.detector.roi_head.predict(levels, proposals, samples, rescale=False)
        people = [one[one.labels == self.person] for one in found]
        for one in people:
            one.labels = torch.zeros_like(one.labels)
        return people

    def loss(self, inputs: Tensor, samples: list[DetDataSample]) -> dict[str, Any]:
        return self.detector.loss(inputs, samples)

    def _pool(self, image: FeatureMaps, boxes: Tensor) -> Tensor:
        """Features ``(N, C, h, w)`` of ``boxes (N, 4)``; no gradient into the boxes.

        In single precision: mmdet gives the boxes the features' type, and bfloat16 tells x = 411 px
        from 412 no more.
        """
        extractor = self.detector.roi_head.bbox_roi_extractor
        with torch.autocast(boxes.device.type, enabled=False):
            levels = tuple(level.float() for level in image.levels[: extractor.num_inputs])
            return extractor(levels, bbox2roi([boxes.detach().float()]))


def shared_features(head: Any, pooled: Tensor) -> Tensor:
    """Features ``(N, F)`` that class and box are read from.

    Args:
        head: A ``ConvFCBBoxHead`` of mmdet (``Shared2FCBBoxHead``).
        pooled: ``(N, C, h, w)``.
    """
    for conv in head.shared_convs:
        pooled = conv(pooled)
    if head.num_shared_fcs and head.with_avg_pool:
        pooled = head.avg_pool(pooled)
    features = pooled.flatten(1)
    relu: nn.Module = head.relu
    for layer in head.shared_fcs:
        features = relu(layer(features))
    return features
