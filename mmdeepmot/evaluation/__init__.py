"""Scores: pure functions (``functional``), tables, result folders, and mmengine's metrics.

The metrics are in :mod:`mmdeepmot.evaluation.metrics`, which needs torch; nothing else here does.
"""

from mmdeepmot.evaluation.folder import evaluate_folder
from mmdeepmot.evaluation.table import OVERALL, ScoreTable
from mmdeepmot.evaluation.tracking import evaluate_tracking

__all__ = ["OVERALL", "ScoreTable", "evaluate_folder", "evaluate_tracking"]
