"""The one annotation form inside: a struct of arrays over all frames and boxes of a dataset.

A million images cost a few hundred bytes each, no Python object an item, and forked workers share
the arrays. Nothing here imports torch.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SequenceRecord:
    """A sequence of frames, or a set of unrelated images.

    Attributes:
        name: Unique in the dataset.
        fps: Frames per second.
        is_video: Whether frames that follow each other show the same scene a moment later.
        has_ground_truth: Whether annotations were found.
    """

    name: str
    fps: float = 30.0
    is_video: bool = True
    has_ground_truth: bool = True


class PackedStrings:
    """Strings in two arrays instead of one Python object each."""

    __slots__ = ("data", "offsets")

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self.data = data
        self.offsets = offsets

    @classmethod
    def pack(cls, strings: Iterable[str]) -> "PackedStrings":
        """Pack strings, in their order."""
        encoded = [os.fsencode(string) for string in strings]
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(item) for item in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, item: int) -> str:
        if not -len(self) <= item < len(self):
            raise IndexError(f"string {item} of {len(self)}")
        item %= len(self)
        return os.fsdecode(self.data[self.offsets[item] : self.offsets[item + 1]].tobytes())

    def take(self, items: NDArray[np.int64]) -> "PackedStrings":
        """The strings at ``items`` ``(K,)``, in that order."""
        rows, offsets = ragged_rows(self.offsets, items)
        return PackedStrings(self.data[rows], offsets)


def ragged_rows(
    offsets: NDArray[np.int64], items: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the items of a ragged array.

    Args:
        offsets: ``(F + 1,)``: item f has the rows ``offsets[f]:offsets[f + 1]``.
        items: ``(K,)`` items wanted.

    Returns:
        rows ``(R,)`` of all of them, one item after another, and their own offsets ``(K + 1,)``.
    """
    counts = offsets[items + 1] - offsets[items]
    new_offsets = np.zeros(len(items) + 1, dtype=np.int64)
    np.cumsum(counts, out=new_offsets[1:])
    rows = np.repeat(offsets[items] - new_offsets[:-1], counts) + np.arange(new_offsets[-1])
    return rows, new_offsets


