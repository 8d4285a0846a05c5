"""Batches of items of alike size: what is padded to one size should have little padding."""

import math
from collections.abc import Iterator
from typing import cast

import numpy as np
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from mmdeepmot.engine.samplers.resumable import ResumableSampler, sample_seed
from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATA_SAMPLERS

_BAND = 1.15
"""Ratio of the most to the fewest rows among items that are sorted by columns."""


def size_order(shapes: np.ndarray) -> np.ndarray:
    """An order ``(K,)`` in which neighbours are of alike size.

    Bands of about equal numbers of rows, and within a band by columns, forth and back in turns.

    Args:
        shapes: ``(K, 2)`` rows and columns.
    """
    band = np.floor(np.log(np.maximum(shapes[:, 0], 1)) / math.log(_BAND)).astype(np.int64)
    columns = np.where(band % 2, -shapes[:, 1], shapes[:, 1])
    return np.lexsort((shapes[:, 0], columns, band))


def cut_batches(
    shapes: np.ndarray, batch_size: int, max_entries: int | None, max_padding: float
) -> np.ndarray:
    """Cuts a sequence of items into batches.

    Args:
        shapes: ``(K, 2)`` rows and columns, in order.
        batch_size: Most items a batch.
        max_entries: Most entries of a batch, padding included; an item that exceeds it alone is a
            batch of its own. None: any number.
        max_padding: Largest share of padding in a batch.

    Returns:
        ``(P + 1,)``: batch p holds the items from the p-th to before the next of these positions.
    """
    starts = [0]
    rows = columns = area = 0
    for at, (n, m) in enumerate(shapes.tolist()):
        count = at - starts[-1] + 1
        padded = max(rows, n) * max(columns, m) * count
        full = count > batch_size or (max_entries is not None and padded > max_entries)
        loose = padded - (area + n * m) > max_padding * padded
        if count > 1 and (full or loose):
            starts.append(at)
            rows, columns, area = n, m, n * m
        else:
            rows, columns, area = max(rows, n), max(columns, m), area + n * m
    return np.array([*starts, len(shapes)], dtype=np.int64)


