"""The package ``motpy``: Kalman filters of filterpy, IoU, assignment by scipy."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from comparison.contender import Contender, Unavailable
from comparison.scenes import Scene


class MotpyContender(Contender):
    """``motpy.MultiObjectTracker`` with its defaults: closest to SORT."""

    def __init__(self) -> None:
        try:
            import motpy
        except ImportError as error:
            raise Unavailable(f"motpy: {error}") from error
        self.name = f"motpy {version('motpy')}"
        self._package = motpy

    def prepare(self, scene: Scene) -> list[Any]:
        return [
            [
                self._package.Detection(box=box, score=float(score))
                for box, score in zip(frame.detections.bboxes, frame.detections.scores, strict=True)
            ]
            for frame in scene.frames
        ]

    def start(self, scene: Scene) -> Callable[[Any], Any]:
        return self._package.MultiObjectTracker(dt=1 / scene.fps).step
