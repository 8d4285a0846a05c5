"""Distance matrices with their optimal assignments: what matchers are trained and judged on.

``file`` reads and writes them, ``distance`` computes them from boxes, ``crowd`` simulates boxes;
``stored``, ``generated`` and ``mixed`` are datasets, ``base`` what these share.
"""

from mmdeepmot.datasets.matrices.base import MatrixBatch, MatrixDataset, pad_matrices
from mmdeepmot.datasets.matrices.distance import distance_matrix, forbid, gate_threshold
from mmdeepmot.datasets.matrices.file import (
    FORBIDDEN,
    MatrixSet,
    pack_matrices,
    read_matrices,
    write_matrices,
)
from mmdeepmot.datasets.matrices.generated import CrowdMatrices, RandomMatrices
from mmdeepmot.datasets.matrices.mixed import MixedMatrices
from mmdeepmot.datasets.matrices.stored import MatrixFileDataset

__all__ = [
    "FORBIDDEN",
    "CrowdMatrices",
    "MatrixBatch",
    "MatrixDataset",
    "MatrixFileDataset",
    "MatrixSet",
    "MixedMatrices",
    "RandomMatrices",
    "distance_matrix",
    "forbid",
    "gate_threshold",
    "pack_matrices",
    "pad_matrices",
    "read_matrices",
    "write_matrices",
]
