"""JDE: detection and appearance in one single-shot network.

Paper: Wang et al., "Towards Real-Time Multi-Object Tracking", ECCV 2020.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from mmdet.models.detectors import SingleStageDetector
from mmdet.structures import DetDataSample
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmdeepmot.errors import InputError
from mmdeepmot.models.utils.darknet_weights import DarknetPretrainedInit
from mmdeepmot.registry import MODELS, SCOPE

FreezeBN = Literal["auto", "none", "backbone", "all"]


def is_pretrained(backbone: dict) -> bool:
    """Whether a backbone's config loads weights (``init_cfg`` or the older ``pretrained``)."""
    init_cfg = backbone.get("init_cfg") or []
    entries = [init_cfg] if isinstance(init_cfg, dict) else init_cfg
    loads = ("Pretrained", DarknetPretrainedInit.__name__, DarknetPretrainedInit)
    return bool(backbone.get("pretrained")) or any(e["type"] in loads for e in entries)


@MODELS.register_module()
class JDE(SingleStageDetector):
    """Single-shot detector whose head also gives embeddings.

    Args:
        backbone: Config; three feature maps of rising stride.
        neck: Config; maps in either order (they are sorted, finest first).
        bbox_head: Config of a ``JDEHead``.
        freeze_bn: Whose batch normalisation keeps its scale and shift. ``'auto'``: the backbone's
            when it loads pretrained weights, else none's: frozen normalisation of random
            weights would only cripple the network. ``'all'``: every one, as the published code.
            Running statistics are always updated (``norm_eval`` of the backbone says otherwise).
        train_cfg: Passed to the head.
        test_cfg: Passed to the head.
        data_preprocessor: Config; not needed inside a ``TrackingModel``.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict | None,
        bbox_head: dict,
        freeze_bn: FreezeBN = "auto",
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if freeze_bn not in get_args(FreezeBN):
            raise InputError(f"freeze_bn must be one of {get_args(FreezeBN)}, got {freeze_bn!r}")
        # mmdet builds the parts from its own registry: the scope lets it find ours.
        super().__init__(
            backbone={"_scope_": SCOPE, **backbone},
            neck=None if neck is None else {"_scope_": SCOPE, **neck},
            bbox_head={"_scope_": SCOPE, **bbox_head},
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
        )
        if freeze_bn == "auto":
            freeze_bn = "backbone" if is_pretrained(backbone) else "none"
        if freeze_bn != "none":
            for module in (self if freeze_bn == "all" else self.backbone).modules():
                if isinstance(module, _BatchNorm) and module.affine:
                    module.requires_grad_(False)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps ``(B, C, H, W)`` of images ``(B, 3, H', W')``, finest first.

        Raises:
            ValueError: If height or width is not a multiple of the largest stride.
        """
        height, width = batch_inputs.shape[-2:]
        largest = self.bbox_head.strides[-1]
        if height % largest or width % largest:
            raise InputError(
                f"the input's height and width must be multiples of {largest}, got "
                f"{height}x{width} (HxW): set the size of Letterbox or the preprocessor's "
                "pad_size_divisor"
            )
        features = super().extract_feat(batch_inputs)
        return tuple(sorted(features, key=lambda feature: -feature.shape[-1]))

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: list[DetDataSample],
        rescale: bool = True,
        task: str = "track",
    ) -> list[DetDataSample]:
        """Detections of images ``(B, 3, H, W)``, written to ``pred_instances`` of each sample.

        Args:
            batch_inputs: ``(B, 3, H, W)``, normalised.
            batch_data_samples: One an image.
            rescale: Whether boxes are given in px of the original image.
            task: ``'track'``, or ``'detection'`` for the settings of average precision.

        Returns:
            The samples; ``bboxes`` (N, 4) xyxy px, ``scores`` (N,), ``labels`` (N,),
            ``embeddings`` (N, D) L2-normalised.
        """
        features = self.extract_feat(batch_inputs)
        results = self.bbox_head.predict(features, batch_data_samples, rescale=rescale, task=task)
        return self.add_pred_to_datasample(batch_data_samples, results)

    def embed(self, batch_inputs: Tensor, boxes: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Embeddings of given boxes.

        Args:
            batch_inputs: ``(B, 3, H, W)``, normalised.
            boxes: For each image ``(N, 4)`` xyxy px of the input.

        Returns:
            For each image embeddings ``(N, D)``, L2-normalised, and whether they are valid
            ``(N,)`` bool (an anchor overlaps the box enough).
        """
        return self.bbox_head.embed(self.extract_feat(batch_inputs), boxes)
