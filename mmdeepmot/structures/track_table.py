"""All tracks of a sequence as arrays: one row a track, one array a property (struct of arrays).

Steps, motion models and appearance memories declare the columns they need (:class:`Column`); the
table keeps all of them at the same length, appends rows at the end, drops rows by a mask without
changing the order of the others, and saves and restores everything as plain arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Rows = slice | NDArray[np.intp]


class TrackState(IntEnum):
    """Life of a track, the value in the column ``states``.

    ``TENTATIVE``: seen too rarely to be reported. ``TRACKED``: confirmed and found in the last
    frame. ``LOST``: confirmed, not found at present. ``REMOVED``: ended; the row disappears at
    the end of the frame.
    """

    TENTATIVE = 0
    TRACKED = 1
    LOST = 2
    REMOVED = 3


STATE_NAMES = tuple(state.name.lower() for state in TrackState)


def state_table(names: tuple[str, ...] | list[str], where: str) -> NDArray[np.bool_]:
    """Lookup table ``(4,)`` bool over :class:`TrackState`: which states are wanted.

    Args:
        names: Some of ``tentative``, ``tracked``, ``lost``, ``removed``.
        where: What asks, for the error message.

    Raises:
        ValueError: A name is none of the states.
    """
    unknown = [name for name in names if name not in STATE_NAMES]
    if unknown or isinstance(names, str):
        raise ValueError(
            f"{where}: states must be a list of names out of {list(STATE_NAMES)}, got {names!r}"
        )
    return np.array([name in names for name in STATE_NAMES])


@dataclass(frozen=True, slots=True)
class Column:
    """One property of every track.

    Attributes:
        shape: Shape of one track's value; a None (the width of an embedding, say) is settled by
            the first values that are written.
        dtype: Element type.
        fill: Value of rows that are appended without a value for this column.
    """

    shape: tuple[int | None, ...] = ()
    dtype: DTypeLike = np.float64
    fill: float = 0

    @property
    def settled(self) -> bool:
        """Whether the shape has no None left."""
        return None not in self.shape

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether one track's value may have this shape."""
        return len(shape) == len(self.shape) and all(
            wanted is None or wanted == got for wanted, got in zip(self.shape, shape, strict=True)
        )


CORE_COLUMNS: Mapping[str, Column] = {
    "ids": Column(dtype=np.int64),
    "states": Column(dtype=np.int8),
    "bboxes": Column((4,)),
    "observed": Column((4,)),
    "scores": Column(),
    "labels": Column(dtype=np.int64),
    "hits": Column(dtype=np.int64),
    "start_frames": Column(dtype=np.int64),
    "last_frames": Column(dtype=np.int64),
}