@DATA_SAMPLERS.register_module()
class SizeBatchSampler(Sampler[list[tuple[int, int]]]):
    """Batches of ``(index, sample_seed)`` whose items have alike sizes.

    Which sizes go together is the same in every epoch, and with it the number of batches; which
    items of equal size do, and the order of the batches, follow from (seed, epoch). Every item
    comes once an epoch, but for the last batches under several processes and for growing sizes.

    With ``grow_iters`` training starts with small items: the largest side allowed grows
    geometrically from ``grow_from`` in that many iterations, and batches that are too large so far
    are replaced by random ones that are not. That too follows from (seed, epoch, position), so
    that a resumed training is exact.

    Args:
        sampler: A :class:`ResumableSampler`: its dataset (which needs ``shapes`` (K, 2)), seed and
            epoch count, and whether it shuffles; its own order does not.
        batch_size: Most items a batch.
        max_entries: Most entries (rows x columns x items) of a batch, padding included: keeps the
            cost of batches about equal. An item above it is a batch of its own.
        max_padding: Largest share of padding in a batch.
        grow_from: Largest side at the first iteration.
        grow_iters: Iterations until every size is allowed; 0: from the start.
        drop_last: Must be False; mmengine passes it on request.

    Raises:
        InputError: The sampler or the dataset lacks what is needed, or a number is out of range.
    """

    def __init__(
        self,
        sampler: ResumableSampler,
        batch_size: int,
        max_entries: int | None = None,
        max_padding: float = 0.25,
        grow_from: int = 8,
        grow_iters: int = 0,
        drop_last: bool = False,
    ) -> None:
        if not isinstance(sampler, ResumableSampler) or not hasattr(sampler.dataset, "shapes"):
            dataset = type(getattr(sampler, "dataset", None)).__name__
            raise InputError(
                "SizeBatchSampler: expected sampler=dict(type='ResumableSampler') over a dataset "
                f"with `shapes` (rows and columns of each item), got {type(sampler).__name__} over "
                f"{dataset}"
            )
        if batch_size < 1 or not 0 <= max_padding < 1 or grow_from < 1 or grow_iters < 0:
            raise InputError(
                "SizeBatchSampler: expected batch_size >= 1, max_padding in [0, 1), grow_from >= 1 "
                f"and grow_iters >= 0, got {batch_size}, {max_padding}, {grow_from}, {grow_iters}"
            )
        if drop_last:
            raise InputError("SizeBatchSampler: drop_last=True would always leave out the same")
        self.sampler = sampler
        self.batch_size = batch_size
        self.grow_from = grow_from
        self.grow_iters = grow_iters
        self.rank, self.world_size = get_dist_info()
        shapes = np.asarray(sampler.dataset.shapes)
        self._order = size_order(shapes)
        self._sorted = shapes[self._order]
        self._cuts = cut_batches(self._sorted, batch_size, max_entries, max_padding)
        sides = self._sorted.max(axis=1)
        self._sides = np.maximum.reduceat(sides, self._cuts[:-1])
        self._by_side = np.argsort(self._sides, kind="stable")
        self._skipped = 0

    def __len__(self) -> int:
        batches = len(self._sides)
        if self.sampler.round_up:
            return math.ceil(batches / self.world_size)
        return math.ceil((batches - self.rank) / self.world_size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        first, self._skipped = self._skipped, 0
        seed, epoch = self.sampler.seed, self.sampler.epoch
        items = self._items(np.random.default_rng((seed, epoch)))
        batches = self._batches(np.random.default_rng((seed, epoch, 1)))
        for position in range(first, len(self)):
            batch = batches[position]
            chosen = items[self._cuts[batch] : self._cuts[batch + 1]]
            # An item may come twice, in another batch: not with the same random numbers.
            own = epoch * len(self) * self.world_size + position * self.world_size + self.rank
            yield [(index, sample_seed(seed, own, index)) for index in chosen.tolist()]

    def skip(self, num_batches: int) -> None:
        """Let the next iteration, and only that one, start after ``num_batches`` batches.

        Raises:
            ValueError: An epoch has fewer.
        """
        if not 0 <= num_batches <= len(self):
            raise ValueError(
                f"SizeBatchSampler.skip: expected 0 to {len(self)} batches (one epoch of this "
                f"process), got {num_batches}"
            )
        self._skipped = num_batches

    def _items(self, rng: np.random.Generator) -> np.ndarray:
        """Items ``(K,)`` in the order of sizes, those of equal size in random order."""
        if not self.sampler.shuffle:
            return self._order
        n, m = self._sorted.T
        # Sorted anew by shape, each shape's items at random: the runs of equal shapes stay.
        run = np.concatenate([[0], np.cumsum((np.diff(n) != 0) | (np.diff(m) != 0))])
        return self._order[np.lexsort((rng.random(len(run)), run))]

    def _batches(self, rng: np.random.Generator) -> np.ndarray:
        """Batches of this process in this epoch, ``(len,)``."""
        count = len(self._sides)
        order = rng.permutation(count) if self.sampler.shuffle else np.arange(count)
        if self.sampler.round_up:
            order = order[np.arange(math.ceil(count / self.world_size) * self.world_size) % count]
        order = order[self.rank :: self.world_size]
        done = self.sampler.epoch * len(self)
        if done >= self.grow_iters:
            return order
        limit = self._limit(done + np.arange(len(order)))
        # At least the smallest batches are allowed.
        allowed = np.searchsorted(self._sides[self._by_side], limit, side="right")
        allowed = np.maximum(allowed, np.count_nonzero(self._sides == self._sides.min()))
        # All processes draw, so that they meet different batches.
        draws = rng.random((len(order), self.world_size))[:, self.rank]
        other = self._by_side[(draws * allowed).astype(np.int64)]
        return np.where(self._sides[order] > limit, other, order)

    def _limit(self, iterations: np.ndarray) -> np.ndarray:
        """Largest side allowed at each iteration."""
        largest = max(int(self._sides.max()), self.grow_from)
        done = np.minimum(iterations / cast(float, self.grow_iters), 1.0)
        return np.floor(self.grow_from * (largest / self.grow_from) ** done + 1e-9)
