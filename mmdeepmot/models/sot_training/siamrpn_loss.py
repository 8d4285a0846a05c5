"""How SiamRPN learns from pairs of frames.

Papers: Li et al., CVPR 2018, Sec. 3.3 and 3.4: anchors with an IoU above 0.6 are positive, below
0.3 negative; at most 16 positives and 64 in all a pair; cross entropy and Smooth L1 of the deltas.
Zhu et al., "Distractor-aware Siamese Networks", ECCV 2018: some search regions show another person
than the template; here these are those of the same batch. Shifts and scales of the crops are those
of the published PySOT.

Departure: where no anchor reaches 0.6, the best one is positive if it reaches 0.3 (people are
slimmer than most anchors).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.followers.siamrpn import SiamRPN
from mmdeepmot.models.heads.coding import encode_boxes
from mmdeepmot.models.losses.box_distance import iou
from mmdeepmot.models.sot.crops import context_sides, crop_regions, squares
from mmdeepmot.models.sot_training.pairs import FramePair, uniform
from mmdeepmot.registry import MODELS


def anchor_labels(
    overlap: Tensor, foreground: float = 0.6, background: float = 0.3
) -> tuple[Tensor, Tensor]:
    """Which anchors are positive and which negative, ``(N, P)`` bool each.

    Args:
        overlap: ``(N, P)`` IoU of the anchors with the target of each search region.
        foreground: Above: positive, as is the best anchor if it lies above ``background``.
        background: Below: negative.
    """
    best = overlap.amax(dim=1, keepdim=True)
    positive = (overlap > foreground) | ((overlap == best) & (best >= background))
    return positive, overlap < background


def sample(candidates: Tensor, counts: int | Tensor) -> Tensor:
    """At most ``counts`` (one number, or ``(N, 1)``) of each row's ``candidates (N, P)``, drawn at
    random; ``(N, P)`` bool."""
    priority = torch.rand(candidates.shape, device=candidates.device) * candidates
    rank = priority.argsort(dim=1, descending=True).argsort(dim=1)
    return candidates & (rank < counts)


@MODELS.register_module()
class SiamRPNPairLoss(torch.nn.Module):
    """Crops of pairs, labels of the anchors, and the two losses.

    Args:
        template_shift: px of the template crop, up to which it is moved in each direction.
        template_scale: Its scale lies in 1 +- this.
        search_shift: The same of the search crop.
        search_scale: See above.
        foreground: IoU above which an anchor is positive.
        background: IoU below which it is negative.
        positives: At most so many a search region.
        samples: So many in all.
        others: Share of search regions that get another target's template: nothing there is the
            target.
        box_weight: Of the boxes' loss (PySOT: 1.2).
    """

    follower_type = SiamRPN

    def __init__(
        self,
        template_shift: float = 4.0,
        template_scale: float = 0.05,
        search_shift: float = 64.0,
        search_scale: float = 0.18,
        foreground: float = 0.6,
        background: float = 0.3,
        positives: int = 16,
        samples: int = 64,
        others: float = 0.2,
        box_weight: float = 1.2,
    ) -> None:
        super().__init__()
        if not 0 <= background <= foreground <= 1:
            raise InputError(
                "SiamRPNPairLoss: expected 0 <= background <= foreground <= 1, got "
                f"{background} and {foreground}"
            )
        if not 0 < positives <= samples or not 0 <= others < 1:
            raise InputError(
                "SiamRPNPairLoss: expected 0 < positives <= samples and 0 <= others < 1, got "
                f"{positives}, {samples} and {others}"
            )
        self.template_shift, self.template_scale = template_shift, template_scale
        self.search_shift, self.search_scale = search_shift, search_scale
        self.foreground, self.background = foreground, background
        self.positives, self.samples = positives, samples
        self.others, self.box_weight = others, box_weight

    def forward(self, follower: SiamRPN, pairs: Sequence[FramePair]) -> dict[str, Tensor]:
        """Losses of the targets of all pairs (at least one).

        Returns:
            ``loss``; ``cls`` and ``box``, its parts; ``box_iou``, the mean IoU of the
            best-scored proposal with the target.
        """
        templates, searches, truth = self.crops(follower, pairs)
        ids = torch.cat([pair.ids for pair in pairs])
        exchanged = self._exchanged(ids)
        source = torch.arange(len(ids), device=ids.device)
        source = torch.where(exchanged, source.roll(1), source)
        proposals = follower.propose(searches, follower.kernels(templates[source]))
        overlap = iou(truth[:, None], follower.anchors.expand(len(truth), -1, -1)).squeeze(1)
        positive, negative = anchor_labels(overlap, self.foreground, self.background)
        positive = sample(positive, self.positives)
        negative = sample(negative, self.samples - positive.sum(dim=1, keepdim=True))
        target = (positive & ~exchanged[:, None]).long()
        logits = proposals.logits.float()
        cls = F.cross_entropy(logits[positive | negative], target[positive | negative])
        rows, anchors = target.nonzero(as_tuple=True)
        wanted = encode_boxes(follower.anchors[anchors], truth[rows])
        deltas = proposals.deltas[rows, anchors].float()
        box = F.smooth_l1_loss(deltas, wanted, reduction="sum") / max(len(rows), 1)
        with torch.no_grad():
            best = proposals.scores.argmax(dim=1)
            boxes = proposals.boxes[torch.arange(len(best)), best]
            hit = iou(boxes[:, None], truth[:, None])[~exchanged].mean()
        return {
            "loss": cls + self.box_weight * box,
            "cls": cls.detach(),
            "box": box.detach(),
            "box_iou": hit.nan_to_num(),
        }

    def crops(self, follower: SiamRPN, pairs: Sequence[FramePair]) -> tuple[Tensor, Tensor, Tensor]:
        """Template crops, search crops, and the targets' boxes about the search crops' centres.

        Each ``(N, ...)``; boxes ``(N, 4)`` xyxy in px of the search crop.
        """
        templates, searches, truth = [], [], []
        for pair in pairs:
            regions, _ = self._region(
                follower, pair.before, follower.template, self.template_shift, self.template_scale
            )
            templates.append(crop_regions(pair.first, regions, (follower.template,) * 2))
            regions, scale = self._region(
                follower, pair.now, follower.search, self.search_shift, self.search_scale
            )
            searches.append(crop_regions(pair.second, regions, (follower.search,) * 2))
            centre = 0.5 * (regions[:, :2] + regions[:, 2:])
            truth.append((pair.now - centre.repeat(1, 2)) * scale)
        return torch.cat(templates), torch.cat(searches), torch.cat(truth)

    @staticmethod
    def _region(
        follower: SiamRPN, boxes: Tensor, size: int, shift: float, scale: float
    ) -> tuple[Tensor, Tensor]:
        """Squares ``(N, 4)`` for crops of ``size`` px, and crop px per image px ``(N, 1)``."""
        sides = context_sides(boxes[:, 2:] - boxes[:, :2], follower.context)
        zoom = follower.template / sides * (1 + uniform(len(boxes), 1, scale, boxes.device)[:, 0])
        move = uniform(len(boxes), 2, shift, boxes.device) / zoom[:, None]
        centre = 0.5 * (boxes[:, :2] + boxes[:, 2:]) + move
        return squares(centre, size / zoom), zoom[:, None]

    def _exchanged(self, ids: Tensor) -> Tensor:
        """Rows ``(N,)`` bool that get the template of the row before, another person's."""
        drawn = torch.rand(len(ids), device=ids.device) < self.others
        return drawn & (ids != ids.roll(1))
