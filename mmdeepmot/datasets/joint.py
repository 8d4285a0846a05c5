"""Several datasets as one, their identities told apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mmdeepmot.datasets.base import MOTDataset, Transform, build_pipeline
from mmdeepmot.errors import InputError
from mmdeepmot.io.names import choose_names
from mmdeepmot.registry import DATASETS


@DATASETS.register_module()
class JointDataset(Dataset):
    """Datasets one after another; identities of each are moved behind those of the ones before.

    A table of what each contributes goes to the log.

    Args:
        datasets: Datasets of this framework, or their configs.
        pipeline: Given to every dataset that has none of its own.
        test_mode: Given to every dataset that does not say.
        dataset_defaults: Arguments for configs in ``datasets`` that do not give them
            (``data_root``, ``view``, ...).
        sequences: Names or patterns; only datasets of such sequences take part. None: all.
    """

    def __init__(
        self,
        datasets: Sequence[dict | MOTDataset],
        pipeline: Sequence[dict | Transform] = (),
        *,
        test_mode: bool = False,
        dataset_defaults: dict[str, Any] | None = None,
        sequences: Sequence[str] | None = None,
    ) -> None:
        if not datasets:
            raise InputError("JointDataset.datasets is empty: expected at least one dataset")
        defaults = {"test_mode": test_mode, **(dataset_defaults or {})}
        self.datasets = [
            DATASETS.build({**defaults, **item}) if isinstance(item, dict) else item
            for item in datasets
        ]
        self.test_mode = test_mode
        self._check()
        if sequences is not None:
            self.datasets = _with_sequences(self.datasets, sequences)
        steps = build_pipeline(pipeline)
        counts = [dataset.num_identities for dataset in self.datasets]
        self.identity_offsets = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)
        before = 0
        for dataset, offset in zip(self.datasets, self.identity_offsets.tolist(), strict=True):
            dataset.identity_offset = offset
            dataset.sequence_offset = before
            dataset.pipeline = dataset.pipeline or steps
            before += len(dataset.index.sequences)
        self.num_identities = int(sum(counts))
        self._ends = np.cumsum([len(dataset) for dataset in self.datasets])
        print_log(self.table(), logger="current")

    def _check(self) -> None:
        for dataset in self.datasets:
            if not isinstance(dataset, MOTDataset):
                raise TypeError(
                    "JointDataset joins datasets of this framework (MOTDataset), got "
                    f"{type(dataset).__name__}"
                )
        if len({id(dataset) for dataset in self.datasets}) < len(self.datasets):
            raise InputError("JointDataset.datasets: the same dataset object is there twice")
        names = [s.name for dataset in self.datasets for s in dataset.index.sequences]
        if self.test_mode and len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputError(
                f"JointDataset: sequences {twice} are in it more than once: results are kept by "
                "the sequence's name, so test such datasets one by one"
            )
        classes = {dataset.classes for dataset in self.datasets}
        if len(classes) > 1:
            raise InputError(
                f"JointDataset: all datasets must have the same classes, got {sorted(classes)}"
            )

    # -------------------------------------------------------------------------------- what is in

    @property
    def metainfo(self) -> dict[str, Any]:
        """As of the first dataset, with all identities."""
        return {**self.datasets[0].metainfo, "num_identities": self.num_identities}

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def sequence_ids(self) -> NDArray[np.int64]:
        """``(len,)`` sequence of each item, counted over all datasets."""
        return np.concatenate(
            [dataset.sequence_ids + dataset.sequence_offset for dataset in self.datasets]
        )

    @property
    def photographs(self) -> NDArray[np.bool_]:
        """``(len,)`` whether an item is of no video."""
        return np.concatenate([dataset.photographs for dataset in self.datasets])

    @property
    def successors(self) -> NDArray[np.int64]:
        """``(len,)`` item that holds the next frame of the same sequence, or -1."""
        parts = []
        for dataset, end in zip(self.datasets, self._ends.tolist(), strict=True):
            part = dataset.successors
            parts.append(np.where(part >= 0, part + end - len(dataset), -1))
        return np.concatenate(parts)

    def table(self) -> str:
        """What each dataset contributes, as text."""
        rows = []
        for dataset, offset in zip(self.datasets, self.identity_offsets.tolist(), strict=True):
            counts = {"items": len(dataset), **dataset.count_boxes(), "first identity": offset}
            rows.append({"dataset": dataset.name, **counts})
        total = {key: sum(row[key] for row in rows) for key in rows[0] if key != "dataset"}
        rows.append({"dataset": "all", **total, "first identity": 0})
        text = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
        widths = [max(len(line[column]) for line in text) for column in range(len(text[0]))]
        return "\n".join(
            ["Joint dataset:"]
            + [
                "  ".join(
                    cell.ljust(width) if column == 0 else cell.rjust(width)
                    for column, (cell, width) in enumerate(zip(line, widths, strict=True))
                )
                for line in text
            ]
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} items)\n{self.table()}"

    # -------------------------------------------------------------------------------- items

    def locate(self, item: int) -> tuple[int, int]:
        """Dataset of an item, and its position there."""
        if not -len(self) <= item < len(self):
            raise IndexError(f"JointDataset: item {item} of {len(self)}")
        item = int(item) % len(self)
        dataset = int(np.searchsorted(self._ends, item, side="right"))
        return dataset, item - int(self._ends[dataset]) + len(self.datasets[dataset])

    def __getitem__(self, item: int | tuple[int, int]) -> dict[str, Any]:
        position, seed = item if isinstance(item, tuple | list) else (item, None)
        dataset, position = self.locate(position)
        return self.datasets[dataset][position if seed is None else (position, seed)]


def _with_sequences(datasets: Sequence[MOTDataset], patterns: Sequence[str]) -> list[MOTDataset]:
    """The datasets that hold nothing but sequences named by ``patterns``.

    Raises:
        InputError: A pattern names none, or not all sequences of a dataset that has such.
    """
    names = [[sequence.name for sequence in dataset.index.sequences] for dataset in datasets]
    every = sorted({name for part in names for name in part})
    wanted = set(choose_names(every, patterns, "JointDataset"))
    chosen = []
    for dataset, part in zip(datasets, names, strict=True):
        named = wanted & set(part)
        if named and named != set(part):
            raise InputError(
                f"JointDataset.sequences chooses whole datasets, {list(patterns)} names "
                f"{len(named)} of the {len(part)} sequences of {dataset.name}: choose in that "
                "dataset's own `sequences`"
            )
        if named:
            chosen.append(dataset)
    return chosen
