"""Tracks with every fault that a tracker can commit, as boxes alone: what measures are tried on.

Objects walk straight through an image, enter and leave, and cross. Their tracks are the objects'
boxes with some noise, and with faults whose total is chosen and whose kinds are mixed at random:
misses (so that objects are lost and found again), false alarms, boxes drifted off their object,
identities exchanged between two tracks, and tracks that go on under a new identity.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.evaluation.functional.sequence import Floats, GtRole, Ints, TrackingSequence

_SHARES = (1.5, 1.5, 1.5, 0.5)
"""Of misses, drifts, false alarms and switches among the faults: a Dirichlet distribution."""

_NOISE = 0.02
"""Standard deviation of the edges of a good box, in widths and heights."""

_DRIFT = (0.45, 0.8)
"""How far a drifted box is moved sideways, in widths: IoU 0.38 to 0.11."""


@dataclass(frozen=True)
class BoxScene:
    """T frames of N tracks and M objects, padded: ids are -1 and boxes 0 where there is none.

    Attributes:
        image_size: (width, height) px.
        track_ids: ``(T, N)``.
        track_bboxes: ``(T, N, 4)`` xyxy px.
        object_ids: ``(T, M)``.
        object_bboxes: ``(T, M, 4)`` xyxy px.
    """

    image_size: tuple[int, int]
    track_ids: Ints
    track_bboxes: Floats
    object_ids: Ints
    object_bboxes: Floats

    def sequence(self, name: str = "scene") -> TrackingSequence:
        """The same, as the metrics take it."""
        gt_frames, gt_columns = (self.object_ids >= 0).nonzero()
        frames, rows = (self.track_ids >= 0).nonzero()
        return TrackingSequence(
            name=name,
            gt_frames=gt_frames,
            gt_ids=self.object_ids[gt_frames, gt_columns],
            gt_bboxes=self.object_bboxes[gt_frames, gt_columns],
            gt_roles=np.full(len(gt_frames), GtRole.COUNTED, dtype=np.int64),
            pred_frames=frames,
            pred_ids=self.track_ids[frames, rows],
            pred_bboxes=self.track_bboxes[frames, rows],
        )


def faulty_scenes(count: int, seed: int, worst: float = 0.8) -> list[BoxScene]:
    """Scenes whose number of faults an object rises evenly from 0 to ``worst``.

    MOTA is about 1 less that number.
    """
    rng = np.random.default_rng(seed)
    return [faulty_scene(rng, faults) for faults in np.linspace(0, worst, count)]


def faulty_scene(
    rng: np.random.Generator,
    faults: float,
    frames: int = 12,
    image_size: tuple[int, int] = (960, 540),
) -> BoxScene:
    """One scene of 4 to 14 objects.

    Args:
        rng: Where the scene comes from.
        faults: Expected number of errors of the metrics (FP, FN, IDS) by the number of objects.
        frames: T.
        image_size: (width, height) px.
    """
    there, bboxes = _walkers(rng, int(rng.integers(4, 15)), frames, image_size)
    missed, drifted, alarms, changed = faults * rng.dirichlet(_SHARES)
    ids = _identities(rng, there, changed)
    tracks = _moved(bboxes, rng.normal(0, _NOISE, bboxes.shape))
    away = rng.random(there.shape) < drifted / 2  # each is a miss and a false alarm
    shift = rng.uniform(*_DRIFT, there.shape) * rng.choice((-1, 1), there.shape)
    shift = np.where(away, shift, 0)
    tracks = _moved(tracks, np.stack((shift, 0 * shift, shift, 0 * shift), axis=-1))
    found = there & (rng.random(there.shape) >= missed)
    false_ids, false_bboxes = _false_alarms(rng, alarms * there.sum(axis=1), bboxes, image_size)
    false_ids[false_ids >= 0] += ids.max(initial=-1) + 1
    return BoxScene(
        image_size,
        np.concatenate((np.where(found, ids, -1), false_ids), axis=1),
        np.concatenate((tracks * found[..., None], false_bboxes), axis=1),
        np.where(there, np.arange(there.shape[1]), -1),
        bboxes * there[..., None],
    )


def _walkers(
    rng: np.random.Generator, count: int, frames: int, image_size: tuple[int, int]
) -> tuple[NDArray[np.bool_], Floats]:
    """Who is there, ``(T, M)``, and where, ``(T, M, 4)`` xyxy px; half of them all the time."""
    height = rng.uniform(50, 150, count)
    size = np.stack((0.4 * height, height), axis=1)
    velocity = rng.normal(0, 1, (count, 2)) * (8, 2)
    middle = rng.uniform(0.15, 0.85, (count, 2)) * image_size
    time = np.arange(frames)[:, None]
    centre = middle + velocity * (time - frames / 2)[..., None]
    first = rng.integers(-frames // 2, frames // 2, count)
    last = rng.integers(frames // 2, frames + frames // 2, count)
    return (time >= first) & (time <= last), np.concatenate(
        (centre - size / 2, centre + size / 2), axis=-1
    )


def _moved(bboxes: Floats, by: Floats) -> Floats:
    """Boxes ``(..., 4)`` with edges moved by ``(..., 4)`` widths and heights."""
    size = bboxes[..., 2:] - bboxes[..., :2]
    return bboxes + by * np.concatenate((size, size), axis=-1)


def _identities(rng: np.random.Generator, there: NDArray[np.bool_], changed: float) -> Ints:
    """Identities ``(T, M)`` of the objects' tracks; a share ``changed`` of all boxes switches.

    Half of the switches are exchanges between two tracks, half continuations as a new track.
    """
    frames, count = there.shape
    ids = np.arange(count)
    out = np.empty((frames, count), dtype=np.int64)
    fresh = count
    for frame in range(frames):
        present = there[frame].nonzero()[0]
        for column in present[rng.random(len(present)) < changed * frame / max(frames - 1, 1)]:
            if rng.random() < 1 / 3 and len(present) > 1:  # two switches against one
                other = rng.choice(present[present != column])
                ids[[column, other]] = ids[[other, column]]
            else:
                ids[column], fresh = fresh, fresh + 1
        out[frame] = ids
    return out


def _false_alarms(
    rng: np.random.Generator, expected: Floats, bboxes: Floats, image_size: tuple[int, int]
) -> tuple[Ints, Floats]:
    """Boxes of objects' sizes anywhere, an identity each: ids ``(T, F)`` from 0, ``(T, F, 4)``."""
    counts = rng.poisson(expected)
    shape = (len(counts), counts.max(initial=0))
    there = np.arange(shape[1]) < counts[:, None]
    ids = np.where(there, np.arange(there.size).reshape(shape), -1)
    like = bboxes[0, rng.integers(bboxes.shape[1], size=shape)]
    size = like[..., 2:] - like[..., :2]
    corner = rng.uniform(0, 1, (*shape, 2)) * (np.array(image_size) - size)
    return ids, np.concatenate((corner, corner + size), axis=-1) * there[..., None]
