"""Appearance memories: what a track remembers of how it looked."""

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MEMORIES
from mmdeepmot.structures.track_table import Column, Rows, TrackTable

Floats = NDArray[np.floating]
Ints = NDArray[np.intp]

#: A gathered pair costs as much as this many entries of a matrix product.
_GATHERING = 16


def normalised(embeddings: Floats) -> Floats:
    """``(N, D)`` float rows scaled to length 1, in place; rows of zeros stay zeros."""
    length = np.sqrt(np.vecdot(embeddings, embeddings))
    np.maximum(length, np.finfo(embeddings.dtype).tiny, out=length)
    embeddings /= length[:, None]
    return embeddings


class Memory(ABC):
    """What a tracker asks of an appearance memory. It lies in columns of the table."""

    @abstractmethod
    def columns(self) -> dict[str, Column]:
        """Columns that the memory needs in the table."""

    @abstractmethod
    def initiate(self, table: TrackTable, rows: Rows, embeddings: Floats) -> None:
        """New tracks look like ``embeddings (n, D)``."""

    @abstractmethod
    def update(self, table: TrackTable, rows: Rows, embeddings: Floats) -> None:
        """Tracks were found looking like ``embeddings (n, D)``."""

    @abstractmethod
    def similarity(self, table: TrackTable, rows: Rows, embeddings: Floats) -> Floats:
        """Cosine similarity ``(n, M)`` of tracks to ``embeddings (M, D)``."""

    def similarity_at(
        self, table: TrackTable, rows: Rows, embeddings: Floats, row: Ints, column: Ints
    ) -> Floats:
        """The same for pairs ``(K,)`` of the n tracks and the M embeddings."""
        return self.similarity(table, rows, embeddings)[row, column]


@MEMORIES.register_module()
class MomentumMemory(Memory):
    """Exponential moving average ``e = m e + (1 - m) f``, normalised (JDE, Eq. 7).

    Column ``embeddings (N, D)`` float32, unit length.

    Args:
        momentum: m, the weight of the past: 0.9 in JDE (mmdet's tracker counts the other way).
    """

    def __init__(self, momentum: float = 0.9) -> None:
        if not 0 <= momentum < 1:
            raise InputError(f"momentum must lie in [0, 1), got {momentum}")
        self.momentum = np.float32(momentum)

    def columns(self) -> dict[str, Column]:
        return {"embeddings": Column((None,), np.float32)}

    def initiate(self, table: TrackTable, rows: Rows, embeddings: Floats) -> None:
        table.write("embeddings", rows, embeddings)

    def update(self, table: TrackTable, rows: Rows, embeddings: Floats) -> None:
        past = table["embeddings"][rows] * self.momentum
        past += embeddings * (np.float32(1) - self.momentum)
        table["embeddings"][rows] = normalised(past)

    def similarity(self, table: TrackTable, rows: Rows, embeddings: Floats) -> Floats:
        remembered = table["embeddings"][rows]
        _check_width(remembered.shape[1], embeddings)
        return remembered @ embeddings.T

    def similarity_at(
        self, table: TrackTable, rows: Rows, embeddings: Floats, row: Ints, column: Ints
    ) -> Floats:
        remembered = table["embeddings"][rows]
        if row.size * _GATHERING > len(remembered) * len(embeddings):
            return self.similarity(table, rows, embeddings)[row, column]
        _check_width(remembered.shape[1], embeddings)
        return np.vecdot(remembered[row], embeddings[column])


@MEMORIES.register_module()
class GalleryMemory(Memory):
    """The last ``size`` embeddings of each track.

    Columns ``gallery (N, size, D)`` float32 and ``gallery_counts (N,)``, the number ever seen.

    Args:
        size: Embeddings kept a track: 10 in DeepMOT and Tracktor, 100 in DeepSORT.
        reduce: ``'max'``: the most similar of them counts (DeepSORT); ``'mean'``: their mean vector
            (Tracktor, DeepMOT).
    """

    def __init__(self, size: int = 10, reduce: Literal["max", "mean"] = "max") -> None:
        if size < 1:
            raise InputError(f"size must be at least 1, got {size}")
        if reduce not in ("max", "mean"):
            raise InputError(f"reduce must be 'max' or 'mean', got {reduce!r}")
        self.size = size
        self.reduce = reduce

    def columns(self) -> dict[str, Column]:
        return {
            "gallery": Column((self.size, None), np.float32),
            "gallery_counts": Column(dtype=np.int64),
        }

    def initiate(self, table: TrackTable, rows: Rows, embeddings: Floats) -> None:
        gallery = np.zeros((len(embeddings), self.size, embeddings.shape[1]), np.float32)
        gallery[:, 0] = embeddings
        table.write("gallery", rows, gallery)
        table["gallery_counts"][rows] = 1

    def update(self, table: TrackTable, rows: Rows, embeddings: Floats) -> None:
        counts = table["gallery_counts"]
        index = np.arange(len(counts))[rows]
        table["gallery"][index, counts[index] % self.size] = embeddings
        counts[index] += 1

    def similarity(self, table: TrackTable, rows: Rows, embeddings: Floats) -> Floats:
        counts = np.minimum(table["gallery_counts"][rows], self.size)
        gallery = table["gallery"][rows, : counts.max(initial=1)]
        _check_width(gallery.shape[2], embeddings)
        if self.reduce == "mean":  # slots not yet used are zero vectors
            mean = gallery.sum(axis=1) / counts[:, None].astype(np.float32)
            return normalised(mean) @ embeddings.T
        flat = gallery.reshape(-1, gallery.shape[2]) @ embeddings.T
        similarity = flat.reshape(*gallery.shape[:2], len(embeddings))
        unused = np.arange(gallery.shape[1]) >= counts[:, None]
        similarity[unused] = -np.inf
        return similarity.max(axis=1)


def _check_width(width: int, embeddings: Floats) -> None:
    if embeddings.shape[1] != width:
        raise ValueError(
            f"embeddings have {embeddings.shape[1]} values, the tracks of this sequence remember "
            f"{width}: did the model change inside a sequence? Call reset() before another"
        )
