"""Followers that detect too, with the features of the same pass over the image."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor

from mmdeepmot.models.mot.follower import Follower


class DetectingFollower(Follower):
    """A follower made of a detector: all boxes are xyxy px of the network's input."""

    @abstractmethod
    def detect(self, images: Sequence[Any], samples: list[DetDataSample]) -> list[InstanceData]:
        """Detections of T images, as ``encode`` gave them.

        Returns:
            For each image ``bboxes (N, 4)``, ``scores (N,)`` in [0, 1] and ``labels (N,)``.
        """

    @abstractmethod
    def refine(self, image: Any, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """What it makes of detections ``boxes (N, 4)`` of others: boxes ``(N, 4)``, scores
        ``(N,)`` in [0, 1]."""

    @abstractmethod
    def loss(self, inputs: Tensor, samples: list[DetDataSample]) -> dict[str, Any]:
        """Losses of the detector on images ``(B, 3, H, W)``."""
