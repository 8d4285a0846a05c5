"""Pictures and videos of tracks and of their errors.

The drawing functions need numpy, OpenCV and Pillow only. ``TrackVisualizer`` imports torch (through
mmengine) and is therefore fetched when first asked for.
"""

from typing import TYPE_CHECKING, Any

from mmdeepmot.visualization.draw import Style, draw_tracks, draw_trails
from mmdeepmot.visualization.errors import FrameErrors, draw_errors, find_errors
from mmdeepmot.visualization.track_video import TrackVideo
from mmdeepmot.visualization.trails import TrailBuffer, Trails

if TYPE_CHECKING:
    from mmdeepmot.visualization.track_visualizer import TrackVisualizer

__all__ = [
    "FrameErrors",
    "Style",
    "TrackVideo",
    "TrackVisualizer",
    "TrailBuffer",
    "Trails",
    "draw_errors",
    "draw_tracks",
    "draw_trails",
    "find_errors",
]


def __getattr__(name: str) -> Any:
    if name == "TrackVisualizer":
        from mmdeepmot.visualization.track_visualizer import TrackVisualizer

        return TrackVisualizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
