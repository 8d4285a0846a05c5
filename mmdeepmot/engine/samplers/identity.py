"""Batches in which everybody is there several times, as triplet losses need them."""

from collections.abc import Sized
from typing import Protocol, cast

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATA_SAMPLERS

from .resumable import ResumableSampler


class _IdentifiedDataset(Protocol):
    """A dataset that knows whom each item shows, (len,) int."""

    identities: np.ndarray


def identity_groups(
    identities: np.ndarray, size: int, most: int, rng: np.random.Generator
) -> np.ndarray:
    """Items in groups of one identity.

    Args:
        identities: (N,) whom each item shows.
        size: Items of a group; an identity with fewer (or an odd end) repeats some.
        most: At most so many groups an identity, its items drawn at random.
        rng: Draws the order.

    Returns:
        (G, size) items, G the same for every ``rng``; identities in ascending order.
    """
    order = rng.permutation(len(identities))
    order = order[np.argsort(identities[order], kind="stable")]
    starts = np.flatnonzero(np.diff(identities[order], prepend=-1))
    counts = np.diff(np.append(starts, len(order)))
    groups = np.minimum(-(-counts // size), most)
    owner = np.repeat(np.arange(len(starts)), groups)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(groups) - groups, groups)
    place = number[:, None] * size + np.arange(size)
    return order[starts[owner][:, None] + place % counts[owner][:, None]]


@DATA_SAMPLERS.register_module()
class IdentitySampler(ResumableSampler):
    """Yields ``crops`` items of one identity, then those of another: P x K batches.

    With a batch size of P x ``crops`` a batch shows (about) P identities ``crops`` times each;
    groups stay on one process.

    Args:
        dataset: Needs ``identities`` (N,).
        crops: Items of an identity in a group (K).
        groups: At most so many groups an identity in an epoch, so that who is there for long does
            not outweigh the others.
        shuffle: As in :class:`ResumableSampler`, of groups.
        seed: As in :class:`ResumableSampler`.
        round_up: As in :class:`ResumableSampler`, in groups.

    Raises:
        TypeError: If the dataset has no ``identities``.
    """

    def __init__(
        self,
        dataset: Sized,
        crops: int = 4,
        groups: int = 4,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        super().__init__(dataset, shuffle, seed, round_up)
        if not hasattr(dataset, "identities"):
            raise TypeError(
                "IdentitySampler: expected a dataset with `identities` (whom each item shows), got "
                f"{type(dataset).__name__}. Use IdentityCropDataset, or "
                "sampler=dict(type='ResumableSampler')."
            )
        if crops < 2 or groups < 1:
            raise InputError(
                f"IdentitySampler: expected crops >= 2 and groups >= 1, got {crops} and {groups}"
            )
        self.unit = crops
        self.groups = groups
        self._identities = np.asarray(cast(_IdentifiedDataset, dataset).identities)
        counts = np.unique(self._identities, return_counts=True)[1]
        self._count = int(np.minimum(-(-counts // crops), groups).sum())

    def _num_units(self) -> int:
        return self._count

    def _epoch_order(self) -> np.ndarray:
        rng = np.random.default_rng((self.seed, self.epoch) if self.shuffle else 0)
        groups = identity_groups(self._identities, self.unit, self.groups, rng)
        if self.shuffle:
            groups = rng.permutation(groups)
        return groups.reshape(-1)
