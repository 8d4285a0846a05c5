"""Distance matrices with their optimal assignments: what matchers are trained and judged on."""

from mmdeepmot.datasets.matrices.file import (
    FORBIDDEN,
    MatrixSet,
    pack_matrices,
    read_matrices,
    write_matrices,
)

__all__ = ["FORBIDDEN", "MatrixSet", "pack_matrices", "read_matrices", "write_matrices"]
