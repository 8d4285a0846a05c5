"""Hooks of training and testing."""

from .checkpoint import CheckpointHook
from .fit import CheckpointFitHook, IdentityCountHook
from .interrupt import InterruptHook
from .logger import LoggerHook
from .matrix_dump import MatrixDumpHook
from .moving_average import MovingAverageHook
from .non_finite import NonFiniteLossHook
from .resume import ExactResumeHook, IterationSeedHook
from .statistics import SyncStatisticsHook
from .track_video import TrackVideoHook

__all__ = [
    "CheckpointFitHook",
    "CheckpointHook",
    "ExactResumeHook",
    "IdentityCountHook",
    "InterruptHook",
    "IterationSeedHook",
    "LoggerHook",
    "MatrixDumpHook",
    "MovingAverageHook",
    "NonFiniteLossHook",
    "SyncStatisticsHook",
    "TrackVideoHook",
]
