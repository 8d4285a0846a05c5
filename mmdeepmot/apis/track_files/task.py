"""One sequence: detections are read and tracked, the result is written, whole or not at all."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdeepmot.apis.detections import build_tracker, load_tracker, read_detections, track
from mmdeepmot.io.mot import SequenceInfo, write_mot_text
from mmdeepmot.trackers.interpolation import INTERPOLATIONS, MAX_GAP

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What is done to every sequence.

    Attributes:
        config: Path of the config.
        options: Values of its tracker by dotted path.
        out: Folder of the results.
        min_score: Detections below are left out; None: all stay.
        interpolate: A name of ``INTERPOLATIONS``, or None.
        max_gap: Longest gap that is filled, frames.
        with_classes: Whether column 8 of the detections is their class.
    """

    config: Path
    options: Options
    out: Path
    min_score: float | None = None
    interpolate: str | None = None
    max_gap: int = MAX_GAP
    with_classes: bool = False

    def result(self, name: str) -> Path:
        """File of a sequence's result."""
        return self.out / f"{name}.txt"


@dataclass(frozen=True, slots=True)
class SequenceTask:
    """One sequence.

    Attributes:
        name: Of the sequence.
        dets: Its detections.
        info: What is known of it from elsewhere; None: what stands beside the detections.
        images: Folder of its images, for camera motion; None: the camera is taken to stand still.
        camera: Config of the estimator of camera motion.
    """

    name: str
    dets: Path
    info: SequenceInfo | None = None
    images: Path | None = None
    camera: Options | None = None


@dataclass(frozen=True, slots=True)
class SequenceSummary:
    """What became of a sequence.

    Attributes:
        frames: Number of frames.
        boxes: Number of boxes in the result.
        tracks: Number of identities in the result.
        seconds: CPU time of the tracker alone (camera motion included).
    """

    frames: int
    boxes: int
    tracks: int
    seconds: float


def track_file(
    settings: Settings, task: SequenceTask, progress: Callable[[tuple[int, int]], None]
) -> SequenceSummary:
    """Track a sequence and write its result.

    Args:
        settings: What is done to every sequence.
        task: The sequence.
        progress: Called with the frames done and their total.

    Raises:
        UserError, OSError: The config, the detections or the images are not as expected.
    """
    config = load_tracker(settings.config, settings.options)
    tracker = build_tracker(config, str(settings.config))
    sequence = read_detections(
        task.dets,
        **known_of(task.info),
        images=task.images,
        camera=task.camera,
        min_score=settings.min_score,
        name=task.name,
        with_classes=settings.with_classes,
    )
    total = len(sequence.frames)
    start = time.process_time()
    rows = track(tracker, sequence, lambda count: progress((count, total)))
    seconds = time.process_time() - start
    if settings.interpolate is not None:
        rows = INTERPOLATIONS[settings.interpolate](rows, settings.max_gap)
    write_mot_text(settings.result(task.name), rows, with_classes=settings.with_classes)
    return SequenceSummary(total, len(rows), len(np.unique(rows.ids)), seconds)


def known_of(info: SequenceInfo | None) -> dict[str, Any]:
    """What ``read_detections`` can be told of a sequence."""
    if info is None:
        return {}
    return {"size": info.size, "fps": info.fps, "length": info.length}
