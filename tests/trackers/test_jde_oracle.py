"""The JDE configs against a tracker written plainly, one object a track and one pair at a time.

The oracle follows the description in words of the published association (and of the paper's), with
8x8 matrices, and solves assignments as the square problem of N + M that LAPJV with a cost limit
solves.
"""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

H = np.eye(4, 8)
F = np.eye(8) + np.eye(8, k=4)


class Person:
    def __init__(self, number, box, look, t):
        self.number, self.state = number, "new"
        self.born = self.seen = t
        z = measured(box)
        h = z[3]
        self.x = np.concatenate([z, np.zeros(4)])
        self.P = np.diag(np.square([h / 10, h / 10, 0.01, h / 10, h / 16, h / 16, 1e-5, h / 16]))
        self.look = look.astype(np.float64)

    def predict(self):
        h = self.x[3]
        q = [h / 20, h / 20, 0.01, h / 20, h / 160, h / 160, 1e-5, h / 160]
        for size in (2, 3):  # aspect ratio and height do not shrink to nothing
            if self.x[size] + self.x[size + 4] <= 0:
                self.x[size + 4] = 0
        self.x = F @ self.x
        self.P = F @ self.P @ F.T + np.diag(np.square(q))

    def innovation(self):
        h = self.x[3]
        return H @ self.P @ H.T + np.diag(np.square([h / 20, h / 20, 0.1, h / 20]))

    def meet(self, box, look, t):
        S = self.innovation()
        K = self.P @ H.T @ np.linalg.inv(S)
        self.x = self.x + K @ (measured(box) - H @ self.x)
        self.P = self.P - K @ S @ K.T
        self.look = 0.9 * self.look + 0.1 * look
        self.look = self.look / np.linalg.norm(self.look)
        self.seen = t

    def box(self):
        x, y, a, h = self.x[:4]
        return np.array([x - a * h / 2, y - h / 2, x + a * h / 2, y + h / 2])

    def mahalanobis(self, box):
        y = measured(box) - self.x[:4]
        return y @ np.linalg.solve(self.innovation(), y)


def measured(box):
    w, h = box[2] - box[0], box[3] - box[1]
    return np.array([box[0] + w / 2, box[1] + h / 2, w / h, h])


