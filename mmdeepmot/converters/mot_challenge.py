"""MOT15, MOT16, MOT17, MOT20 and DanceTrack, whose folders this project reads as they are.

They need no conversion: a dry run checks their layout and counts. For the joint training set they
become list files like the others. Targets and what is ignored are the benchmarks'
(:func:`~mmdeepmot.datasets.mot_challenge.target_rows`). Unlike its siblings this module imports
torch, with the dataset of these folders.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.converters.source import Clip, Picture, SourceSet, Targets
from mmdeepmot.datasets.mot_challenge import (
    find_sequences,
    ignored_classes,
    list_frames,
    target_rows,
)
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import MOTRows, SequenceInfo, read_mot_text, read_seqinfo

_SPLITS = ("train", "val", "test")


def read_mot_challenge(
    root: Path, sequences: Sequence[str] | None = None, name: str | None = None
) -> SourceSet:
    """A benchmark's folder, ``MOT17/train`` or ``MOT17`` with ``train`` and ``test`` in it.

    Args:
        root: The folder.
        sequences: Names or patterns; None: every video once.
        name: Of the set; default: the benchmark's folder in lower case, ``mot17``.

    Raises:
        FileNotFoundError: No sequence is there.
        InputError: No sequence of a split is called so.
    """
    splits = {split: root / split for split in _SPLITS if (root / split).is_dir()}
    base = root
    if not splits:
        base = root.resolve().parent if root.resolve().name in _SPLITS else root.resolve()
        splits = {root.resolve().name if root.resolve().name in _SPLITS else "train": root}
    folder = base.resolve().name
    source = SourceSet(name or folder.lower(), folder, {})
    first_identity = 0
    for split, place in splits.items():
        clips = []
        for sequence in find_sequences(place, sequences):
            try:
                info, frames, paths = _read_frames(sequence)
                if not (sequence / "gt" / "gt.txt").is_file():
                    source.notes.append(
                        f"{sequence}: all its {len(frames)} frames are there; without gt/gt.txt, "
                        "which the benchmark keeps"
                    )
                    continue
                clip = _read_sequence(info, frames, paths, split, first_identity)
            except (InputError, FileNotFoundError) as error:
                source.bad_files.append(str(error))
                continue
            clips.append(clip)
            known = [picture.targets.identities.max(initial=-1) for picture in clip.pictures]
            first_identity = max(first_identity, int(max(known)) + 1)
        if clips:
            source.splits[split] = clips
    return source


def _read_frames(folder: Path) -> tuple[SequenceInfo, NDArray[np.int64], list[str]]:
    """What is known of a sequence, and the numbers and paths of its frames, all of them."""
    info = read_seqinfo(folder)
    frames, paths = list_frames(info)
    if len(frames) != info.length or frames[-1] != info.length:
        raise InputError(
            f"{info.image_dir}: expected the frames 1..{info.length} (seqLength of seqinfo.ini), "
            f"found {len(frames)} from {frames[0]} to {frames[-1]}: fetch the sequence again"
        )
    return info, frames, paths


def _read_sequence(
    info: SequenceInfo,
    frames: NDArray[np.int64],
    paths: list[str],
    split: str,
    first_identity: int,
) -> Clip:
    """A sequence with ground truth; its identities count from ``first_identity``.

    Raises:
        InputError: The file of ground truth has no good row: all its frames would be empty ones.
    """
    folder = info.folder
    file = folder / "gt" / "gt.txt"
    rows = read_mot_text(file, "gt")
    if not len(rows):
        raise InputError(f"{file}: expected rows of ground truth, found none: fetch it again")
    target, ignore = target_rows(rows, ignored_classes(info.name))
    rows, ignore = rows[target | ignore], ignore[target | ignore]
    numbers = np.unique(rows.ids, return_inverse=True)[1]
    by_frame = _by_frame(rows, first_identity + numbers, ignore)
    nothing = Targets.of(np.zeros((0, 4)))
    pictures = [
        Picture(
            f"{split}/{folder.name}/{info.image_dir.name}/{Path(path).name}",
            Path(path),
            by_frame.get(number, nothing),
            info.size,
            str(file),
        )
        for number, path in zip(frames.tolist(), paths, strict=True)
    ]
    return Clip(folder.name, pictures, info.fps)


def _by_frame(rows: MOTRows, identities: np.ndarray, ignore: np.ndarray) -> dict[int, Targets]:
    """Targets of each frame that has any."""
    order = np.argsort(rows.frames, kind="stable")
    numbers, starts = np.unique(rows.frames[order], return_index=True)
    parts = np.split(order, starts[1:])
    return {
        number: Targets.of(
            rows.bboxes[part], identities[part], ignore[part], visibility=rows.visibility[part]
        )
        for number, part in zip(numbers.tolist(), parts, strict=False)
    }
