"""What a tracker sees of one frame, and what it says of it: arrays and callables, no network."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


def _check_rows(owner: str, count: int, **arrays: NDArray | None) -> None:
    for name, array in arrays.items():
        if array is not None and len(array) != count:
            raise ValueError(
                f"{owner}.{name} has {len(array)} rows where {owner}.bboxes has {count}: "
                "every array needs one row a box"
            )


def _check_boxes(owner: str, bboxes: NDArray) -> None:
    if bboxes.ndim != 2 or bboxes.shape[1] != 4:
        raise ValueError(
            f"{owner}.bboxes must have shape (N, 4), xyxy in pixels, got {bboxes.shape}"
        )


@dataclass(slots=True)
class Detections:
    """Detections of one frame.

    Attributes:
        bboxes: ``(N, 4)`` xyxy px of the original image.
        scores: ``(N,)`` in [0, 1] (or a detector's raw score).
        labels: ``(N,)`` class index.
        embeddings: ``(N, D)`` L2-normalised appearance, or None.
    """

    bboxes: Floats
    scores: Floats
    labels: Ints
    embeddings: Floats | None = None

    def __post_init__(self) -> None:
        _check_boxes("Detections", self.bboxes)
        _check_rows(
            "Detections",
            len(self.bboxes),
            scores=self.scores,
            labels=self.labels,
            embeddings=self.embeddings,
        )

    def __len__(self) -> int:
        return len(self.bboxes)

    def __getitem__(self, rows: NDArray | slice) -> "Detections":
        """The detections of a boolean mask, an index array or a slice."""
        embeddings = None if self.embeddings is None else self.embeddings[rows]
        return Detections(self.bboxes[rows], self.scores[rows], self.labels[rows], embeddings)

    @classmethod
    def empty(cls) -> "Detections":
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=np.int64))


@dataclass(slots=True)
class Frame:
    """One frame as the tracker sees it. The callables are evaluated at most once a frame.

    Attributes:
        index: Position in the sequence, from 0.
        size: (width, height) of the image in px.
        fps: Frames per second of the sequence.
        detections: Own or public detections.
        propagate: ``(boxes (N, 4), ids (N,)) -> (boxes (N, 4), scores (N,))``: where a network
            believes that these tracks are now (Tracktor, single-object trackers).
        embed: ``boxes (N, 4) -> embeddings (N, D)``: appearance of any boxes of this frame.
        warp: ``() -> (2, 3)`` affine that moves points of the last frame to this one (camera
            motion).
    """

    index: int
    size: tuple[int, int]
    fps: float = 30.0
    detections: Detections = field(default_factory=Detections.empty)
    propagate: Callable[[Floats, Ints], tuple[Floats, Floats]] | None = None
    embed: Callable[[Floats], Floats] | None = None
    warp: Callable[[], Floats] | None = None

    def with_detections(self, detections: Detections) -> "Frame":
        """The same frame with other detections."""
        return replace(self, detections=detections)


@dataclass(slots=True)
class Tracks:
    """Tracks that are reported in one frame.

    Attributes:
        bboxes: ``(N, 4)`` xyxy px of the original image.
        scores: ``(N,)``.
        labels: ``(N,)`` class index.
        ids: ``(N,)`` identity, from 1, never used for two tracks of a sequence.
    """

    bboxes: Floats
    scores: Floats
    labels: Ints
    ids: Ints

    def __post_init__(self) -> None:
        _check_boxes("Tracks", self.bboxes)
        _check_rows(
            "Tracks", len(self.bboxes), scores=self.scores, labels=self.labels, ids=self.ids
        )

    def __len__(self) -> int:
        return len(self.bboxes)

    @classmethod
    def empty(cls) -> "Tracks":
        none = np.zeros(0, dtype=np.int64)
        return cls(np.zeros((0, 4)), np.zeros(0), none, none)
