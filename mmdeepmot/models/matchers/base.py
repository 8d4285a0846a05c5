"""What every matcher takes and gives: distances of tracks and objects, a soft assignment.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Sec. 4.1. Rows are
tracks, columns are ground-truth objects. A matcher is any function from the distances ``D`` to an
assignment ``A`` in [0, 1]; what follows it (the DeepMOT loss, the scores of assignments) does not
know which.

A subclass writes :meth:`Matcher.match`, or, if it is a network that gives one logit an entry,
:meth:`LogitMatcher.score`. It meets clean input: full masks, and infinity at every entry that is
padding or forbidden. What it gives there is replaced by 0.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmdeepmot.association.optimal import FORBIDDEN_ABOVE
from mmdeepmot.errors import InputError


@dataclass(frozen=True)
class MatchInput:
    """Checked input of a matcher.

    Attributes:
        distances: ``(B, N, M)``, infinity at padding and forbidden pairs.
        row_mask: ``(B, N)`` bool.
        col_mask: ``(B, M)`` bool.
    """

    distances: Tensor
    row_mask: Tensor
    col_mask: Tensor

    @property
    def valid(self) -> Tensor:
        """``(B, N, M)`` bool: the entries that are not padding."""
        return self.row_mask[:, :, None] & self.col_mask[:, None, :]

    @property
    def allowed(self) -> Tensor:
        """``(B, N, M)`` bool: the entries that are neither padding nor forbidden."""
        return ~self.distances.isinf()


def check_input(
    distances: Tensor, row_mask: Tensor | None = None, col_mask: Tensor | None = None
) -> MatchInput:
    """Check shapes and values, make full masks and mark what cannot be matched by infinity.

    Args:
        distances: ``(B, N, M)`` or ``(N, M)`` in [0, 1]; above 1: forbidden. Padding may
            be anything.
        row_mask: ``(B, N)`` or ``(N,)`` bool; None: all rows count.
        col_mask: ``(B, M)`` or ``(M,)`` bool; None: all columns count.

    Raises:
        InputError: If shapes or types disagree, or a distance that counts is NaN or -inf.
    """
    if distances.dim() not in (2, 3) or not distances.is_floating_point():
        raise InputError(
            "distances: expected floating-point (B, N, M) or (N, M), got "
            f"{distances.dtype} {tuple(distances.shape)}"
        )
    single = distances.dim() == 2
    rows = _full_mask(row_mask, distances.shape[:-1], distances, "row_mask")
    columns = _full_mask(
        col_mask, distances.shape[:-2] + distances.shape[-1:], distances, "col_mask"
    )
    if single:
        distances, rows, columns = distances[None], rows[None], columns[None]
    valid = rows[:, :, None] & columns[:, None, :]
    bad = valid & ~(distances > -torch.inf)
    if bad.any():
        first = tuple(bad.nonzero()[0].tolist())
        raise InputError(
            f"distances {tuple(distances.shape)}: {int(bad.sum())} entries are NaN or -inf, the "
            f"first at {first}: expected values in [0, 1], above 1 (or inf) for forbidden pairs. A "
            "box without extent or a division by 0 is the usual cause"
        )
    allowed = valid & (distances <= FORBIDDEN_ABOVE)
    return MatchInput(distances.masked_fill(~allowed, torch.inf), rows, columns)


def _full_mask(mask: Tensor | None, shape: torch.Size, distances: Tensor, name: str) -> Tensor:
    if mask is None:
        return torch.ones(shape, dtype=torch.bool, device=distances.device)
    if mask.shape != shape or mask.dtype != torch.bool:
        raise InputError(
            f"{name}: expected bool {tuple(shape)} beside distances {tuple(distances.shape)}, got "
            f"{mask.dtype} {tuple(mask.shape)}"
        )
    return mask.to(distances.device)


class Matcher(BaseModule):
    """Distances ``(B, N, M)`` to a soft assignment ``(B, N, M)``.

    Matrices of different sizes go into one call padded, with masks; each gets what it would get
    alone. Forbidden pairs get exactly 0 and no gradient, whatever the matcher.
    """

    def forward(
        self, distances: Tensor, row_mask: Tensor | None = None, col_mask: Tensor | None = None
    ) -> Tensor:
        """Soft assignment in [0, 1], of the shape of the distances.

        Args:
            distances: ``(B, N, M)`` or ``(N, M)`` in [0, 1], rows tracks, columns objects; an
                entry above 1 (infinity too) is a forbidden pair. ``B``, ``N``, ``M`` may be 0.
            row_mask: ``(B, N)`` or ``(N,)`` bool, which rows count; None: all.
            col_mask: ``(B, M)`` or ``(M,)`` bool, which columns count; None: all.

        Raises:
            InputError: If shapes or types disagree, or a distance that counts is NaN or -inf.
        """
        given = check_input(distances, row_mask, col_mask)
        allowed = given.allowed
        if allowed.numel():
            result = self.match(given.distances, given.row_mask, given.col_mask)
            result = result.masked_fill(~allowed, 0)
        else:
            result = torch.zeros_like(given.distances)
        return result if distances.dim() == 3 else result[0]

    @abstractmethod
    def match(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Soft assignment ``(B, N, M)``; what it says of padding and forbidden pairs is ignored.

        Args:
            distances: ``(B, N, M)``, nothing 0 in size, infinity at padding and forbidden pairs.
            row_mask: ``(B, N)`` bool.
            col_mask: ``(B, M)`` bool.
        """


class LogitMatcher(Matcher):
    """A matcher whose assignment is the sigmoid of one logit an entry: a network to be trained."""

    def logits(
        self, distances: Tensor, row_mask: Tensor | None = None, col_mask: Tensor | None = None
    ) -> Tensor:
        """Logits of the assignment, for a loss that is stable at both ends; 0 at padding.

        Forbidden pairs have a logit like any other here: the network's own opinion.
        Arguments, shapes and errors as of :meth:`Matcher.forward`.
        """
        given = check_input(distances, row_mask, col_mask)
        if given.distances.numel():
            result = self.score(given.distances, given.row_mask, given.col_mask)
            result = result.masked_fill(~given.valid, 0)
        else:
            result = torch.zeros_like(given.distances)
        return result if distances.dim() == 3 else result[0]

    @abstractmethod
    def score(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Logits ``(B, N, M)``, finite; arguments as of :meth:`Matcher.match`."""

    def match(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        """Sigmoid of the logits."""
        return self.score(distances, row_mask, col_mask).sigmoid()


def check_forbidden_value(name: str, value: float) -> None:
    """Raise InputError unless a net can tell ``value`` from any distance of an allowed pair."""
    if not FORBIDDEN_ABOVE < value < math.inf:
        raise InputError(
            f"{name}: expected forbidden_value above {FORBIDDEN_ABOVE:g}, finite, got {value}"
        )
