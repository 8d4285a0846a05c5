"""SORT's published algorithm (Bewley et al. 2016), plainly: one filter of filterpy a track."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from comparison.contender import Contender, Unavailable
from comparison.scenes import Scene
from mmdeepmot.structures.boxes import iou_matrix

Floats = NDArray[np.floating]


def _to_measurement(box: Floats) -> Floats:
    """xyxy -> centre x, centre y, area, aspect ratio, as a column ``(4, 1)``."""
    width, height = box[2] - box[0], box[3] - box[1]
    return np.array(
        [[box[0] + width / 2], [box[1] + height / 2], [width * height], [width / height]]
    )


def _to_box(state: Floats) -> Floats:
    """State ``(7, 1)`` -> xyxy ``(4,)``."""
    x, y, area, aspect = state[:4, 0]
    width = np.sqrt(area * aspect)
    height = area / width
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


class _Target:
    """A track: its filter, how long it has been missed, how often it was hit in a row."""

    def __init__(self, number: int, box: Floats, filter_class: Callable[..., Any]) -> None:
        self.number, self.idle, self.streak = number, 0, 0
        kalman = self.filter = filter_class(dim_x=7, dim_z=4)
        kalman.F = np.eye(7)
        kalman.F[[0, 1, 2], [4, 5, 6]] = 1
        kalman.H = np.eye(4, 7)
        kalman.R[2:, 2:] *= 10
        kalman.P[4:, 4:] *= 1000
        kalman.P *= 10
        kalman.Q[-1, -1] *= 0.01
        kalman.Q[4:, 4:] *= 0.01
        kalman.x[:4] = _to_measurement(box)

    def predict(self) -> Floats:
        if self.filter.x[6] + self.filter.x[2] <= 0:
            self.filter.x[6] = 0
        self.filter.predict()
        if self.idle > 0:
            self.streak = 0
        self.idle += 1
        return _to_box(self.filter.x)

    def update(self, box: Floats) -> None:
        self.idle = 0
        self.streak += 1
        self.filter.update(_to_measurement(box))


class PlainSort:
    """SORT.

    Args:
        filter_class: ``filterpy.kalman.KalmanFilter``.
        max_age: Frames for which a missed track is kept.
        min_hits: Consecutive hits before a track is reported, but in the first frames.
        min_iou: Least overlap of track and detection.
    """

    def __init__(
        self,
        filter_class: Callable[..., Any],
        max_age: int = 1,
        min_hits: int = 3,
        min_iou: float = 0.3,
    ) -> None:
        self._filter_class = filter_class
        self.max_age, self.min_hits, self.min_iou = max_age, min_hits, min_iou
        self._targets: list[_Target] = []
        self._count = self._time = 0

    def update(self, boxes: Floats) -> Floats:
        """One more frame: boxes ``(N, 4)`` xyxy -> ``(M, 5)`` xyxy and number of the track."""
        self._time += 1
        predicted = [target.predict() for target in self._targets]
        free = np.ones(len(boxes), dtype=bool)
        if predicted and len(boxes):
            overlap = iou_matrix(np.stack(predicted), boxes)
            rows, columns = linear_sum_assignment(overlap, maximize=True)
            for row, column in zip(rows, columns, strict=True):
                if overlap[row, column] >= self.min_iou:
                    self._targets[row].update(boxes[column])
                    free[column] = False
        for column in free.nonzero()[0]:
            self._count += 1
            self._targets.append(_Target(self._count, boxes[column], self._filter_class))
        warm = self._time <= self.min_hits
        reported = [
            np.append(_to_box(target.filter.x), target.number)
            for target in self._targets
            if target.idle == 0 and (warm or target.streak >= self.min_hits)
        ]
        self._targets = [target for target in self._targets if target.idle <= self.max_age]
        return np.stack(reported) if reported else np.zeros((0, 5))


class FilterpyContender(Contender):
    """:class:`PlainSort` with the published parameters."""

    setting = "published"

    def __init__(self) -> None:
        try:
            from filterpy.kalman import KalmanFilter
        except ImportError as error:
            raise Unavailable(f"filterpy: {error}") from error
        self.name = f"SORT as published, filterpy {version('filterpy')}"
        self._filter_class = KalmanFilter

    def prepare(self, scene: Scene) -> list[Any]:
        return [frame.detections.bboxes for frame in scene.frames]

    def start(self, scene: Scene) -> Callable[[Any], Any]:
        return PlainSort(self._filter_class).update
