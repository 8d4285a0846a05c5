"""The filter of :mod:`mmdeepmot.motion.kalman` with full covariance matrices: the same functions.

For motion that couples coordinates: camera motion with shear or uneven scale, or by a rotation
where x and y variances differ (BoT-SORT's noise grows with width and with height). Before any such
motion both layouts hold the same numbers; this one costs several times as much.

Layout, ``N`` tracks: ``mean (N, 8)`` four coordinates, then their velocities; ``covariance
(N, 8, 8)`` in that order. Noise is diagonal, given as variances as there.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

#: Shape of one track's covariance.
COVARIANCE_SHAPE = (8, 8)

_AXES = np.arange(8)


def kalman_initiate(measurement: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """State of new tracks: at the measurement, at rest.

    Args:
        measurement: ``(N, 4)`` coordinates.
        variance: ``(8,)`` or ``(N, 8)`` initial variances.

    Returns:
        mean ``(N, 8)``, covariance ``(N, 8, 8)``.
    """
    mean = np.zeros((len(measurement), 8))
    mean[:, :4] = measurement
    covariance = np.zeros((len(measurement), 8, 8))
    covariance[:, _AXES, _AXES] = variance
    return mean, covariance


def kalman_predict(mean: Floats, covariance: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """One frame ahead: ``x' = F x``, ``P' = F P F^T + Q``, by sums of 4x4 blocks.

    With ``P = [[A, B], [B^T, C]]`` and ``F = [[I, I], [0, I]]``:
    ``A' = A + B + B^T + C``, ``B' = B + C``, ``C' = C``.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 8, 8)``.
        noise: ``(8,)`` or ``(N, 8)`` process variances.

    Returns:
        mean ``(N, 8)``, covariance ``(N, 8, 8)``, new arrays.
    """
    new_mean = mean.copy()
    new_mean[:, :4] += mean[:, 4:]
    new = covariance.copy()
    new[:, :4] += covariance[:, 4:]
    new[:, :, :4] += new[:, :, 4:]
    new[:, _AXES, _AXES] += noise
    return new_mean, new


def kalman_project(mean: Floats, covariance: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Expected measurement and its covariance.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 8, 8)``.
        noise: ``(4,)`` or ``(N, 4)`` measurement variances.

    Returns:
        expected measurement ``(N, 4)``, covariances ``(N, 4, 4)``.
    """
    projected = covariance[:, :4, :4].copy()
    projected[:, _AXES[:4], _AXES[:4]] += noise
    return mean[:, :4], projected


def kalman_update(
    mean: Floats, covariance: Floats, measurement: Floats, noise: Floats
) -> tuple[Floats, Floats]:
    """State after a measurement: ``K = P H^T S^-1``, ``x' = x + K y``, ``P' = P - K S K^T``.

    With ``S = L L^T`` and ``W = L^-1 H P``: ``K y = W^T L^-1 y`` and ``K S K^T = W^T W``.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 8, 8)``.
        measurement: ``(N, 4)``, one a track.
        noise: ``(4,)`` or ``(N, 4)`` measurement variances, positive.

    Returns:
        mean ``(N, 8)``, covariance ``(N, 8, 8)``, new arrays.
    """
    expected, projected = kalman_project(mean, covariance, noise)
    whitener = np.linalg.inv(np.linalg.cholesky(projected))
    innovation = whitener @ (measurement - expected)[:, :, None]
    whitened = whitener @ covariance[:, :4]
    transposed = whitened.transpose(0, 2, 1)
    new_mean = mean + (transposed @ innovation)[:, :, 0]
    return new_mean, covariance - transposed @ whitened


def kalman_warp(
    mean: Floats, covariance: Floats, matrix: Floats, offset: Floats
) -> tuple[Floats, Floats]:
    """State after a linear change of coordinates: ``x' = T x + (offset, 0)``, ``P' = T P T^T``.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 8, 8)``.
        matrix: ``(4, 4)`` of the coordinates and of their velocities: ``T = diag(matrix, matrix)``.
        offset: ``(4,)`` added to the coordinates.

    Returns:
        mean ``(N, 8)``, covariance ``(N, 8, 8)``, new arrays.
    """
    new_mean = (mean.reshape(-1, 2, 4) @ matrix.T).reshape(mean.shape)
    new_mean[:, :4] += offset
    whole = np.kron(np.eye(2), matrix)
    return new_mean, whole @ covariance @ whole.T


def gating_distance(
    mean: Floats, covariance: Floats, measurements: Floats, noise: Floats, *, dims: int = 4
) -> Floats:
    """Squared Mahalanobis distance of every track to every measurement.

    Args:
        mean: ``(N, 8)``.
        covariance: ``(N, 8, 8)``.
        measurements: ``(M, 4)``.
        noise: ``(4,)`` or ``(N, 4)`` measurement variances.
        dims: How many of the coordinates count (2: only the centre).

    Returns:
        ``(N, M)``, chi-square distributed with ``dims`` degrees of freedom for true pairs.
    """
    expected, projected = kalman_project(mean, covariance, noise)
    whitener = np.linalg.inv(np.linalg.cholesky(projected[:, :dims, :dims]))
    delta = whitener @ (measurements.T[:dims] - expected[:, :dims, None])
    delta *= delta
    return np.add.reduce(delta, axis=1)
