"""Criteria of followed clips: the DeepMOT loss, and the Smooth L1 that the paper compares it with.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 4.3, Fig. 4 and
Sec. 5.3. A criterion takes :class:`~mmdeepmot.models.losses.clip_rows.ClipRows` and gives what
mmengine adds up (keys with ``loss``) and logs (all others). Means are over clips, so that processes
with equally many clips together take the step of one.
"""

from abc import abstractmethod
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.losses.box_distance import Normalisation, box_distance
from mmdeepmot.models.losses.clip_rows import ClipRows
from mmdeepmot.models.losses.deepmot_history import MatchHistory
from mmdeepmot.models.utils.external import keep_out_of_checkpoints
from mmdeepmot.models.utils.initial_weights import loads_weights
from mmdeepmot.registry import MODELS

Appearance = Literal["none", "term", "pass"]
LOGGED = {"dmota": "dMOTA", "dmotp": "dMOTP", "fp": "FP", "fn": "FN", "ids": "IDS"}
BOX_STDS = (0.1, 0.1, 0.2, 0.2)
_LEAST_SIZE = 1e-2


class ClipCriterion(BaseModule):
    """What a follower learns from; a subclass writes :meth:`forward`.

    Attributes:
        needs_embeddings: Whether the rows must hold appearances.
    """

    needs_embeddings = False

    @abstractmethod
    def forward(self, clips: ClipRows) -> dict[str, Tensor]:
        """Losses (keys with ``loss``) and values to log, scalars."""


def appearance_distance(rows: Tensor, objects: Tensor) -> Tensor:
    """``(1 - cos) / 2`` in [0, 1] of every pair.

    Args:
        rows: ``(..., N, D)``, of any length.
        objects: ``(..., M, D)``.

    Returns:
        ``(..., N, M)`` in float32.
    """
    with torch.autocast(rows.device.type, enabled=False):
        one, other = F.normalize(rows.float(), dim=-1), F.normalize(objects.float(), dim=-1)
        return 0.5 * (1 - one @ other.transpose(-1, -2)).clamp(min=0)


