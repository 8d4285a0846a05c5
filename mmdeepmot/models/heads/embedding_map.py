"""Embeddings of every cell of a feature map, and where in the input the cells are."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class EmbeddingMap:
    """The embeddings of one scale.

    Attributes:
        values: ``(B, D, H, W)`` float32, L2-normalised over D.
        stride: px of the input from a cell to the next.
        origin: x and y in px of the input of the place that the first cell stands for: 0 where
            cells are corners of a grid (JDE's anchors sit there), half a stride where a cell is
            the square that centres fall into (FairMOT).
    """

    values: Tensor
    stride: int
    origin: float
