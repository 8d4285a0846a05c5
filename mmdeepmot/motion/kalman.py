"""Kalman filter of all tracks at once for constant-velocity boxes, as pure functions.

The state of a track is four coordinates and their four velocities; only the coordinates are
measured; transition ``x += v`` each frame. In JDE, DeepSORT and SORT (and in everything that took
over their filter) the initial covariance, the process noise and the measurement noise are
diagonal. Then no operation ever couples two coordinates: the 8x8 covariance falls into four
independent 2x2 blocks (coordinate, its velocity), the 4x4 innovation covariance is diagonal, and
predict, update and gating distance have the closed forms below, element-wise, without a matrix
product or inverse. This is the same filter, not an approximation (tests: equal to filterpy).

Layout, ``N`` tracks:

- ``mean (N, 8)``: four coordinates, then their velocities.
- ``covariance (N, 3, 4)``: ``[:, 0]`` variances of the coordinates, ``[:, 1]`` covariances of
  coordinate and velocity, ``[:, 2]`` variances of the velocities.
- variances of noise: ``(8,)`` or ``(N, 8)`` for the state, ``(4,)`` or ``(N, 4)`` for measurements.

A coordinate without velocity (the aspect ratio in SORT) is a block whose velocity has variance 0.

Camera motion (:func:`kalman_warp`). Under a similarity ``p -> s R p + t`` the blocks survive
exactly as long as x and y carry equal variances, which they do in JDE and SORT (their noise is the
same for both at all times). Filters whose x and y noise differs (BoT-SORT: by width and by height),
shear, and uneven scale do couple x with y: here what couples two coordinates is dropped, and
:mod:`mmdeepmot.motion.full_kalman` keeps it, with the same functions on ``covariance (N, 8, 8)``.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

#: 95% quantiles of the chi-square distribution by degrees of freedom (gates on squared Mahalanobis
#: distances; 2: centre only, 4: whole box).
CHI2_95 = {1: 3.8415, 2: 5.9915, 3: 7.8147, 4: 9.4877}

#: Shape of one track's covariance.
COVARIANCE_SHAPE = (3, 4)


def kalman_initiate(measurement: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """State of new tracks: at the measurement, at rest.

    Args:
        measurement: ``(N, 4)`` coordinates.
        variance: ``(8,)`` or ``(N, 8)`` initial variances.

    Returns:
        mean ``(N, 8)``, covariance ``(N, 3, 4)``.
    """
    count = len(measurement)
    mean = np.zeros((count, 8))
    mean[:, :4] = measurement
    covariance = np.zeros((count, 3, 4))
    covariance[:, 0] = variance[..., :4]
    covariance[:, 2] = variance[..., 4:]
    return mean, covariance


def kalman_predict(mean: Floats, covariance: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """One frame ahead: ``x' = F x``, ``P' = F P F^T + Q``.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.
        noise: ``(8,)`` or ``(N, 8)`` process variances.

    Returns:
        mean ``(N, 8)``, covariance ``(N, 3, 4)``, new arrays.
    """
    new_mean = mean.copy()
    new_mean[:, :4] += mean[:, 4:]
    new = np.empty_like(covariance)
    cross = covariance[:, 1]
    position, new_cross = new[:, 0], new[:, 1]
    np.add(cross, covariance[:, 2], out=new_cross)
    np.add(covariance[:, 0], cross, out=position)
    position += new_cross
    position += noise[..., :4]
    np.add(covariance[:, 2], noise[..., 4:], out=new[:, 2])
    return new_mean, new


def kalman_project(mean: Floats, covariance: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Expected measurement and its (diagonal) covariance.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.
        noise: ``(4,)`` or ``(N, 4)`` measurement variances.

    Returns:
        expected measurement ``(N, 4)``, variances ``(N, 4)``.
    """
    return mean[:, :4], covariance[:, 0] + noise


