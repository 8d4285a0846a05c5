"""How far the soft assignments of a matcher are from the optimal ones."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.functional.assignment import (
    ASSIGNMENT_SCORES,
    THRESHOLD,
    assignment_scores,
)
from mmdeepmot.evaluation.metrics.base import to_array
from mmdeepmot.evaluation.table import OVERALL, ScoreTable
from mmdeepmot.registry import METRICS

Record = tuple[str, float, tuple[float, ...]]
"""Source, seconds, and the scores in the order of ``ASSIGNMENT_SCORES``."""

_COLUMNS = ("WA row", "MA row", "SA row", "WA col", "MA col", "SA col")
_MILLISECONDS, _MATRICES = "ms", "Matrices"


@METRICS.register_module()
class AssignmentMetric(BaseMetric):
    """WA, MA and SA, row-wise and column-wise, in percent, averaged over matrices.

    See :func:`~mmdeepmot.evaluation.functional.assignment.assignment_scores`. A row of the table
    for each source of matrices, and one for all. Matrices without entries are counted in no mean.
    Scores are kept, not matrices. Under several processes a matrix that a sampler repeats counts
    twice: use ``round_up=False``, as the configs do.

    Args:
        threshold: An entry must exceed it to be an assignment.
        prefix: Put before the name of each figure; 'assignment' by default.
        print_table: Whether the main process logs the table.
    """

    default_prefix = "assignment"

    def __init__(
        self, threshold: float = THRESHOLD, prefix: str | None = None, print_table: bool = True
    ) -> None:
        super().__init__(collect_device="cpu", prefix=prefix)
        if not 0 <= threshold <= 1:
            raise InputError(f"threshold must lie in [0, 1], got {threshold}")
        self.threshold = threshold
        self.print_table = print_table
        self.table: ScoreTable | None = None

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Scores the matrices of a batch.

        Args:
            data_batch: Not used.
            data_samples: One :class:`~mmdeepmot.models.mot.matcher_model.AssignmentResult` each.
        """
        for sample in data_samples:
            scores = assignment_scores(
                to_array(sample.soft), to_array(sample.optimal), self.threshold
            )
            values = tuple(scores[name] for name in ASSIGNMENT_SCORES)
            self.results.append((sample.source, sample.seconds, values))

    def evaluate(self, size: int) -> dict[str, float]:
        """Figures over the matrices of all processes; the same on each of them.

        Args:
            size: Length of the dataset (not needed).

        Raises:
            InputError: No matrix came.
        """
        gathered = all_gather_object(list(self.results))
        self.results.clear()
        records = [record for records in gathered for record in records]
        if not records:
            raise InputError("AssignmentMetric was given no matrix to score: is the dataset empty?")
        figures = self.compute_metrics(records)
        if self.print_table and self.table is not None and is_main_process():
            print_log("\n" + self.table.to_text(), logger="current")
        return {f"{self.prefix}/{key}": value for key, value in figures.items()}

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Means over all matrices, by the name of each score, and the time of a matrix in ms."""
        sources = sorted({record[0] for record in results})
        rows = {name: [record for record in results if record[0] == name] for name in sources}
        rows = rows if len(sources) > 1 else {}
        self.table = ScoreTable(
            "Assignment: WA, MA, SA in percent by row-wise and by column-wise maximum above "
            f"{self.threshold:g}, means over matrices; ms: time of the matcher a matrix.",
            {**dict.fromkeys(_COLUMNS, 2), _MATRICES: 0, _MILLISECONDS: 3},
            {name: _means(part) for name, part in {**rows, OVERALL: results}.items()},
            rows_are="Source",
        )
        overall = self.table.overall
        figures = {
            name: overall[column] for name, column in zip(ASSIGNMENT_SCORES, _COLUMNS, strict=True)
        }
        return {**figures, "ms": overall[_MILLISECONDS]}


def _means(records: Sequence[Record]) -> dict[str, float]:
    scores = np.array([record[2] for record in records])
    scores = scores[~np.isnan(scores).any(axis=1)]
    means = 100 * scores.mean(axis=0) if len(scores) else np.full(len(_COLUMNS), math.nan)
    seconds = sum(record[1] for record in records) / len(records)
    return {
        **dict(zip(_COLUMNS, means.tolist(), strict=True)),
        _MATRICES: len(records),
        _MILLISECONDS: 1e3 * seconds,
    }
