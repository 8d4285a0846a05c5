"""What all contenders track: MOTChallenge detections, alone or tiled into a crowd."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import MOTRows, read_mot_text, read_seqinfo
from mmdeepmot.structures import Detections, Frame

#: Detection files of the shared MOT17 sequences by detector. SDP's has no scores: all are 1.
DETECTORS = {"FRCNN": "det/det.txt", "SDP": "det/det_SDPclean.txt"}


@dataclass(slots=True)
class Scene:
    """Detections of one sequence, a Frame for every frame of it, empty ones included.

    Attributes:
        name: Name of the sequence, or of how it was made.
        size: (width, height) px.
        fps: Frames per second.
        frames: ``Frame.index`` from 0; boxes float64 xyxy px.
        folder: The sequence's folder with its ground truth; None for a made scene.
    """

    name: str
    size: tuple[int, int]
    fps: float
    frames: list[Frame]
    folder: Path | None = None

    @property
    def objects(self) -> float:
        """Mean number of detections a frame."""
        return float(np.mean([len(frame.detections) for frame in self.frames]))

    def first(self, count: int) -> "Scene":
        """The same scene, cut after ``count`` frames."""
        return Scene(self.name, self.size, self.fps, self.frames[:count], self.folder)


def _by_frame(rows: MOTRows, length: int) -> list[Detections]:
    rows = rows.sorted()
    starts = np.searchsorted(rows.frames, np.arange(1, length + 2))
    return [
        Detections(rows.bboxes[a:b], rows.scores[a:b], np.zeros(b - a, dtype=np.int64))
        for a, b in itertools.pairwise(starts)
    ]


def read_scene(folder: Path, detector: str = "FRCNN") -> Scene:
    """A MOTChallenge sequence with the detections of one detector.

    Args:
        folder: With ``seqinfo.ini`` and the detection file.
        detector: Key of :data:`DETECTORS`.

    Raises:
        InputError: Unknown detector.
        FileNotFoundError: No such file.
    """
    if detector not in DETECTORS:
        raise InputError(f"detector must be one of {list(DETECTORS)}, got {detector!r}")
    info = read_seqinfo(folder)
    detections = _by_frame(read_mot_text(folder / DETECTORS[detector], "det"), info.length)
    frames = [Frame(index, info.size, info.fps, found) for index, found in enumerate(detections)]
    return Scene(f"{info.name} {detector}", info.size, info.fps, frames, folder)


def tile(scenes: Sequence[Scene], name: str, length: int | None = None) -> Scene:
    """Scenes side by side, each shifted right by the widths of those before it.

    Args:
        scenes: At least one; the same scene may stand several times.
        name: Name of the new scene.
        length: Number of frames; None: those of the shortest scene.
    """
    length = min([len(scene.frames) for scene in scenes] + ([] if length is None else [length]))
    starts = np.cumsum([0] + [scene.size[0] for scene in scenes])
    size = (int(starts[-1]), max(scene.size[1] for scene in scenes))
    frames = []
    for index in range(length):
        parts = [scene.frames[index].detections for scene in scenes]
        bboxes = [
            part.bboxes + np.array([start, 0, start, 0])
            for part, start in zip(parts, starts[:-1], strict=True)
        ]
        detections = Detections(
            np.concatenate(bboxes),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.labels for part in parts]),
        )
        frames.append(Frame(index, size, scenes[0].fps, detections))
    return Scene(name, size, scenes[0].fps, frames)
