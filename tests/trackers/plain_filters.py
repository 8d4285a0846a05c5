"""Kalman filters of one track each, on filterpy: what the oracles of the trackers stand on.

Boxes are ``(left, top, right, bottom)`` px, as tuples of floats. The noise is that of the published
methods; a size that would shrink to nothing stops shrinking, as the engine's filters say.
"""

import numpy as np
from filterpy.kalman import KalmanFilter


class PlainFilter:
    """Four coordinates and the velocities of the first ``moving`` of them."""

    moving = 4

    def __init__(self, box):
        self.kalman = k = KalmanFilter(dim_x=4 + self.moving, dim_z=4)
        k.F = np.eye(k.dim_x) + np.eye(k.dim_x, k=4)
        k.H = np.eye(4, k.dim_x)
        z = self.measure(box)
        k.x[:4, 0] = z
        k.P = np.diag(self.first_variance(z))
        self.box = box
        self.inverse = None

    def predict(self, lost=False):
        k = self.kalman
        x = k.x[:, 0]
        self.hold(x, lost)
        k.Q = np.diag(self.process_variance(x))
        k.predict()
        self.box = self.to_box(k.x[:4, 0])
        self.inverse = None

    def update(self, box):
        k = self.kalman
        k.R = np.diag(self.measured_variance(k.x[:, 0]))
        k.update(self.measure(box)[:, None])
        self.box = self.to_box(k.x[:4, 0])
        self.inverse = None

    def mahalanobis(self, box):
        """Squared distance of a measurement."""
        k = self.kalman
        if self.inverse is None:
            noise = np.diag(self.measured_variance(k.x[:, 0]))
            self.inverse = np.linalg.inv(k.H @ k.P @ k.H.T + noise)
        y = self.measure(box) - k.x[:4, 0]
        return y @ self.inverse @ y

    def warp(self, affine):
        """The camera moved by ``affine (2, 3)``: BoT-SORT, Eq. 5 to 8, on the whole matrix."""
        k = self.kalman
        turn = np.kron(np.eye(4), affine[:, :2])
        k.x = turn @ k.x
        k.x[:2, 0] += affine[:, 2]
        k.P = turn @ k.P @ turn.T
        self.box = self.to_box(k.x[:4, 0])
        self.inverse = None

    def save(self):
        return self.kalman.x.copy(), self.kalman.P.copy()

    def restore(self, saved):
        self.kalman.x, self.kalman.P = saved[0].copy(), saved[1].copy()
        self.inverse = None


def centre_and_size(box):
    left, top, right, bottom = box
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def around(x, y, width, height):
    return float(x - width / 2), float(y - height / 2), float(x + width / 2), float(y + height / 2)


class AspectFilter(PlainFilter):
    """DeepSORT, JDE, FairMOT, ByteTrack: centre, width / height, height; noise by the height."""

    hold_height = False

    @staticmethod
    def measure(box):
        x, y, width, height = centre_and_size(box)
        return np.array([x, y, width / height, height])

    @staticmethod
    def to_box(z):
        return around(z[0], z[1], z[2] * z[3], z[3])

    @staticmethod
    def first_variance(z):
        h = z[3]
        return np.square([h / 10, h / 10, 0.01, h / 10, h / 16, h / 16, 1e-5, h / 16])

    @staticmethod
    def process_variance(x):
        h = x[3]
        return np.square([h / 20, h / 20, 0.01, h / 20, h / 160, h / 160, 1e-5, h / 160])

    @staticmethod
    def measured_variance(x):
        h = x[3]
        return np.square([h / 20, h / 20, 0.1, h / 20])

    def hold(self, x, lost):
        if lost and self.hold_height:
            x[7] = 0
        for i in (2, 3):
            if x[i] + x[i + 4] <= 0:
                x[i + 4] = 0


class HeldAspectFilter(AspectFilter):
    """As in the code of JDE, FairMOT and ByteTrack: lost tracks keep their height."""

    hold_height = True


class SizeFilter(PlainFilter):
    """BoT-SORT, Sec. 3.1: centre, width, height; noise by width and height."""

    @staticmethod
    def measure(box):
        return np.array(centre_and_size(box))

    @staticmethod
    def to_box(z):
        return around(z[0], z[1], max(z[2], 0), max(z[3], 0))

    @staticmethod
    def first_variance(z):
        w, h = z[2:]
        return np.square([w / 10, h / 10, w / 10, h / 10, w / 16, h / 16, w / 16, h / 16])

    @staticmethod
    def process_variance(x):
        w, h = x[2:4]
        return np.square([w / 20, h / 20, w / 20, h / 20, w / 160, h / 160, w / 160, h / 160])

    @staticmethod
    def measured_variance(x):
        w, h = x[2:4]
        return np.square([w / 20, h / 20, w / 20, h / 20])

    def hold(self, x, lost):
        for i in (2, 3):
            if x[i] + x[i + 4] <= 0:
                x[i + 4] = 0


class AreaFilter(PlainFilter):
    """SORT, OC-SORT: centre, area, width / height; the last has no velocity; fixed noise."""

    moving = 3

    @staticmethod
    def measure(box):
        x, y, width, height = centre_and_size(box)
        return np.array([x, y, width * height, width / height])

    @staticmethod
    def to_box(z):
        width = np.sqrt(max(z[2], 0) * z[3])
        return around(z[0], z[1], width, max(z[2], 0) / width if width else 0)

    @staticmethod
    def first_variance(z):
        return np.array([10, 10, 10, 10, 1e4, 1e4, 1e4])

    @staticmethod
    def process_variance(x):
        return np.array([1, 1, 1, 1, 1e-2, 1e-2, 1e-4])

    @staticmethod
    def measured_variance(x):
        return np.array([1, 1, 10, 10])

    def hold(self, x, lost):
        if x[2] + x[6] <= 0:
            x[6] = 0
