"""A network for tests of trackers that move their own tracks: what it says follows from the scene.

Every true person of a frame has a box, a look and a visibility; a box that is asked for goes to the
person of the next frame that it overlaps most. Independent of the order of the boxes.
"""

from dataclasses import dataclass

import numpy as np

from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.boxes import iou_matrix


@dataclass(frozen=True)
class Scripted:
    """What the network sees of one frame.

    Attributes:
        bboxes: ``(P, 4)`` of the people, px.
        looks: ``(P, D)`` of unit length.
        scores: ``(P,)`` how well each can be seen.
    """

    bboxes: np.ndarray
    looks: np.ndarray
    scores: np.ndarray

    def regress(self, boxes):
        """Boxes ``(N, 4)`` pulled to the people they overlap, and their scores ``(N,)``."""
        best, overlap = self._nearest(boxes)
        met = overlap > 0.2
        pulled = 0.9 * np.concatenate([self.bboxes, np.zeros((1, 4))])[best] + 0.1 * boxes
        sure = np.clip(3 * overlap, 0, 1) * (0.9 + 0.1 * overlap)  # no two equal scores
        score = np.append(self.scores, 0)[best] * sure
        return np.where(met[:, None], pulled, boxes), np.where(met, score, 0.1)

    def embed(self, boxes):
        """Looks ``(N, D)``: of the person, mixed with what else is there."""
        best, overlap = self._nearest(boxes)
        other = np.eye(1, self.looks.shape[1])
        looks = np.concatenate([self.looks, other])[best]
        mixed = looks + 0.3 * (1 - overlap)[:, None] * np.sin(np.arange(looks.shape[1]))
        return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)

    def _nearest(self, boxes):
        overlap = iou_matrix(boxes, self.bboxes)
        overlap = np.concatenate([overlap, np.full((len(boxes), 1), 1e-9)], axis=1)
        best = overlap.argmax(axis=1)
        return best, overlap[np.arange(len(boxes)), best]


def scripted(frames, seed, missed=0.4):
    """Frames whose detections are some of the people (and doubles of them) and that can propagate.

    Args:
        frames: With all people as detections, with embeddings.
        seed: Of visibility, misses and doubles.
        missed: Share of people without a detection.
    """
    rng = np.random.default_rng(seed)
    out = []
    for frame in frames:
        d = frame.detections
        visible = np.where(rng.random(len(d)) < 0.15, rng.uniform(0.1, 0.5, len(d)), 0.95)
        plain = rng.random(len(d)) >= 0.1  # who is hidden gives his tracks to a neighbour
        network = Scripted(d.bboxes[plain], d.embeddings[plain].astype(float), visible[plain])
        shown = np.flatnonzero(rng.random(len(d)) >= missed)
        shown = np.concatenate([shown, shown[rng.random(len(shown)) < 0.3]])
        size = (d.bboxes[:, 2:] - d.bboxes[:, :2])[shown]
        boxes = d.bboxes[shown] + rng.normal(0, 0.06, (len(shown), 4)) * np.tile(size, 2)
        detections = Detections(
            boxes, rng.uniform(0.3, 1, len(shown)), np.zeros(len(shown), dtype=np.int64)
        )
        out.append(
            Frame(
                frame.index,
                frame.size,
                frame.fps,
                detections,
                propagate=lambda bboxes, ids, network=network: network.regress(bboxes),
                embed=network.embed,
                warp=frame.warp,
            )
        )
    return out
