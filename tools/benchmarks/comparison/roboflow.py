"""The packages ``trackers`` and ``supervision`` (Roboflow)."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.contender import Contender, Unavailable
from comparison.scenes import Scene

_CLASSES = {
    "sort": "SORTTracker",
    "bytetrack": "ByteTrackTracker",
    "ocsort": "OCSORTTracker",
    "botsort": "BoTSORTTracker",
}
_STATES = {
    "area": "XCYCSRStateEstimator",  # centre, area, aspect ratio: SORT
    "corners": "XYXYStateEstimator",
    "size": "XCYCWHStateEstimator",  # centre, width, height: BoT-SORT
}


def _supervision_detections(scene: Scene) -> list[Any]:
    import supervision

    return [
        supervision.Detections(
            xyxy=frame.detections.bboxes.copy(),
            confidence=frame.detections.scores.copy(),
            class_id=frame.detections.labels.copy(),
        )
        for frame in scene.frames
    ]


class TrackersContender(Contender):
    """A tracker of the package ``trackers``.

    Args:
        method: Key of METHODS.
        setting: Name of the parameters.
        parameters: Arguments of the tracker's class; ``state`` names a state of the Kalman filter
            (area, corners, size); ``scale_with_fps``: its ``frame_rate`` is the scene's.
    """

    def __init__(self, method: str, setting: str, parameters: Mapping[str, Any]) -> None:
        try:
            import trackers
            from trackers.utils import state_representations
        except ImportError as error:
            raise Unavailable(f"trackers: {error}") from error
        self.name = f"trackers {version('trackers')}"
        self.setting = setting
        self._class = getattr(trackers, _CLASSES[method])
        self._parameters = dict(parameters)
        self._scaled = bool(self._parameters.pop("scale_with_fps", False))
        state = self._parameters.pop("state", None)
        if state is not None:
            self._parameters["state_estimator_class"] = getattr(
                state_representations, _STATES[state]
            )

    def prepare(self, scene: Scene) -> list[Any]:
        return _supervision_detections(scene)

    def start(self, scene: Scene) -> Callable[[Any], Any]:
        rate = {"frame_rate": scene.fps} if self._scaled else {}
        return self._class(**self._parameters, **rate).update

    def read(self, output: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        known = output.tracker_id >= 0
        return output.tracker_id[known].astype(np.int64), output.xyxy[known].astype(np.float64)


class SupervisionContender(Contender):
    """``supervision.ByteTrack`` with its defaults (versions 0.x up to 0.30 have it)."""

    def __init__(self) -> None:
        try:
            import supervision
        except ImportError as error:
            raise Unavailable(f"supervision: {error}") from error
        self.name = f"supervision {version('supervision')}"
        if not hasattr(supervision, "ByteTrack"):
            raise Unavailable(
                f"{self.name}: ByteTrack was removed in 0.31; `pip install supervision==0.30.9` "
                "has it still"
            )
        self._class = supervision.ByteTrack

    def prepare(self, scene: Scene) -> list[Any]:
        return _supervision_detections(scene)

    def start(self, scene: Scene) -> Callable[[Any], Any]:
        return self._class(frame_rate=scene.fps).update_with_detections
