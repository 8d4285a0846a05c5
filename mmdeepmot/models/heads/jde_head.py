"""JDE's prediction head: boxes, foreground scores and embeddings on several scales.

Paper: Wang et al., "Towards Real-Time Multi-Object Tracking", ECCV 2020, Sec. 3.2 to 3.5. Per
scale one map of 6A channels (for each anchor 4 box deltas and 2 foreground/background logits, the
order of the published implementation) and one of D channels (one embedding a cell, shared by its
anchors).

Where paper and published code differ, the paper is followed:

- The identity loss takes one embedding for each foreground *anchor* (Sec. 3.4); the code takes one
  for each *cell* and, where a cell's anchors belong to several boxes, the largest identity.
  ``identity_per='cell'`` is the code's way.
- The code skips the identity loss of a scale with one embedding; here it counts.
- Small and elongated boxes are dropped among the detections (px of the original image); the code
  drops them among the reported tracks.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmcv.ops import nms
from mmdet.structures import DetDataSample
from mmengine.logging import print_log
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.heads.anchors import AnchorSizes, resolve_anchors
from mmdeepmot.models.heads.coding import decode_boxes, encode_boxes
from mmdeepmot.models.heads.embedding_map import EmbeddingMap
from mmdeepmot.models.heads.samples import boxes_to_original, ground_truth
from mmdeepmot.models.heads.targets import (
    FOREGROUND,
    IGNORED,
    AnchorGrid,
    BatchTargets,
    batch_targets,
    best_anchors,
)
from mmdeepmot.models.heads.task_settings import TaskSettings, settings_by_task, settings_for
from mmdeepmot.models.losses.counts import global_counts
from mmdeepmot.models.losses.embedding import build_identity_loss
from mmdeepmot.models.utils.initial_weights import loads_weights
from mmdeepmot.registry import MODELS

HeadOutputs = tuple[list[Tensor], list[Tensor]]
IdentityPer = Literal["anchor", "cell"]
KINDS = ("cls", "box", "id")


@dataclass(frozen=True)
class DecodeSettings(TaskSettings):
    """How maps become detections.

    Attributes:
        nms_iou: IoU above which the lower-scored of two boxes is dropped.
        nms_pre: At most this many candidates of an image, the best, enter the suppression (an
            untrained network fires everywhere).
    """

    nms_iou: float = 0.4
    nms_pre: int = 3000


def decode_settings(test_cfg: Mapping[str, Any] | None) -> dict[str, DecodeSettings]:
    """Settings by task.

    Without a ``det_cfg`` the published ones for average precision: score 0.3, NMS 0.5, no box
    dropped for its shape.
    """
    published = {"score_thr": 0.3, "nms_iou": 0.5, "min_area": 0.0, "max_aspect": None}
    return settings_by_task(DecodeSettings, test_cfg, published)


def split_sum(values: Tensor, scale: Tensor, number: int) -> Tensor:
    """Sums ``(number,)`` of ``values`` ``(P,)`` by their ``scale`` ``(P,)``."""
    return (values[:, None] * F.one_hot(scale, number)).sum(dim=0)


def unique_columns(columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distinct columns ``(C, U)`` of ``(C, P)``, numbers ``(P,)``, how often each ``(U,)``."""
    if columns.shape[1] == 0:  # torch.unique refuses it
        return columns, columns[0], columns[0]
    return columns.unique(dim=1, return_inverse=True, return_counts=True)


