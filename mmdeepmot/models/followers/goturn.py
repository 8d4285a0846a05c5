"""GOTURN as a follower: two crops of a target in consecutive frames, and a regression of its box.

Papers: Held et al., "Learning to Track at 100 FPS with Deep Regression Networks", ECCV 2016 (two
towers with the same weights, crops of twice the box, three fully connected layers, the box in the
search crop times 10); Xu et al., CVPR 2020, Sec. 5.2.

Departures: all targets of a frame are one batch; crops that leave the image are filled with its
mean instead of black; boxes are not cut to the image (only what is gone on from is kept in it).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.follower import Follower, Found, Targets
from mmdeepmot.models.sot.crops import boxes_from_crops, crop_regions, inside_image, scaled_boxes
from mmdeepmot.models.utils.initial_weights import loads_weights
from mmdeepmot.registry import MODELS

OUTPUT_SCALE = 10.0
"""Published: the sides of a search crop are 10 long in the network's output."""


@MODELS.register_module()
class GOTURN(Follower):
    """Regression from two crops, for any number of targets.

    It has no score: every target is found, with score 1.

    Args:
        tower: Config of a network with ``out_channels`` and ``out_size(side)``.
        crop: px of the crops.
        context: Width and height of the crops over those of the box.
        width: Of the three fully connected layers.
        dropout: After each of them, in training.
        min_side: px; boxes to go on from are no smaller.
        init_cfg: mmengine's initialisation config.

    Raises:
        InputError: The crops are too small for the towers.
    """

    def __init__(
        self,
        tower: dict | None = None,
        crop: int = 227,
        context: float = 2.0,
        width: int = 4096,
        dropout: float = 0.5,
        min_side: float = 10.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.tower = MODELS.build(tower or {"type": "CaffeNet"})
        side = self.tower.out_size(crop)
        if side < 1:
            raise InputError(
                f"GOTURN.crop: {crop} px are too few, the towers leave nothing of them"
            )
        self.crop, self.context, self.min_side = crop, context, min_side
        sizes = (2 * self.tower.out_channels * side * side, width, width, width)
        self.hidden = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(inner, outer), nn.ReLU(inplace=True), nn.Dropout(dropout))
                for inner, outer in pairwise(sizes)
            )
        )
        self.box = nn.Linear(width, 4)

    def init_weights(self) -> None:
        """The first guess of an untrained network is the box of the frame before."""
        super().init_weights()
        if loads_weights(self.init_cfg):
            return
        nn.init.normal_(self.box.weight, std=1e-3)
        margin = 0.5 * (1 - 1 / self.context)
        with torch.no_grad():
            self.box.bias.copy_(torch.tensor([margin, margin, 1 - margin, 1 - margin]))
            self.box.bias.mul_(OUTPUT_SCALE)

    # ---------------------------------------------------------------------------- the protocol

    def start(self, image: Tensor, boxes: Tensor, ids: Tensor) -> Targets:
        """Remembers where the targets are; see the protocol."""
        return Targets.at(image, boxes, ids)

    def advance(self, image: Tensor, targets: Targets) -> tuple[Found, Targets]:
        """Looks for targets around ``targets.near``; see the protocol.

        Boxes stay in the image (``inside_image``), but for those found in training: the loss is to
        draw them back.
        """
        scores = torch.ones_like(targets.boxes[:, 0])
        if not len(targets):
            found = Found(targets.boxes, scores, targets.ids, scores.bool())
            return found, targets.moved(image, targets.boxes)
        regions = self.regions(targets.near)
        before = self.crops(targets.image, self.regions(targets.boxes))
        output = self.regress(self.features(before), self.features(self.crops(image, regions)))
        boxes = boxes_from_crops(output.float() / OUTPUT_SCALE, regions, (1, 1))
        kept = inside_image(boxes, (image.shape[-2], image.shape[-1]), self.min_side)
        found = Found(boxes if self.training else kept, scores, targets.ids, scores.bool())
        return found, targets.moved(image, kept)

    # ---------------------------------------------------------------------------- the network

    def regions(self, boxes: Tensor) -> Tensor:
        """What crops of ``boxes (N, 4)`` show, ``(N, 4)`` xyxy px."""
        return scaled_boxes(boxes, self.context)

    def crops(self, image: Tensor, regions: Tensor) -> Tensor:
        """``(N, 3, crop, crop)`` of ``regions (N, 4)``."""
        return crop_regions(image, regions, (self.crop, self.crop))

    def features(self, crops: Tensor) -> Tensor:
        """What a tower makes ``(N, F)`` of crops ``(N, 3, crop, crop)``."""
        return self.tower(crops).flatten(1)

    def regress(self, before: Tensor, now: Tensor) -> Tensor:
        """Boxes ``(N, 4)`` xyxy in the search crops, whose sides are ``OUTPUT_SCALE`` long.

        Args:
            before: ``(N, F)`` features of the targets in the last frame.
            now: ``(N, F)`` features of the search crops of this one.
        """
        return self.box(self.hidden(torch.cat((before, now), dim=1)))