@MODELS.register_module()
class DeepMOTCriterion(ClipCriterion):
    """Distances, a frozen matcher, the DeepMOT loss: the whole of a batch in one call each.

    A clip starts with every track on its own object, so that the first frame that is judged can
    have switches already.

    Args:
        matcher: Config of a matcher; it does not learn. One that comes with weights
            (``pretrained``, or an ``init_cfg`` that loads them) is no part of checkpoints: the
            follower's test needs none.
        loss: Config; ``DeepMOTLoss`` by default.
        normalisation: Of the centres' distances, see
            :func:`~mmdeepmot.models.losses.box_distance.box_distance`.
        min_iou: Pairs that overlap less are forbidden, and give no gradient.
        appearance: How embeddings count. ``'none'``: they do not. ``'term'`` (the paper): the
            cosine distance of a track's past to the objects is a term of D, by which matches are
            made; dMOTP stays that of the boxes. ``'pass'`` (the published code): it goes through
            matcher and loss a second time, alone, with terms of its own and without the loss's
            gate, which is one of box distances.
        appearance_share: Of the term in D, which is ``(1 - share) box distance + share cosine
            distance``; by default each of the three distances weighs as much as the others.
        appearance_weight: Of the second pass's loss.
        init_cfg: mmengine's initialisation config.

    Raises:
        InputError: A choice or a number is out of range.
    """

    def __init__(
        self,
        matcher: dict[str, Any],
        loss: dict[str, Any] | None = None,
        normalisation: Normalisation = "diagonal",
        min_iou: float = 0.0,
        appearance: Appearance = "none",
        appearance_share: float = 1 / 3,
        appearance_weight: float = 1.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if appearance not in get_args(Appearance):
            raise InputError(
                f"DeepMOTCriterion.appearance must be one of {get_args(Appearance)}, got "
                f"{appearance!r}"
            )
        if not 0 < appearance_share < 1 or not appearance_weight > 0 or not 0 <= min_iou <= 1:
            raise InputError(
                "DeepMOTCriterion: expected 0 < appearance_share < 1, appearance_weight > 0 and 0 "
                f"<= min_iou <= 1, got {appearance_share}, {appearance_weight} and {min_iou}"
            )
        self.matcher = MODELS.build(matcher)
        if matcher.get("pretrained") or loads_weights(matcher.get("init_cfg")):
            keep_out_of_checkpoints(self.matcher)
        loss = loss or {"type": "DeepMOTLoss"}
        self.loss = MODELS.build(loss)
        self.looks_loss = MODELS.build({**loss, "gate": None}) if appearance == "pass" else None
        self.normalisation: Normalisation = normalisation
        self.min_iou = min_iou
        self.appearance = appearance
        self.appearance_share = appearance_share
        self.appearance_weight = appearance_weight
        self.needs_embeddings = appearance != "none"
        self.matcher.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> "DeepMOTCriterion":
        """Sets the mode of everything but the matcher, which stays in evaluation mode."""
        super().train(mode)
        self.matcher.eval()
        return self

    def forward(self, clips: ClipRows) -> dict[str, Tensor]:
        """``loss_dmota``, ``loss_dmotp``; ``dMOTA``, ``dMOTP``, ``FP``, ``FN``, ``IDS`` of a clip.

        With a second pass also ``loss_looks_dmota``, ``loss_looks_dmotp`` and ``looks_dMOTA``, ...
        """
        distances = box_distance(
            clips.boxes,
            clips.objects,
            clips.image_sizes[:, None],
            self.normalisation,
            self.min_iou,
        )
        if self.appearance == "none":
            return self._losses(distances, clips)
        looks = self._looks(clips)
        if self.appearance == "term":
            share = self.appearance_share
            return self._losses((1 - share) * distances + share * looks, clips, distances)
        second = self._losses(looks, clips, loss=self.looks_loss)
        return self._losses(distances, clips) | {
            key.replace("loss_", "loss_looks_") if "loss" in key else f"looks_{key}": (
                self.appearance_weight * value if "loss" in key else value
            )
            for key, value in second.items()
        }

    def _looks(self, clips: ClipRows) -> Tensor:
        if clips.embeddings is None or clips.object_embeddings is None:
            raise ValueError(
                f"DeepMOTCriterion(appearance={self.appearance!r}) needs embeddings of rows and "
                "objects, the clips have none"
            )
        return appearance_distance(clips.embeddings, clips.object_embeddings)

    def _losses(
        self,
        distances: Tensor,
        clips: ClipRows,
        box_distances: Tensor | None = None,
        loss: nn.Module | None = None,
    ) -> dict[str, Tensor]:
        with torch.autocast(distances.device.type, enabled=False):
            assignment = self.matcher(
                distances.flatten(0, 1), clips.valid.flatten(0, 1), clips.present.flatten(0, 1)
            ).view_as(distances)
            values, _ = (loss or self.loss)(
                distances,
                assignment,
                clips.row_ids,
                clips.object_ids,
                MatchHistory(clips.started, clips.started, clips.started),
                row_mask=clips.valid,
                col_mask=clips.present,
                box_distances=box_distances,
            )
        return {
            LOGGED.get(key, key): value
            for key, value in values.items()
            if key in LOGGED or "loss" in key
        }


def box_deltas(boxes: Tensor, references: Tensor) -> Tensor:
    """``(dx / w, dy / h, log(w' / w), log(h' / h))`` of boxes seen from references of size w, h.

    Args:
        boxes: ``(K, 4)`` xyxy px; sides below a hundredth of the reference's count as that.
        references: ``(K, 4)``, with an area.

    Returns:
        ``(K, 4)``; 0 where both are the same.
    """
    size = references[:, 2:] - references[:, :2]
    offset = (boxes[:, :2] + boxes[:, 2:] - references[:, :2] - references[:, 2:]) / (2 * size)
    growth = ((boxes[:, 2:] - boxes[:, :2]) / size).clamp(min=_LEAST_SIZE).log()
    return torch.cat((offset, growth), dim=1)


@MODELS.register_module()
class SmoothL1Criterion(ClipCriterion):
    """Boxes regressed to the true box of the identity that they continue (the paper's baseline).

    Smooth L1 of the deltas from the true box to the followed one, in the units in which detectors
    regress: the difference of the two boxes' encoded deltas, but for the sizes by which the centres
    are divided. Mean over the rows of a clip whose object is there (new ones, at their true boxes,
    included), then over clips.

    Args:
        beta: Where the square becomes a line.
        stds: What the four deltas are divided by.
        weight: Of the loss.
        monitor: Config of a :class:`DeepMOTCriterion` whose values are logged beside it, without
            gradient; None: none.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(
        self,
        beta: float = 1.0,
        stds: tuple[float, float, float, float] = BOX_STDS,
        weight: float = 1.0,
        monitor: dict[str, Any] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not beta > 0 or not weight > 0 or len(stds) != 4 or not min(stds) > 0:
            raise InputError(
                "SmoothL1Criterion: expected beta, weight and four stds above 0, got "
                f"{beta}, {weight} and {stds}"
            )
        self.beta = beta
        self.stds = tuple(stds)
        self.weight = weight
        self.monitor = None if monitor is None else MODELS.build(monitor)
        self.needs_embeddings = getattr(self.monitor, "needs_embeddings", False)

    def forward(self, clips: ClipRows) -> dict[str, Tensor]:
        """``loss_box``, and what the monitor logs."""
        same = clips.row_ids[..., None] == clips.object_ids[..., None, :]
        clip, frame, row, column = (
            same & clips.valid[..., None] & clips.present[..., None, :]
        ).nonzero(as_tuple=True)
        deltas = box_deltas(clips.boxes[clip, frame, row], clips.objects[clip, frame, column])
        deltas = deltas / deltas.new_tensor(self.stds)
        losses = F.smooth_l1_loss(
            deltas, torch.zeros_like(deltas), reduction="none", beta=self.beta
        )
        sums = losses.new_zeros(len(clips.boxes)).index_add(0, clip, losses.sum(dim=1))
        counts = clip.bincount(minlength=len(sums)).clamp(min=1)
        values = {"loss_box": self.weight * (sums / counts).mean()}
        if self.monitor is not None:
            with torch.no_grad():
                logged = self.monitor(clips.detach())
            values |= {key: value for key, value in logged.items() if "loss" not in key}
        return values
