"""The boxes of one sequence of a test set, and its frames as the network takes them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray

from mmdeepmot.datasets.base import MOTDataset
from mmdeepmot.errors import InputError
from mmdeepmot.io.image import read_image
from mmdeepmot.registry import DATASETS
from mmdeepmot.structures.boxes import box_area, clip_boxes

MIN_VISIBILITY = 0.7
MAX_COVER = 0.2
MIN_INSIDE = 0.95


@dataclass(frozen=True, slots=True)
class SequenceBoxes:
    """The boxes of a sequence that have an identity; frames are counted from 0.

    Attributes:
        dataset: Where the sequence is from.
        name: Name of the sequence.
        fps: Frames per second.
        size: (width, height) px of its images.
        first: Number of its first frame in the dataset's index.
        numbers: ``(F,)`` frame numbers of the files, from 1.
        frames: ``(N,)`` frame of each box, ascending.
        bboxes: ``(N, 4)`` xyxy px of the original image.
        identities: ``(N,)`` from 1, in the order of the ground truth's.
        clear: ``(N,)`` bool: as good as wholly visible, see :func:`clear_boxes`.
    """

    dataset: MOTDataset
    name: str
    fps: float
    size: tuple[int, int]
    first: int
    numbers: NDArray[np.int64]
    frames: NDArray[np.int64]
    bboxes: NDArray[np.float64]
    identities: NDArray[np.int64]
    clear: NDArray[np.bool_]

    def frame_of(self, number: int) -> int:
        """The frame, from 0, with a number of the files.

        Raises:
            InputError: The sequence has no such frame.
        """
        found = np.flatnonzero(self.numbers == number)
        if len(found) == 0:
            raise InputError(
                f"sequence {self.name} has no frame {number}: it has {self.numbers[0]} to "
                f"{self.numbers[-1]}"
            )
        return int(found[0])

    def row_of(self, frame: int, identity: int) -> int | None:
        """The row of an identity in a frame, None where it is not in it."""
        found = np.flatnonzero((self.frames == frame) & (self.identities == identity))
        return int(found[0]) if len(found) else None

    def image(self, frame: int) -> NDArray[np.uint8]:
        """A frame as it is in its file, ``(H, W, 3)`` BGR."""
        return read_image(self.dataset.index.paths[self.first + frame])

    def load(self, frame: int) -> dict[str, Any]:
        """A frame through the pipeline, ``dict(inputs, data_samples)``."""
        return self.dataset.load_frame(self.first + frame)


def spread_rows(frames: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Rows of every k-th frame, k the smallest that leaves ``limit`` or fewer.

    Args:
        frames: ``(N,)`` frame of each row.
        limit: At least 1. One frame with more than that keeps all.

    Returns:
        ``(R,)`` rows, ascending.
    """
    step = max(1, -(-len(frames) // limit))
    last = int(frames.max(initial=0)) + 1
    while step < last and np.count_nonzero(frames % step == 0) > limit:
        step += 1
    return np.flatnonzero(frames % step == 0)


def open_sequence(cfg: Config, name: str) -> SequenceBoxes:
    """A sequence of a config's test set.

    Args:
        cfg: A whole config with ``test_dataloader``.
        name: Of the sequence.

    Raises:
        InputError: No test set, no sequence of this name in it, or none of its boxes has an
            identity.
    """
    if not cfg.get("test_dataloader"):
        raise InputError(f"{cfg.filename or 'the config'} has no `test_dataloader`: no sequences")
    built = DATASETS.build(cfg.test_dataloader.dataset)
    datasets: list[MOTDataset] = list(getattr(built, "datasets", [built]))  # of JointDataset
    for dataset in datasets:
        for number, record in enumerate(dataset.index.sequences):
            if record.name == name:
                return _sequence(dataset, number)
    names = [record.name for dataset in datasets for record in dataset.index.sequences]
    raise InputError(f"the test set has no sequence {name!r}: it has {', '.join(names)}")


def _sequence(dataset: MOTDataset, number: int) -> SequenceBoxes:
    index = dataset.index
    first, last = index.sequence_offsets[number : number + 2].tolist()
    rows = slice(int(index.boxes.offsets[first]), int(index.boxes.offsets[last]))
    frames = np.repeat(np.arange(last - first), np.diff(index.boxes.offsets[first : last + 1]))
    identities, bboxes = index.boxes.identities[rows], index.boxes.bboxes[rows].astype(np.float64)
    width, height = index.sizes[first].tolist()
    clear = clear_boxes(frames, bboxes, index.boxes.visibility[rows], (width, height))
    known = identities >= 0
    if not known.any():
        raise InputError(
            f"sequence {index.sequences[number].name}: none of its {len(known)} boxes has an "
            "identity, so there is nothing to compare embeddings with"
        )
    return SequenceBoxes(
        dataset=dataset,
        name=index.sequences[number].name,
        fps=index.sequences[number].fps,
        size=(width, height),
        first=first,
        numbers=index.frame_numbers[first:last],
        frames=frames[known],
        bboxes=bboxes[known],
        identities=1 + np.unique(identities[known], return_inverse=True)[1],
        clear=clear[known],
    )


def clear_boxes(
    frames: NDArray[np.int64],
    bboxes: NDArray[np.float64],
    visibility: NDArray[np.floating],
    size: tuple[int, int],
) -> NDArray[np.bool_]:
    """Which boxes show a person as good as whole.

    At least 0.7 visible by the annotation, no other box of the frame over more than 0.2 of it, and
    0.95 of it inside the image.

    Args:
        frames: ``(N,)``.
        bboxes: ``(N, 4)`` xyxy px.
        visibility: ``(N,)`` in [0, 1]; 1 where the annotation does not tell.
        size: (width, height) of the image.
    """
    area = box_area(bboxes)
    clear = visibility >= MIN_VISIBILITY
    clear &= (area > 0) & (box_area(clip_boxes(bboxes, size)) >= MIN_INSIDE * area)
    for frame in np.unique(frames):
        rows = np.flatnonzero(frames == frame)
        boxes = bboxes[rows]
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        overlap = np.maximum(high - low, 0).prod(axis=-1)
        np.fill_diagonal(overlap, 0)
        clear[rows] &= (overlap <= MAX_COVER * area[rows, None]).all(axis=1)
    return clear
