"""Pairs of frames that show somebody twice: what single-object trackers learn from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.datasets.base import (
    MAX_REPLACEMENTS,
    MOTDataset,
    pack_clip,
    seed_augmentation,
)
from mmdeepmot.datasets.index import AnnotationIndex
from mmdeepmot.datasets.joint import JointDataset
from mmdeepmot.datasets.wrapper import FrameWrapper
from mmdeepmot.errors import InputError
from mmdeepmot.io.image import ImageError
from mmdeepmot.registry import DATASETS


def frames_seen_again(index: AnnotationIndex, max_distance: int) -> NDArray[np.int64]:
    """Frames ``(K,)`` with an identity that another frame, near enough, shows too.

    Args:
        index: Annotations.
        max_distance: Largest difference of frame numbers.
    """
    counts = np.diff(index.boxes.offsets)
    frame = np.repeat(np.arange(len(index)), counts)
    video = np.array([sequence.is_video for sequence in index.sequences])
    usable = (index.boxes.identities >= 0) & ~index.boxes.ignore
    usable &= video[index.frame_sequences[frame]]
    frame, identity = frame[usable], index.boxes.identities[usable]
    order = np.lexsort((frame, identity))
    frame, identity = frame[order], identity[order]
    sequence, number = index.frame_sequences[frame], index.frame_numbers[frame]
    near = (identity[1:] == identity[:-1]) & (sequence[1:] == sequence[:-1])
    near &= np.diff(number) <= max_distance
    return np.unique(np.concatenate((frame[:-1][near], frame[1:][near])))


def partners(index: AnnotationIndex, frame: int, max_distance: int) -> NDArray[np.int64]:
    """Other frames ``(K,)`` of the sequence, near enough, that share an identity with ``frame``."""
    video = int(index.frame_sequences[frame])
    first, last = index.sequence_offsets[video : video + 2].tolist()
    number = index.frame_numbers[first:last]
    low, high = np.searchsorted(
        number,
        (index.frame_numbers[frame] - max_distance, index.frame_numbers[frame] + max_distance + 1),
    )
    start, stop = first + int(low), first + int(high)
    offsets = index.boxes.offsets[start : stop + 1]
    rows = slice(int(offsets[0]), int(offsets[-1]))
    boxes, here = index.boxes, index.rows(frame)
    wanted = boxes.identities[here][~boxes.ignore[here]]
    shared = np.isin(boxes.identities[rows], wanted[wanted >= 0]) & ~boxes.ignore[rows]
    owners = np.repeat(np.arange(start, stop), np.diff(offsets))
    candidates = np.unique(owners[shared])
    return candidates[candidates != frame]


@DATASETS.register_module()
class FramePairDataset(FrameWrapper):
    """Two frames of a sequence, at most so far apart, with at least one identity in both.

    An item is a frame that has a partner, asked for by its index or by ``(index, sample_seed)``;
    the seed draws the partner, before or after it, and the augmentation, which is the same for
    both frames. It gives what clips of two frames give: ``dict(inputs=(2, 3, H, W) uint8 BGR,
    data_samples=TrackDataSample)``.

    A pair with an unreadable image is replaced by the next item; in test mode it is an error.

    Args:
        dataset: A dataset of tracked boxes (``view='frames'``) or of several, or its config. Sets
            of unrelated images in it are left out.
        max_distance: Largest difference of the two frames' numbers.

    Raises:
        InputError: It has no such pair, or another view.
    """

    def __init__(
        self, dataset: dict[str, Any] | MOTDataset | JointDataset, max_distance: int = 10
    ) -> None:
        if max_distance < 1:
            raise InputError(
                f"FramePairDataset.max_distance must be at least 1 frame, got {max_distance}"
            )
        super().__init__(dataset)
        self.max_distance = max_distance
        for part in self._parts:
            if not isinstance(part, MOTDataset) or part.view != "frames":
                raise InputError(
                    "FramePairDataset takes datasets of tracked boxes with view='frames', got "
                    f"{getattr(part, 'view', type(part).__name__)!r}: leave out `view`"
                )
        found = [frames_seen_again(part.index, max_distance) for part in self._parts]
        self._frames = np.concatenate(found)
        self._owners = np.repeat(np.arange(len(found)), [len(frames) for frames in found])
        if not len(self._frames):
            raise InputError(
                f"FramePairDataset: no identity is seen twice within {max_distance} frames in "
                f"{', '.join(part.name for part in self._parts)}"
            )

    def __len__(self) -> int:
        return len(self._frames)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self)} frames with a partner at most {self.max_distance} "
            f"frames away, of {self.dataset!r})"
        )

    def __getitem__(self, item: int | tuple[int, int]) -> dict[str, Any]:
        position, seed = item if isinstance(item, tuple | list) else (item, None)
        if not -len(self) <= position < len(self):
            raise IndexError(f"FramePairDataset: item {position} of {len(self)}")
        if seed is None:
            seed = int(np.random.randint(2**32, dtype=np.int64))
        for step in range(min(MAX_REPLACEMENTS, len(self))):
            at = (int(position) + step) % len(self)
            try:
                return self._load(at, int(seed))
            except ImageError as error:
                if self.dataset.test_mode:
                    raise
                self._parts[self._owners[at]].count_unreadable(error)
        raise ImageError(f"FramePairDataset: too many images of {self.dataset!r} cannot be read")

    def _load(self, position: int, seed: int) -> dict[str, Any]:
        part, frame = self._parts[self._owners[position]], int(self._frames[position])
        candidates = partners(part.index, frame, self.max_distance)
        other = int(np.random.default_rng(seed).choice(candidates))
        loaded = []
        for number in (frame, other):
            seed_augmentation(seed)
            loaded.append(part.load_frame(number))
        return pack_clip(loaded)