class TrackTable:
    """Struct of arrays over the living tracks of one sequence.

    Core columns (``N`` tracks): ``ids (N,)`` from 1, never used twice; ``states (N,)``
    :class:`TrackState`; ``bboxes (N, 4)`` xyxy px, the present best box; ``observed (N, 4)`` xyxy
    px, the last detection; ``scores (N,)``;
    ``labels (N,)``; ``hits (N,)`` frames in which it was found; ``start_frames (N,)`` and
    ``last_frames (N,)`` the frames (counted from 0) of birth and of the last time it was found.

    ``table[name]`` is the live view ``(N, ...)``: writing to it changes the table; it is stale
    after the next :meth:`append` or :meth:`compact`.

    Args:
        columns: Columns beyond the core ones.
        capacity: Rows for which memory is set aside; doubled whenever it is used up.
    """

    def __init__(self, columns: Mapping[str, Column] | None = None, capacity: int = 64) -> None:
        self._columns: dict[str, Column] = {}
        self._data: dict[str, NDArray[Any]] = {}
        self._views: dict[str, NDArray[Any]] = {}
        self._count = 0
        self._capacity = max(int(capacity), 1)
        self.next_id = 1
        for name, column in {**CORE_COLUMNS, **(columns or {})}.items():
            self.register(name, column)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: str) -> bool:
        """Whether the column exists and its shape is settled."""
        return name in self._data

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Live view ``(N, ...)`` of a column.

        Raises:
            KeyError: No such column, or no value has been written to it yet.
        """
        try:
            return self._views[name]
        except KeyError:
            state = (
                "its width is settled by the first values, none has come yet"
                if name in self._columns
                else f"there are {sorted(self._columns)}; a motion, memory or step must declare it"
            )
            raise KeyError(f"TrackTable column {name!r}: {state}") from None

    def __setitem__(self, name: str, values: Any) -> None:
        """Write a whole column."""
        self.write(name, slice(0, self._count), values)

    @property
    def capacity(self) -> int:
        """Rows for which memory is set aside."""
        return self._capacity

    @property
    def ids(self) -> NDArray[np.int64]:
        return self._views["ids"]

    @property
    def states(self) -> NDArray[np.int8]:
        return self._views["states"]

    @property
    def bboxes(self) -> NDArray[np.float64]:
        return self._views["bboxes"]

    @property
    def observed(self) -> NDArray[np.float64]:
        return self._views["observed"]

    @property
    def scores(self) -> NDArray[np.float64]:
        return self._views["scores"]

    @property
    def labels(self) -> NDArray[np.int64]:
        return self._views["labels"]

    @property
    def hits(self) -> NDArray[np.int64]:
        return self._views["hits"]

    @property
    def start_frames(self) -> NDArray[np.int64]:
        return self._views["start_frames"]

    @property
    def last_frames(self) -> NDArray[np.int64]:
        return self._views["last_frames"]

    def register(self, name: str, column: Column) -> None:
        """Add a column; rows that exist get its fill value.

        Raises:
            ValueError: The name is taken by a column of another shape or type.
        """
        present = self._columns.get(name)
        if present is not None:
            if present != column:
                raise ValueError(
                    f"TrackTable column {name!r} is declared twice, as {present} and as {column}: "
                    "give one of them another name"
                )
            return
        self._columns[name] = column
        if column.settled:
            self._allocate(name, tuple(size for size in column.shape if size is not None))

    def append(self, count: int, **values: Any) -> slice:
        """Append ``count`` tracks with new ids.

        Args:
            count: Number of tracks.
            **values: Values of columns, ``(count, ...)`` or one for all; other columns get their
                fill value.

        Returns:
            The new rows.
        """
        start, stop = self._count, self._count + count
        if stop > self._capacity:
            self._grow(stop)
        self._count = stop
        self._refresh()
        rows = slice(start, stop)
        for name in self._data:
            if name not in values:
                self._views[name][rows] = self._columns[name].fill
        self._views["ids"][rows] = np.arange(self.next_id, self.next_id + count)
        self.next_id += count
        for name, value in values.items():
            self.write(name, rows, value)
        return rows

    def write(self, name: str, rows: Rows, values: Any) -> None:
        """Write rows of a column; settles the width of a column declared without one.

        Raises:
            ValueError: The values do not have the column's shape.
        """
        view = self._views.get(name)
        if view is None:
            column = self._columns.get(name)
            if column is None:
                view = self[name]  # raises the KeyError that names the columns
            else:
                self._allocate(name, self._settle(name, column, np.shape(values)[1:]))
                view = self._views[name]
        try:
            view[rows] = values
        except ValueError:
            raise ValueError(
                f"TrackTable column {name!r} holds values of shape {view.shape[1:]} a track, got "
                f"an array of shape {np.shape(values)}: do the embeddings (or states) of this "
                "sequence all come from one model? Call reset() before another"
            ) from None

    def compact(self, keep: NDArray[np.bool_]) -> None:
        """Drop the tracks where ``keep (N,)`` is False; the others keep their order."""
        if keep.shape != (self._count,):
            raise ValueError(
                f"TrackTable.compact: the mask must have shape ({self._count},), got {keep.shape}"
            )
        kept = keep.nonzero()[0]
        if kept.size == self._count:
            return
        first = int(keep.argmin())  # rows before the first dropped one stay where they are
        moved = kept[first:]
        for view in self._views.values():
            view[first : kept.size] = view[moved]
        self._count = kept.size
        self._refresh()

    def clear(self) -> None:
        """Drop all tracks, start ids at 1 and forget settled widths."""
        self._count = 0
        self.next_id = 1
        for name, column in self._columns.items():
            if not column.settled:
                self._data.pop(name, None)
        self._views.clear()
        self._refresh()

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Copies of all columns and of the id counter: a flat dict of arrays."""
        state = {name: view.copy() for name, view in self._views.items()}
        state["next_id"] = np.array(self.next_id, dtype=np.int64)
        return state

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Replace all tracks by saved ones; nothing changes if the state does not fit.

        Raises:
            ValueError: Columns are missing, unknown, or of another shape or length.
        """
        given = {name: np.asarray(array) for name, array in state.items() if name != "next_id"}
        required = {name for name, column in self._columns.items() if column.settled}
        missing = sorted((required | {"next_id"}) - set(state))
        unknown = sorted(set(given) - set(self._columns))
        if missing or unknown:
            raise ValueError(
                f"TrackTable state does not fit this tracker: missing {missing}, unknown "
                f"{unknown}; it was saved by a tracker with other steps, motion or memory"
            )
        count = len(given["ids"])
        for name, array in given.items():
            if len(array) != count or not self._columns[name].accepts(array.shape[1:]):
                raise ValueError(
                    f"TrackTable state: column {name!r} must have shape "
                    f"{(count, *self._columns[name].shape)}, got {array.shape}"
                )
        self.clear()
        if count > self._capacity:
            self._grow(count)
        self._count = count
        self._refresh()
        for name, array in given.items():
            self.write(name, slice(0, count), array)
        self.next_id = int(state["next_id"])

    def _settle(self, name: str, column: Column, shape: tuple[int, ...]) -> tuple[int, ...]:
        if not column.accepts(shape):
            raise ValueError(
                f"TrackTable column {name!r} wants values of shape {column.shape} a track "
                f"(None: any size), got {shape}"
            )
        return shape

    def _allocate(self, name: str, shape: tuple[int, ...]) -> None:
        column = self._columns[name]
        data = np.full((self._capacity, *shape), column.fill, dtype=column.dtype)
        self._data[name] = data
        self._views[name] = data[: self._count]

    def _grow(self, needed: int) -> None:
        self._capacity = max(2 * self._capacity, needed)
        for name, data in self._data.items():
            larger = np.empty((self._capacity, *data.shape[1:]), dtype=data.dtype)
            larger[: self._count] = data[: self._count]
            self._data[name] = larger

    def _refresh(self) -> None:
        count = self._count
        for name, data in self._data.items():
            self._views[name] = data[:count]


class TrackView:
    """Some rows of a :class:`TrackTable`, read only by convention: what a cost sees.

    ``view[name]`` are the rows of a column, ``(n, ...)``.
    """

    __slots__ = ("count", "rows", "table")

    def __init__(self, table: TrackTable, rows: Rows) -> None:
        self.table = table
        self.rows = rows
        self.count = len(range(*rows.indices(len(table)))) if isinstance(rows, slice) else len(rows)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.table[name][self.rows]

    @property
    def bboxes(self) -> NDArray[np.float64]:
        """``(n, 4)`` xyxy px."""
        return self.table.bboxes[self.rows]

    @property
    def labels(self) -> NDArray[np.int64]:
        """``(n,)`` class index."""
        return self.table.labels[self.rows]
