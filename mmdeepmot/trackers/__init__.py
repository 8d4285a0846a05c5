"""The tracker engine, its steps and appearance memories."""

from mmdeepmot.trackers import steps
from mmdeepmot.trackers.engine import Tracker
from mmdeepmot.trackers.memory import GalleryMemory, MomentumMemory

__all__ = ["GalleryMemory", "MomentumMemory", "Tracker", "steps"]