def kalman_update(
    mean: Floats, covariance: Floats, measurement: Floats, noise: Floats
) -> tuple[Floats, Floats]:
    """State after a measurement: ``K = P H^T S^-1``, ``x' = x + K y``, ``P' = (I - K H) P``.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.
        measurement: ``(N, 4)``, one a track.
        noise: ``(4,)`` or ``(N, 4)`` measurement variances, positive.

    Returns:
        mean ``(N, 8)``, covariance ``(N, 3, 4)``, new arrays.
    """
    expected, variance = kalman_project(mean, covariance, noise)
    gain = covariance[:, :2] / variance[:, None]  # (N, 2, 4): of the coordinates, the velocities
    innovation = measurement - expected
    new_mean = mean + (gain * innovation[:, None]).reshape(mean.shape)
    new = np.empty_like(covariance)
    np.multiply(covariance[:, :2], (noise / variance)[:, None], out=new[:, :2])  # 1 - gain
    np.subtract(covariance[:, 2], gain[:, 1] * covariance[:, 1], out=new[:, 2])
    return new_mean, new


def kalman_warp(
    mean: Floats, covariance: Floats, matrix: Floats, offset: Floats
) -> tuple[Floats, Floats]:
    """State after a linear change of coordinates: ``x' = T x + (offset, 0)``, ``P' = T P T^T``.

    Of ``P'`` the blocks are kept: the covariances of one coordinate and its velocity. Those between
    two coordinates are dropped; they are 0 if ``matrix`` is a similarity of coordinates with equal
    variances. What remains is a covariance in any case (sums of blocks with weights >= 0).

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.
        matrix: ``(4, 4)`` of the coordinates and of their velocities: ``T = diag(matrix, matrix)``.
        offset: ``(4,)`` added to the coordinates.

    Returns:
        mean ``(N, 8)``, covariance ``(N, 3, 4)``, new arrays.
    """
    new_mean = (mean.reshape(-1, 2, 4) @ matrix.T).reshape(mean.shape)
    new_mean[:, :4] += offset
    return new_mean, covariance @ np.square(matrix).T


def gating_distance(
    mean: Floats, covariance: Floats, measurements: Floats, noise: Floats, *, dims: int = 4
) -> Floats:
    """Squared Mahalanobis distance of every track to every measurement.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 3, 4)``.
        measurements: ``(M, 4)``.
        noise: ``(4,)`` or ``(N, 4)`` measurement variances.
        dims: How many of the coordinates count (2: only the centre).

    Returns:
        ``(N, M)``, chi-square distributed with ``dims`` degrees of freedom for true pairs.
    """
    expected, variance = kalman_project(mean, covariance, noise)
    weight = 1.0 / variance
    # One (N, M) plane a coordinate: long contiguous rows instead of a last axis of 4.
    delta = measurements.T[:dims, None, :] - expected.T[:dims, :, None]
    delta *= delta
    delta *= weight.T[:dims, :, None]
    return np.add.reduce(delta, axis=0)


def gating_distance_at(
    mean: Floats,
    covariance: Floats,
    measurements: Floats,
    noise: Floats,
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    *,
    dims: int = 4,
) -> Floats:
    """:func:`gating_distance` of the pairs ``row (K,)``, ``column (K,)`` only: ``(K,)``."""
    expected, variance = kalman_project(mean, covariance, noise)
    delta = measurements[column, :dims] - expected[row, :dims]
    delta *= delta
    delta /= variance[row, :dims]
    return delta.sum(axis=1)


def full_covariance(covariance: Floats) -> Floats:
    """The blocks ``(N, 3, 4)`` as matrices ``(N, 8, 8)`` in the order of the mean."""
    full = np.zeros((len(covariance), 8, 8))
    coordinate = np.arange(4)
    full[:, coordinate, coordinate] = covariance[:, 0]
    full[:, coordinate, coordinate + 4] = covariance[:, 1]
    full[:, coordinate + 4, coordinate] = covariance[:, 1]
    full[:, coordinate + 4, coordinate + 4] = covariance[:, 2]
    return full
