"""A dataset of tracked boxes: views of an annotation index through a pipeline of transforms."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from mmdet.structures import TrackDataSample
from mmengine.logging import print_log
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mmdeepmot.datasets.index import AnnotationIndex
from mmdeepmot.errors import InputError
from mmdeepmot.io.image import ImageError
from mmdeepmot.io.mot_classes import file_numbers
from mmdeepmot.registry import DATASETS, TRANSFORMS
from mmdeepmot.visualization.colors import id_colors

View = Literal["frames", "clips", "video"]
Transform = Callable[[dict[str, Any]], dict[str, Any] | None]

MAX_REPLACEMENTS = 100
MAX_IMAGE_WARNINGS = 10
_SEED_RANGE = 2**32
_SEED_STEP = 1_000_003


def seed_augmentation(seed: int) -> None:
    """Seed the generators that transforms draw from (``random`` and ``np.random``)."""
    random.seed(seed)
    np.random.seed(seed % _SEED_RANGE)


def build_pipeline(pipeline: Sequence[dict | Transform]) -> list[Transform]:
    """Transforms of a pipeline, built where they are configs."""
    return [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]


def _more_colors(count: int) -> list[tuple[int, int, int]]:
    """RGB colours of classes that METAINFO does not name."""
    colors = id_colors(np.arange(max(0, count)))[:, ::-1]
    return [(int(red), int(green), int(blue)) for red, green, blue in colors]


def pack_clip(frames: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Samples of T frames as one of a clip: ``inputs (T, 3, H, W)`` and a ``TrackDataSample``."""
    sample = TrackDataSample(
        metainfo={"key_frames_inds": list(range(len(frames))), "ref_frames_inds": []}
    )
    sample.video_data_samples = [frame["data_samples"] for frame in frames]
    inputs = torch.stack([frame["inputs"] for frame in frames])
    return {"inputs": inputs, "data_samples": sample}


