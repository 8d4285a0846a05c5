"""Tables of scores by the size of objects: a row a size, and one for all. No torch."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mmdeepmot.evaluation.functional.areas import SIZES, AreaLimits
from mmdeepmot.evaluation.functional.by_motmetrics import switch_areas
from mmdeepmot.evaluation.functional.preprocess import scoring_frames
from mmdeepmot.evaluation.functional.sequence import TrackingSequence
from mmdeepmot.evaluation.table import OVERALL, ScoreTable


def area_table(
    limits: AreaLimits,
    how: str,
    columns: Mapping[str, int],
    values: Mapping[str, Sequence[float]],
    overall: Mapping[str, float],
) -> ScoreTable:
    """A table with the rows small, medium, large and OVERALL.

    Args:
        limits: Between the sizes.
        how: How the figures of one size were made, for the caption.
        columns: Name of each column -> digits after the point.
        values: Name of each column -> small, medium, large.
        overall: Name of each column -> objects of all sizes together; others are left out.
    """
    rows = {
        size: {name: float(values[name][number]) for name in columns}
        for number, size in enumerate(SIZES)
    }
    rows[OVERALL] = {name: overall[name] for name in columns}
    return ScoreTable(f"{limits.describe()}\n{how}", dict(columns), rows, rows_are="Size")


def switches_by_area(
    sequences: Iterable[TrackingSequence], limits: AreaLimits, iou_threshold: float = 0.5
) -> ScoreTable:
    """Identity switches of each size.

    A switch belongs to the size that the object's box has in the frame of the switch: a person
    who comes nearer can lose an identity as a small and another one as a large object.

    Args:
        sequences: Ground truth and results.
        limits: Between the sizes.
        iou_threshold: Least overlap of a match.

    Returns:
        Columns IDs, and GT, the boxes of the ground truth.
    """
    switches = np.zeros(len(SIZES), dtype=np.int64)
    boxes = np.zeros(len(SIZES), dtype=np.int64)
    for sequence in sequences:
        frames = scoring_frames(sequence)
        areas = np.concatenate([np.zeros(0), *frames.gt_areas])
        boxes += np.bincount(limits.sizes(areas), minlength=len(SIZES))
        if frames.num_pred:
            sizes = limits.sizes(switch_areas(frames, iou_threshold))
            switches += np.bincount(sizes, minlength=len(SIZES))
    return area_table(
        limits,
        "IDs by motmetrics, by the object's size in the frame of the switch.",
        {"IDs": 0, "GT": 0},
        {"IDs": switches.tolist(), "GT": boxes.tolist()},
        {"IDs": float(switches.sum()), "GT": float(boxes.sum())},
    )


def join_area_tables(tables: Iterable[ScoreTable]) -> ScoreTable | None:
    """Tables of several tasks as one, their columns side by side; None where there are none.

    Of columns with one name the first is kept, and lines of the captions come once.
    """
    tables = list(tables)
    if not tables:
        return None
    captions: dict[str, None] = {}
    columns: dict[str, int] = {}
    rows: dict[str, dict[str, float]] = {name: {} for name in tables[0].rows}
    for table in tables:
        captions |= dict.fromkeys(table.caption.splitlines())
        for column, digits in table.columns.items():
            if column not in columns:
                columns[column] = digits
                for name, row in table.rows.items():
                    rows[name][column] = row[column]
    return ScoreTable("\n".join(captions), columns, rows, rows_are=tables[0].rows_are)
