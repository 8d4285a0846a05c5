"""Offline refinement of finished tracks: gaps are filled, and trajectories smoothed.

Linear interpolation as ByteTrack does it (Zhang et al. 2022, Sec. 4.2), and Gaussian-smoothed
interpolation (GSI; StrongSORT, Du et al. 2023, Sec. III-E, Eq. 13-17).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import MOTRows
from mmdeepmot.structures.boxes import tlwh_to_xyxy, xyxy_to_tlwh

Floats = NDArray[np.floating]

MAX_GAP = 20
TAU = 10.0
NOISE = 1e-10
MIN_SIZE = 1e-3


def interpolate_linear(rows: MOTRows, max_gap: int = MAX_GAP) -> MOTRows:
    """Fill the gaps of tracks on straight lines between the boxes before and after.

    Args:
        rows: Tracks, in any order.
        max_gap: Gaps of more missing frames than this stay open.

    Returns:
        All rows and the new ones, in the order of frames; rows of one frame keep their order, new
        ones come after them in the order of ids. Boxes and scores are interpolated, classes and
        visibility are those of the box before.

    Raises:
        InputError: An id occurs twice in a frame, or ``max_gap`` is negative.
    """
    if max_gap < 0:
        raise InputError(f"max_gap must be a number of frames >= 0, got {max_gap}")
    by_track = rows[np.lexsort((rows.frames, rows.ids))]
    _check_unique(by_track)
    step = np.diff(by_track.frames)
    missing = np.where((np.diff(by_track.ids) == 0) & (step <= max_gap + 1), step - 1, 0)
    before = np.repeat(np.arange(len(missing)), missing)
    first = np.cumsum(missing) - missing
    offset = np.arange(len(before)) - first[before] + 1
    share = offset / step[before]
    new = by_track[before]
    new.frames = new.frames + offset
    for values, known in ((new.bboxes, by_track.bboxes), (new.scores, by_track.scores)):
        values += (known[before + 1] - known[before]) * share.reshape(-1, *[1] * (known.ndim - 1))
    return MOTRows.concatenate([rows, new]).sorted()


def interpolate_gaussian(
    rows: MOTRows, max_gap: int = MAX_GAP, tau: float = TAU, noise: float = NOISE
) -> MOTRows:
    """Fill the gaps linearly, then smooth every track (GSI): :func:`smooth_gaussian`.

    Raises:
        InputError: As of :func:`interpolate_linear` and :func:`smooth_gaussian`.
    """
    return smooth_gaussian(interpolate_linear(rows, max_gap), tau, noise)


def smooth_gaussian(rows: MOTRows, tau: float = TAU, noise: float = NOISE) -> MOTRows:
    """Smooth left, top, width and height of every track over time by Gaussian processes.

    The longer a track, the shorter the times over which it is smoothed (:func:`length_scale`).
    Boxes that would lose their width or height stay as they are.

    Args:
        rows: Tracks, in any order.
        tau: Strength, in frames.
        noise: Variance of a coordinate's noise, relative to that of the coordinate itself. The
            paper leaves it open; its published figures come from scikit-learn's 1e-10, where the
            kernel alone decides what is smooth.

    Returns:
        The same rows, in the same order, with other boxes.

    Raises:
        InputError: An id occurs twice in a frame, or ``tau`` or ``noise`` is not positive.
    """
    if not (tau > 0 and noise > 0):
        raise InputError(f"tau and noise must be positive, got {tau} and {noise}")
    order = np.lexsort((rows.frames, rows.ids))
    by_track = rows[order]
    _check_unique(by_track)
    counts = np.unique(by_track.ids, return_counts=True)[1]
    ends = np.cumsum(counts)
    smooth = xyxy_to_tlwh(by_track.bboxes)
    for start, end in zip((ends - counts).tolist(), ends.tolist(), strict=True):
        scale = length_scale(end - start, tau)
        if scale is not None:
            smooth[start:end] = gaussian_process_mean(
                by_track.frames[start:end].astype(np.float64), smooth[start:end], scale, noise
            )
    proper = (smooth[:, 2:] >= MIN_SIZE).all(axis=1)
    bboxes = rows.bboxes.copy()
    bboxes[order[proper]] = tlwh_to_xyxy(smooth[proper])
    return MOTRows(rows.frames, rows.ids, bboxes, rows.scores, rows.classes, rows.visibility)


def length_scale(length: int, tau: float = TAU) -> float | None:
    """``tau * log(tau^3 / length)`` (StrongSORT, Eq. 17), frames.

    Args:
        length: Number of a track's boxes.
        tau: Strength, frames.

    Returns:
        None for tracks so long (from about tau^3 boxes on) that the formula gives less than
        ``1 / tau``: their boxes have nothing to do with each other and stay as they are.
    """
    scale = tau * math.log(tau**3 / length)
    return scale if scale > 1 / tau else None


def gaussian_process_mean(times: Floats, values: Floats, scale: float, noise: float) -> Floats:
    """Posterior mean of a Gaussian process at the times at which it was observed.

    The prior has mean 0 and covariance ``k(s, t) = exp(-(s - t)^2 / (2 scale^2))`` (RBF); with
    ``K = k(times, times)`` the mean is ``K (K + noise I)^-1 values``, which is
    ``values - noise (K + noise I)^-1 values``.

    Args:
        times: ``(L,)``, no two alike.
        values: ``(L, C)``, one process a column.
        scale: Length scale, in the unit of times.
        noise: Variance of an observation's noise, relative to the prior's.

    Returns:
        ``(L, C)``.
    """
    kernel = np.exp(-0.5 * np.square((times[:, None] - times) / scale))
    kernel[np.diag_indices_from(kernel)] += noise
    factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    return values - noise * cho_solve(factor, values, check_finite=False)


def _check_unique(by_track: MOTRows) -> None:
    same = (np.diff(by_track.ids) == 0) & (np.diff(by_track.frames) == 0)
    if same.any():
        row = int(same.argmax())
        raise InputError(
            f"expected one box for each id in a frame, got id {by_track.ids[row]} twice or more in "
            f"frame {by_track.frames[row]}"
        )


INTERPOLATIONS: dict[str, Callable[[MOTRows, int], MOTRows]] = {
    "linear": interpolate_linear,
    "gaussian": interpolate_gaussian,
}
"""By the names of the command line; called with the rows and ``max_gap``."""
