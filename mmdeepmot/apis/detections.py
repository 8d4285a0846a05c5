"""Tracking from detection files, without a network and without torch.

::

    tracker = build_tracker(load_tracker("configs/bytetrack/bytetrack.py"))
    for name, path in find_detections("MOT17/train").items():
        write_mot_text(f"results/{name}.txt", track(tracker, read_detections(path)))
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.apis.tracker_config import build_tracker, load_tracker
from mmdeepmot.errors import InputError, UserError
from mmdeepmot.io.image import IMAGE_SUFFIXES, read_image
from mmdeepmot.io.mot import DEFAULT_FPS, MOTRows, SequenceInfo, read_mot_text, read_seqinfo
from mmdeepmot.motion.camera import CameraFeed
from mmdeepmot.registry import CAMERAS
from mmdeepmot.structures.boxes import tlwh_to_xyxy
from mmdeepmot.structures.frame import Detections, Frame
from mmdeepmot.trackers import Tracker
from mmdeepmot.trackers.building import build_part

__all__ = [
    "DetectionSequence",
    "build_tracker",
    "find_detections",
    "find_info",
    "load_tracker",
    "read_detections",
    "track",
]

DEFAULT_DET = "det/det.txt"
SUFFIXES = (".txt", ".npy")

_MOT_COLUMNS = 10
Floats = NDArray[np.floating]


@dataclass(slots=True)
class DetectionSequence:
    """The detections of one sequence.

    Attributes:
        name: Name of the sequence.
        frames: One for every frame, those without detections too; ``Frame.index`` from 0.
        with_classes: Whether the labels are classes of the file (else all are 0).
    """

    name: str
    frames: list[Frame]
    with_classes: bool = False


# ------------------------------------------------------------------------------------- finding


def find_detections(dets: str | os.PathLike[str], det: str = DEFAULT_DET) -> dict[str, Path]:
    """Detection files by the names of their sequences, in the order of names.

    Args:
        dets: A file (``SEQ.txt``, ``SEQ.npy``, ``SEQ/det/det.txt``), a folder of sequences
            (``SEQ/det/det.txt`` in it), one sequence's folder, or a folder of files.
        det: Where the detections of a sequence's folder are.

    Raises:
        FileNotFoundError: There is no such file or folder, or no detections in it.
        InputError: Two files are of one sequence, or the file's suffix is another.
    """
    dets = Path(dets)
    if dets.is_file():
        if dets.suffix not in SUFFIXES:
            raise InputError(f"{dets}: expected a file .txt or .npy, got {dets.suffix or 'none'}")
        return {_name_of_file(dets): dets}
    if not dets.is_dir():
        raise FileNotFoundError(
            f"{dets}: expected a file of detections, or a folder with SEQ/{det} or SEQ.txt in it; "
            "found none"
        )
    if (dets / det).is_file():
        return {dets.resolve().name: dets / det}
    folders = sorted(entry for entry in dets.iterdir() if (entry / det).is_file())
    if folders:
        return {folder.name: folder / det for folder in folders}
    files = sorted(entry for entry in dets.iterdir() if entry.suffix in SUFFIXES)
    found: dict[str, Path] = {}
    for file in (file for file in files if file.is_file() and not file.name.startswith(".")):
        if file.stem in found:
            raise InputError(
                f"{dets}: expected one file of detections for sequence {file.stem}, got "
                f"{found[file.stem].name} and {file.name}: move one of them away"
            )
        found[file.stem] = file
    if not found:
        raise FileNotFoundError(
            f"{dets}: expected detections (SEQ/{det}, SEQ.txt or SEQ.npy), found none{_hint(dets)}"
        )
    return found


def _name_of_file(path: Path) -> str:
    folder = path.resolve().parent
    return folder.parent.name if folder.name == "det" else path.stem


def _hint(dets: Path) -> str:
    others = sorted({"/".join(path.parts[-2:]) for path in dets.glob("*/det/*.txt")})
    return f"; there are SEQ/{', SEQ/'.join(others)} (--det chooses)" if others else ""


def find_info(path: Path) -> SequenceInfo | None:
    """What ``seqinfo.ini`` says of the sequence of a detection file; None if there is none.

    It is looked for in the folder called as the file, in the file's folder and the one above.

    Raises:
        FileNotFoundError, InputError: It lacks a value, or one cannot be read.
    """
    folder = path.resolve().parent
    for place in (folder / path.stem, folder, folder.parent):
        if (place / "seqinfo.ini").is_file():
            return read_seqinfo(place)
    return None


# ------------------------------------------------------------------------------------- reading


def read_detections(
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    length: int | None = None,
    images: str | os.PathLike[str] | None = None,
    camera: Mapping[str, Any] | None = None,
    min_score: float | None = None,
    name: str | None = None,
    with_classes: bool = False,
) -> DetectionSequence:
    """Read the detections of one sequence.

    Args:
        path: MOTChallenge text, or an array .npy ``(N, 10 + D)``: MOTChallenge's ten columns and
            an embedding (as DeepSORT's files). Rows may come in any order of frames; those of one
            frame keep theirs.
        size: (width, height) px of the images. What is None comes from ``seqinfo.ini``
            (:func:`find_info`); without one, from the extent of all boxes.
        fps: Frames per second; 30 where nobody says.
        length: Number of frames; up to the last that has a detection where nobody says.
        images: Folder of the sequence's images, named by the frame's number (``000001.jpg``): a
            step ``Compensate`` then knows how the camera moved.
        camera: Config of the estimator (registry ``CAMERAS``); needs ``images``.
        min_score: Detections below are left out.
        name: Of the sequence; by default as its folder or file is called.
        with_classes: Column 8 is the class, which becomes the label and is written to results.

    Returns:
        One frame for every frame of the sequence; boxes are float64, embeddings float32.

    Raises:
        FileNotFoundError: There is no such file.
        InputError: A row is malformed or not finite (file and line named), lies beyond the
            sequence's end, or an image is missing.
    """
    path = Path(path)
    name = _name_of_file(path) if name is None else name
    if path.suffix == ".npy":
        rows, embeddings = _read_array(path, with_classes)
    else:
        rows = read_mot_text(path, "det", strict=True, with_classes=with_classes)
        embeddings = None
    info = find_info(path)
    if info is not None:
        size, fps, length = size or info.size, fps or info.fps, length or info.length
    last = int(rows.frames.max()) if len(rows) else 0
    length = last if length is None else length
    if last > length:
        raise InputError(
            f"{path}: expected frames 1 to {length} (the sequence's length), got frame {last} "
            f"({int((rows.frames > length).sum())} such rows): are these detections of {name}?"
        )
    if min_score is not None:
        good = rows.scores >= min_score
        rows, embeddings = rows[good], None if embeddings is None else embeddings[good]
    frames = _to_frames(
        rows,
        embeddings,
        length,
        _extent(rows.bboxes) if size is None else size,
        DEFAULT_FPS if fps is None else fps,
    )
    if embeddings is None:
        refuse = _no_embeddings(path, name)
        for frame in frames:
            frame.embed = refuse
    if images is not None:
        _add_camera(frames, Path(images), {"type": "SparseFlow"} if camera is None else camera)
    elif camera is not None:
        raise InputError(f"{path}: camera={dict(camera)!r} needs the folder of the images")
    return DetectionSequence(name, frames, with_classes)


def _read_array(path: Path, with_classes: bool) -> tuple[MOTRows, Floats | None]:
    """Rows and embeddings ``(N, D)`` float32 of an array file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected an array of detections, found none")
    try:
        table = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(
            f"{path}: expected an array of numbers in numpy's format ({error})"
        ) from None
    proper = isinstance(table, np.ndarray) and table.ndim == 2 and table.dtype.kind in "fiu"
    if not proper or table.shape[1] < _MOT_COLUMNS:
        got = f"{table.shape}, {table.dtype}" if isinstance(table, np.ndarray) else "several arrays"
        raise InputError(
            f"{path}: expected numbers (N, {_MOT_COLUMNS} + D), frame, id, left, top, width, "
            f"height, score, -1, -1, -1 and the embedding in each row, got {got}"
        )
    table = table.astype(np.float64, copy=False)
    used = np.delete(table, np.s_[7:_MOT_COLUMNS], axis=1)
    finite = np.isfinite(used).all(axis=1)
    frames = table[:, 0]
    good = finite & (frames >= 1) & (frames == np.floor(frames)) & (table[:, 4:6] > 0).all(axis=1)
    if not good.all():
        row = int(good.argmin())
        raise InputError(
            f"{path}: row {row} (from 0): expected finite numbers, a whole frame number from 1 and "
            f"a box of positive width and height, got {table[row, :7].tolist()}"
            + (
                ""
                if finite[row] or not np.isfinite(table[row, :7]).all()
                else " and an embedding that is not finite"
            )
        )
    rows = MOTRows.from_arrays(
        frames,
        np.full(len(table), -1),
        tlwh_to_xyxy(table[:, 2:6]),
        table[:, 6],
        table[:, 7] if with_classes else None,
    )
    embeddings = table[:, _MOT_COLUMNS:].astype(np.float32)
    return rows, embeddings if embeddings.shape[1] else None


def _to_frames(
    rows: MOTRows, embeddings: Floats | None, length: int, size: tuple[int, int], fps: float
) -> list[Frame]:
    order = np.argsort(rows.frames, kind="stable")
    ends = np.searchsorted(rows.frames[order], np.arange(1, length + 2)).tolist()
    bboxes, scores = rows.bboxes[order], rows.scores[order]
    labels = np.maximum(rows.classes[order], 0)  # -1: no class
    looks = None if embeddings is None else embeddings[order]
    frames = []
    for index in range(length):
        here = slice(ends[index], ends[index + 1])
        detections = Detections(
            bboxes[here], scores[here], labels[here], None if looks is None else looks[here]
        )
        frames.append(Frame(index, size, fps, detections))
    return frames


def _extent(bboxes: Floats) -> tuple[int, int]:
    """(width, height) px of the smallest image that holds all boxes ``(N, 4)`` xyxy px."""
    right, bottom = bboxes[:, 2:].max(axis=0, initial=1.0).tolist()
    return math.ceil(right), math.ceil(bottom)


def _no_embeddings(path: Path, name: str) -> Callable[[Floats], Floats]:
    def refuse(_bboxes: Floats) -> Floats:
        raise InputError(
            f"{path}: this tracker compares appearance, and the file holds boxes alone. Give "
            f"{name}.npy, an array (N, {_MOT_COLUMNS} + D) with MOTChallenge's ten columns "
            "and an embedding in each row, or take a tracker without appearance (ByteTrack, "
            "OC-SORT, SORT)"
        )

    return refuse


# -------------------------------------------------------------------------------------- camera


def _add_camera(frames: list[Frame], folder: Path, camera: Mapping[str, Any]) -> None:
    """Give every frame its ``warp``, estimated when it is asked for."""
    paths = _frame_images(folder, len(frames))
    try:
        feed = CameraFeed(build_part(CAMERAS, camera, "camera"))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(str(error.args[0])) from error
    for frame, path in zip(frames, paths, strict=True):
        boxes = frame.detections.bboxes
        frame.warp = feed.frame(frame.index, partial(read_image, path), boxes)


def _frame_images(folder: Path, length: int) -> list[Path]:
    """Images of the frames from 1 to ``length``."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder of images, found none")
    images: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        number = re.search(r"\d+$", path.stem)
        if number and path.suffix.lower() in IMAGE_SUFFIXES:
            images[int(number[0])] = path
    missing = [number for number in range(1, length + 1) if number not in images]
    if missing:
        raise InputError(
            f"{folder}: expected an image for each of {length} frames, named by its number "
            f"(000001.jpg), {len(missing)} are missing; the first is that of frame {missing[0]}"
        )
    return [images[number] for number in range(1, length + 1)]


# ------------------------------------------------------------------------------------ tracking


def track(
    tracker: Tracker, sequence: DetectionSequence, on_frame: Callable[[int], None] | None = None
) -> MOTRows:
    """Track a sequence from its beginning.

    Args:
        tracker: Any tracker; it is reset first.
        sequence: Detections.
        on_frame: Called with the number of frames tracked so far, after each.

    Returns:
        Boxes in the order of frames, which count from 1.

    Raises:
        InputError: The detections are not what the tracker needs; names the sequence.
    """
    tracker.reset()
    found = []
    for count, frame in enumerate(sequence.frames, start=1):
        try:
            found.append(tracker.step(frame))
        except (UserError, np.linalg.LinAlgError):
            raise
        except ValueError as error:
            raise InputError(f"{sequence.name}: {error}") from error
        if on_frame is not None:
            on_frame(count)
    if not found:
        return MOTRows.empty()
    numbers = np.array([frame.index + 1 for frame in sequence.frames])
    return MOTRows.from_arrays(
        np.repeat(numbers, [len(tracks) for tracks in found]),
        np.concatenate([tracks.ids for tracks in found]),
        np.concatenate([tracks.bboxes for tracks in found]),
        np.concatenate([tracks.scores for tracks in found]),
        np.concatenate([tracks.labels for tracks in found]) if sequence.with_classes else None,
    )
