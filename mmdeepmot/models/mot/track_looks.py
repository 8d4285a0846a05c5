"""How followed targets looked so far: the mean over the frames before.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Appendix A.1, "Training
with the ReIDhead": the embeddings of the past ten frames are averaged and compared with those of
the objects of the present one.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

PAST_FRAMES = 10


def past_means(
    ids: Sequence[Tensor],
    looks: Sequence[Tensor],
    frames: int = PAST_FRAMES,
    through_time: bool = False,
) -> list[Tensor]:
    """Mean embedding of each row's target over the frames before the row's own.

    Args:
        ids: Of each of T frames ``(N_t,)`` int64 identities, each at most once; negative: no one.
        looks: Of each of them ``(N_t, D)``, how the rows look in that frame.
        frames: How many frames back count.
        through_time: Whether gradients flow into the looks of frames before.

    Returns:
        Of each of the T frames ``(N_t, D)``, not normalised. Rows without a past in these frames
        (new ones, those of no one) have their own look.
    """
    counts = [len(one) for one in ids]
    everyone, every_look = torch.cat(list(ids)), torch.cat(list(looks))
    times = torch.repeat_interleave(
        torch.arange(len(ids), device=everyone.device),
        torch.tensor(counts, device=everyone.device),
    )
    known, slots = everyone.unique(return_inverse=True)
    someone = everyone >= 0
    place = (times[someone], slots[someone])
    table = every_look.new_zeros(len(ids), len(known), every_look.shape[1])
    past_looks = every_look if through_time else every_look.detach()
    table = table.index_put(place, past_looks[someone])
    seen = every_look.new_zeros(len(ids), len(known)).index_put(place, every_look.new_ones(()))
    total, number = _window_sums(table, frames), _window_sums(seen, frames)
    past, times_seen = total[times, slots], number[times, slots]
    has_past = ((times_seen > 0) & someone)[:, None]
    means = past / times_seen.clamp(min=1)[:, None]
    return list(torch.where(has_past, means, every_look).split(counts))


def _window_sums(values: Tensor, frames: int) -> Tensor:
    """Sums ``(T, ...)`` over the at most ``frames`` entries before each along the first axis."""
    zero = torch.zeros_like(values[:1])
    sums = torch.cat((zero, values.cumsum(dim=0)))
    steps = torch.arange(len(values), device=values.device)
    return sums[steps] - sums[(steps - frames).clamp(min=0)]
