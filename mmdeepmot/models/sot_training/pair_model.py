"""Training of single-object trackers on pairs of frames: what makes a follower "pre-trained"."""

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.model import BaseModel
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.heads.samples import ground_truth
from mmdeepmot.models.sot_training.pairs import FramePair, common_targets
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class SOTPairModel(BaseModel):
    """A follower that learns to find again, in one frame, whom another frame shows.

    Its checkpoints hold the follower under the same name as
    :class:`~mmdeepmot.models.mot.deepmot.DeepMOTModel` and the tracking model do: these start from
    them by ``load_from``.

    Args:
        follower: Config of a follower (``SiamRPN``, ``GOTURN``).
        loss: Config of what makes crops of pairs and losses of them (``SiamRPNPairLoss``,
            ``GOTURNPairLoss``): a module that takes the follower and a list of
            :class:`~mmdeepmot.models.sot_training.pairs.FramePair`.
        max_targets: At most so many targets of a pair, drawn at random; None: all.
        min_side: px; smaller boxes are left out.
        data_preprocessor: Config; ``MOTDataPreprocessor`` by default.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        follower: dict[str, Any],
        loss: dict[str, Any],
        max_targets: int | None = 16,
        min_side: float = 4.0,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = MODELS.build(data_preprocessor or {"type": "MOTDataPreprocessor"})
        super().__init__(preprocessor, init_cfg)
        self.follower = MODELS.build(follower)
        self.pair_loss = MODELS.build(loss)
        self.max_targets, self.min_side = max_targets, min_side

    def forward(
        self,
        inputs: Tensor,
        data_samples: Sequence[TrackDataSample] | None = None,
        mode: str = "tensor",
    ) -> Any:
        """Losses of pairs of frames, or the pairs.

        Args:
            inputs: ``(B, 2, 3, H, W)``.
            data_samples: One a pair, with ``gt_instances`` (bboxes xyxy px of the input,
                instances_ids) in both frames.
            mode: ``'loss'``, or ``'tensor'`` for the list of :class:`FramePair` with targets.

        Raises:
            InputError: The inputs are no pairs, or come without truth.
        """
        if mode not in ("loss", "tensor"):
            raise ValueError(f"SOTPairModel trains: mode must be 'loss' or 'tensor', got {mode!r}")
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
            return {"loss": 0 * sum(p.sum() for p in self.follower.parameters())}
        return self.pair_loss(self.follower, pairs)

    def _pair(self, images: Tensor, frames: Sequence[DetDataSample]) -> FramePair:
        truth = ground_truth(frames, images.device)
        with torch.no_grad():
            targets = common_targets(truth.boxes, truth.identities, self.max_targets, self.min_side)
        return FramePair(images[0], images[1], *targets)
