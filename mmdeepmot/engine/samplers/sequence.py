"""Test sampler: whole videos to processes, because association runs frame after frame."""

from collections.abc import Iterator, Sized
from typing import cast

import numpy as np
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from mmdeepmot.registry import DATA_SAMPLERS


def assign_sequences(lengths: np.ndarray, num_ranks: int) -> np.ndarray:
    """Spread sequences over processes, the longest first to whoever has least.

    Args:
        lengths: (S,) number of items of each sequence.
        num_ranks: Number of processes.

    Returns:
        (S,) rank of each sequence. The largest load is at most 4/3 of the best possible one
        (Graham's bound for this greedy rule).
    """
    ranks = np.zeros(len(lengths), dtype=np.int64)
    loads = np.zeros(num_ranks, dtype=np.int64)
    for sequence in np.argsort(-np.asarray(lengths), kind="stable"):
        rank = int(loads.argmin())
        ranks[sequence] = rank
        loads[rank] += lengths[sequence]
    return ranks


@DATA_SAMPLERS.register_module()
class SequenceSampler(Sampler[int]):
    """Yields this process's sequences, whole and in order; nothing is repeated or left out.

    Photographs are divided one by one: no frame of theirs follows another. A process may get
    nothing (more processes than sequences).

    Args:
        dataset: Needs ``sequence_ids`` (N,), the sequence of each item; ``photographs`` (N,) bool,
            if it has that, says which are of no video.
        seed: Accepted because mmengine passes it; nothing here is random.

    Raises:
        TypeError: If the dataset has no ``sequence_ids``.
        ValueError: If they do not cover the dataset.
    """

    def __init__(self, dataset: Sized, seed: int | None = None) -> None:
        if not hasattr(dataset, "sequence_ids"):
            raise TypeError(
                "SequenceSampler: expected a dataset with `sequence_ids` (the sequence of each "
                f"item), got {type(dataset).__name__}. Use one of mmdeepmot's datasets, or "
                "sampler=dict(type='DefaultSampler', shuffle=False)."
            )
        sequence_ids = np.asarray(cast(np.ndarray, dataset.sequence_ids))
        if sequence_ids.shape != (len(dataset),):
            raise ValueError(
                f"SequenceSampler: expected {len(dataset)} sequence_ids, one an item, got shape "
                f"{sequence_ids.shape} from {type(dataset).__name__}."
            )
        rank, world_size = get_dist_info()
        alone = getattr(dataset, "photographs", np.zeros(len(dataset), dtype=bool))
        heads = np.where(
            alone, sequence_ids.max(initial=0) + 1 + np.arange(len(dataset)), sequence_ids
        )
        _, wholes, lengths = np.unique(heads, return_inverse=True, return_counts=True)
        own = assign_sequences(lengths, world_size)[wholes] == rank
        order = np.argsort(sequence_ids, kind="stable")
        self.indices: list[int] = order[own[order]].tolist()

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)
