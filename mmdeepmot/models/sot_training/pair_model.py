"""Training of single-object trackers on pairs of frames: what makes a follower "pre-trained"."""

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.heads.samples import ground_truth
from mmdeepmot.models.mot.detection_source import Source
from mmdeepmot.models.mot.tracking_model import Task, TrackingModel
from mmdeepmot.models.sot_training.pairs import FramePair, common_targets
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class SOTPairModel(TrackingModel):
    """A follower that learns to find again, in one frame, whom another frame shows.

    Only the follower learns. It predicts as any
    :class:`~mmdeepmot.models.mot.tracking_model.TrackingModel`; its checkpoints are a start
    (``load_from``) of :class:`~mmdeepmot.models.mot.deepmot.DeepMOTModel`.

    Args:
        follower: Config of a follower (``SiamRPN``, ``GOTURN``).
        loss: Config of what makes crops of pairs and losses of them (``SiamRPNPairLoss``,
            ``GOTURNPairLoss``): a module that takes the follower and a list of
            :class:`~mmdeepmot.models.sot_training.pairs.FramePair`. Its ``follower_type``, if it
            has one, is the class that it is for.
        max_targets: At most so many targets of a pair, drawn at random; None: all.
        min_side: px; smaller boxes are left out.
        detections: As the next ones, see
            :class:`~mmdeepmot.models.mot.tracking_model.TrackingModel`.
        detector: See there; not trained.
        tracker: See there; not needed to train.
        reid: See there; not trained.
        camera: See there.
        data_preprocessor: Config; ``MOTDataPreprocessor`` by default.
        task: See there.
        init_cfg: mmengine's initialisation config.

    Raises:
        InputError: The loss is that of another follower.
    """

    def __init__(
        self,
        follower: dict[str, Any],
        loss: dict[str, Any],
        max_targets: int | None = 16,
        min_side: float = 4.0,
        detections: Source = "public",
        detector: dict[str, Any] | None = None,
        tracker: dict[str, Any] | None = None,
        reid: dict[str, Any] | None = None,
        camera: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        task: Task = "track",
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            detector=detector,
            tracker=tracker,
            data_preprocessor=data_preprocessor,
            task=task,
            camera=camera,
            follower=follower,
            reid=reid,
            detections=detections,
            init_cfg=init_cfg,
        )
        self.pair_loss = MODELS.build(loss)
        taken = getattr(self.pair_loss, "follower_type", object)
        if not isinstance(self.follower, taken):
            raise InputError(
                f"SOTPairModel: {type(self.pair_loss).__name__} is the loss of a {taken.__name__}, "
                f"the follower is a {type(self.follower).__name__}"
            )
        self.max_targets, self.min_side = max_targets, min_side
        for other in (self.detector, self.reid):
            if other is not None:
                other.requires_grad_(False)

    def train(self, mode: bool = True) -> "SOTPairModel":
        """Sets the mode of the follower; other networks stay in evaluation mode."""
        super().train(mode)
        for other in (self.detector, self.reid):
            if other is not None:
                other.eval()
        return self

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[TrackDataSample] | None = None,
        mode: str = "tensor",
    ) -> Any:
        """Losses of pairs of frames, the pairs, or what is tracked in clips.

        Args:
            inputs: ``(B, 2, 3, H, W)``; ``(B, T, 3, H, W)`` for ``mode='predict'``.
            data_samples: One a pair, with ``gt_instances`` (bboxes xyxy px of the input,
                instances_ids) in both frames.
            mode: ``'loss'``; ``'tensor'`` for the list of :class:`FramePair` with targets;
                ``'predict'``.

        Raises:
            InputError: The inputs are no pairs, or come without truth.
        """
        if mode not in ("loss", "tensor"):
            return super().forward(inputs, data_samples, mode)
        if inputs.dim() != 5 or inputs.shape[1] != 2:
            raise InputError(
                "SOTPairModel takes pairs of frames (B, 2, 3, H, W), got "
                f"{tuple(inputs.shape)}: use FramePairDataset"
            )
        if data_samples is None:
            raise InputError("SOTPairModel needs data_samples: the true boxes of both frames")
        found = (
            self._pair(images, list(sample))
            for images, sample in zip(inputs, data_samples, strict=True)
        )
        pairs = [pair for pair in found if len(pair)]
        if mode == "tensor":
            return pairs
        if not pairs:  # several processes wait for all gradients
            return {"loss": torch.stack([0 * p.sum() for p in self.follower.parameters()]).sum()}
        return self.pair_loss(self.follower, pairs)

    def _pair(self, images: Tensor, frames: Sequence[DetDataSample]) -> FramePair:
        truth = ground_truth(frames, images.device)
        with torch.no_grad():
            targets = common_targets(truth.boxes, truth.identities, self.max_targets, self.min_side)
        return FramePair(images[0], images[1], *targets)
