"""SiamRPN as a follower: each target is looked for around where it was, by how it looked.

Papers: Li et al., "High Performance Visual Tracking with Siamese Region Proposal Network", CVPR
2018; Xu et al., CVPR 2020, Sec. 5.2, whose published tracker is DaSiamRPN's (template 127, search
271, window 0.44, penalty 0.04, rate 0.45; gradients into the box of the best proposal alone).

Departures: all targets of a frame are one batch; templates are renewed only where the target was
found with a good score.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.heads.coding import decode_boxes
from mmdeepmot.models.mot.follower import Follower, Found, Targets
from mmdeepmot.models.sot.anchors import RATIOS, anchor_boxes, change_penalty, cosine_window
from mmdeepmot.models.sot.crops import context_sides, crop_regions, inside_image, squares
from mmdeepmot.registry import MODELS

Choice = Literal["best", "soft"]
_CROPS = "template"


class Proposals(NamedTuple):
    """What the network says of N search regions.

    Attributes:
        logits: ``(N, P, 2)`` background, target.
        deltas: ``(N, P, 4)`` at the anchors.
        boxes: ``(N, P, 4)`` xyxy px of the search crop, about its centre.
    """

    logits: Tensor
    deltas: Tensor
    boxes: Tensor

    @property
    def scores(self) -> Tensor:
        """``(N, P)`` probability of the target."""
        return self.logits.float().softmax(dim=-1)[..., 1]


@MODELS.register_module()
class SiamRPN(Follower):
    """Siamese region proposals for any number of targets.

    Args:
        backbone: Config of a network with ``out_channels``, ``stride`` and ``out_size(side)``.
        rpn: Config of the head (``UpChannelRPN``, ``DepthwiseRPN``) without ``in_channels`` and
            ``num_anchors``.
        template: px of the template's crop, which shows ``context_sides`` px of the image.
        search: px of the search crop, at the same scale.
        ratios: Height over width of the anchors.
        scale: Side of a square anchor in strides; ``scale * stride = template / 2`` fits.
        context: See :func:`~mmdeepmot.models.sot.crops.context_sides`.
        window: Share of the cosine window in the choice of the proposal.
        penalty: Strength of :func:`~mmdeepmot.models.sot.anchors.change_penalty`.
        rate: Times the score: how far width and height go from the old to the proposed ones.
        choice: ``'best'``: the best proposal's box (published), so that gradients reach the boxes'
            branch alone; ``'soft'``: the mean of all proposals' boxes, weighted by a softmax of
            what decides, so that they reach the classes' branch too.
        temperature: Of that softmax; what decides lies in [0, 1].
        refresh: Frames after which the template is taken anew; None: never.
        refresh_score: Only where the target was found with a higher score.
        min_side: px; boxes to go on from are no smaller.
        init_cfg: mmengine's initialisation config.

    Raises:
        InputError: The crops are too small for the backbone, or an option is unknown.
    """

    def __init__(
        self,
        backbone: dict | None = None,
        rpn: dict | None = None,
        template: int = 127,
        search: int = 271,
        ratios: Sequence[float] = RATIOS,
        scale: float = 8.0,
        context: float = 0.5,
        window: float = 0.44,
        penalty: float = 0.04,
        rate: float = 0.45,
        choice: Choice = "best",
        temperature: float = 0.05,
        refresh: int | None = 10,
        refresh_score: float = 0.5,
        min_side: float = 10.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if choice not in get_args(Choice):
            raise InputError(f"SiamRPN.choice must be one of {get_args(Choice)}, got {choice!r}")
        if not 0 <= window <= 1 or penalty < 0 or not 0 <= rate <= 1:
            raise InputError(
                "SiamRPN: expected window and rate in [0, 1] and penalty >= 0, got "
                f"{window}, {rate} and {penalty}"
            )
        if temperature <= 0:
            raise InputError(f"SiamRPN.temperature must be positive, got {temperature}")
        if refresh is not None and refresh < 1:
            raise InputError(f"SiamRPN.refresh must be None or at least 1 frame, got {refresh}")
        self.backbone = MODELS.build(backbone or {"type": "SiamAlexNet"})
        cells = self.backbone.out_size(search) - self.backbone.out_size(template) + 1
        if self.backbone.out_size(template) < 3 or cells < 1:
            raise InputError(
                "SiamRPN: the head needs a template of at least 3 x 3 features and a search region "
                f"not smaller, got {self.backbone.out_size(template)} from {template} px and "
                f"{self.backbone.out_size(search)} from {search} px"
            )
        self.rpn = MODELS.build(
            {"type": "UpChannelRPN", **(rpn or {})},
            default_args={
                "in_channels": self.backbone.out_channels,
                "num_anchors": len(ratios),
            },
        )
        anchors = anchor_boxes(cells, ratios, scale, self.backbone.stride)
        self.register_buffer("anchors", anchors, persistent=False)
        self.register_buffer("hann", cosine_window(cells, len(ratios)), persistent=False)
        self.template, self.search, self.context = template, search, context
        self.window, self.penalty, self.rate = window, penalty, rate
        self.choice, self.temperature = choice, temperature
        self.refresh, self.refresh_score, self.min_side = refresh, refresh_score, min_side

    # ---------------------------------------------------------------------------- the protocol

    def start(self, image: Tensor, boxes: Tensor, ids: Tensor) -> Targets:
        """Takes templates of new targets; see :class:`~mmdeepmot.models.mot.follower.Follower`.

        In training their pixels are remembered, so that gradients of every frame reach the
        template's branch; in testing what the head makes of them, which takes less time.
        """
        ages = torch.zeros_like(ids)
        return Targets.at(image, boxes, ids, age=ages, **self._remember(image, boxes))

    def advance(self, image: Tensor, targets: Targets) -> tuple[Found, Targets]:
        """Looks for targets around ``targets.near``; see the protocol.

        Boxes stay in the image (``inside_image``), but for those found in training: the loss is to
        draw them back.
        """
        if not len(targets):
            nothing = targets.boxes.new_zeros(0)
            valid = targets.ids.new_zeros(0, dtype=torch.bool)
            found = Found(targets.boxes, nothing, targets.ids, valid)
            return found, targets.moved(image, targets.boxes)
        memory = targets.memory
        kernels = self.kernels(memory[_CROPS]) if _CROPS in memory else memory
        size = targets.near[:, 2:] - targets.near[:, :2]
        centre = 0.5 * (targets.near[:, 2:] + targets.near[:, :2])
        scale = self.template / context_sides(size, self.context)  # crop px per image px
        crops = crop_regions(image, squares(centre, self.search / scale), (self.search,) * 2)
        proposals = self.propose(crops, kernels)
        box, score, rate = self._choose(proposals, size * scale[:, None])
        box = box / scale[:, None]
        side = size + (box[:, 2:] - box[:, :2] - size) * rate[:, None]
        middle = centre + 0.5 * (box[:, :2] + box[:, 2:])
        boxes = torch.cat((middle - 0.5 * side, middle + 0.5 * side), dim=-1)
        kept = inside_image(boxes, (image.shape[-2], image.shape[-1]), self.min_side)
        valid = torch.ones_like(score, dtype=torch.bool)
        found = Found(boxes if self.training else kept, score, targets.ids, valid)
        return found, targets.moved(image, kept, **self._renewed(image, kept, score, memory))

    # ---------------------------------------------------------------------------- the network

    def template_crops(self, image: Tensor, boxes: Tensor) -> Tensor:
        """``(N, 3, template, template)`` crops of ``boxes (N, 4)`` and their context."""
        centre = 0.5 * (boxes[:, :2] + boxes[:, 2:])
        sides = context_sides(boxes[:, 2:] - boxes[:, :2], self.context)
        return crop_regions(image, squares(centre, sides), (self.template,) * 2)

    def kernels(self, crops: Tensor) -> dict[str, Tensor]:
        """What the head makes of template crops ``(N, 3, template, template)``."""
        return self.rpn.kernels(self.backbone(crops))

    def propose(self, crops: Tensor, kernels: Mapping[str, Tensor]) -> Proposals:
        """Proposals in search crops ``(N, 3, search, search)`` for the templates' kernels."""
        logits, deltas = self.rpn(self.backbone(crops), kernels)
        return Proposals(logits, deltas, decode_boxes(self.anchors, deltas.float()))

    def _choose(self, proposals: Proposals, sizes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Box ``(N, 4)`` px about the crop's centre, score ``(N,)`` and rate ``(N,)``, no gradient
        into the last, for targets that were ``sizes (N, 2)`` px large."""
        scores, boxes = proposals.scores, proposals.boxes
        trust = change_penalty(boxes.detach(), sizes.detach(), self.penalty)
        decides = trust * scores * (1 - self.window) + self.hann * self.window
        best = decides.argmax(dim=1, keepdim=True)
        score = scores.gather(1, best).squeeze(1)
        rate = (trust.gather(1, best).squeeze(1) * score * self.rate).detach()
        if self.choice == "best":
            return boxes.gather(1, best[..., None].expand(-1, -1, 4)).squeeze(1), score, rate
        weight = (decides / self.temperature).softmax(dim=1)
        # No matrix product: in mixed precision it would round pixels.
        return (weight[..., None] * boxes).sum(dim=1), score, rate

    def _remember(self, image: Tensor, boxes: Tensor) -> dict[str, Tensor]:
        crops = self.template_crops(image, boxes.detach())
        return {_CROPS: crops} if self.training else self.kernels(crops)

    def _renewed(
        self, image: Tensor, boxes: Tensor, scores: Tensor, memory: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        """The memory a frame later: older, and new where it was old and the target in sight."""
        age = memory["age"] + 1
        if self.refresh is None:
            return {"age": age}
        rows = ((age >= self.refresh) & (scores.detach() > self.refresh_score)).nonzero().squeeze(1)
        if not len(rows):
            return {"age": age}
        fresh = self._remember(image, boxes[rows])
        if fresh.keys() != memory.keys() - {"age"}:
            raise ValueError(
                "SiamRPN: targets that were started in training cannot go on in testing, nor the "
                "reverse: start them anew"
            )
        renewed = {name: memory[name].index_copy(0, rows, fresh[name]) for name in fresh}
        return {"age": age.index_fill(0, rows, 0), **renewed}
