"""Distance matrices of MOTChallenge sequences: detections against ground truth, frame by frame.

Paper: Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Appendix A.1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.datasets.matrices.distance import (
    DistanceKind,
    Gate,
    distance_matrix,
    forbid,
    gate_threshold,
)
from mmdeepmot.datasets.mot_challenge import ignored_classes, target_rows
from mmdeepmot.io.mot import MOTRows, read_mot_text, read_seqinfo

Matrix = tuple[NDArray[np.float32], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class MatrixOptions:
    """How matrices are made of frames.

    Attributes:
        detections: Detection file in a sequence's folder.
        min_score: Detections below are left out; None: none.
        kind: Distance, see :func:`~mmdeepmot.datasets.matrices.distance.distance_matrix`.
        gates: A matrix of each frame for each gate, see
            :func:`~mmdeepmot.datasets.matrices.distance.gate_threshold`.
        permute: Whether rows and columns come in random order.
        stride: Every so many frames.
        seed: Of gates and order.
    """

    detections: str = "det/det.txt"
    min_score: float | None = None
    kind: DistanceKind = "diagonal"
    gates: Sequence[Gate] = ("none", "half", "random")
    permute: bool = True
    stride: int = 1
    seed: int = 0


def sequence_matrices(folder: Path, options: MatrixOptions) -> Iterator[Matrix]:
    """Distances ``(N, M)`` of detections to ground truth, and optimal assignments.

    Ground truth are the benchmark's targets. Frames without detections or without targets have no
    matrix. The same sequence and options give the same matrices.

    Raises:
        FileNotFoundError: The folder lacks ground truth, detections or the size of its images.
    """
    info = read_seqinfo(folder)
    truth = read_mot_text(folder / "gt" / "gt.txt", "gt")
    truth = truth[target_rows(truth, ignored_classes(info.name))[0]]
    found = read_mot_text(folder / options.detections, "det")
    if options.min_score is not None:
        found = found[found.scores >= options.min_score]
    name = np.frombuffer(info.name.encode(), dtype=np.uint8).tolist()
    rng = np.random.default_rng([options.seed, *name])
    objects, tracks = _by_frame(truth), _by_frame(found)
    for frame in sorted(objects.keys() & tracks.keys()):
        if (frame - 1) % options.stride:
            continue
        apart = distance_matrix(tracks[frame], objects[frame], info.size, options.kind)
        for gate in options.gates:
            matrix = forbid(apart, gate_threshold(gate, rng))
            matrix = matrix.astype(np.float16).astype(np.float32)  # as a file holds it
            if options.permute:
                matrix = matrix[np.ix_(*(rng.permutation(side) for side in matrix.shape))]
            yield matrix, optimal_assignment(matrix)


def _by_frame(rows: MOTRows) -> dict[int, NDArray[np.float64]]:
    """Boxes ``(N, 4)`` xyxy px of each frame that has any."""
    if not len(rows):
        return {}
    rows = rows.sorted()
    frames, starts = np.unique(rows.frames, return_index=True)
    return dict(zip(frames.tolist(), np.split(rows.bboxes, starts[1:]), strict=True))
