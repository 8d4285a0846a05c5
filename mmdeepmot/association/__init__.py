"""Costs, gates, assignment and suppression: pure functions on arrays."""

from mmdeepmot.association.assignment import assign, assign_pairs
from mmdeepmot.association.costs import (
    cosine,
    euclidean,
    iou,
    label,
    mahalanobis,
    needs_embeddings,
    pairwise,
)
from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.association.overlap import overlapping
from mmdeepmot.association.suppression import covered, duplicates, greedy_nms

__all__ = [
    "assign",
    "assign_pairs",
    "cosine",
    "covered",
    "duplicates",
    "euclidean",
    "greedy_nms",
    "iou",
    "label",
    "mahalanobis",
    "needs_embeddings",
    "optimal_assignment",
    "overlapping",
    "pairwise",
]
