"""Training of followers on clips, by the DeepMOT loss or another criterion.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 4.3 and Appendix
A.2. docs/deepmot.md explains it, and how one's own tracker gets there.
"""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.logging import print_log
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.heads.samples import ground_truth
from mmdeepmot.models.losses.clip_rows import ClipRows, pad_clips
from mmdeepmot.models.mot.clip_camera import MoveBoxes, clip_motions
from mmdeepmot.models.mot.detection_source import Source
from mmdeepmot.models.mot.following import LeadRules, TrueFrame, lead
from mmdeepmot.models.mot.freezing import (
    freeze_except,
    frozen_parts,
    keep_statistics,
    random_share,
)
from mmdeepmot.models.mot.repeated_starts import repeated, separated
from mmdeepmot.models.mot.tracking_model import Task, TrackingModel
from mmdeepmot.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class DeepMOTModel(TrackingModel):
    """A follower that learns from clips, and the tracker that it is for.

    In each clip, tracks start at the perturbed true boxes of the first frame and are followed
    through all others (:func:`~mmdeepmot.models.mot.following.lead`); the rows of all frames and
    clips go once through the criterion. Only the follower learns. It predicts as any
    :class:`~mmdeepmot.models.mot.tracking_model.TrackingModel`, so that one config and its
    checkpoints train, validate and test.

    Args:
        follower: Config of a :class:`~mmdeepmot.models.mot.follower.Follower`.
        criterion: Config: ``DeepMOTCriterion`` or ``SmoothL1Criterion``.
        start: Config of what makes the boxes that tracks start from out of true ones; ``BoxNoise``
            with the paper's ranges by default.
        starts_per_clip: How often each clip is followed, from starts of its own; its frames are
            encoded once. For followers whose targets do not see each other: they are one batch.
        trainable: Patterns of the follower's parameters that learn (``'*.bbox_head.*'``); the
            parts that have no others are frozen, and in evaluation mode. What the follower itself
            has frozen stays frozen.
        norm_eval: Whether batch normalisation keeps its statistics: a batch of a few targets of one
            image has no useful ones.
        births: See :class:`~mmdeepmot.models.mot.following.LeadRules`, as the next two.
        deaths: See there.
        through_time: See there.
        compensate: Whether ``camera`` says in training, too, where to look for the tracks.
        detections: As the next ones, see
            :class:`~mmdeepmot.models.mot.tracking_model.TrackingModel`; the paper's are public.
        detector: See there; not trained.
        tracker: See there; not needed to train.
        reid: See there; not trained.
        camera: See there.
        data_preprocessor: Config; ``MOTDataPreprocessor`` by default.
        task: See there.
        init_cfg: mmengine's initialisation config.

    Raises:
        InputError: A pattern of ``trainable`` matches no parameter, ``starts_per_clip`` is below 1,
            ``compensate`` has no camera, or the criterion compares appearances and the follower has
            none.
    """

    def __init__(
        self,
        follower: dict[str, Any],
        criterion: dict[str, Any],
        start: dict[str, Any] | None = None,
        starts_per_clip: int = 1,
        trainable: Sequence[str] = ("*",),
        norm_eval: bool = True,
        births: bool = True,
        deaths: bool = True,
        through_time: bool = False,
        compensate: bool = False,
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
        if compensate and camera is None:
            raise InputError(
                "DeepMOTModel.compensate needs a camera: give it camera=dict(type='ECC') or "
                "'SparseFlow'"
            )
        if starts_per_clip < 1:
            raise InputError(
                f"DeepMOTModel.starts_per_clip: expected 1 or more, got {starts_per_clip}"
            )
        self.criterion = MODELS.build(criterion)
        if self.criterion.needs_embeddings and not self.follower.has_embeddings:
            raise InputError(
                f"{type(self.criterion).__name__} compares appearances and the follower "
                f"{type(self.follower).__name__} has none: give it a head for them (Tracktor: "
                "embedding_head), or the criterion appearance='none'"
            )
        self.starts_per_clip = starts_per_clip
        self.perturb = TASK_UTILS.build(start or {"type": "BoxNoise"})
        self.norm_eval = norm_eval
        self.compensate = compensate
        self.rules = LeadRules(births, deaths, through_time, self.criterion.needs_embeddings)
        freeze_except(self.follower, trainable, "DeepMOTModel.trainable")
        self._random = random_share(self.follower)  # until weights are loaded
        for other in (self.detector, self.reid):
            if other is not None:
                other.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> "DeepMOTModel":
        """Sets the mode of all parts that learn; the others stay in evaluation mode."""
        super().train(mode)
        for network in (self.follower, self.detector, self.reid):
            for part in () if network is None else frozen_parts(network):
                part.eval()
        if self.norm_eval:
            keep_statistics(self.follower)
        return self

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[TrackDataSample] | None = None,
        mode: str = "tensor",
    ) -> Any:
        """Losses of clips, their rows, or what is tracked in them.

        Args:
            inputs: ``(B, T, 3, H, W)``, T at least 2 in training, consecutive frames.
            data_samples: One a clip; in training with ``gt_instances`` (bboxes xyxy px of the
                input, instances_ids) in every frame.
            mode: ``'loss'``; ``'tensor'`` for the :class:`ClipRows` that a criterion gets;
                ``'predict'``.

        Raises:
            InputError: The inputs are no clips, or come without truth.
        """
        if mode not in ("loss", "tensor"):
            return super().forward(inputs, data_samples, mode)
        if inputs.dim() != 5 or inputs.shape[1] < 2:
            raise InputError(
                "DeepMOTModel takes clips (B, T, 3, H, W) of at least 2 frames, got "
                f"{tuple(inputs.shape)}: use a dataset with view='clips', clip_length=2 or more"
            )
        if data_samples is None:
            raise InputError("DeepMOTModel needs data_samples: the true boxes of every frame")
        if mode == "loss" and self._random > 0.5:
            self._warn_of_random_weights()
        rows = self.follow(inputs, data_samples)
        return rows if mode == "tensor" else self._reaching_all(self.criterion(rows))

    def follow(self, inputs: Tensor, data_samples: Sequence[TrackDataSample]) -> ClipRows:
        """Leads the follower through clips ``(B, T, 3, H, W)``: ``B * starts_per_clip`` rows of
        frames, those of one clip next to each other."""
        count, length = inputs.shape[:2]
        samples = [frame for sample in data_samples for frame in sample]
        known = ground_truth(samples, inputs.device)
        fields = zip(known.boxes, known.identities, known.ignored, strict=True)
        truth = [TrueFrame.of(*frame) for frame in fields]
        encoded = self._encode_clips(inputs)
        clips, started, times = [], [], self.starts_per_clip
        for clip, images, first in zip(
            inputs, encoded, range(0, count * length, length), strict=True
        ):
            part = slice(first, first + length)
            moves = self._motions(clip, samples[part], truth[part])
            people = repeated(truth[part], times)
            led = lead(self.follower, images, people, self.perturb, self.rules, moves)
            clips += separated(led, times)
            started += [truth[first].ids] * times
        sizes = [_image_size(one, inputs) for one in samples[::length] for _ in range(times)]
        return pad_clips(clips, torch.tensor(sizes, device=inputs.device), started)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """As torch's; from now on the follower is one that was trained."""
        self._random = 0.0
        super()._load_from_state_dict(*args, **kwargs)

    def _warn_of_random_weights(self) -> None:
        print_log(
            f"DeepMOTModel: {self._random:.0%} of the parameters of "
            f"{type(self.follower).__name__} do not learn (trainable) and were not loaded: they "
            "stay as random as they are. From a trained network: load_from=CHECKPOINT, e.g. in "
            "--cfg-options (said once)",
            logger="current",
            level=logging.WARNING,
        )
        self._random = 0.0

    def _encode_clips(self, inputs: Tensor) -> list[list[Any]]:
        """The frames of each clip as the follower sees them; None where nobody looks."""
        unseen = 0 if self.follower.start_sees or self.rules.embed else 1
        length = inputs.shape[1] - unseen
        images = self.follower.encode(inputs[:, unseen:].flatten(0, 1))
        return [
            [None] * unseen + list(images[first : first + length])
            for first in range(0, len(images), length)
        ]

    def _motions(
        self, clip: Tensor, samples: Sequence[DetDataSample], truth: Sequence[TrueFrame]
    ) -> list[MoveBoxes] | None:
        if not self.compensate or self._camera is None:
            return None
        objects = [one.objects for one in truth]
        return clip_motions(self._camera, clip, samples, objects, self.data_preprocessor)

    def _reaching_all(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses, one of them with a zero gradient for every parameter that learns.

        Clips may hold no one to follow: several processes would wait for gradients for ever.
        """
        learning = [p for p in self.follower.parameters() if p.requires_grad and p.numel()]
        nothing = 0 * torch.stack([p.flatten()[0].float() for p in learning]).sum()
        name = next(key for key in losses if "loss" in key)
        return losses | {name: losses[name] + nothing}


def _image_size(sample: DetDataSample, inputs: Tensor) -> tuple[float, float]:
    """(width, height) px of a frame in the network's input: without the letterbox's bars, where
    it is known how large it was and how it was scaled."""
    if {"ori_shape", "scale_factor"} <= set(sample.metainfo_keys()):
        (height, width), (x, y) = sample.ori_shape[:2], sample.scale_factor
        return float(width * x), float(height * y)
    height, width = sample.get("img_shape", inputs.shape[-2:])[:2]
    return float(width), float(height)
