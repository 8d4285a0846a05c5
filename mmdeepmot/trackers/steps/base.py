"""What a step is."""

from abc import ABC, abstractmethod

from mmdeepmot.structures.track_table import Column
from mmdeepmot.trackers.context import FrameContext


class Step(ABC):
    """One operation of a tracker on all tracks and detections of a frame.

    Whatever a step must remember from frame to frame lies in columns of the table
    (:meth:`columns`), so that the tracker's state is saved and restored as a whole.

    Attributes:
        name: Place and type in the tracker, e.g. ``steps[1] Associate``, for messages; set by the
            tracker.
    """

    name: str = ""

    def columns(self) -> dict[str, Column]:
        """Columns that the step needs in the table."""
        return {}

    @abstractmethod
    def __call__(self, context: FrameContext) -> None:
        """Do it, changing ``context`` and its table."""
