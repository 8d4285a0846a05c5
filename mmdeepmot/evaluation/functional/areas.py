"""Objects by their size in the image: small, medium, large.

As in FairMOT's Table 3 (Zhang et al., 2020), whose limits are 6000 and 25000 px^2 (COCO's, 32^2
and 96^2, are others). An area is that of the whole box of the ground truth, in pixels of the
original image, whatever size the network sees and whatever part of the box lies outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError

FAIRMOT_LIMITS = (6000.0, 25000.0)
SIZES = ("small", "medium", "large")


@dataclass(frozen=True, slots=True)
class AreaLimits:
    """Two limits in px^2: small lies below the first, large above the second, medium between.

    A box whose area is exactly a limit is medium, as the paper's wording has it.

    Attributes:
        low: First limit.
        high: Second limit.

    Raises:
        InputError: The limits are not ``0 < low < high``, both finite.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < float("inf"):
            raise InputError(
                "areas must be two limits in px^2, 0 < first < second (FairMOT: 6000 25000), got "
                f"{self.low:g} and {self.high:g}"
            )

    @classmethod
    def of(cls, limits: Sequence[float]) -> "AreaLimits":
        """From a pair, as a config or a command line gives it.

        Raises:
            InputError: Not two numbers that fit.
        """
        if len(limits) != 2:
            raise InputError(
                f"areas must be two limits in px^2 (FairMOT: 6000 25000), got {tuple(limits)}"
            )
        return cls(float(limits[0]), float(limits[1]))

    @property
    def closed_ranges(self) -> list[list[float]]:
        """Lowest and highest area of each size, both included, as pycocotools takes them."""
        below = float(np.nextafter(self.low, 0.0))
        above = float(np.nextafter(self.high, np.inf))
        return [[0.0, below], [self.low, self.high], [above, float("inf")]]

    def sizes(self, areas: NDArray[np.floating]) -> NDArray[np.int64]:
        """Index into ``SIZES`` ``(N,)`` of areas ``(N,)`` px^2."""
        areas = np.asarray(areas, dtype=np.float64)
        return (areas >= self.low).astype(np.int64) + (areas > self.high)

    def describe(self) -> str:
        """For captions."""
        return (
            f"By area of the ground-truth box, px^2 of the original image: small < {self.low:g} <= "
            f"medium <= {self.high:g} < large."
        )
