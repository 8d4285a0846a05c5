"""Clips on a line, and motmetrics' counts of them."""

import motmetrics
import numpy as np
import torch
from torch import Tensor

from mmdeepmot.association.optimal import FORBIDDEN_ABOVE, optimal_assignment
from mmdeepmot.models.losses import box_distance

Paths = dict[int, list[float | None]]
Clip = tuple[Tensor, Tensor, Tensor, Tensor]
SIZE = (640, 480)


def boxes_of(paths: Paths) -> tuple[Tensor, Tensor]:
    """Left edges by frame (None: absent) of each identity, as ids (T, N) and 10 x 10 px boxes."""
    frames = max((len(lefts) for lefts in paths.values()), default=0)
    ids = torch.full((frames, len(paths)), -1)
    bboxes = torch.zeros((frames, len(paths), 4), dtype=torch.float64)
    for column, (identity, lefts) in enumerate(paths.items()):
        for frame, left in enumerate(lefts):
            if left is not None:
                ids[frame, column] = identity
                bboxes[frame, column] = torch.tensor([left, 0, left + 10, 10])
    return ids, bboxes


def exact(distances: Tensor, row_ids: Tensor, col_ids: Tensor) -> Tensor:
    """The optimal assignment of every frame, of the distances' type."""
    chosen = optimal_assignment(distances.detach(), row_ids >= 0, col_ids >= 0)
    return torch.from_numpy(chosen).to(distances)


def clip_of(objects: Paths, tracks: Paths, min_iou: float = 0.5) -> Clip:
    """Distances, exact assignment, row ids, column ids."""
    (row_ids, rows), (col_ids, columns) = boxes_of(tracks), boxes_of(objects)
    distances = box_distance(rows, columns, SIZE, min_iou=min_iou)
    return distances, exact(distances, row_ids, col_ids), row_ids, col_ids


def by_motmetrics(distances: Tensor, row_ids: Tensor, col_ids: Tensor) -> dict[str, float]:
    """FP, FN, IDS, MOTA and MOTP (a distance) of a clip."""
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    names = {
        "fp": "num_false_positives",
        "fn": "num_misses",
        "ids": "num_switches",
        "mota": "mota",
        "motp": "motp",
    }
    with motmetrics.lap.set_default_solver("scipy"):
        for matrix, rows, columns in zip(
            distances.detach().numpy(), row_ids.numpy(), col_ids.numpy(), strict=True
        ):
            matrix = matrix[np.ix_(rows >= 0, columns >= 0)]
            matrix = np.where(matrix <= FORBIDDEN_ABOVE, matrix, np.nan)
            accumulator.update(columns[columns >= 0], rows[rows >= 0], matrix.T)
        found = motmetrics.metrics.create().compute(
            accumulator, list(names.values()), return_dataframe=False
        )
    return {name: found[full] for name, full in names.items()}
