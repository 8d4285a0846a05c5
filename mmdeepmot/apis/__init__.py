"""The framework from Python: a tracker made from a config and a checkpoint."""

from mmdeepmot.apis.inferencer import MOTInferencer
from mmdeepmot.apis.locate import find_checkpoint, find_config
from mmdeepmot.apis.result import TrackResult

__all__ = ["MOTInferencer", "TrackResult", "find_checkpoint", "find_config"]
