"""Public detections of a SynthMOT sequence: the truth through a model of a detector's errors."""

import numpy as np

from mmdeepmot.datasets.synthmot.recipe import Recipe
from mmdeepmot.io.mot import MOTRows

_FALSE_LIFETIME = 4.0  # mean frames for which a false detection stays


def detect(seed: np.random.SeedSequence, recipe: Recipe, frames: int, truth: MOTRows) -> MOTRows:
    """Detections of a sequence, by frame.

    Misses grow as the visible fraction falls, edges jitter in proportion to the box, a score
    grows with the visible fraction, false detections have pedestrian shapes and stay for a few
    frames.

    Args:
        seed: Of this file alone.
        recipe: Its ``detection_*`` parameters.
        frames: Length of the sequence.
        truth: Ground truth, in the order of its frames.
    """
    rng = np.random.default_rng(seed)
    visible = truth.visibility
    miss = recipe.detection_misses + (1 - recipe.detection_misses) * np.clip(
        (0.55 - visible) / 0.5, 0, 1
    )
    found = rng.uniform(size=len(truth)) >= miss
    size = truth.bboxes[:, 2:] - truth.bboxes[:, :2]
    jitter = rng.normal(0, recipe.detection_jitter, (len(truth), 4)) * np.tile(size, 2)
    boxes = (truth.bboxes + jitter)[found]
    scores = np.clip(0.45 + 0.5 * visible + rng.normal(0, 0.06, len(truth)), 0.05, 0.999)[found]
    parts = [
        MOTRows.from_arrays(truth.frames[found], np.full(len(boxes), -1), boxes, scores),
        _false_detections(rng, recipe, frames),
    ]
    rows = MOTRows.concatenate(parts).sorted()
    size = rows.bboxes[:, 2:] - rows.bboxes[:, :2]
    rows = rows[np.flatnonzero((size > 2).all(axis=1))]
    # In a frame the order tells nothing: by falling score.
    return rows[np.lexsort((-rows.scores, rows.frames))]


def _false_detections(rng: np.random.Generator, recipe: Recipe, frames: int) -> MOTRows:
    """Boxes where nobody is: ``recipe.detection_false_positives`` a frame on average."""
    width, height = recipe.size
    births = int(rng.poisson(recipe.detection_false_positives * frames / _FALSE_LIFETIME))
    tall = height * rng.uniform(0.12, 0.45, births)
    wide = tall * rng.uniform(0.3, 0.5, births)
    left = rng.uniform(-0.2, 1, births) * (width - wide)
    top = rng.uniform(0.1, 1, births) * (height - tall)
    start = rng.integers(1, frames + 1, births)
    life = np.minimum(rng.geometric(1 / _FALSE_LIFETIME, births), frames + 1 - start)
    row = np.repeat(np.arange(births), life)
    since = np.arange(len(row)) - np.repeat(np.cumsum(life) - life, life)
    boxes = np.stack([left, top, left + wide, top + tall], axis=1)[row]
    boxes = boxes + rng.normal(0, recipe.detection_jitter, boxes.shape) * wide[row, None]
    scores = np.clip(rng.normal(0.5, 0.15, len(row)), 0.05, 0.95)
    return MOTRows.from_arrays(start[row] + since, np.full(len(row), -1), boxes, scores)
