"""MOTChallenge folders (MOT15, MOT16, MOT17, MOT20, DanceTrack), read as they are."""

import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.datasets.base import MOTDataset, Transform
from mmdeepmot.datasets.index import (
    AnnotationIndex,
    Boxes,
    PackedStrings,
    PublicDetections,
    SequenceRecord,
    ragged_offsets,
)
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import (
    IGNORED_CLASSES,
    MOT20_IGNORED_CLASSES,
    MOTRows,
    SequenceInfo,
    read_mot_text,
    read_seqinfo,
)
from mmdeepmot.io.mot_classes import ClassTable, class_table
from mmdeepmot.io.names import choose_names
from mmdeepmot.registry import DATASETS

_DETECTOR_SUFFIX = re.compile(r"^(?P<video>.+)-(?P<detector>DPM|FRCNN|SDP)$")
_PREFERRED_DETECTOR = "FRCNN"

SPLITS: dict[str, Callable[[int], tuple[int, int]]] = {
    "train_half": lambda length: (1, length // 2 + 1),
    "val_half": lambda length: (length // 2 + 2, length),
    "train_five_sixths": lambda length: (1, length * 5 // 6),
    "val_sixth": lambda length: (length * 5 // 6 + 1, length),
    "deepmot_train": lambda length: (1, length // 2 + 1),
    "deepmot_test": lambda length: (length // 2 + 2, length - length // 4),
    "deepmot_val": lambda length: (length - length // 4 + 1, length),
}
"""First and last frame (from 1, both included) of a split of a sequence of some length.

The halves are the community's (CenterTrack, ByteTrack, mmdetection: the first ``n // 2 + 1`` frames
train). The sixths: the first five of every video against its last. DeepMOT's 50/25/25: with the
same first half MOT17 gives the paper's 2,664 training frames; the last quarter, rounded down, 1,327
(the paper counts 1,328).
"""


def ignored_classes(sequence_name: str) -> tuple[int, ...]:
    """Classes neither rewarded nor punished in the benchmark that a sequence belongs to."""
    return MOT20_IGNORED_CLASSES if sequence_name.startswith("MOT20") else IGNORED_CLASSES


def target_rows(
    rows: MOTRows, ignored: Sequence[int] = IGNORED_CLASSES, classes: ClassTable | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The benchmark's rule: which rows of ground truth are targets, and which are ignored.

    Targets: flag 1 and class 1 (or no class: MOT15). Ignored: the classes given, whatever their
    flag. Others do not count at all.

    Args:
        rows: Ground truth.
        ignored: Numbers of the ignored classes.
        classes: The targets' classes instead of class 1; rows without a class are of the first.

    Returns:
        target ``(N,)`` and ignore ``(N,)``, bool.
    """
    classes = classes or ClassTable()
    target = classes.labels(rows.classes) >= 0
    if not classes.any_flag:
        target &= rows.scores == 1
    ignore = np.isin(rows.classes, np.asarray(ignored, dtype=np.int64))
    return target, ignore & ~target


def split_range(
    length: int, split: str | None = None, frame_range: tuple[int, int] | None = None
) -> tuple[int, int]:
    """First and last frame (from 1, both included) of a part of a sequence.

    Raises:
        InputError: Unknown split, or a range that is empty or has no frame.
    """
    if split is not None and frame_range is not None:
        raise InputError(f"give split or frame_range, not both: got {split!r} and {frame_range!r}")
    if frame_range is not None:
        first, last = frame_range
        if not 1 <= first <= last:
            raise InputError(
                f"frame_range must be (first, last), from 1, both included; got {frame_range!r}"
            )
        return first, min(last, length)
    if split is None:
        return 1, length
    if split not in SPLITS:
        near = get_close_matches(split, SPLITS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"unknown split {split!r}: expected one of {sorted(SPLITS)}{hint}")
    return SPLITS[split](length)


# -------------------------------------------------------------------------------- the sequences


def _is_sequence(folder: Path) -> bool:
    return folder.is_dir() and any(
        (folder / entry).exists() for entry in ("seqinfo.ini", "img1", "gt", "det")
    )


def find_sequences(data_root: str | os.PathLike[str], patterns: Sequence[str] | None) -> list[Path]:
    """Sequence folders of a root, by name or pattern (``'MOT17-*-FRCNN'``).

    MOT17 holds every video three times, once for each public detector. Without patterns one of
    the three is taken (FRCNN); ``['*']`` takes all.

    Raises:
        FileNotFoundError: No such root, or no sequence in it.
        InputError: None of that name.
    """
    root = Path(data_root)
    if not root.is_dir():
        raise FileNotFoundError(
            f"data_root {root} (absolute: {root.resolve()}): expected a folder of MOTChallenge "
            "sequences, found none; set data_root in the config or by --cfg-options"
        )
    found = {path.name: path for path in sorted(root.iterdir()) if _is_sequence(path)}
    if not found:
        raise FileNotFoundError(
            f"data_root {root.resolve()}: expected sequence folders (each with img1/ and "
            f"seqinfo.ini or gt/), found {sorted(path.name for path in root.iterdir())[:10]}"
        )
    if patterns is None:
        return _one_of_each_video(found)
    return [found[name] for name in choose_names(found, patterns, str(root.resolve()))]


def _one_of_each_video(found: dict[str, Path]) -> list[Path]:
    best: dict[str, str] = {}
    for name in found:
        match = _DETECTOR_SUFFIX.match(name)
        video = match["video"] if match else name
        if video not in best or (match and match["detector"] == _PREFERRED_DETECTOR):
            best[video] = name
    if len(best) < len(found):
        print_log(
            f"{len(found)} sequence folders show {len(best)} videos (one folder for each public "
            f"detector): took {sorted(best.values())}; give sequences=['*'] for all",
            logger="current",
        )
    return [found[name] for name in best.values()]


def list_frames(info: SequenceInfo) -> tuple[NDArray[np.int64], list[str]]:
    """Numbers (from 1) and paths of a sequence's images, in order.

    Raises:
        FileNotFoundError: There is no folder of images, or no image in it.
        InputError: File names that are not numbers from 1.
    """
    if not info.image_dir.is_dir():
        raise FileNotFoundError(
            f"{info.image_dir}: expected the images of sequence {info.name}, found no such folder"
        )
    suffix = info.image_ext.lower()
    names = [entry for entry in os.listdir(info.image_dir) if entry.lower().endswith(suffix)]
    if not names:
        raise FileNotFoundError(
            f"{info.image_dir}: expected images *{info.image_ext} of sequence {info.name}, "
            "found none"
        )
    numbers = np.empty(len(names), dtype=np.int64)
    for row, name in enumerate(names):
        digits = re.search(r"(\d+)$", name[: -len(suffix)])
        numbers[row] = int(digits[1]) if digits else 0
        if numbers[row] < 1:
            raise InputError(
                f"{info.image_dir / name}: expected a file name that ends in the frame's number, "
                "from 1 (000001)"
            )
    order = np.argsort(numbers)
    numbers = numbers[order]
    twice = numbers[1:][numbers[1:] == numbers[:-1]]
    if len(twice):
        raise InputError(f"{info.image_dir}: two images have the frame number {twice[0]}")
    return numbers, [str(info.image_dir / names[row]) for row in order]


# ----------------------------------------------------------------------------------- the index


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """What to read of sequence folders.

    Attributes:
        split: One of ``SPLITS``, or None for the whole.
        frame_range: First and last frame, from 1, both included; instead of a split.
        with_detections: Path of the detection file in a sequence folder, or None.
        test_mode: Sequences must have ground truth and all their frames.
        require_gt: Sequences without ground truth are skipped (training) or errors (testing);
            False: they are taken without annotations.
        require_images: False: frames need not exist (scoring of results, tracking from files).
        strict: A bad row is an error; otherwise it is skipped with a counted warning.
        classes: Which classes are targets.
        suffix: What is appended to the names of sequences.
    """

    split: str | None = None
    frame_range: tuple[int, int] | None = None
    with_detections: str | None = None
    test_mode: bool = False
    require_gt: bool = True
    require_images: bool = True
    strict: bool = False
    classes: ClassTable = field(default_factory=ClassTable)
    suffix: str = ""


@dataclass(slots=True)
class _Part:
    """One sequence on its way into the index; positions count from its first frame."""

    record: SequenceRecord
    size: tuple[int, int]
    numbers: NDArray[np.int64]
    paths: list[str]
    truth: MOTRows
    truth_frames: NDArray[np.int64]
    detections: MOTRows
    detection_frames: NDArray[np.int64]


def build_index(folders: Sequence[Path], options: IndexOptions) -> AnnotationIndex:
    """Index of MOTChallenge sequence folders.

    Raises:
        FileNotFoundError: A sequence lacks images, ground truth (testing) or detections; or no
            sequence is left.
        InputError: A bad row (``strict``), an empty range of frames, missing frames (testing).
    """
    parts: list[_Part] = []
    skipped: list[str] = []
    for folder in folders:
        info = read_seqinfo(folder)
        truth = _read_ground_truth(info, options)
        if truth is None and options.require_gt:
            skipped.append(_without_ground_truth(folder, options))
        else:
            parts.append(_read_part(info, truth, options))
    if skipped:
        print_log(
            f"skipped {len(skipped)} of {len(folders)} sequences; the first: {skipped[0]}",
            logger="current",
            level=logging.WARNING,
        )
    if not parts:
        raise FileNotFoundError(
            f"expected sequences with ground truth, found none among {len(folders)}; "
            f"the first: {skipped[0] if skipped else 'no folder was given'}"
        )
    return _join(parts, options.classes, with_detections=options.with_detections is not None)


def _without_ground_truth(folder: Path, options: IndexOptions) -> str:
    message = f"{folder / 'gt' / 'gt.txt'}: sequence with no ground truth (no file, or no good row)"
    if options.test_mode:
        raise FileNotFoundError(
            f"{message}: it cannot be scored. Leave it out (sequences=[...]), or set "
            "require_gt=False to track it unscored"
        )
    return message


def _read_ground_truth(info: SequenceInfo, options: IndexOptions) -> MOTRows | None:
    """Rows of a sequence's ground truth; None where it has none.

    Training leaves out boxes wholly outside the image. The benchmark counts them (MOT17-10 has
    two), so testing keeps them.
    """
    path = info.folder / "gt" / "gt.txt"
    if not path.is_file():
        return None
    size = None if options.test_mode else info.size
    rows = read_mot_text(path, "gt", image_size=size, strict=options.strict)
    return rows if len(rows) else None


def _read_part(info: SequenceInfo, truth: MOTRows | None, options: IndexOptions) -> _Part:
    numbers, paths = _frames_of(info, options)
    first, last = split_range(info.length, options.split, options.frame_range)
    chosen = np.flatnonzero((numbers >= first) & (numbers <= last))
    if len(chosen) == 0:
        raise InputError(
            f"{info.folder}: no frames in {first}..{last} (split {options.split!r}, frame_range "
            f"{options.frame_range!r}): the sequence has the frames {numbers[0]}..{numbers[-1]}"
        )
    numbers = numbers[chosen]
    detections = MOTRows.empty()
    if options.with_detections is not None:
        path = info.folder / options.with_detections
        if not path.is_file():
            there = sorted(one.name for one in path.parent.glob("*.txt"))
            raise FileNotFoundError(
                f"{path}: expected public detections (with_detections="
                f"{options.with_detections!r}), found none; that folder has "
                f"{', '.join(there) or 'no text file'}. Name one that is there, or write it "
                "(tools/dataset_converters/rescore_detections.py writes det/rescored.txt)"
            )
        several = len(options.classes.names) > 1
        detections = read_mot_text(path, "det", strict=options.strict, with_classes=several)
        detections = detections[options.classes.labels(detections.classes) >= 0]
    has_truth = truth is not None
    truth, truth_frames = _locate(MOTRows.empty() if truth is None else truth, numbers)
    detections, detection_frames = _locate(detections, numbers)
    return _Part(
        SequenceRecord(info.name + options.suffix, info.fps, True, has_truth),
        info.size,
        numbers,
        [paths[row] for row in chosen.tolist()],
        truth,
        truth_frames,
        detections,
        detection_frames,
    )


def _frames_of(info: SequenceInfo, options: IndexOptions) -> tuple[NDArray[np.int64], list[str]]:
    """Frames that exist, compared with the length in seqinfo.ini."""
    if not options.require_images and not info.image_dir.is_dir():
        numbers = np.arange(1, info.length + 1, dtype=np.int64)
        return numbers, [str(info.image_dir / f"{n:06d}{info.image_ext}") for n in numbers.tolist()]
    numbers, paths = list_frames(info)
    missing = np.setdiff1d(np.arange(1, info.length + 1), numbers)
    if len(missing):
        message = (
            f"{info.image_dir}: expected {info.length} frames (seqLength of seqinfo.ini), "
            f"{len(missing)} of them have no image, the first is frame {missing[0]}"
        )
        if options.test_mode:
            raise FileNotFoundError(f"{message}: fetch the sequence again, or correct seqinfo.ini")
        print_log(f"{message}: they are left out", logger="current", level=logging.WARNING)
    return numbers, paths


def _locate(rows: MOTRows, numbers: NDArray[np.int64]) -> tuple[MOTRows, NDArray[np.int64]]:
    """Rows of the frames ``numbers`` (ascending), and the position of each row's frame in it."""
    position = np.searchsorted(numbers, rows.frames)
    inside = position < len(numbers)
    inside[inside] = numbers[position[inside]] == rows.frames[inside]
    return rows[inside], position[inside]


def _join(parts: Sequence[_Part], classes: ClassTable, *, with_detections: bool) -> AnnotationIndex:
    lengths = np.array([len(part.numbers) for part in parts])
    starts = np.concatenate(([0], np.cumsum(lengths)))
    count = int(starts[-1])
    detections = None
    if with_detections:
        owners = [part.detection_frames + start for part, start in zip(parts, starts, strict=False)]
        rows = MOTRows.concatenate([part.detections for part in parts])
        detections = _collect_detections(rows, np.concatenate(owners), count, classes)
    return AnnotationIndex(
        sequences=[part.record for part in parts],
        frame_sequences=np.repeat(np.arange(len(parts), dtype=np.int32), lengths),
        frame_numbers=np.concatenate([part.numbers for part in parts]),
        paths=PackedStrings.pack(path for part in parts for path in part.paths),
        sizes=np.repeat(np.array([part.size for part in parts], dtype=np.int32), lengths, axis=0),
        boxes=_collect_boxes(parts, starts, classes),
        detections=detections,
    )


def _collect_boxes(parts: Sequence[_Part], starts: NDArray[np.int64], classes: ClassTable) -> Boxes:
    frames, bboxes, ignores, visibility, identities, labels = [], [], [], [], [], []
    next_identity = 0
    for part, start in zip(parts, starts, strict=False):
        ignored = classes.ignored(ignored_classes(part.record.name))
        target, ignore = target_rows(part.truth, ignored, classes)
        used = target | ignore
        rows = part.truth[used]
        frames.append(part.truth_frames[used] + start)
        bboxes.append(rows.bboxes)
        ignores.append(ignore[used])
        visibility.append(rows.visibility)
        labels.append(np.maximum(classes.labels(rows.classes), 0))
        ids = np.unique(rows.ids, return_inverse=True)[1] + next_identity
        identities.append(ids)
        next_identity = int(ids.max(initial=next_identity - 1)) + 1
    return Boxes.of_frames(
        np.concatenate(frames),
        int(starts[-1]),
        np.concatenate(bboxes),
        np.concatenate(identities),
        np.concatenate(ignores),
        np.concatenate(visibility),
        np.concatenate(labels),
    )


def _collect_detections(
    rows: MOTRows, frames: NDArray[np.int64], count: int, classes: ClassTable
) -> PublicDetections:
    order = np.argsort(frames, kind="stable")
    return PublicDetections(
        ragged_offsets(frames[order], count),
        rows.bboxes[order].astype(np.float32),
        rows.scores[order].astype(np.float32),
        classes.labels(rows.classes[order]),
    )


@DATASETS.register_module()
class MOTChallengeDataset(MOTDataset):
    """Sequences of a MOTChallenge folder.

    Targets are rows of flag 1 and class 1 (MOT15: flag 1); classes 2, 7, 8 and 12 (MOT20: 6 too)
    are ignored: neither rewarded nor punished; all others are left out. ``classes`` asks for
    other targets.

    Args:
        data_root: Folder that holds the sequence folders.
        pipeline: See :class:`~mmdeepmot.datasets.base.MOTDataset`.
        sequences: Names or patterns (``'MOT17-*-FRCNN'``); None: all, of MOT17's three copies of
            a video one.
        split: One of :data:`SPLITS`: a part of every sequence.
        frame_range: (first, last) frame of every sequence, from 1, both included.
        with_detections: File of public detections in each sequence folder (``'det/det.txt'``).
            Where there are several ``classes``, its column 8 holds the class (-1: the first).
        require_gt: See :class:`IndexOptions`.
        require_images: See :class:`IndexOptions`.
        strict: A bad row in a file is an error instead of a counted warning.
        test_mode: Errors instead of skipping and replacing.
        classes: Targets: names of MOT16's classes (``['pedestrian', 'car']``), or, for files of
            one's own, names and their numbers in the files (``dict(cyclist=1, bus=4)``, in which
            no class is ignored). Boxes are labelled by their order. None: pedestrians.
        any_flag: Boxes of flag 0 are targets too. MOT16, MOT17 and MOT20 flag all but pedestrians
            so.
        suffix: Appended to the sequences' names, so that one video can be tested with several
            files of detections (``with_detections='det/det_DPM.txt', suffix='-DPM'``).
        kwargs: Of :class:`~mmdeepmot.datasets.base.MOTDataset` (view, clip_length, ...).
    """

    def __init__(
        self,
        data_root: str | os.PathLike[str],
        pipeline: Sequence[dict | Transform] = (),
        *,
        sequences: Sequence[str] | None = None,
        split: str | None = None,
        frame_range: tuple[int, int] | None = None,
        with_detections: str | None = None,
        require_gt: bool = True,
        require_images: bool = True,
        strict: bool = False,
        test_mode: bool = False,
        classes: Sequence[str] | Mapping[str, int] | None = None,
        any_flag: bool = False,
        suffix: str = "",
        **kwargs: Any,
    ) -> None:
        self.data_root = Path(data_root)
        split_range(1, split, frame_range)
        options = IndexOptions(
            split=split,
            frame_range=None if frame_range is None else (frame_range[0], frame_range[1]),
            with_detections=with_detections,
            test_mode=test_mode,
            require_gt=require_gt,
            require_images=require_images,
            strict=strict,
            classes=class_table(classes, any_flag),
            suffix=suffix,
        )
        index = build_index(find_sequences(data_root, sequences), options)
        kwargs.setdefault("name", self._describe(sequences, options))
        super().__init__(index, pipeline, test_mode=test_mode, classes=classes, **kwargs)

    def _describe(self, sequences: Sequence[str] | None, options: IndexOptions) -> str:
        """A name for tables and messages: folder, sequences and part."""
        parts = [self.data_root.resolve().name]
        if sequences is not None:
            parts.append(f"[{', '.join(sequences[:3])}{', ...' if len(sequences) > 3 else ''}]")
        if options.split is not None:
            parts.append(options.split)
        if options.frame_range is not None:
            parts.append("{}-{}".format(*options.frame_range))
        return " ".join(parts)
