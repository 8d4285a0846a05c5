"""Who was matched with whom before: what makes a match of the present an identity switch.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 4.2: the binary
matrices of true positives of the present frame and of the previous one, aligned by identities, and
the pairs that Eq. 6 counts as switched.

Everything here is boolean or integer: no gradient flows through the past. Rows are tracks, columns
are objects; an id below 0 means "without identity": it is never remembered and never switches.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mmdeepmot.models.losses.deepmot_options import SwitchRule

_NONE = -1


@dataclass(frozen=True)
class MatchHistory:
    """What a clip needs to know of the frames before it; K objects and L tracks, padded with -1.

    With the rule ``'clear'``: every object that was ever matched, and its last partner. With
    ``'literal'``: the objects and tracks of the previous frame only. A history is to be continued
    with the rule that made it.

    To start a clip from known identities (tracks initialised at the ground truth), give the same
    ids three times.

    Attributes:
        object_ids: ``(B, K)`` int64.
        partner_ids: ``(B, K)`` int64 ids of the tracks they were matched with, -1: unmatched.
        track_ids: ``(B, L)`` int64 ids of the previous frame's tracks (rule ``'literal'``).
    """

    object_ids: Tensor
    partner_ids: Tensor
    track_ids: Tensor

    @classmethod
    def empty(cls, clips: int, device: torch.device | None = None) -> "MatchHistory":
        """Nothing happened yet, in ``clips`` clips."""
        nothing = torch.empty((clips, 0), dtype=torch.int64, device=device)
        return cls(nothing, nothing, nothing)

    def check(self, clips: int) -> None:
        """Raises ``ValueError`` unless the shapes agree with each other and with ``clips``."""
        shapes = [tuple(t.shape) for t in (self.object_ids, self.partner_ids, self.track_ids)]
        if [len(shape) for shape in shapes] != [2] * 3 or shapes[0] != shapes[1]:
            raise ValueError(
                "a history has object_ids (B, K), partner_ids (B, K) and track_ids (B, L), got "
                f"{shapes[0]}, {shapes[1]} and {shapes[2]}"
            )
        if shapes[0][0] != clips or shapes[2][0] != clips:
            raise ValueError(
                f"the history is of {shapes[0][0]} clips, the batch has {clips}: start a new one "
                "(history=None) where the batch changes"
            )


def hard_matches(assignment: Tensor, valid: Tensor, delta: float = 0.5) -> Tensor:
    """The paper's ``B^TP``: pairs that are each other's best and better than ``delta``.

    At most one pair a row and a column; of equal ones the first. Of an exact assignment, itself.

    Args:
        assignment: ``(..., N, M)`` soft assignment in [0, 1].
        valid: ``(..., N, M)`` bool, or what broadcasts to it: which pairs exist.
        delta: Value at which a track or an object is alone.

    Returns:
        ``(..., N, M)`` bool, without gradient.
    """
    if 0 in assignment.shape[-2:]:
        return torch.zeros_like(assignment, dtype=torch.bool)
    soft = assignment.detach().masked_fill(~valid, 0)
    rows = torch.arange(soft.shape[-2], device=soft.device)[:, None]
    columns = torch.arange(soft.shape[-1], device=soft.device)
    best_of_row = soft.argmax(dim=-1, keepdim=True) == columns
    best_of_column = soft.argmax(dim=-2, keepdim=True) == rows
    return best_of_row & best_of_column & (soft > delta)


def switched_pairs(
    matches: Tensor,
    row_ids: Tensor,
    col_ids: Tensor,
    history: MatchHistory | None = None,
    rule: SwitchRule = "clear",
) -> tuple[Tensor, MatchHistory]:
    """The complement of the padded ``B^TP_-1`` of Eq. 6: pairs whose match is an identity switch.

    An object without a past cannot switch: its column is copied from the present matches, so that
    what counts is only the softness of the present assignment.

    Args:
        matches: ``(B, T, N, M)`` bool, at most one a row and a column, of consecutive frames.
        row_ids: ``(B, T, N)`` int64 ids of the tracks, negative: padding or without identity.
        col_ids: ``(B, T, M)`` int64 ids of the objects.
        history: What was before the first frame; None: nothing.
        rule: ``'clear'``: as the CLEAR MOT metrics count. An object remembers its last partner
            through any gap; a match with any other track is a switch; objects never matched are
            new. ``'literal'``: Eq. 6 as printed, with the matches of the previous frame alone:
            rows of tracks and columns of objects that were not there are copied from the present.
            So an object that its own track finds again is a switch, and one that a new track
            takes over is not.

    Returns:
        ``(B, T, N, M)`` bool, and the history for the frames that follow.

    Raises:
        ValueError: If the history's shapes do not fit.
    """
    if history is None:
        history = MatchHistory.empty(len(matches), matches.device)
    history.check(len(matches))
    partner_ids = ((row_ids + 1)[..., None] * matches).sum(dim=-2) - 1
    return (_clear if rule == "clear" else _literal)(
        matches, row_ids, col_ids, partner_ids, history
    )


def _clear(
    matches: Tensor, row_ids: Tensor, col_ids: Tensor, partner_ids: Tensor, history: MatchHistory
) -> tuple[Tensor, MatchHistory]:
    objects, slots, past_slots = _slots(col_ids, history.object_ids)
    partners = _spread(past_slots, history.partner_ids, slots, partner_ids, len(objects))
    steps = torch.arange(partners.shape[1], device=partners.device)[:, None]
    latest = (steps * (partners >= 0)).cummax(dim=1).values  # step 0 is the history
    partners = partners.gather(1, latest)
    last = partners[:, :-1].gather(2, slots)
    known = (last >= 0) & (col_ids >= 0)
    other = (row_ids[..., None] != last[:, :, None]) & (row_ids >= 0)[..., None]
    remembered = (partners[:, -1] >= 0).any(dim=0) & (objects >= 0)
    kept = objects[remembered].expand(len(matches), -1)
    following = MatchHistory(kept, partners[:, -1, remembered], history.track_ids)
    return torch.where(known[:, :, None], other, ~matches), following


def _literal(
    matches: Tensor, row_ids: Tensor, col_ids: Tensor, partner_ids: Tensor, history: MatchHistory
) -> tuple[Tensor, MatchHistory]:
    objects, slots, past_slots = _slots(col_ids, history.object_ids)
    partners = _spread(past_slots, history.partner_ids, slots, partner_ids, len(objects))
    last = partners[:, :-1].gather(2, slots)
    known_columns = _was_there(slots, past_slots, len(objects)) & (col_ids >= 0)
    tracks, row_slots, past_rows = _slots(row_ids, history.track_ids)
    known_rows = _was_there(row_slots, past_rows, len(tracks)) & (row_ids >= 0)
    known = known_rows[..., None] & known_columns[:, :, None]
    other = row_ids[..., None] != last[:, :, None]
    following = history
    if matches.shape[1]:
        following = MatchHistory(col_ids[:, -1], partner_ids[:, -1], row_ids[:, -1])
    return torch.where(known, other, ~matches), following


def _slots(ids: Tensor, past_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The distinct ids ``(S,)``, and where in them those of ``(B, T, M)`` and ``(B, K)`` stand."""
    distinct, slots = torch.cat((ids.flatten(), past_ids.flatten())).unique(return_inverse=True)
    return distinct, slots[: ids.numel()].view_as(ids), slots[ids.numel() :].view_as(past_ids)


def _spread(
    past_slots: Tensor, past_values: Tensor, slots: Tensor, values: Tensor, count: int
) -> Tensor:
    """Values by slot, ``(B, 1 + T, count)``: of the past, then of every frame; -1 elsewhere."""
    out = values.new_full((values.shape[0], values.shape[1] + 1, count), _NONE)
    out[:, 0].scatter_(1, past_slots, past_values)
    out[:, 1:].scatter_(2, slots, values)
    return out


def _was_there(slots: Tensor, past_slots: Tensor, count: int) -> Tensor:
    """Which of ``(B, T, M)`` were in the frame before theirs."""
    present = _spread(
        past_slots, torch.zeros_like(past_slots), slots, torch.zeros_like(slots), count
    )
    return present[:, :-1].gather(2, slots) >= 0
