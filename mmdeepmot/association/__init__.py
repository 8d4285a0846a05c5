"""Costs, gates, assignment and suppression: pure functions on arrays."""

from mmdeepmot.association.assignment import assign
from mmdeepmot.association.costs import (
    cosine,
    euclidean,
    fuse,
    iou,
    label,
    mahalanobis,
    needs_embeddings,
)
from mmdeepmot.association.suppression import covered, duplicates, greedy_nms

__all__ = [
    "assign",
    "cosine",
    "covered",
    "duplicates",
    "euclidean",
    "fuse",
    "greedy_nms",
    "iou",
    "label",
    "mahalanobis",
    "needs_embeddings",
]
