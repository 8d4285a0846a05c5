"""A follower led through a clip whose truth is known: what it is asked for in training.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 4.3: tracks start
at true boxes, perturbed, and are followed into the next frames. The paper takes two frames (ten
with a ReID head); here a clip may have any number, in which people come and go.

What counts, and what does not:

- The first frame is where tracks start: it is not judged.
- Objects without identity (-1) are neither followed nor to be found. Rows that lie on them or on
  ignored boxes, and do not continue an object of the frame, are left out: neither rewarded nor
  punished.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmdeepmot.models.losses.box_distance import iou
from mmdeepmot.models.losses.clip_rows import FrameRows
from mmdeepmot.models.mot.follower import Follower, Found, Targets
from mmdeepmot.models.mot.track_looks import past_means

BoxesToBoxes = Callable[[Tensor], Tensor]
NEUTRAL_IOU = 0.5


@dataclass(frozen=True)
class TrueFrame:
    """What is there in a frame.

    Attributes:
        objects: ``(M, 4)`` xyxy px of the network's input.
        ids: ``(M,)`` int64, from 0.
        neutral: ``(K, 4)`` boxes that are neither to be found nor to be left alone.
    """

    objects: Tensor
    ids: Tensor
    neutral: Tensor

    @classmethod
    def of(cls, boxes: Tensor, ids: Tensor, ignored: Tensor | None) -> "TrueFrame":
        """From boxes ``(L, 4)``, identities ``(L,)`` (-1: none) and ignored boxes ``(K, 4)``."""
        known = ids >= 0
        neutral = boxes[~known]
        return cls(
            boxes[known], ids[known], neutral if ignored is None else torch.cat((neutral, ignored))
        )


@dataclass(frozen=True)
class LeadRules:
    """How a follower is led.

    Attributes:
        births: Whether objects that appear later are followed from there on; in the frame where
            they appear they count as found, at their true box. False: they are only missed.
            Objects that the follower has given up are missed there and followed anew from there on.
        deaths: Whether tracks end where their object has left. False: they go on as false alarms.
        through_time: Whether gradients flow into earlier frames. False: only into the step from the
            frame before.
        embed: Whether appearances are compared; needs :meth:`Follower.embed`.
    """

    births: bool = True
    deaths: bool = True
    through_time: bool = False
    embed: bool = False


@dataclass(frozen=True)
class _Looks:
    """Rows ``(N, D)`` and objects ``(M, D)`` of a frame, or None where nobody looks."""

    rows: Tensor | None
    objects: Tensor | None


def lead(
    follower: Follower,
    images: Sequence[Any],
    truth: Sequence[TrueFrame],
    perturb: BoxesToBoxes,
    rules: LeadRules = LeadRules(),
    cameras: Sequence[BoxesToBoxes | None] | None = None,
) -> list[FrameRows]:
    """Leads a follower through a clip of T frames.

    Args:
        follower: Starts at the perturbed objects of the first frame.
        images: T frames, as the follower encoded them.
        truth: What is there in each.
        perturb: Makes of true boxes ``(N, 4)`` the ones that tracks start from.
        rules: See there.
        cameras: For each frame what moves boxes of the frame before with the camera; None: nothing.

    Returns:
        T - 1 frames, all but the first.
    """
    first = truth[0]
    targets = follower.start(images[0], perturb(first.objects), first.ids)
    ids, looks = [first.ids], [_look(follower, images[0], targets.boxes, first, rules)]
    frames = []
    moves = cameras or [None] * len(images)
    for image, here, move in zip(images[1:], truth[1:], moves[1:], strict=True):
        before = targets if rules.through_time else targets.detach()
        if move is not None:
            before = before.looked_for(move(before.near))
        found, targets = follower.advance(image, before)
        rows = _judged(found, here, rules)
        new = ~torch.isin(here.ids, before.ids)
        if rules.births:
            rows = _with_births(rows, here, new)
        looks.append(_look(follower, image, rows.boxes, here, rules))
        ids.append(rows.row_ids)
        frames.append(rows)
        targets = _following(follower, image, targets, found, here, perturb, rules)
    return _with_looks(frames, ids, looks, rules) if rules.embed else frames


def _judged(found: Found, here: TrueFrame, rules: LeadRules) -> FrameRows:
    """The rows that count."""
    boxes = found.boxes.float()
    at_home = torch.isin(found.row_ids, here.ids)
    counts = found.valid
    if rules.deaths:
        counts = counts & (at_home | (found.row_ids < 0))
    if len(here.neutral):
        neutral = iou(boxes.detach(), here.neutral).amax(dim=1) >= NEUTRAL_IOU
        counts = counts & (at_home | ~neutral)
    return FrameRows(
        boxes[counts],
        found.scores[counts].float(),
        found.row_ids[counts],
        here.objects,
        here.ids,
    )


def _with_births(rows: FrameRows, here: TrueFrame, new: Tensor) -> FrameRows:
    """The rows, and those objects ``(M,)`` bool of the frame, as they are."""
    return FrameRows(
        torch.cat((rows.boxes, here.objects[new])),
        torch.cat((rows.scores, here.objects.new_ones(int(new.sum())))),
        torch.cat((rows.row_ids, here.ids[new])),
        here.objects,
        here.ids,
    )


def _following(
    follower: Follower,
    image: Any,
    targets: Targets,
    found: Found,
    here: TrueFrame,
    perturb: BoxesToBoxes,
    rules: LeadRules,
) -> Targets:
    """Whom to follow from this frame on."""
    going = torch.isin(targets.ids, found.row_ids[found.valid])  # the others are given up
    if rules.deaths:
        going &= torch.isin(targets.ids, here.ids)
    targets = targets[going]
    if rules.births:
        missing = ~torch.isin(here.ids, targets.ids)
        if missing.any():
            started = follower.start(image, perturb(here.objects[missing]), here.ids[missing])
            targets = targets.and_also(started)
    return targets


def _look(
    follower: Follower, image: Any, boxes: Tensor, here: TrueFrame, rules: LeadRules
) -> _Looks:
    """How rows and objects look in a frame, from one call."""
    if not rules.embed:
        return _Looks(None, None)
    both = follower.embed(image, torch.cat((boxes.detach(), here.objects))).float()
    return _Looks(*both.split((len(boxes), len(here.objects))))


def _with_looks(
    frames: Sequence[FrameRows],
    ids: Sequence[Tensor],
    looks: Sequence[_Looks],
    rules: LeadRules,
) -> list[FrameRows]:
    """The frames after the first, with what their rows are known to look like."""
    of_rows = [one.rows for one in looks if one.rows is not None]
    past = past_means(ids, of_rows, through_time=rules.through_time)
    return [
        FrameRows(
            one.boxes, one.scores, one.row_ids, one.objects, one.object_ids, known, look.objects
        )
        for one, known, look in zip(frames, past[1:], looks[1:], strict=True)
    ]