@MODELS.register_module()
class JDEHead(BaseModule):
    """JDE's head.

    Args:
        in_channels: Channels of the feature maps, finest first.
        strides: px of the input a cell of each.
        num_ids: Identities of the training dataset (None: filled in by ``tools/train.py``, or
            taken from the checkpoint).
        anchors: ``'paper'``, ``'published_1088'``, ``'published_864'``, ``'published_576'`` or
            explicit sizes; see :func:`resolve_anchors`.
        embed_dims: D.
        feat_channels: Channels of the stacked convolutions before boxes and scores, a scale;
            None: twice ``in_channels``, as published.
        stacked_convs: Number of these convolutions.
        fg_thr: IoU above which an anchor is foreground.
        bg_thr: IoU below which an anchor is background.
        match_best: Every box's best anchor is foreground too (not in the paper).
        identity_per: See the head of this file.
        prior: Foreground probability that the bias starts from; None: 0.5, as published.
        loss_id: Config of the embedding loss.
        balance: Config of the balancing strategy (its ``tasks`` are filled in).
        norm_cfg: Normalisation of the stacked convolutions.
        act_cfg: Their activation.
        train_cfg: Unused; part of mmdet's protocol.
        test_cfg: Keys of :class:`DecodeSettings`, ``det_cfg`` (changes to them for average
            precision) and ``embed_iou`` (IoU with the best anchor above which :meth:`embed` calls
            an embedding valid; 0.6).
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (128, 256, 512),
        strides: Sequence[int] = (8, 16, 32),
        num_ids: int | None = None,
        anchors: str | AnchorSizes = "paper",
        embed_dims: int = 512,
        feat_channels: Sequence[int] | None = None,
        stacked_convs: int = 1,
        fg_thr: float = 0.5,
        bg_thr: float = 0.4,
        match_best: bool = False,
        identity_per: IdentityPer = "anchor",
        prior: float | None = None,
        loss_id: dict | None = None,
        balance: dict | None = None,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or {"type": "Normal", "layer": "Conv2d", "std": 0.01})
        if list(strides) != sorted(set(strides)) or len(in_channels) != len(strides):
            raise InputError(
                "strides must rise and have one entry for each of in_channels, got strides "
                f"{tuple(strides)} and in_channels {tuple(in_channels)}"
            )
        if not 0 <= bg_thr <= fg_thr < 1:
            raise InputError(f"need 0 <= bg_thr <= fg_thr < 1, got {bg_thr} and {fg_thr}")
        if identity_per not in get_args(IdentityPer):
            raise InputError(f"identity_per must be 'anchor' or 'cell', got {identity_per!r}")
        self.strides = tuple(strides)
        self.embed_dims = embed_dims
        self.thresholds = {"fg_thr": fg_thr, "bg_thr": bg_thr, "match_best": match_best}
        self.identity_per = identity_per
        self.prior = prior
        sizes = resolve_anchors(anchors, len(self.strides))
        self.num_anchors = len(sizes[0])
        self.register_buffer("anchor_sizes", torch.stack(sizes), persistent=False)
        test_cfg = dict(test_cfg or {})
        self.embed_iou = float(test_cfg.pop("embed_iou", 0.6))
        self.settings = decode_settings(test_cfg)
        self._classes_named = False

        convs = {
            "padding": 1,
            "norm_cfg": norm_cfg or {"type": "BN"},
            "act_cfg": act_cfg or {"type": "LeakyReLU", "negative_slope": 0.1},
        }
        feat_channels = feat_channels or [2 * channels for channels in in_channels]
        self.box_convs = nn.ModuleList()
        for before, inside in zip(in_channels, feat_channels, strict=True):
            widths = [before] + [inside] * stacked_convs
            layers = [ConvModule(a, b, 3, **convs) for a, b in pairwise(widths)]
            self.box_convs.append(nn.Sequential(*layers, nn.Conv2d(widths[-1], self.box_dims, 1)))
        self.embed_convs = nn.ModuleList(
            nn.Conv2d(channels, embed_dims, 3, padding=1) for channels in in_channels
        )
        self.loss_id = build_identity_loss(
            loss_id or {"type": "IdentityCrossEntropyLoss"}, embed_dims, num_ids
        )
        tasks = [f"{kind}/{stride}" for stride in self.strides for kind in KINDS]
        self.balance = MODELS.build(
            {"type": "UncertaintyWeights", **(balance or {}), "tasks": tasks}
        )

    @property
    def box_dims(self) -> int:
        """Channels of the map of boxes and scores, 6A."""
        return 6 * self.num_anchors

    def score_convs(self) -> list[nn.Conv2d]:
        """The last convolution before boxes and scores, of each scale."""
        return [layers[-1] for layers in self.box_convs]  # type: ignore[index]

    def init_weights(self) -> None:
        """As ``init_cfg`` says; the bias of the scores such that foreground has the ``prior``."""
        super().init_weights()
        if self.prior is None or loads_weights(self.init_cfg):
            return
        for last in self.score_convs():
            assert last.bias is not None
            bias = last.bias.data.view(self.num_anchors, 6)
            bias[:, 5] = bias[:, 4] + torch.logit(torch.tensor(self.prior))

    def forward(self, features: Sequence[Tensor]) -> HeadOutputs:
        """Maps of all scales.

        Args:
            features: One ``(B, C, H, W)`` a scale, finest first.

        Returns:
            Boxes and scores ``(B, 6A, H, W)`` a scale, embeddings ``(B, D, H, W)`` a scale.
        """
        boxes = [conv(x) for conv, x in zip(self.box_convs, features, strict=True)]
        return boxes, [conv(x) for conv, x in zip(self.embed_convs, features, strict=True)]

    def grid(self, maps: Sequence[Tensor]) -> AnchorGrid:
        """The anchors for maps ``(B, ?, H, W)`` of all scales."""
        shapes = tuple((m.shape[-2], m.shape[-1]) for m in maps)
        return AnchorGrid(tuple(self.anchor_sizes.unbind()), shapes, self.strides)

    def flatten(self, boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Deltas ``(B, K, 4)`` and logits ``(B, K, 2)``, float32, in the anchors' order."""
        parts = [
            m.unflatten(1, (self.num_anchors, 6)).permute(0, 1, 3, 4, 2).flatten(1, 3)
            for m in boxes
        ]
        joined = torch.cat(parts, dim=1).float()
        return joined[..., :4], joined[..., 4:]

    @staticmethod
    def gather(embeddings: Sequence[Tensor], images: Tensor, scale: Tensor, cell: Tensor) -> Tensor:
        """Embeddings ``(P, D)`` at given places.

        Args:
            embeddings: ``(B, D, H, W)`` a scale.
            images: ``(P,)`` image of the batch.
            scale: ``(P,)`` scale.
            cell: ``(P,)`` row * W + column.
        """
        rows, places = [], []
        for number, of_scale in enumerate(embeddings):
            here = (scale == number).nonzero().squeeze(1)
            rows.append(of_scale.flatten(2)[images[here], :, cell[here]])
            places.append(here)
        return torch.cat(rows)[torch.cat(places).argsort()]

    def targets(self, grid: AnchorGrid, samples: Sequence[DetDataSample]) -> BatchTargets:
        """Targets of a batch; boxes in px of the input, of whatever class."""
        truth = ground_truth(samples, grid.device)
        if not self._classes_named and (torch.cat(truth.labels) > 0).any():
            self._classes_named = True
            print_log(
                "JDE knows one class, and its training samples have boxes of several: all are "
                "learnt as the first. FairMOT, or a BoxDetector, tells classes apart; or let the "
                "dataset read the class wanted alone (docs/several_classes.md)",
                logger="current",
                level=logging.WARNING,
            )
        return batch_targets(grid, truth.boxes, truth.identities, truth.ignored, **self.thresholds)

    def loss(
        self, features: Sequence[Tensor], samples: Sequence[DetDataSample]
    ) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            features: One ``(B, C, H, W)`` a scale, finest first.
            samples: ``gt_instances`` with ``bboxes`` ``(N, 4)`` xyxy px of the input and
                ``instances_ids`` ``(N,)``, -1 none; optionally ``ignored_instances``.

        Returns:
            ``loss`` (balanced total), and for the log each task's loss (``cls/8``) and weight
            (``w/cls/8``).
        """
        boxes, embeddings = self(features)
        losses = self.loss_by_feat(boxes, embeddings, samples)
        total, weights = self.balance(losses, features)
        log = {name: value.detach() for name, value in losses.items()}
        return {"loss": total, **log, **{f"w/{name}": w for name, w in weights.items()}}

    def loss_by_feat(
        self,
        boxes: Sequence[Tensor],
        embeddings: Sequence[Tensor],
        samples: Sequence[DetDataSample],
    ) -> dict[str, Tensor]:
        """Every task's loss (``cls/8``, ``box/8``, ``id/8``, …) from the maps of :meth:`forward`.

        Means over the anchors (embeddings) of all processes: the mean of the processes' losses is
        the loss of the whole batch.
        """
        grid = self.grid(boxes)
        deltas, logits = self.flatten(boxes)
        targets = self.targets(grid, samples)
        cls = F.cross_entropy(
            logits.flatten(0, 1), targets.labels.flatten(), ignore_index=IGNORED, reduction="none"
        ).view_as(targets.labels)
        cls = torch.stack([part.sum() for part in cls.split(grid.counts, dim=1)])
        valid = (targets.labels != IGNORED).split(grid.counts, dim=1)

        scale, cell = grid.scale_and_cell(targets.anchors)
        wanted = encode_boxes(grid.boxes()[targets.anchors], targets.boxes)
        box = F.smooth_l1_loss(deltas[targets.images, targets.anchors], wanted, reduction="none")
        id_loss, id_weight, id_scale = self._identity_losses(embeddings, targets, scale, cell)

        number = len(self.strides)
        counts = global_counts(
            torch.cat(
                (
                    torch.stack([part.sum() for part in valid]),
                    torch.bincount(scale, minlength=number),
                    split_sum(id_weight, id_scale, number),
                )
            )
        )
        per_kind = (
            cls / counts[:number],
            split_sum(box.mean(dim=-1), scale, number) / counts[number : 2 * number],
            split_sum(id_loss * id_weight, id_scale, number) / counts[2 * number :],
        )
        return {
            f"{kind}/{stride}": values[s]
            for s, stride in enumerate(self.strides)
            for kind, values in zip(KINDS, per_kind, strict=True)
        }

    def _identity_losses(
        self, embeddings: Sequence[Tensor], targets: BatchTargets, scale: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Identity losses ``(U,)``, how many times each counts ``(U,)``, and their scales ``(U,)``.

        Foreground anchors of one cell and one person have the same embedding. A loss that looks
        at one embedding alone is computed once for them and counted as often as they are.
        """
        known = targets.identities >= 0
        columns = torch.stack((scale, targets.images, cell, targets.identities))[:, known]
        times = torch.ones_like(columns[0])
        if self.identity_per == "cell":
            places, owner, _ = unique_columns(columns[:3])
            largest = torch.full_like(places[0], -1).scatter_reduce(0, owner, columns[3], "amax")
            columns, times = torch.cat((places, largest[None])), torch.ones_like(largest)
        elif getattr(self.loss_id, "one_by_one", False):
            columns, _, times = unique_columns(columns)
        scale, images, cell, identities = columns
        taken = self.gather(embeddings, images, scale, cell)
        losses, valid = self.loss_id(taken, identities)
        return losses, times * valid, scale

    def predict(
        self,
        features: Sequence[Tensor],
        samples: Sequence[DetDataSample],
        rescale: bool = True,
        task: str = "track",
    ) -> list[InstanceData]:
        """Detections of a batch; see :meth:`predict_by_feat`."""
        boxes, embeddings = self(features)
        return self.predict_by_feat(boxes, embeddings, samples, rescale=rescale, task=task)

    def predict_by_feat(
        self,
        boxes: Sequence[Tensor],
        embeddings: Sequence[Tensor],
        samples: Sequence[DetDataSample],
        rescale: bool = True,
        task: str = "track",
    ) -> list[InstanceData]:
        """Detections from the maps of :meth:`forward`.

        Args:
            boxes: ``(B, 6A, H, W)`` a scale.
            embeddings: ``(B, D, H, W)`` a scale.
            samples: Their ``scale_factor`` and ``pad_offset`` lead back to the original image.
            rescale: Whether boxes are given in px of the original image.
            task: ``'track'`` or ``'detection'``: which settings apply.

        Returns:
            One ``InstanceData`` an image, by falling score: ``bboxes`` (N, 4) xyxy px, ``scores``
            (N,), ``labels`` (N,) zero, ``embeddings`` (N, D) L2-normalised.
        """
        settings = settings_for(self.settings, task)
        grid = self.grid(boxes)
        deltas, logits = self.flatten(boxes)
        scores = logits.softmax(dim=-1)[..., FOREGROUND]
        all_anchors = grid.boxes()
        found = [
            self._detect(all_anchors, d, s, sample if rescale else None, settings)
            for d, s, sample in zip(deltas, scores, samples, strict=True)
        ]
        lengths = [len(anchors) for anchors, _, _ in found]
        scale, cell = grid.scale_and_cell(torch.cat([anchors for anchors, _, _ in found]))
        images = torch.repeat_interleave(torch.tensor(lengths, device=scale.device))
        appearance = self.gather(embeddings, images, scale, cell).float()
        appearance = F.normalize(appearance, dim=-1).split(lengths)
        return [
            InstanceData(
                bboxes=box, scores=score, labels=torch.zeros_like(anchors), embeddings=embedding
            )
            for (anchors, box, score), embedding in zip(found, appearance, strict=True)
        ]

    @staticmethod
    def _detect(
        anchors: Tensor,
        deltas: Tensor,
        scores: Tensor,
        sample: DetDataSample | None,
        settings: DecodeSettings,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Anchor numbers, boxes and scores of one image's detections, by falling score."""
        candidates = (scores > settings.score_thr).nonzero().squeeze(1)
        if len(candidates) > settings.nms_pre:
            candidates = candidates[scores[candidates].topk(settings.nms_pre)[1]]
        boxes = decode_boxes(anchors[candidates], deltas[candidates])
        kept = nms(boxes, scores[candidates], settings.nms_iou)[1]
        candidates, boxes = candidates[kept], boxes[kept]
        if sample is not None:
            boxes = boxes_to_original(boxes, sample)
        good = settings.admit(boxes)
        return candidates[good], boxes[good], scores[candidates[good]]

    def embed(
        self, features: Sequence[Tensor], boxes: Sequence[Tensor]
    ) -> list[tuple[Tensor, Tensor]]:
        """Embeddings of given boxes: those at the cells of their best anchors.

        Args:
            features: One ``(B, C, H, W)`` a scale, finest first.
            boxes: ``(N_i, 4)`` xyxy px of the input, for each image.

        Returns:
            For each image the embeddings ``(N_i, D)``, L2-normalised, and whether the anchor's IoU
            exceeds ``embed_iou``, ``(N_i,)`` bool.
        """
        _, embeddings = self(features)
        grid = self.grid(embeddings)
        joined = torch.cat([b.to(grid.device, torch.float32) for b in boxes])
        lengths = [len(b) for b in boxes]
        numbers, iou = best_anchors(grid, joined)
        images = torch.repeat_interleave(torch.tensor(lengths, device=grid.device))
        taken = self.gather(embeddings, images, *grid.scale_and_cell(numbers)).float()
        taken = F.normalize(taken, dim=-1)
        return list(zip(taken.split(lengths), (iou > self.embed_iou).split(lengths), strict=True))

    def embedding_maps(self, features: Sequence[Tensor]) -> list[EmbeddingMap]:
        """The embeddings of all cells, a map for each of ``features`` ``(B, C, H, W)``.

        A cell's embedding is that of its anchors, whose centres sit at multiples of the stride.
        """
        return [
            EmbeddingMap(F.normalize(conv(feature).float(), dim=1), stride, origin=0.0)
            for conv, feature, stride in zip(self.embed_convs, features, self.strides, strict=True)
        ]
