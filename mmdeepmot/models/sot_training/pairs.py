"""What single-object trackers learn from: targets in two frames, and random crops of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class FramePair:
    """Two frames of a sequence, and the targets that stand in both.

    Attributes:
        first: ``(3, H, W)``, where the targets are known.
        second: ``(3, H, W)``, where they are to be found.
        before: ``(N, 4)`` xyxy px in the first frame.
        now: ``(N, 4)`` xyxy px in the second frame.
        ids: ``(N,)`` int64 identities.
    """

    first: Tensor
    second: Tensor
    before: Tensor
    now: Tensor
    ids: Tensor

    def __len__(self) -> int:
        return len(self.ids)


def common_targets(
    boxes: Sequence[Tensor], ids: Sequence[Tensor], limit: int | None, min_side: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The targets that stand in both frames of a pair.

    Args:
        boxes: Of the two frames, ``(L, 4)`` and ``(M, 4)`` xyxy px.
        ids: ``(L,)`` and ``(M,)`` int64; -1: none. Identities of a frame differ.
        limit: More of them are drawn from at random; None: all.
        min_side: px; boxes that are smaller in one of the frames are left out.

    Returns:
        Boxes in the first frame ``(N, 4)``, in the second ``(N, 4)``, identities ``(N,)``.
    """
    large = [(box[:, 2:] - box[:, :2] >= min_side).all(dim=1) for box in boxes]
    known = [(number >= 0) & wide for number, wide in zip(ids, large, strict=True)]
    same = (ids[0][:, None] == ids[1]) & known[0][:, None] & known[1]
    rows, columns = same.nonzero(as_tuple=True)
    if limit is not None and len(rows) > limit:
        chosen = torch.randperm(len(rows), device=rows.device)[:limit]
        rows, columns = rows[chosen], columns[chosen]
    return boxes[0][rows], boxes[1][columns], ids[0][rows]


def uniform(count: int, columns: int, bound: float, device: torch.device) -> Tensor:
    """``(count, columns)`` drawn uniformly from [-bound, bound]."""
    return (torch.rand(count, columns, device=device) * 2 - 1) * bound


def truncated_laplace(
    count: int, columns: int, scale: float, bound: float, device: torch.device
) -> Tensor:
    """``(count, columns)`` drawn from a Laplace distribution about 0, given that ``|x| <= bound``.

    By the inverse of the distribution function, so that nothing is drawn again.

    Args:
        count: Rows.
        columns: Columns.
        scale: Mean of ``|x|`` without the bound.
        bound: See above.
        device: Of the result.
    """
    mass = 1 - math.exp(-bound / scale)  # of |x| <= bound
    draw = torch.rand(count, columns, device=device) * 2 - 1
    return -scale * torch.log1p(-draw.abs() * mass) * draw.sign()
