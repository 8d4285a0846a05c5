"""The DeepMOT loss: MOTA and MOTP as differentiable functions of a soft assignment.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 4.2, Eq. 5 to 9.
docs/deepmot.md explains it.

Where this departs from the equations as printed:

- The softmaxes are sharpened, as in the published code (``sharpness``; 1 is the printed form).
- Eq. 8 lacks a "1 -": dMOTP has to rise where distances fall for Eq. 9 to make sense.
- A switch is what the CLEAR MOT metrics call one; Eq. 6 as printed is ``switches='literal'``.
- dMOTA and dMOTP are quotients of sums over the frames of a clip, as MOTA and MOTP are, not means
  of the frames' quotients: a frame without objects divides by nothing, and its false positives
  count.
- Forbidden pairs (distance above 1) take no part: whatever a matcher says of them, they are no
  matches.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from mmdeepmot.association.optimal import FORBIDDEN_ABOVE
from mmdeepmot.models.losses.deepmot_counts import gated, soft_counts
from mmdeepmot.models.losses.deepmot_history import MatchHistory, hard_matches, switched_pairs
from mmdeepmot.models.losses.deepmot_options import DeepMOTOptions, PreciseOver, SwitchRule
from mmdeepmot.registry import MODELS

DEFAULTS = DeepMOTOptions()


@dataclass(frozen=True)
class DeepMOTTerms:
    """The loss of B clips of T frames and what it is made of; all but the last two differentiable.

    Attributes:
        loss: ``(B,)`` (Eq. 9).
        dmota: ``(B,)`` (Eq. 7), at most 1. Errors of a clip without objects are divided by 1.
        dmotp: ``(B,)`` (Eq. 8): 1 less the mean distance of the matches; 1 where nothing matched.
        false_positives: ``(B, T)`` soft count of tracks without an object (Eq. 5).
        misses: ``(B, T)`` soft count of objects without a track (Eq. 5).
        switches: ``(B, T)`` soft count of identity switches (Eq. 6).
        num_objects: ``(B, T)`` int64.
        num_matches: ``(B, T)`` int64.
    """

    loss: Tensor
    dmota: Tensor
    dmotp: Tensor
    false_positives: Tensor
    misses: Tensor
    switches: Tensor
    num_objects: Tensor
    num_matches: Tensor

    def of_clip(self, index: int) -> "DeepMOTTerms":
        """The terms of one clip, without the axis of clips."""
        return DeepMOTTerms(*(getattr(self, field.name)[index] for field in fields(self)))


def deepmot_loss(
    distances: Tensor,
    assignment: Tensor,
    row_ids: Tensor,
    col_ids: Tensor,
    history: MatchHistory | None = None,
    *,
    row_mask: Tensor | None = None,
    col_mask: Tensor | None = None,
    matches: Tensor | None = None,
    box_distances: Tensor | None = None,
    options: DeepMOTOptions = DEFAULTS,
) -> tuple[DeepMOTTerms, MatchHistory]:
    """``(1 - dMOTA) + lambda (1 - dMOTP)`` of clips, whole or frame by frame.

    A clip goes in at once, or in pieces of one or more consecutive frames, each with the history
    that the piece before it returned: the counts are the same. Frames are aligned by the ids:
    rows and columns stand in any order, come and go.

    Args:
        distances: ``(B, T, N, M)``, rows are tracks, columns are objects; in [0, 1], or more (any
            value, also inf): the pair is forbidden. The axis of clips B may be left out everywhere
            but in the history.
        assignment: ``(B, T, N, M)``, what a matcher makes of the distances, in [0, 1].
        row_ids: ``(B, T, N)`` int64 identities of the tracks, each at most once a frame. Negative:
            padding; or, where ``row_mask`` says that there is a track, one without identity: it
            counts for FP, never for IDS.
        col_ids: ``(B, T, M)`` int64 identities of the objects, likewise.
        history: Of the frames before; None: there are none.
        row_mask: ``(B, T, N)`` bool, which tracks there are; None: those with an id.
        col_mask: ``(B, T, M)`` bool, which objects there are; None: those with an id.
        matches: ``(B, T, N, M)`` bool, at most one a row and a column: the true positives, if they
            are known better than by the assignment. None: its pairs that are each other's best and
            above ``delta``. They select, and are not differentiated.
        box_distances: ``(B, T, N, M)``, where ``distances`` hold more than boxes (appearances):
            what the gate and dMOTP measure, since MOTP is about boxes. None: ``distances``.
        options: The parameters.

    Returns:
        The terms, and the history for the frames that follow.

    Raises:
        ValueError: If shapes disagree, or an identity stands twice in a frame.
    """
    _check_shapes(distances, assignment, row_ids, col_ids)
    if distances.dim() == 3:
        terms, history = deepmot_loss(
            distances[None],
            assignment[None],
            row_ids[None],
            col_ids[None],
            history,
            row_mask=None if row_mask is None else row_mask[None],
            col_mask=None if col_mask is None else col_mask[None],
            matches=None if matches is None else matches[None],
            box_distances=None if box_distances is None else box_distances[None],
            options=options,
        )
        return terms.of_clip(0), history
    _check_unique("row_ids", row_ids)
    _check_unique("col_ids", col_ids)
    row_mask = _mask("row_mask", row_mask, row_ids)
    col_mask = _mask("col_mask", col_mask, col_ids)
    with torch.autocast(distances.device.type, enabled=False):
        dtype = torch.promote_types(distances.dtype, torch.float32)
        distances, assignment = distances.to(dtype), assignment.to(dtype)
        possible = row_mask[..., None] & col_mask[..., None, :] & (distances <= FORBIDDEN_ABOVE)
        apart = distances if box_distances is None else box_distances.to(dtype)
        if options.gate is not None:
            assignment = gated(assignment, apart, options.gate, options.gate_width)
        if matches is None:
            matches = hard_matches(assignment, possible, options.delta)
        else:
            matches = _mask("matches", matches, distances) & possible
        switched, history = switched_pairs(matches, row_ids, col_ids, history, options.switches)
        fp, fn, ids = soft_counts(
            assignment, possible, switched, row_mask, col_mask, options.delta, options.sharpness
        )
        num_objects, num_matches = col_mask.sum(dim=-1), matches.sum(dim=(-2, -1))
        errors = (fp + fn + options.gamma * ids).sum(dim=-1)
        dmota = 1 - errors / num_objects.sum(dim=-1).clamp(min=1)
        precise = matches if options.precise_over == "matches" else matches & ~switched
        imprecision = apart.where(precise, torch.zeros_like(apart)).sum(dim=(-3, -2, -1))
        dmotp = 1 - imprecision / precise.sum(dim=(-3, -2, -1)).clamp(min=1)
        loss = options.accuracy_weight * (1 - dmota) + options.precision_weight * (1 - dmotp)
    return DeepMOTTerms(loss, dmota, dmotp, fp, fn, ids, num_objects, num_matches), history


def _check_shapes(distances: Tensor, assignment: Tensor, row_ids: Tensor, col_ids: Tensor) -> None:
    shape = distances.shape
    if (
        len(shape) not in (3, 4)
        or assignment.shape != shape
        or row_ids.shape != shape[:-1]
        or col_ids.shape != (*shape[:-2], shape[-1])
    ):
        raise ValueError(
            "expected distances and assignment ([B,] T, N, M), row_ids ([B,] T, N) of tracks and "
            f"col_ids ([B,] T, M) of objects, got {tuple(shape)}, {tuple(assignment.shape)}, "
            f"{tuple(row_ids.shape)} and {tuple(col_ids.shape)}"
        )


def _check_unique(name: str, ids: Tensor) -> None:
    """Whether identities are integers, each at most once a frame."""
    if ids.dtype != torch.int64:
        raise ValueError(f"{name} must be int64, got {ids.dtype}")
    ordered = ids.sort(dim=-1).values
    twice = (ordered[..., 1:] == ordered[..., :-1]) & (ordered[..., 1:] >= 0)
    if twice.any():
        clip, frame, place = twice.nonzero()[0].tolist()
        raise ValueError(
            f"{name} must hold each identity at most once a frame, got identity "
            f"{int(ordered[clip, frame, place])} more than once in frame {frame} of clip {clip}"
        )


def _mask(name: str, given: Tensor | None, like: Tensor) -> Tensor:
    """A mask as given, checked; by default which ids there are."""
    if given is None:
        return like >= 0
    if given.shape != like.shape or given.dtype != torch.bool:
        raise ValueError(
            f"{name} must be bool {tuple(like.shape)}, got {given.dtype} {tuple(given.shape)}"
        )
    return given


@MODELS.register_module()
class DeepMOTLoss(nn.Module):
    """:func:`deepmot_loss` as a module that says what mmengine's training adds up and logs.

    Args: see :class:`~mmdeepmot.models.losses.deepmot_options.DeepMOTOptions`.
    """

    def __init__(
        self,
        delta: float = DEFAULTS.delta,
        gamma: float = DEFAULTS.gamma,
        accuracy_weight: float = DEFAULTS.accuracy_weight,
        precision_weight: float = DEFAULTS.precision_weight,
        sharpness: float = DEFAULTS.sharpness,
        switches: SwitchRule = DEFAULTS.switches,
        precise_over: PreciseOver = DEFAULTS.precise_over,
        gate: float | None = DEFAULTS.gate,
        gate_width: float = DEFAULTS.gate_width,
    ) -> None:
        super().__init__()
        self.options = DeepMOTOptions(
            delta=delta,
            gamma=gamma,
            accuracy_weight=accuracy_weight,
            precision_weight=precision_weight,
            sharpness=sharpness,
            switches=switches,
            precise_over=precise_over,
            gate=gate,
            gate_width=gate_width,
        )

    def forward(
        self,
        distances: Tensor,
        assignment: Tensor,
        row_ids: Tensor,
        col_ids: Tensor,
        history: MatchHistory | None = None,
        *,
        row_mask: Tensor | None = None,
        col_mask: Tensor | None = None,
        matches: Tensor | None = None,
        box_distances: Tensor | None = None,
    ) -> tuple[dict[str, Tensor], MatchHistory]:
        """Means over the clips: two losses to add up, and values to log, without gradient.

        Arguments as of :func:`deepmot_loss`.

        Returns:
            ``loss_dmota``, ``loss_dmotp``: the weighted terms of Eq. 9; ``dmota``, ``dmotp``;
            ``fp``, ``fn``, ``ids``: soft counts of a clip; ``matches``: matches of a clip. And the
            history for the frames that follow.
        """
        terms, history = deepmot_loss(
            distances,
            assignment,
            row_ids,
            col_ids,
            history,
            row_mask=row_mask,
            col_mask=col_mask,
            matches=matches,
            box_distances=box_distances,
            options=self.options,
        )
        clips = max(terms.dmota.numel(), 1)
        values = {
            "loss_dmota": self.options.accuracy_weight * (1 - terms.dmota).sum() / clips,
            "loss_dmotp": self.options.precision_weight * (1 - terms.dmotp).sum() / clips,
        }
        logged = {
            "dmota": terms.dmota,
            "dmotp": terms.dmotp,
            "fp": terms.false_positives,
            "fn": terms.misses,
            "ids": terms.switches,
            "matches": terms.num_matches.to(terms.dmota),
        }
        values.update({name: value.detach().sum() / clips for name, value in logged.items()})
        return values, history

    def extra_repr(self) -> str:
        """The options."""
        return repr(self.options)