@DATASETS.register_module()
class MOTDataset(Dataset):
    """Frames, clips or whole videos of an annotation index.

    Views:

    - ``frames``: an item is one image: ``dict(inputs=(3, H, W) uint8 BGR,
      data_samples=DetDataSample)``.
    - ``clips``: ``clip_length`` consecutive frames of a sequence, starting every ``stride``
      frames: ``dict(inputs=(T, 3, H, W), data_samples=TrackDataSample)``.
    - ``video``: each sequence cut into consecutive chunks of ``clip_length`` frames, in order, the
      last one shorter; the same form as clips.

    An item is asked for by its index, or by ``(index, sample_seed)``: the seed sets ``random`` and
    ``np.random`` before the pipeline, so that augmentation, third-party transforms included, is
    the same whatever worker runs it and whenever.

    Bad images: in training they are replaced by the next sample, with a warning that counts them;
    in testing they are errors that name the file.

    Args:
        index: Annotations.
        pipeline: Transforms of one frame, or their configs; the last one packs the sample.
        view: See above.
        clip_length: Frames of a clip or chunk.
        stride: Frames from the start of a clip to that of the next.
        max_gap: Largest difference of frame numbers inside a clip and to a successor; None: any.
        consistent: All frames of a clip get the same augmentation (each frame's pipeline starts
            from the same seed).
        test_mode: Errors instead of replacements.
        name: For messages and tables.
        classes: Names of the classes, by the index that is the boxes' label; or names and their
            numbers in files of results (else: see ``file_numbers``). None: METAINFO's.

    Attributes:
        classes: Names of the classes.
        class_numbers: By which they are written to files.

    Raises:
        InputError: An unknown view, no item, a class twice or not at all, or boxes of no class.
    """

    METAINFO: ClassVar[dict[str, Any]] = {"classes": ("pedestrian",), "palette": [(220, 20, 60)]}

    def __init__(
        self,
        index: AnnotationIndex,
        pipeline: Sequence[dict | Transform] = (),
        *,
        view: View = "frames",
        clip_length: int = 1,
        stride: int = 1,
        max_gap: int | None = 1,
        consistent: bool = True,
        test_mode: bool = False,
        name: str | None = None,
        classes: Sequence[str] | Mapping[str, int] | None = None,
    ) -> None:
        classes = self.METAINFO["classes"] if classes is None else classes
        self.classes: tuple[str, ...] = tuple(classes)
        self.class_numbers = file_numbers(classes)
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise InputError(
                f"classes must name at least one class, each once, got {list(self.classes)}"
            )
        if view not in ("frames", "clips", "video"):
            raise InputError(f"view must be 'frames', 'clips' or 'video', got {view!r}")
        if clip_length < 1 or stride < 1:
            raise InputError(
                f"clip_length and stride must be at least 1, got {clip_length} and {stride}"
            )
        self.index = index
        self.view = view
        self.clip_length = clip_length if view != "frames" else 1
        self.stride = stride
        self.max_gap = max_gap
        self.consistent = consistent
        self.test_mode = test_mode
        self.name = name or type(self).__name__
        if int(index.boxes.labels.max(initial=0)) >= len(self.classes):
            raise InputError(
                f"{self.name}: boxes of class {int(index.boxes.labels.max())}, counted from 0, "
                f"where {len(self.classes)} classes are named: {list(self.classes)}"
            )
        self.identity_offset = 0  # set by JointDataset, as is the next
        self.sequence_offset = 0
        self.unreadable_images = 0
        self.pipeline = build_pipeline(pipeline)
        self._starts, self._lengths = self._cut()
        if len(self._starts) == 0:
            raise InputError(
                f"{self.name}: no items: {len(index)} frames in {len(index.sequences)} sequences "
                f"give no {view!r} view of clip_length {clip_length}"
            )

    # -------------------------------------------------------------------------------- what is in

    @property
    def metainfo(self) -> dict[str, Any]:
        """Classes, their numbers in files, palette (RGB, one a class), number of identities."""
        palette = list(self.METAINFO["palette"])
        palette += _more_colors(len(self.classes) - len(palette))
        return {
            "classes": self.classes,
            "class_numbers": self.class_numbers,
            "palette": palette,
            "num_identities": self.num_identities,
        }

    @property
    def num_identities(self) -> int:
        """Identities are 0..num_identities-1."""
        return self.index.num_identities

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def first_frames(self) -> NDArray[np.int64]:
        """``(len,)`` frame of the index with which each item begins."""
        return self._starts

    @property
    def sequence_ids(self) -> NDArray[np.int64]:
        """``(len,)`` sequence of each item."""
        return self.index.frame_sequences[self._starts].astype(np.int64)

    @property
    def photographs(self) -> NDArray[np.bool_]:
        """``(len,)`` whether an item is of no video: its sequence is a heap of images."""
        heaps = np.array([not sequence.is_video for sequence in self.index.sequences], dtype=bool)
        return heaps[self.sequence_ids]

    @property
    def successors(self) -> NDArray[np.int64]:
        """``(len,)`` item that holds the next frame (clip, chunk) of the same sequence, or -1."""
        if self.view == "frames":
            return self.index.successors(self.max_gap)
        out = np.full(len(self), -1, dtype=np.int64)
        sequences = self.sequence_ids
        rows = np.flatnonzero(sequences[1:] == sequences[:-1])
        out[rows] = rows + 1
        return out

    def count_boxes(self) -> dict[str, int]:
        """Frames, boxes to find, boxes with an identity, ignored boxes, identities."""
        boxes = self.index.boxes
        return {
            "images": len(self.index),
            "boxes": int(np.count_nonzero(~boxes.ignore)),
            "with identity": int(np.count_nonzero(boxes.identities >= 0)),
            "ignored": int(np.count_nonzero(boxes.ignore)),
            "identities": self.num_identities,
        }

    def __repr__(self) -> str:
        counts = self.count_boxes()
        view = self.view if self.view == "frames" else f"{self.view} of {self.clip_length} frames"
        steps = ", ".join(type(step).__name__ for step in self.pipeline)
        return (
            f"{type(self).__name__}({self.name}: {len(self.index.sequences)} sequences, "
            f"{counts['images']} frames, {counts['boxes']} boxes, {counts['ignored']} ignored, "
            f"{counts['identities']} identities; {len(self)} items as {view}; "
            f"pipeline [{steps}])"
        )

    # -------------------------------------------------------------------------------- items

    def _cut(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First frame and number of frames of each item."""
        count = len(self.index)
        if self.view == "frames":
            return np.arange(count, dtype=np.int64), np.ones(count, dtype=np.int64)
        starts: list[NDArray[np.int64]] = []
        lengths: list[NDArray[np.int64]] = []
        for first, last in self._runs():
            if self.view == "clips":
                begin = np.arange(first, last - self.clip_length + 1, self.stride)
                length = np.full(len(begin), self.clip_length)
            else:
                begin = np.arange(first, last, self.clip_length)
                length = np.minimum(self.clip_length, last - begin)
            starts.append(begin)
            lengths.append(length)
        if not starts:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return np.concatenate(starts), np.concatenate(lengths)

    def _runs(self) -> list[tuple[int, int]]:
        """Ranges of frames (first, last + 1) that clips must not leave."""
        offsets = self.index.sequence_offsets
        if self.view == "video":
            return [(int(a), int(b)) for a, b in pairwise(offsets)]
        breaks = np.flatnonzero(self.index.successors(self.max_gap) < 0) + 1
        return [(int(a), int(b)) for a, b in zip([0, *breaks[:-1]], breaks, strict=True)]

    def __getitem__(self, item: int | tuple[int, int]) -> dict[str, Any]:
        position, seed = item if isinstance(item, tuple | list) else (item, None)
        if not -len(self) <= position < len(self):
            raise IndexError(f"{self.name}: item {position} of {len(self)}")
        position = int(position) % len(self)
        if self.test_mode:
            return self._load(position, seed)
        for _ in range(min(MAX_REPLACEMENTS, len(self))):
            try:
                return self._load(position, seed)
            except ImageError as error:
                self.count_unreadable(error)
                position = (position + 1) % len(self)
        raise ImageError(
            f"{self.name}: {min(MAX_REPLACEMENTS, len(self))} images in a row cannot be read, the "
            f"last of them {self.index.paths[int(self._starts[position - 1])]}: check the data"
        )

    def count_unreadable(self, error: ImageError) -> None:
        """Warn of an image that was replaced by another, the first few times."""
        self.unreadable_images += 1
        if self.unreadable_images <= MAX_IMAGE_WARNINGS:
            print_log(
                f"{self.name}: unreadable image replaced by the next sample ({error}); "
                f"{self.unreadable_images} so far in this process"
                + (", no more warnings" if self.unreadable_images == MAX_IMAGE_WARNINGS else ""),
                logger="current",
                level=logging.WARNING,
            )

    def _load(self, position: int, seed: int | None) -> dict[str, Any]:
        first = int(self._starts[position])
        if self.view == "frames":
            if seed is not None:
                seed_augmentation(int(seed))
            return self.load_frame(first)
        if seed is None:
            seed = int(np.random.randint(_SEED_RANGE, dtype=np.int64))
        packed = []
        for step in range(int(self._lengths[position])):
            offset = 0 if self.consistent else step * _SEED_STEP
            seed_augmentation(int(seed) + offset)
            packed.append(self.load_frame(first + step))
        return pack_clip(packed)

    def load_frame(self, frame: int) -> dict[str, Any]:
        """One frame of the index through the pipeline, whatever the view is.

        Raises:
            ImageError: The image cannot be read.
            InputError: A transform gives no sample.
        """
        results: dict[str, Any] = self.frame_info(frame)
        for step in self.pipeline:
            output = step(results)
            if output is None:
                raise InputError(
                    f"{self.name}: transform {step} returned None for {results['img_path']}: a "
                    "pipeline must return a sample for every frame"
                )
            results = output
        return results

    def frame_info(self, frame: int) -> dict[str, Any]:
        """What is known of a frame before its image is read: the start of the pipeline."""
        index = self.index
        video = int(index.frame_sequences[frame])
        first, last = index.sequence_offsets[video : video + 2].tolist()
        width, height = index.sizes[frame].tolist()
        info: dict[str, Any] = {
            "img_path": index.paths[frame],
            "ori_shape": (height, width),
            "frame_id": frame - first,
            "frame_number": int(index.frame_numbers[frame]),
            "video_id": video + self.sequence_offset,
            "video_name": index.sequences[video].name,
            "video_length": last - first,
            "fps": index.sequences[video].fps,
            "annotations": self._annotations(frame),
        }
        if index.detections is not None:
            rows = index.detection_rows(frame)
            info["public_detections"] = {
                "bboxes": index.detections.bboxes[rows].copy(),
                "scores": index.detections.scores[rows].copy(),
                "labels": index.detections.labels[rows].copy(),
            }
        return info

    def _annotations(self, frame: int) -> dict[str, NDArray]:
        rows, boxes = self.index.rows(frame), self.index.boxes
        identities = boxes.identities[rows]
        if self.identity_offset:
            identities = np.where(identities >= 0, identities + self.identity_offset, identities)
        return {
            "bboxes": boxes.bboxes[rows],
            "labels": boxes.labels[rows],
            "identities": identities,
            "ignore": boxes.ignore[rows],
            "visibility": boxes.visibility[rows],
        }
