"""Track sequences from their detections and score the result, again and again."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdeepmot.apis.detections import DetectionSequence, build_tracker, read_detections, track
from mmdeepmot.apis.search.log import Trial, finite_or_none
from mmdeepmot.apis.search.metric import Metric
from mmdeepmot.apis.search.space import with_values
from mmdeepmot.evaluation.folder import Benchmark, gt_roles
from mmdeepmot.evaluation.functional.sequence import TrackingSequence
from mmdeepmot.evaluation.table import ScoreTable
from mmdeepmot.evaluation.tracking import METRICS, Evaluator, evaluate_tracking
from mmdeepmot.io.mot import MOTRows, read_mot_text
from mmdeepmot.trackers import Tracker


@dataclass(frozen=True)
class Task:
    """What is tracked and how it is scored; small enough to be sent to another process.

    Attributes:
        tracker: What ``load_tracker`` gives.
        source: Where that comes from, for messages.
        dets: Detection file of each sequence.
        gt: Ground truth file of each sequence.
        evaluator: Who counts CLEAR and Identity.
        benchmark: Whose rules say which boxes count.
    """

    tracker: Mapping[str, Any]
    source: str
    dets: Mapping[str, Path]
    gt: Mapping[str, Path]
    evaluator: Evaluator = "motmetrics"
    benchmark: Benchmark = "auto"


class Evaluation:
    """Tracks and scores the sequences of a task; files are read when they are first needed."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._sequences: dict[str, tuple[DetectionSequence, MOTRows]] = {}

    def table(
        self, values: Mapping[str, Any], names: Sequence[str], metrics: Sequence[str] = METRICS
    ) -> ScoreTable:
        """Scores of the tracker with ``values`` set, over the sequences ``names``.

        Raises:
            InputError: A file is bad, or the config with these values is.
        """
        tracker = build_tracker(with_values(self.task.tracker, values), self.task.source)
        return evaluate_tracking(
            (self._tracked(tracker, name) for name in names), metrics, self.task.evaluator
        )

    def trial(
        self, number: int, values: dict[str, Any], names: Sequence[str], metric: Metric
    ) -> Trial:
        """One trial; values that make no tracker make a failed one."""
        start = time.perf_counter()
        try:
            row = self.table(values, names, metric.families).overall
        except (KeyError, TypeError, ValueError) as error:
            return Trial(number, values, None, {}, time.perf_counter() - start, str(error))
        score = finite_or_none(metric.value(row))
        scores = {name: value for name, value in row.items() if np.isfinite(value)}
        return Trial(number, values, score, scores, time.perf_counter() - start)

    def _tracked(self, tracker: Tracker, name: str) -> TrackingSequence:
        if name not in self._sequences:
            truth = read_mot_text(self.task.gt[name], "gt")
            self._sequences[name] = read_detections(self.task.dets[name]), truth
        sequence, truth = self._sequences[name]
        found = track(tracker, sequence)
        return TrackingSequence(
            name,
            truth.frames,
            truth.ids,
            truth.bboxes,
            gt_roles(truth, self.task.benchmark, name),
            found.frames,
            found.ids,
            found.bboxes,
        )
