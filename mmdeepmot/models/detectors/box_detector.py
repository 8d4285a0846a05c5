"""Any detector of mmdet in a TrackingModel: boxes alone, no appearance.

The first half of separate detection and embedding (JDE paper, Sec. 4.4, Fig. 3: Faster R-CNN, Ren
et al. 2015, and Cascade R-CNN, Cai and Vasconcelos 2018, with ResNet-50 and ResNet-101); the other
is a ReID network (``TrackingModel.reid``).
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.geometry import in_original
from mmdeepmot.registry import MODELS, SCOPE


@MODELS.register_module()
class BoxDetector(BaseModule):
    """A detector of mmdet, with what it lacks here.

    Its boxes go back to the original image, from which the input is scaled *and shifted* (mmdet
    knows of no shift); tracking has a score threshold of its own; of the classes that it knows
    some may be chosen (the people of a detector trained on COCO).

    Args:
        detector: Config of a detector of mmdet (``FasterRCNN``, ``CascadeRCNN``, ``RetinaNet``,
            ...). Its ``test_cfg`` says what is detected at all.
        classes: The detector's classes in the order of the dataset's labels; None: as they are.
        score_thr: Detections with a lower score are not tracked; all count for average precision.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        detector: dict,
        classes: Sequence[int] | None = None,
        score_thr: float = 0.5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.detector: Any = MODELS.build(ConfigDict({"_scope_": SCOPE, **detector}))
        if not hasattr(self.detector, "predict") or hasattr(self.detector, "embedding_maps"):
            raise InputError(
                "BoxDetector.detector must be a detector of mmdet that gives boxes alone, got "
                f"{type(self.detector).__name__}: JDE and FairMOT are a TrackingModel's detector "
                "themselves"
            )
        if not 0 <= score_thr <= 1:
            raise InputError(f"BoxDetector.score_thr must lie in [0, 1], got {score_thr}")
        if classes is not None and (not len(classes) or min(classes) < 0):
            raise InputError(
                f"BoxDetector.classes must be class indices of the detector, got {classes!r}"
            )
        self.classes = None if classes is None else [int(one) for one in classes]
        self.score_thr = score_thr

    def forward(
        self, inputs: Tensor, samples: list[DetDataSample] | None = None, mode: str = "tensor"
    ) -> Any:
        """The detector on images ``(B, 3, H, W)``, as mmdet has it."""
        if mode == "loss":
            return self.loss(inputs, samples or [])
        return self.detector(inputs, samples, mode=mode)

    def loss(self, inputs: Tensor, samples: list[DetDataSample]) -> dict[str, Any]:
        """The detector's losses of images ``(B, 3, H, W)`` with ``gt_instances``."""
        if self.classes is not None:
            for sample in samples:
                truth = sample.gt_instances
                truth.labels = truth.labels.new_tensor(self.classes)[truth.labels]
        return self.detector.loss(inputs, samples)

    @torch.no_grad()
    def predict(
        self, inputs: Tensor, samples: list[DetDataSample], task: str = "track"
    ) -> list[DetDataSample]:
        """Detections of images ``(B, 3, H, W)``, written to ``pred_instances`` of each sample.

        Args:
            inputs: Normalised.
            samples: One an image.
            task: ``'track'``: from ``score_thr`` on; ``'detection'``: all.

        Returns:
            The samples: ``bboxes`` (N, 4) xyxy px of the original image, ``scores`` (N,),
            ``labels`` (N,).
        """
        self.detector.predict(inputs, samples, rescale=False)
        for sample in samples:
            threshold = 0.0 if task == "detection" else self.score_thr
            found = self._chosen(sample.pred_instances, threshold)
            sample.pred_instances = in_original(found.bboxes, found.scores, found.labels, sample)
        return samples

    def _chosen(self, found: InstanceData, threshold: float) -> InstanceData:
        """Detections of the chosen classes from a score on, relabelled."""
        keep = found.scores >= threshold
        if self.classes is not None:
            same = found.labels[:, None] == found.labels.new_tensor(self.classes)
            found.labels = same.int().argmax(dim=1)
            keep = keep & same.any(dim=1)
        return found[keep]
