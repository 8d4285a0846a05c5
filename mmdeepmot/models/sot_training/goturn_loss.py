"""How GOTURN learns from pairs of frames.

Paper: Held et al., ECCV 2016, Sec. 4.2 and 5: each pair as it is (the search crop stands where the
target was), and crops drawn about where it is by a motion model: shifts and changes of size from
Laplace distributions, small ones preferred; L1 loss of the corners in the search crop.

Departures: shifts and scales are drawn from the bounded distributions themselves instead of again
and again or clipped; crops may leave the image.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.followers.goturn import GOTURN, OUTPUT_SCALE
from mmdeepmot.models.losses.box_distance import iou
from mmdeepmot.models.sot.crops import boxes_in_crops
from mmdeepmot.models.sot_training.pairs import FramePair, truncated_laplace
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class GOTURNPairLoss(torch.nn.Module):
    """Crops of pairs and the L1 loss.

    Args:
        crops: Random search crops a target, besides the true one.
        shift: Mean shift of the centre, in widths and heights of the target (published: 1/5).
        scale: Mean change of width and height (published: 1/15).
        max_shift: Largest shift; 1: the target's centre on the edge of a crop of twice the box.
        max_scale: Largest change of width and height.
    """

    follower_type = GOTURN

    def __init__(
        self,
        crops: int = 10,
        shift: float = 1 / 5,
        scale: float = 1 / 15,
        max_shift: float = 1.0,
        max_scale: float = 0.4,
    ) -> None:
        super().__init__()
        if crops < 0 or min(shift, scale, max_shift) <= 0 or not 0 < max_scale < 1:
            raise InputError(
                "GOTURNPairLoss: expected crops >= 0, positive shift, scale and max_shift, and "
                f"max_scale in (0, 1), got {crops}, {shift}, {scale}, {max_shift}, {max_scale}"
            )
        self.crops = crops
        self.shift, self.scale = shift, scale
        self.max_shift, self.max_scale = max_shift, max_scale

    def forward(self, follower: GOTURN, pairs: Sequence[FramePair]) -> dict[str, Tensor]:
        """Loss of the targets of all pairs (at least one).

        Returns:
            ``loss``: the L1 distance of the corners, the sum over all four numbers, the mean over
            crops, where search crops are 10 long; ``box_iou``: mean IoU of what is found.
        """
        before, now, truth, targets = [], [], [], []
        for pair, row in zip(pairs, _numbers(pairs), strict=True):
            regions = follower.regions(self.looked_at(pair))
            looked_for = pair.now.repeat(1 + self.crops, 1)
            before.append(follower.crops(pair.first, follower.regions(pair.before)))
            now.append(follower.crops(pair.second, regions))
            truth.append(boxes_in_crops(looked_for, regions, (1, 1)) * OUTPUT_SCALE)
            targets.append(row.repeat(1 + self.crops))
        wanted = torch.cat(truth)
        known = follower.features(torch.cat(before))[torch.cat(targets)]
        found = follower.regress(known, follower.features(torch.cat(now))).float()
        hit = iou(found.detach()[:, None], wanted[:, None]).mean()
        return {"loss": (found - wanted).abs().sum(dim=1).mean(), "box_iou": hit}

    def looked_at(self, pair: FramePair) -> Tensor:
        """Boxes ``((1 + crops) N, 4)`` xyxy px about which the second frame is searched.

        First where the targets were, then random ones about where they are.
        """
        now = pair.now.repeat(self.crops, 1)
        size = now[:, 2:] - now[:, :2]
        shift = truncated_laplace(len(now), 2, self.shift, self.max_shift, now.device)
        grow = truncated_laplace(len(now), 2, self.scale, self.max_scale, now.device)
        centre = 0.5 * (now[:, :2] + now[:, 2:]) + shift * size
        half = 0.5 * size * (1 + grow)
        return torch.cat((pair.before, torch.cat((centre - half, centre + half), dim=1)))


def _numbers(pairs: Sequence[FramePair]) -> tuple[Tensor, ...]:
    """The targets of all pairs, numbered through: ``(N_i,)`` for each pair."""
    counts = [len(pair) for pair in pairs]
    return torch.arange(sum(counts), device=pairs[0].ids.device).split(counts)
