"""Consecutive frame pairs, which JDE's triplet losses need (paper, Sec. 3.3).

A triplet needs two looks of one identity in the batch; neighbouring frames of a video give them.
"""

from collections.abc import Sized
from typing import Protocol, cast

import numpy as np

from mmdeepmot.registry import DATA_SAMPLERS

from .resumable import ResumableSampler


class _SequencedDataset(Protocol):
    """A dataset that knows which item holds the next frame, (len,) int, -1 where none does."""

    successors: np.ndarray


def chain_positions(successors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the items along their sequences.

    Args:
        successors: (N,) item that holds the next frame, -1 where none does.

    Returns:
        Sequence number and position in that sequence of each item, both (N,) int64.

    Raises:
        ValueError: If two items have the same successor, or frames form a ring.
    """
    successors = np.asarray(successors, dtype=np.int64)
    followers = successors[successors >= 0]
    if len(np.unique(followers)) != len(followers):
        raise ValueError("successors: two items name the same next frame; expected at most one.")
    chains = np.full(len(successors), -1, dtype=np.int64)
    positions = np.zeros(len(successors), dtype=np.int64)
    heads = np.setdiff1d(np.arange(len(successors)), followers)
    chains[heads] = np.arange(len(heads))
    front, step = heads, 0
    while len(front):
        has_next = successors[front] >= 0
        step += 1
        following = successors[front[has_next]]
        chains[following] = chains[front[has_next]]
        positions[following] = step
        front = following
    if (chains < 0).any():
        raise ValueError(
            f"successors: {(chains < 0).sum()} items form a ring; expected each sequence to end "
            "with -1."
        )
    return chains, positions


def pair_frames(
    successors: np.ndarray, chains: np.ndarray, positions: np.ndarray, phases: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cut each sequence into pairs of neighbours, starting at its phase (0 or 1).

    Args:
        successors: (N,) item of the next frame or -1.
        chains: (N,) sequence of each item.
        positions: (N,) position of each item in its sequence.
        phases: (number of sequences,) 0 or 1.

    Returns:
        Pairs (P, 2), and the items in no pair (N - 2P,): single images and odd ends.
    """
    starts = np.flatnonzero((successors >= 0) & ((positions - phases[chains]) % 2 == 0))
    pairs = np.stack([starts, successors[starts]], axis=1)
    return pairs, np.setdiff1d(np.arange(len(successors)), pairs)


@DATA_SAMPLERS.register_module()
class FramePairSampler(ResumableSampler):
    """Yields neighbouring frames one after the other, each item once an epoch.

    Pairs stay on one process, and in one batch when the batch size is even. Where a sequence is
    cut into pairs changes from epoch to epoch. Items without a neighbour (single images, odd
    ends) are paired with each other, so that detection still learns from them; an odd total
    repeats one item.

    Args:
        dataset: Needs ``successors`` (N,), the item of the next frame or -1.
        shuffle: Permute the pairs, and choose the cut at random, in each epoch.
        seed: As in :class:`ResumableSampler`.
        round_up: As in :class:`ResumableSampler`, in pairs.

    Raises:
        TypeError: If the dataset has no ``successors``.
    """

    unit = 2

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        super().__init__(dataset, shuffle, seed, round_up)
        if not hasattr(dataset, "successors"):
            raise TypeError(
                "FramePairSampler: expected a dataset with `successors` (the item of the next "
                f"frame, -1 where none), got {type(dataset).__name__}. Use a dataset of sequences, "
                "or sampler=dict(type='ResumableSampler')."
            )
        self._successors = np.asarray(cast(_SequencedDataset, dataset).successors, dtype=np.int64)
        self._chains, self._positions = chain_positions(self._successors)

    def _epoch_order(self) -> np.ndarray:
        rng = np.random.default_rng((self.seed, self.epoch))
        lengths = np.bincount(self._chains)
        phases = rng.integers(0, 2, len(lengths)) if self.shuffle else np.zeros_like(lengths)
        phases[lengths == 2] = 0  # the other cut would leave no pair at all
        pairs, singles = pair_frames(self._successors, self._chains, self._positions, phases)
        if self.shuffle:
            singles = rng.permutation(singles)
        if len(singles) % 2:
            singles = np.append(singles, singles[0])
        units = np.concatenate([pairs, singles.reshape(-1, 2)])
        if self.shuffle:
            units = rng.permutation(units)
        return units.reshape(-1)
