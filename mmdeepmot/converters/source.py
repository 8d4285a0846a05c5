"""What a reader finds: images of clips of splits, and the boxes in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNKNOWN = -1
"""Identity of a box of whom nobody says who it is."""


@dataclass(slots=True)
class Targets:
    """The boxes of one image.

    Attributes:
        bboxes: ``(N, 4)`` float64 xyxy px of the original image; the upper left corner of the image
            is (0, 0), a box may reach beyond the image.
        labels: ``(N,)`` int64 class, from 0.
        identities: ``(N,)`` int64, not negative, unique in the whole set; -1: unknown.
        ignore: ``(N,)`` bool: regions neither rewarded nor punished.
        visibility: ``(N,)`` float64 in [0, 1]: the visible part of the box's area.
    """

    bboxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    identities: NDArray[np.int64]
    ignore: NDArray[np.bool_]
    visibility: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.bboxes)

    @classmethod
    def of(
        cls,
        bboxes: ArrayLike,
        identities: ArrayLike | None = None,
        ignore: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        visibility: ArrayLike | None = None,
    ) -> "Targets":
        """Targets of any arrays; what is left out: unknown, not ignored, class 0, whole."""
        boxes = np.asarray(bboxes, dtype=np.float64).reshape(-1, 4)
        count = len(boxes)

        def column(values: ArrayLike | None, default: float, dtype: type) -> NDArray:
            if values is None:
                return np.full(count, default, dtype=dtype)
            return np.asarray(values).astype(dtype).reshape(count)

        return cls(
            boxes,
            column(labels, 0, np.int64),
            column(identities, UNKNOWN, np.int64),
            column(ignore, 0, np.bool_),
            column(visibility, 1, np.float64),
        )

    def take(self, rows: NDArray) -> "Targets":
        """Some rows, by mask or index."""
        return Targets(
            self.bboxes[rows],
            self.labels[rows],
            self.identities[rows],
            self.ignore[rows],
            self.visibility[rows],
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """An encoded image inside a larger file.

    Attributes:
        path: The file.
        offset: Of the image's first byte.
        length: Bytes.
        size: (width, height) px.
        suffix: Of the format, with the dot.
    """

    path: Path
    offset: int
    length: int
    size: tuple[int, int]
    suffix: str

    def read(self) -> bytes:
        """The encoded image."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.length)


@dataclass(slots=True)
class Picture:
    """An image and its boxes.

    Attributes:
        name: Path of the image in the set, without ``images/``, with its suffix.
        source: Where it is now.
        targets: Its boxes.
        size: (width, height) px that the annotations state, where they do.
        where: File, and line or entry, in which the boxes stand; for messages.
    """

    name: str
    source: Path | Piece
    targets: Targets
    size: tuple[int, int] | None = None
    where: str = ""


@dataclass(slots=True)
class Clip:
    """Consecutive frames, or a heap of photographs.

    Attributes:
        name: Unique in the set.
        pictures: In their order.
        fps: Frames per second.
        is_video: Whether the pictures follow each other in time.
    """

    name: str
    pictures: list[Picture]
    fps: float = 30.0
    is_video: bool = True


@dataclass(slots=True)
class SourceSet:
    """What a reader found.

    Attributes:
        name: Of list files: ``eth`` becomes ``eth.train``.
        folder: Of images: ``ETHZ`` becomes ``ETHZ/images/...``.
        splits: Clips of each split.
        classes: Names of the classes, from 0.
        subsets: Lists that repeat a part of a split: name -> (split, at most so many images, taken
            evenly).
        notes: What was left out on purpose, and why.
        bad_files: Files that could not be read, and why.
        bad_rows: Rows or entries that were skipped, and why.
    """

    name: str
    folder: str
    splits: dict[str, list[Clip]]
    classes: Sequence[str] = ("pedestrian",)
    subsets: dict[str, tuple[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    bad_files: list[str] = field(default_factory=list)
    bad_rows: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.splits = {name: clips for name, clips in self.splits.items() if clips}


def tlwh(boxes: ArrayLike, base: float = 0.0) -> NDArray[np.float64]:
    """``(N, 4)`` left, top, width, height to xyxy px.

    Args:
        boxes: ``(N, 4)``; empty ones may have any shape.
        base: Coordinate of the first pixel's corner: 1 in files written by MATLAB.
    """
    table = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    corner = table[:, :2] - base
    return np.concatenate((corner, corner + table[:, 2:]), axis=1)


def visible_part(visible: NDArray[np.float64], full: NDArray[np.float64]) -> NDArray[np.float64]:
    """Part ``(N,)`` of each full box's area that its visible box ``(N, 4)`` xyxy px covers."""
    corners = np.maximum(visible[:, :2], full[:, :2]), np.minimum(visible[:, 2:], full[:, 2:])
    inside = np.clip(corners[1] - corners[0], 0, None).prod(axis=1)
    area = np.clip(full[:, 2:] - full[:, :2], 0, None).prod(axis=1)
    return np.divide(inside, area, out=np.ones(len(full)), where=area > 0).clip(0, 1)
