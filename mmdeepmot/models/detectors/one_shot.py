"""What one-shot detectors share: detections and appearance from one network, one head."""

from collections.abc import Sequence
from typing import Literal, get_args

from mmdet.models.detectors import SingleStageDetector
from mmdet.structures import DetDataSample
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmdeepmot.errors import InputError
from mmdeepmot.models.heads.embedding_map import EmbeddingMap
from mmdeepmot.models.utils.initial_weights import loads_weights
from mmdeepmot.registry import SCOPE

FreezeBN = Literal["auto", "none", "backbone", "all"]


def is_pretrained(backbone: dict) -> bool:
    """Whether a backbone's config loads weights (an ``init_cfg`` whose type says so, or the older
    ``pretrained``)."""
    return bool(backbone.get("pretrained")) or loads_weights(backbone.get("init_cfg"))


class OneShotDetector(SingleStageDetector):
    """Base of detectors whose head also gives embeddings.

    Args:
        backbone: Config.
        neck: Config or None.
        bbox_head: Config of a head with ``loss``, ``predict``, ``embed`` and ``embedding_maps``.
        freeze_bn: Whose batch normalisation keeps its scale and shift. ``'auto'``: the backbone's
            when it loads pretrained weights, else none's: frozen normalisation of random
            weights would only cripple the network. ``'all'``: every one, as the published code.
            Running statistics are always updated (``norm_eval`` of the backbone says otherwise).
        train_cfg: Passed to the head.
        test_cfg: Passed to the head.
        data_preprocessor: Config; not needed inside a ``TrackingModel``.
        init_cfg: mmengine's initialisation config.
        size_divisor: Height and width of the input must be multiples of this, the largest stride
            inside the backbone; None: :meth:`default_divisor`.
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
        size_divisor: int | None = None,
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
        self.size_divisor = size_divisor or self.default_divisor()

    def default_divisor(self) -> int:
        """What height and width of the input must be multiples of, if the config does not say."""
        raise NotImplementedError

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps ``(B, C, H, W)`` of images ``(B, 3, H', W')``.

        Raises:
            InputError: If height or width is not a multiple of ``size_divisor``.
        """
        height, width = batch_inputs.shape[-2:]
        divisor = self.size_divisor
        if height % divisor or width % divisor:
            raise InputError(
                f"the input's height and width must be multiples of {divisor}, got "
                f"{height}x{width} (HxW): set the size of Letterbox or the preprocessor's "
                "pad_size_divisor"
            )
        return tuple(super().extract_feat(batch_inputs))

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
            ``(N,)`` bool (the head has a place for the box).
        """
        return self.bbox_head.embed(self.extract_feat(batch_inputs), boxes)

    def embedding_maps(self, batch_inputs: Tensor) -> list[EmbeddingMap]:
        """The dense embeddings of images ``(B, 3, H, W)``, normalised: one map a scale."""
        return self.bbox_head.embedding_maps(self.extract_feat(batch_inputs))
