"""The SORT config against SORT written plainly on filterpy, one filter a track."""

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from scipy.optimize import linear_sum_assignment

from mmdeepmot.structures.boxes import iou_matrix


def to_measurement(box):
    w, h = box[2] - box[0], box[3] - box[1]
    return np.array([box[0] + w / 2, box[1] + h / 2, w * h, w / h])[:, None]


def to_box(x):
    w = np.sqrt(x[2] * x[3])
    h = x[2] / w
    return np.array([x[0] - w / 2, x[1] - h / 2, x[0] + w / 2, x[1] + h / 2])


class Target:
    def __init__(self, number, box):
        self.number, self.idle, self.streak = number, 0, 0
        k = self.filter = KalmanFilter(dim_x=7, dim_z=4)
        k.F = np.eye(7)
        k.F[[0, 1, 2], [4, 5, 6]] = 1
        k.H = np.eye(4, 7)
        k.R[2:, 2:] *= 10
        k.P[4:, 4:] *= 1000
        k.P *= 10
        k.Q[-1, -1] *= 0.01
        k.Q[4:, 4:] *= 0.01
        k.x[:4] = to_measurement(box)

    def predict(self):
        if self.filter.x[6] + self.filter.x[2] <= 0:
            self.filter.x[6] = 0
        self.filter.predict()
        if self.idle > 0:
            self.streak = 0
        self.idle += 1

    def update(self, box):
        self.idle = 0
        self.streak += 1
        self.filter.update(to_measurement(box))

    def box(self):
        return to_box(self.filter.x[:4, 0])


def sort(frames, max_age=1, min_hits=3, min_iou=0.3, min_score=0.5):
    targets, count, out = [], 0, []
    for t, frame in enumerate(frames):
        boxes = frame.detections.bboxes
        for target in targets:
            target.predict()
        left = set(range(len(boxes)))
        if targets and len(boxes):
            overlap = iou_matrix(np.stack([k.box() for k in targets]), boxes)
            for i, j in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
                if overlap[i, j] > min_iou:
                    targets[i].update(boxes[j])
                    left.discard(j)
        for j in sorted(left):
            if frame.detections.scores[j] >= min_score:
                count += 1
                targets.append(Target(count, boxes[j]))
        out.append(
            {
                k.number: k.box()
                for k in targets
                if k.idle == 0 and (k.streak >= min_hits or t < min_hits)
            }
        )
        targets = [k for k in targets if k.idle <= max_age]
    return out


def assert_equal(tracker, frames):
    for frame, truth in zip(frames, sort(frames), strict=True):
        tracks = tracker.step(frame)
        assert tracks.ids.tolist() == sorted(truth), f"frame {frame.index}"
        if truth:
            np.testing.assert_allclose(
                tracks.bboxes, [truth[i] for i in tracks.ids.tolist()], rtol=1e-6, atol=1e-6
            )


@pytest.mark.parametrize("seed", range(4))
def test_random_scenes(seed, random_scene, build_tracker):
    assert_equal(build_tracker("sort"), random_scene(seed, people=15, frames=60))


def test_public_detections(public_scene, build_tracker):
    assert_equal(build_tracker("sort"), public_scene("MOT17-05", dim=2, frames=300))