def ragged_offsets(owners: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Offsets ``(count + 1,)`` of rows whose owner ``(R,)``, ascending, is one of ``count``."""
    return np.searchsorted(owners, np.arange(count + 1)).astype(np.int64)


@dataclass(slots=True)
class Boxes:
    """Boxes of frames, as arrays; rows of one frame lie together.

    Attributes:
        offsets: ``(F + 1,)`` int64: frame f has the rows ``offsets[f]:offsets[f + 1]``.
        bboxes: ``(B, 4)`` float32 xyxy px of the original image.
        labels: ``(B,)`` int64 class index.
        identities: ``(B,)`` int64 in 0..num_identities-1, -1 where none is known.
        ignore: ``(B,)`` bool: neither rewarded nor punished.
        visibility: ``(B,)`` float32 in [0, 1].
    """

    offsets: NDArray[np.int64]
    bboxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    identities: NDArray[np.int64]
    ignore: NDArray[np.bool_]
    visibility: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = int(self.offsets[-1])
        if self.bboxes.shape != (count, 4):
            raise ValueError(
                f"Boxes.bboxes must have shape ({count}, 4), xyxy px, as many rows as offsets "
                f"say; got {self.bboxes.shape}"
            )
        for name in ("labels", "identities", "ignore", "visibility"):
            if len(getattr(self, name)) != count:
                raise ValueError(
                    f"Boxes.{name} has {len(getattr(self, name))} rows where bboxes has {count}"
                )

    def __len__(self) -> int:
        return len(self.bboxes)

    @classmethod
    def of_frames(
        cls,
        frames: NDArray[np.int64],
        count: int,
        bboxes: NDArray,
        identities: NDArray,
        ignore: NDArray,
        visibility: NDArray,
        labels: NDArray | None = None,
    ) -> "Boxes":
        """Boxes in any order, made ragged.

        Args:
            frames: ``(B,)`` the frame, 0..count-1, of each box.
            count: Number of frames.
            bboxes: ``(B, 4)`` xyxy px.
            identities: ``(B,)`` whatever numbers tell identities apart; negative: none. They are
                numbered anew, contiguously, in ascending order.
            ignore: ``(B,)``; an ignored box has no identity.
            visibility: ``(B,)``.
            labels: ``(B,)`` class index; None: all of class 0.
        """
        order = np.argsort(frames, kind="stable")
        ignore = np.asarray(ignore, dtype=bool)[order]
        raw = np.where(ignore, -1, np.asarray(identities, dtype=np.int64)[order])
        return cls(
            offsets=ragged_offsets(frames[order], count),
            bboxes=np.asarray(bboxes, dtype=np.float32).reshape(-1, 4)[order],
            labels=(
                np.zeros(len(order), dtype=np.int64)
                if labels is None
                else np.asarray(labels, dtype=np.int64)[order]
            ),
            identities=contiguous_identities(raw),
            ignore=ignore,
            visibility=np.asarray(visibility, dtype=np.float32)[order],
        )


def contiguous_identities(identities: NDArray[np.int64]) -> NDArray[np.int64]:
    """Identities ``(B,)`` numbered anew 0..K-1 in ascending order; negative ones become -1."""
    out = np.full(len(identities), -1, dtype=np.int64)
    known = identities >= 0
    out[known] = np.unique(identities[known], return_inverse=True)[1]
    return out


@dataclass(slots=True)
class PublicDetections:
    """Detections that come with a dataset.

    Attributes:
        offsets: ``(F + 1,)`` int64.
        bboxes: ``(D, 4)`` float32 xyxy px.
        scores: ``(D,)`` float32, raw (they may be negative or above 1).
        labels: ``(D,)`` int64 class index.
    """

    offsets: NDArray[np.int64]
    bboxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(slots=True)
class AnnotationIndex:
    """All frames and boxes of a dataset. Frames of a sequence lie together, in their order.

    Attributes:
        sequences: The sequences.
        frame_sequences: ``(F,)`` int32 sequence of each frame, ascending.
        frame_numbers: ``(F,)`` int64, from 1, as in the files; ascending inside a sequence.
        paths: ``F`` image paths.
        sizes: ``(F, 2)`` int32 (width, height) px.
        boxes: Annotations.
        detections: Public detections, where they were asked for.
    """

    sequences: Sequence[SequenceRecord]
    frame_sequences: NDArray[np.int32]
    frame_numbers: NDArray[np.int64]
    paths: PackedStrings
    sizes: NDArray[np.int32]
    boxes: Boxes
    detections: PublicDetections | None = None
    sequence_offsets: NDArray[np.int64] = field(init=False)
    num_identities: int = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.frame_numbers)
        lengths = {
            "frame_sequences": len(self.frame_sequences),
            "paths": len(self.paths),
            "sizes": len(self.sizes),
            "boxes.offsets - 1": len(self.boxes.offsets) - 1,
        }
        if self.detections is not None:
            lengths["detections.offsets - 1"] = len(self.detections.offsets) - 1
        for name, length in lengths.items():
            if length != count:
                raise ValueError(
                    f"AnnotationIndex.{name} has {length} rows where frame_numbers has {count}"
                )
        if np.any(np.diff(self.frame_sequences) < 0):
            raise ValueError("AnnotationIndex: expected the frames of a sequence to lie together")
        self.sequence_offsets = ragged_offsets(
            self.frame_sequences.astype(np.int64), len(self.sequences)
        )
        identities = self.boxes.identities
        self.num_identities = int(identities.max(initial=-1)) + 1

    def __len__(self) -> int:
        return len(self.frame_numbers)

    def rows(self, frame: int) -> slice:
        """Rows of the boxes of a frame."""
        return slice(int(self.boxes.offsets[frame]), int(self.boxes.offsets[frame + 1]))

    def detection_rows(self, frame: int) -> slice:
        """Rows of the public detections of a frame."""
        if self.detections is None:
            raise ValueError("this index has no public detections: ask for them (with_detections)")
        offsets = self.detections.offsets
        return slice(int(offsets[frame]), int(offsets[frame + 1]))

    def select(self, frames: NDArray) -> "AnnotationIndex":
        """The index of some frames; sequences left empty go, identities are numbered anew.

        Args:
            frames: ``(F,)`` bool mask, or ascending frame indices.
        """
        frames = np.asarray(frames)
        items = np.flatnonzero(frames) if frames.dtype == bool else frames.astype(np.int64)
        rows, offsets = ragged_rows(self.boxes.offsets, items)
        boxes = Boxes(offsets, *(getattr(self.boxes, f.name)[rows] for f in fields(Boxes)[1:]))
        boxes.identities = contiguous_identities(boxes.identities)
        detections = None
        if self.detections is not None:
            rows, offsets = ragged_rows(self.detections.offsets, items)
            found = self.detections
            detections = PublicDetections(
                offsets, found.bboxes[rows], found.scores[rows], found.labels[rows]
            )
        used, sequence = np.unique(self.frame_sequences[items], return_inverse=True)
        return replace(
            self,
            sequences=[self.sequences[s] for s in used],
            frame_sequences=sequence.astype(np.int32),
            frame_numbers=self.frame_numbers[items],
            paths=self.paths.take(items),
            sizes=self.sizes[items],
            boxes=boxes,
            detections=detections,
        )

    def successors(self, max_gap: int | None = 1) -> NDArray[np.int64]:
        """The frame that follows each frame in its sequence, -1 where none does.

        Args:
            max_gap: Largest difference of frame numbers that still counts; None: any.
        """
        out = np.full(len(self), -1, dtype=np.int64)
        if len(self) < 2:
            return out
        same = self.frame_sequences[1:] == self.frame_sequences[:-1]
        video = np.array([sequence.is_video for sequence in self.sequences])
        follows = same & video[self.frame_sequences[1:]]
        if max_gap is not None:
            follows &= np.diff(self.frame_numbers) <= max_gap
        rows = np.flatnonzero(follows)
        out[rows] = rows + 1
        return out
