"""Epoch sampler whose order and augmentation depend on (seed, epoch, index) alone."""

import math
from collections.abc import Iterator, Sized

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATA_SAMPLERS


def sample_seed(seed: int, epoch: int, index: int) -> int:
    """Seed of the augmentation of one item in one epoch, in [0, 2**32).

    It depends neither on the process nor on the worker that loads the item, nor on what was
    loaded before it: that is what makes a resumed training exact.
    """
    return int(np.random.SeedSequence((seed, epoch, index)).generate_state(1)[0])


@DATA_SAMPLERS.register_module()
class ResumableSampler(Sampler[tuple[int, int]]):
    """Yields ``(index, sample_seed)`` for the items of this process in this epoch.

    The order follows from (seed, epoch), the augmentation seed from (seed, epoch, index).
    ``skip(n)`` lets the next iteration start after the first ``n`` samples without loading them
    (:class:`~mmdeepmot.engine.loops.EpochTrainLoop` uses it on resume).

    Args:
        dataset: Anything with a length.
        shuffle: Permute the items anew in each epoch.
        seed: None: drawn once and shared by all processes.
        round_up: Repeat items of the beginning so that each process gets the same number;
            must stay True under gradient synchronisation.

    Raises:
        ValueError: If the dataset is empty.
    """

    unit = 1
    """Number of consecutive samples that stay together on one process."""

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        if len(dataset) == 0:
            raise InputError(
                f"{type(self).__name__}: the dataset ({type(dataset).__name__}) has no items. "
                "Check its data_root, sequences and filters."
            )
        self.dataset = dataset
        self.rank, self.world_size = get_dist_info()
        self.shuffle = shuffle
        self.seed = int(sync_random_seed() if seed is None else seed)
        self.round_up = round_up
        self.epoch = 0
        self._skipped = 0

    def __len__(self) -> int:
        units = self._num_units()
        if self.round_up:
            return math.ceil(units / self.world_size) * self.unit
        return math.ceil((units - self.rank) / self.world_size) * self.unit

    def __iter__(self) -> Iterator[tuple[int, int]]:
        first, self._skipped = self._skipped, 0
        for index in self._own_order()[first:].tolist():
            yield index, sample_seed(self.seed, self.epoch, index)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order and augmentation the next iteration gives."""
        self.epoch = epoch

    def skip(self, num_samples: int) -> None:
        """Let the next iteration, and only that one, start after ``num_samples`` samples.

        Raises:
            ValueError: If an epoch has fewer samples (this sampler is not infinite).
        """
        if not 0 <= num_samples <= len(self):
            raise ValueError(
                f"{type(self).__name__}.skip: expected 0 to {len(self)} samples (one epoch of this "
                f"process), got {num_samples}. Use train_cfg=dict(type='EpochTrainLoop', ...)."
            )
        self._skipped = num_samples

    def _num_units(self) -> int:
        return math.ceil(len(self.dataset) / self.unit)

    def _epoch_order(self) -> np.ndarray:
        """Items of the epoch over all processes, (num_units * unit,) int64."""
        if not self.shuffle:
            return np.arange(len(self.dataset))
        return np.random.default_rng((self.seed, self.epoch)).permutation(len(self.dataset))

    def _own_order(self) -> np.ndarray:
        units = self._epoch_order().reshape(-1, self.unit)
        if self.round_up:
            total = math.ceil(len(units) / self.world_size) * self.world_size
            units = units[np.arange(total) % len(units)]
        return units[self.rank :: self.world_size].reshape(-1)
