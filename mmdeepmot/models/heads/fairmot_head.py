"""FairMOT's prediction head: centres, boxes and embeddings on one fine feature map.

Paper: Zhang et al., "A Simple Baseline for Multi-Object Tracking" (FairMOT), 2020, Sec. 3.2 to 3.5.
Four outputs: heatmap, offset of the centre, size of the box, embedding. Each comes from a 3x3
convolution, ReLU and a 1x1 convolution; the embedding, in the paper, from one 3x3 convolution.

Where paper and published code differ, the paper is the default:

- Size: width and height; ``box='ltrb'`` (code): distances from the centre to the four sides.
- Its loss counts as much as the others; ``loss_box=dict(type='L1Loss', loss_weight=0.1)``: the
  code's weight. It is in cells, and offset and size are means over boxes and coordinates, as in the
  code (the paper prints sums over the boxes of an image).
- Embedding: one convolution; ``id_head='stacked'`` (code): two, as the others.

The code keeps the heatmap in [1e-4, 1 - 1e-4], where its gradient ends; here it is not cut. Size,
offset and embedding are computed at centres only (see ``center_branch.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.heads.center_branch import CenterBranch, take_patches
from mmdeepmot.models.heads.center_decode import boxes_at, find_peaks
from mmdeepmot.models.heads.center_targets import (
    BOX_DIMS,
    BoxKind,
    CenterTargets,
    center_targets,
    locate_centers,
)
from mmdeepmot.models.heads.embedding_map import EmbeddingMap
from mmdeepmot.models.heads.samples import boxes_to_original, ground_truth
from mmdeepmot.models.heads.task_settings import TaskSettings, settings_by_task, settings_for
from mmdeepmot.models.losses.balance import UncertaintyWeights
from mmdeepmot.models.losses.counts import global_counts
from mmdeepmot.models.losses.embedding import build_identity_loss
from mmdeepmot.models.utils.initial_weights import loads_weights
from mmdeepmot.registry import MODELS

IdentityHead = Literal["conv", "stacked"]
TASKS = ("det", "id")
START = {"det": -1.85, "id": -1.05}
"""Start values of the uncertainties, of the published implementation."""
HEATMAP_BIAS = -2.19
"""A score of 0.1 everywhere (CenterNet)."""


@dataclass(frozen=True)
class CenterSettings(TaskSettings):
    """How maps become detections; by default as in the published implementation.

    Attributes:
        max_per_img: At most this many of an image's peaks, the highest, are candidates.
    """

    score_thr: float = 0.4
    min_area: float = 100.0
    max_per_img: int = 500


def center_settings(test_cfg: Mapping[str, Any] | None) -> dict[str, CenterSettings]:
    """Settings by task.

    Without a ``det_cfg`` those for average precision have a score of 0.3 (published), and no box
    is dropped for its shape.
    """
    published = {"score_thr": 0.3, "min_area": 0.0, "max_aspect": None}
    return settings_by_task(CenterSettings, test_cfg, published)


@dataclass(frozen=True)
class CenterValues:
    """Outputs at P places.

    Attributes:
        offsets: ``(P, 2)`` cells.
        sizes: ``(P, 2)`` or ``(P, 4)`` cells.
        embeddings: ``(P, D)``, of any length.
    """

    offsets: Tensor
    sizes: Tensor
    embeddings: Tensor


@MODELS.register_module()
class FairMOTHead(BaseModule):
    """FairMOT's head.

    Args:
        in_channels: Channels of the feature map.
        stride: px of the input a cell.
        num_ids: Identities of the training dataset (None: filled in by ``tools/train.py``, or
            taken from the checkpoint).
        num_classes: Classes of the heatmap; identities and boxes know no class.
        embed_dims: D.
        feat_channels: Channels between an output's two convolutions.
        box: ``'wh'`` or ``'ltrb'``; see the head of this file.
        id_head: ``'conv'`` or ``'stacked'``; see the head of this file.
        min_overlap: IoU that the heatmap's radius keeps; see :func:`gaussian_radii`.
        corrected_radius: See :func:`gaussian_radii`.
        use_ignored: Whether the heatmap is not punished inside ``ignored_instances``.
        loss_heatmap: Config; mmdet's ``GaussianFocalLoss`` (exponents 2 and 4).
        loss_offset: Config; mmdet's ``L1Loss``.
        loss_box: Config; mmdet's ``L1Loss``.
        loss_id: Config of the embedding loss.
        balance: Config of the balancing strategy of the tasks ``det`` (heatmap, offset and size)
            and ``id``; ``tasks`` are filled in, as are the published start values of
            ``UncertaintyWeights``.
        train_cfg: Unused; part of mmdet's protocol.
        test_cfg: Keys of :class:`CenterSettings`, and ``det_cfg`` (changes to them for average
            precision).
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int,
        stride: int = 4,
        num_ids: int | None = None,
        num_classes: int = 1,
        embed_dims: int = 128,
        feat_channels: int = 256,
        box: BoxKind = "wh",
        id_head: IdentityHead = "conv",
        min_overlap: float = 0.7,
        corrected_radius: bool = False,
        use_ignored: bool = True,
        loss_heatmap: dict | None = None,
        loss_offset: dict | None = None,
        loss_box: dict | None = None,
        loss_id: dict | None = None,
        balance: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if box not in get_args(BoxKind):
            raise InputError(f"box must be one of {get_args(BoxKind)}, got {box!r}")
        if id_head not in get_args(IdentityHead):
            raise InputError(f"id_head must be one of {get_args(IdentityHead)}, got {id_head!r}")
        if not 0 < min_overlap < 1:
            raise InputError(f"min_overlap must lie between 0 and 1, got {min_overlap}")
        self.stride = stride
        self.num_classes = num_classes
        self.embed_dims = embed_dims
        self.box: BoxKind = box
        self.use_ignored = use_ignored
        self.min_overlap = min_overlap
        self.corrected_radius = corrected_radius
        self.settings = center_settings(test_cfg)

        self.heatmap = CenterBranch(in_channels, num_classes, feat_channels)
        self.offset = CenterBranch(in_channels, 2, feat_channels)
        self.size = CenterBranch(in_channels, BOX_DIMS[box], feat_channels)
        inside = feat_channels if id_head == "stacked" else None
        self.embedding = CenterBranch(in_channels, embed_dims, inside)

        l1 = {"type": "mmdet.L1Loss"}
        self.loss_heatmap = MODELS.build(loss_heatmap or {"type": "mmdet.GaussianFocalLoss"})
        self.loss_offset = MODELS.build(loss_offset or l1)
        self.loss_box = MODELS.build(loss_box or l1)
        self.loss_id = build_identity_loss(
            loss_id or {"type": "IdentityCrossEntropyLoss"}, embed_dims, num_ids
        )
        balance = {"type": "UncertaintyWeights", **(balance or {}), "tasks": TASKS}
        if balance["type"] in ("UncertaintyWeights", UncertaintyWeights):
            balance.setdefault("start", START)
        self.balance = MODELS.build(balance)

    def init_weights(self) -> None:
        """As published: biases 0, the heatmap's -2.19, weights as PyTorch makes them."""
        super().init_weights()
        if loads_weights(self.init_cfg):
            return
        for branch in (self.offset, self.size, self.embedding):
            branch.set_bias(0.0)
        self.heatmap.set_bias(HEATMAP_BIAS)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All outputs on the whole map; :meth:`loss` and :meth:`predict` do not need them there.

        Args:
            features: One ``(B, C, H, W)``.

        Returns:
            Heatmap before the sigmoid ``(B, num_classes, H, W)``, offsets ``(B, 2, H, W)``, sizes
            ``(B, 2 or 4, H, W)``, embeddings ``(B, D, H, W)``.
        """
        (feature,) = features
        return (
            self.heatmap(feature),
            self.offset(feature),
            self.size(feature),
            self.embedding(feature),
        )

    def values_at(self, feature: Tensor, images: Tensor, cells: Tensor) -> CenterValues:
        """Offsets, sizes and embeddings, float32, at cells of ``feature`` ``(B, C, H, W)``.

        Args:
            feature: The feature map.
            images: ``(P,)`` int64.
            cells: ``(P,)`` int64, row * W + column.
        """
        patches = take_patches(feature, images, cells)
        return CenterValues(
            offsets=self.offset.at(patches).float(),
            sizes=self.size.at(patches).float(),
            embeddings=self.embedding.at(patches).float(),
        )

    def targets(self, shape: tuple[int, int], samples: Sequence[DetDataSample]) -> CenterTargets:
        """Targets of a batch for a feature map of ``shape`` (H, W)."""
        truth = ground_truth(samples, next(self.parameters()).device)
        if not self.use_ignored:
            truth = replace(truth, ignored=[None] * len(samples))
        return center_targets(
            truth,
            shape,
            self.stride,
            num_classes=self.num_classes,
            box=self.box,
            min_overlap=self.min_overlap,
            corrected_radius=self.corrected_radius,
        )

    def loss(
        self, features: Sequence[Tensor], samples: Sequence[DetDataSample]
    ) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            features: One ``(B, C, H, W)``.
            samples: ``gt_instances`` with ``bboxes`` ``(N, 4)`` xyxy px of the input, ``labels``
                ``(N,)`` and ``instances_ids`` ``(N,)``, -1 none; optionally ``ignored_instances``.

        Returns:
            ``loss`` (balanced total), and for the log the parts ``hm``, ``off``, ``size`` (with
            the weights of their losses) and ``id``, and the tasks' weights ``w/det`` and ``w/id``.
        """
        (feature,) = features
        targets = self.targets((feature.shape[-2], feature.shape[-1]), samples)
        values = self.values_at(feature, targets.images, targets.cells)
        losses = self.loss_by_values(self.heatmap(feature), values, targets)
        detection = losses["hm"] + losses["off"] + losses["size"]
        total, weights = self.balance({"det": detection, "id": losses["id"]}, features)
        log = {name: value.detach() for name, value in losses.items()}
        return {"loss": total, **log, **{f"w/{name}": w for name, w in weights.items()}}

    def loss_by_values(
        self, heatmap: Tensor, values: CenterValues, targets: CenterTargets
    ) -> dict[str, Tensor]:
        """The parts ``hm``, ``off``, ``size`` and ``id``.

        Divided by the numbers of boxes (coordinates, identities) of all processes: the mean of the
        processes' losses is the loss of the whole batch.

        Args:
            heatmap: ``(B, num_classes, H, W)`` before the sigmoid.
            values: Outputs at the targets' places.
            targets: Targets.
        """
        id_losses, known = self.loss_id(values.embeddings, targets.identities)
        numbers = torch.stack((known.new_tensor(len(known), dtype=torch.int64), known.sum()))
        boxes, identities = global_counts(numbers).unbind()
        return {
            "hm": self.loss_heatmap(
                heatmap.float().sigmoid(),
                targets.heatmap,
                weight=targets.weight,
                avg_factor=boxes,
            ),
            "off": self.loss_offset(values.offsets, targets.offsets, avg_factor=2 * boxes),
            "size": self.loss_box(
                values.sizes, targets.sizes, avg_factor=BOX_DIMS[self.box] * boxes
            ),
            "id": (id_losses * known).sum() / identities,
        }

    def predict(
        self,
        features: Sequence[Tensor],
        samples: Sequence[DetDataSample],
        rescale: bool = True,
        task: str = "track",
    ) -> list[InstanceData]:
        """Detections of a batch.

        Args:
            features: One ``(B, C, H, W)``.
            samples: Their ``scale_factor`` and ``pad_offset`` lead back to the original image.
            rescale: Whether boxes are given in px of the original image.
            task: ``'track'`` or ``'detection'``: which settings apply.

        Returns:
            One ``InstanceData`` an image, by falling score: ``bboxes`` (N, 4) xyxy px, ``scores``
            (N,), ``labels`` (N,), ``embeddings`` (N, D) L2-normalised.
        """
        (feature,) = features
        heatmap = self.heatmap(feature)
        return self.predict_by_heatmap(heatmap, feature, samples, rescale=rescale, task=task)

    def predict_by_heatmap(
        self,
        heatmap: Tensor,
        feature: Tensor,
        samples: Sequence[DetDataSample],
        rescale: bool = True,
        task: str = "track",
    ) -> list[InstanceData]:
        """Detections at the peaks of a heatmap ``(B, num_classes, H, W)`` before the sigmoid.

        ``feature`` is the feature map ``(B, C, H, W)``; the rest is as of :meth:`predict`.
        """
        settings = settings_for(self.settings, task)
        peaks = find_peaks(heatmap, settings.max_per_img, settings.score_thr)
        values = self.values_at(feature, peaks.images, peaks.cells)
        boxes = boxes_at(
            peaks.cells, values.offsets, values.sizes, feature.shape[-1], self.stride, self.box
        )
        fields = (boxes, peaks.scores, peaks.labels, F.normalize(values.embeddings, dim=-1))
        split = zip(*(field.split(peaks.counts) for field in fields), strict=True)
        results = []
        for sample, (box, score, label, embedding) in zip(samples, split, strict=True):
            box = boxes_to_original(box, sample) if rescale else box
            good = settings.admit(box)
            results.append(
                InstanceData(
                    bboxes=box[good],
                    scores=score[good],
                    labels=label[good],
                    embeddings=embedding[good],
                )
            )
        return results

    def embed(
        self, features: Sequence[Tensor], boxes: Sequence[Tensor]
    ) -> list[tuple[Tensor, Tensor]]:
        """Embeddings of given boxes: those at the cells of their centres.

        Args:
            features: One ``(B, C, H, W)``.
            boxes: ``(N_i, 4)`` xyxy px of the input, for each image.

        Returns:
            For each image the embeddings ``(N_i, D)``, L2-normalised, and whether the centre lies
            in the map, ``(N_i,)`` bool.
        """
        (feature,) = features
        lengths = [len(b) for b in boxes]
        joined = torch.cat([b.to(feature.device, torch.float32) for b in boxes])
        height, width = feature.shape[-2:]
        _, columns, rows, inside = locate_centers(joined, (height, width), self.stride)
        images = torch.repeat_interleave(torch.tensor(lengths, device=feature.device))
        patches = take_patches(feature, images, rows * width + columns)
        taken = F.normalize(self.embedding.at(patches).float(), dim=-1)
        return list(zip(taken.split(lengths), inside.split(lengths), strict=True))

    def embedding_maps(self, features: Sequence[Tensor]) -> list[EmbeddingMap]:
        """The embeddings of all cells of the one map in ``features`` ``(B, C, H, W)``.

        A cell's embedding is that of the centres that fall into its square.
        """
        (feature,) = features
        values = F.normalize(self.embedding(feature).float(), dim=1)
        return [EmbeddingMap(values, self.stride, origin=0.5 * self.stride)]