def overlap(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def pair_up(people, detections, cost, limit):
    """Pairs, people left, detections left."""
    n, m = len(people), len(detections)
    table = np.full((n + m, n + m), limit / 2)
    table[n:, m:] = 0
    for i, person in enumerate(people):
        for j, detection in enumerate(detections):
            table[i, j] = min(cost(person, detection), 1e5)
    pairs = [
        (i, j)
        for i, j in zip(*linear_sum_assignment(table), strict=True)
        if i < n and j < m and table[i, j] < limit
    ]
    rows, columns = {i for i, _ in pairs}, {j for _, j in pairs}
    return (
        [(people[i], detections[j]) for i, j in pairs],
        [p for i, p in enumerate(people) if i not in rows],
        [d for j, d in enumerate(detections) if j not in columns],
    )


def by_iou(person, detection):
    return 1 - overlap(person.box(), detection[0])


def fused(person, detection):
    motion = person.mahalanobis(detection[0])
    if motion > 9.4877:
        return np.inf
    return 0.98 * np.linalg.norm(person.look - detection[1]) + 0.02 * motion


def weighted(person, detection):
    return 0.98 * (1 - person.look @ detection[1]) + 0.02 * person.mahalanobis(detection[0])


def unpack(frame):
    d = frame.detections
    return list(zip(d.bboxes, d.embeddings.astype(np.float64), d.scores, strict=True))


def published(frames):
    """The published code's association: {id: box} of every frame."""
    people, count, out = [], 0, []
    for t, frame in enumerate(frames):
        buffer = int(frame.fps / 30 * 30)
        known = [p for p in people if p.state in ("on", "lost")]
        for p in known:
            if p.state == "lost":
                p.x[7] = 0
            p.predict()
        met, alone, left = pair_up(known, unpack(frame), fused, 0.7)
        more, missed, left = pair_up([p for p in alone if p.state == "on"], left, by_iou, 0.5)
        new = [p for p in people if p.state == "new"]
        again, gone, left = pair_up(new, left, by_iou, 0.7)
        for p, (box, look, _) in met + more + again:
            p.meet(box, look, t)
            p.state = "on"
        for p in missed:
            p.state = "lost"
        people = [p for p in people if p not in gone]
        people = [p for p in people if not (p.state == "lost" and t - p.seen > buffer)]
        for box, look, score in left:
            if score >= 0.5:
                count += 1
                people.append(Person(count, box, look, t))
        doubled = set()
        for a in people:
            for b in people:
                if a.state != "lost" and b.state == "lost" and 1 - overlap(a.box(), b.box()) < 0.15:
                    doubled.add(b.number if a.seen - a.born > b.seen - b.born else a.number)
        people = [p for p in people if p.number not in doubled]
        out.append({p.number: p.box() for p in people if p.state == "on"})
    return out


def as_in_the_paper(frames):
    """Sec. 3.6: one association a frame over one pool."""
    people, count, out = [], 0, []
    for t, frame in enumerate(frames):
        for p in people:
            p.predict()
        met, _, left = pair_up(people, unpack(frame), weighted, 0.7)
        for p, (box, look, _) in met:
            p.meet(box, look, t)
            p.state = "on"
        people = [p for p in people if t - p.seen <= (0 if p.state == "new" else 30)]
        for box, look, score in left:
            if score >= 0.5:
                count += 1
                people.append(Person(count, box, look, t))
        out.append({p.number: p.box() for p in people if p.state == "on" and p.seen == t})
    return out


ORACLES = {"jde_code": published, "jde_paper": as_in_the_paper}


def assert_equal(tracker, frames, expected):
    reported = 0
    for frame, truth in zip(frames, expected, strict=True):
        tracks = tracker.step(frame)
        assert tracks.ids.tolist() == sorted(truth), f"frame {frame.index}"
        if truth:
            np.testing.assert_allclose(
                tracks.bboxes, [truth[i] for i in tracks.ids.tolist()], rtol=1e-6, atol=1e-6
            )
        reported += len(tracks)
    assert reported > 100
    return reported


@pytest.mark.parametrize("config", ORACLES)
@pytest.mark.parametrize("seed", range(6))
def test_random_scenes(config, seed, random_scene, build_tracker):
    frames = random_scene(seed, people=8 + 4 * seed, fps=[30.0, 14.0, 7.0][seed % 3])
    assert_equal(build_tracker(config), frames, ORACLES[config](frames))


@pytest.mark.parametrize(
    ("config", "name", "detector", "count"),
    [
        ("jde_code", "MOT17-04", "det.txt", 250),
        ("jde_code", "MOT17-05", "det.txt", None),
        ("jde_code", "MOT17-10", "det.txt", 300),
        ("jde_code", "MOT17-11", "det_SDPclean.txt", 400),
        ("jde_paper", "MOT17-05", "det.txt", 400),
    ],
)
def test_public_detections(config, name, detector, count, public_scene, build_tracker):
    frames = public_scene(name, detector, frames=count)
    assert_equal(build_tracker(config), frames, ORACLES[config](frames))


@pytest.mark.slow
@pytest.mark.parametrize("config", ORACLES)
@pytest.mark.parametrize("name", ["MOT17-04", "MOT17-05", "MOT17-10", "MOT17-11"])
@pytest.mark.parametrize("detector", ["det.txt", "det_SDPclean.txt", "det_DPM.txt"])
def test_whole_sequences(config, name, detector, public_scene, build_tracker):
    frames = public_scene(name, detector)
    assert_equal(build_tracker(config), frames, ORACLES[config](frames))
