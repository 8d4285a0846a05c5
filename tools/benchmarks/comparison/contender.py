"""One tracker under comparison."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.scenes import Scene

#: Methods that are compared, by the name of their folder in configs/.
METHODS = {
    "sort": "SORT",
    "bytetrack": "ByteTrack",
    "ocsort": "OC-SORT",
    "botsort": "BoT-SORT without camera",
}


class Unavailable(Exception):  # noqa: N818 - a state of affairs that becomes a row, not a failure
    """A contender cannot run here; the message says why and what to do about it."""


class Contender(ABC):
    """A tracker that gets ready inputs: conversion is not timed, for nobody.

    Attributes:
        name: Package and method, as the tables call it.
        setting: Which parameters it runs with.
    """

    name: str
    setting: str = "its own defaults"

    @abstractmethod
    def prepare(self, scene: Scene) -> list[Any]:
        """Every frame in the form that this package takes."""

    @abstractmethod
    def start(self, scene: Scene) -> Callable[[Any], Any]:
        """A fresh tracker: what maps one prepared frame to its output."""

    def read(self, output: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Identities ``(N,)`` and boxes ``(N, 4)`` xyxy px of one frame's output."""
        raise NotImplementedError(f"{self.name} takes part in the comparison of speed alone")
