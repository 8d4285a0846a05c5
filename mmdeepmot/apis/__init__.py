"""The framework from Python: trackers from a config and a checkpoint, tracking from detections.

What needs torch is imported when it is first asked for: tracking from detections starts without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmdeepmot.apis.inferencer import MOTInferencer
    from mmdeepmot.apis.locate import find_checkpoint, find_config
    from mmdeepmot.apis.result import TrackResult

__all__ = ["MOTInferencer", "TrackResult", "find_checkpoint", "find_config"]

_MODULES = {
    "MOTInferencer": "inferencer",
    "TrackResult": "result",
    "find_checkpoint": "locate",
    "find_config": "locate",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
