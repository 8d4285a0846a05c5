"""The tracker: an ordered list of steps over one table of tracks.

SORT, DeepSORT, JDE, FairMOT, ByteTrack, Tracktor and MOT-by-SOT differ in their steps, motion and
memory, that is, in their configs (``configs/_base_/trackers``), not in code.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.registry import MEMORIES, MOTIONS, STEPS, TRACKERS
from mmdeepmot.structures.frame import Frame, Tracks
from mmdeepmot.structures.track_table import TrackState, TrackTable
from mmdeepmot.trackers.building import build_part
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.detections import checked_detections
from mmdeepmot.trackers.steps import Propagate, Report, Step
from mmdeepmot.trackers.votes import vote_columns

_LOG = logging.getLogger(__name__)
_CLOCK = ("time", "last_index")
Classes = Literal["apart", "together"]


@TRACKERS.register_module()
class Tracker:
    """Tracks one sequence, frame after frame.

    ::

        tracker = TRACKERS.build(dict(type='Tracker', steps=[dict(type='Associate', ...), ...]))
        tracker.reset()                       # before every sequence
        for frame in frames:
            tracks = tracker.step(frame)      # bboxes xyxy px, scores, labels, ids from 1

    Args:
        steps: Configs of registered steps, run in this order in every frame. Without a
            ``Report`` the tracked tracks that were found in the frame are reported at the end.
        motion: Config of the motion model; None: tracks stay where they were last seen.
        memory: Config of the appearance memory; None: no appearance.
        capacity: Number of tracks for which memory is set aside (it grows as needed).
        classes: ``apart``: a track keeps its class: it is given detections of no other, and boxes
            of two classes do not suppress each other; as one tracker a class would have it.
            ``together``: classes say nothing about who is who (detectors that take one object now
            for a truck and now for a car); a track bears the class that prevails among its
            detections (:mod:`mmdeepmot.trackers.votes`).

    Attributes:
        dropped: Detections without width or height, which are left out, since the last reset.
    """

    def __init__(
        self,
        steps: Sequence[Any],
        motion: Any = None,
        memory: Any = None,
        capacity: int = 64,
        classes: Classes = "apart",
    ) -> None:
        if classes not in get_args(Classes):
            raise InputError(f"Tracker.classes must be one of {get_args(Classes)}, got {classes!r}")
        self.classes = classes
        if isinstance(steps, str | Mapping) or not len(steps):
            raise InputError(
                f"Tracker.steps must be a list of at least one dict(type=STEP, ...), got {steps!r}"
            )
        self.motion = build_part(
            MOTIONS, {"type": "Motion"} if motion is None else motion, "Tracker.motion"
        )
        self.memory = None if memory is None else build_part(MEMORIES, memory, "Tracker.memory")
        self.steps: list[Step] = [
            build_part(STEPS, step, f"Tracker.steps[{index}]") for index, step in enumerate(steps)
        ]
        for index, step in enumerate(self.steps):
            step.name = f"steps[{index}] {type(step).__name__}"
        self._report = Report()
        self.table = TrackTable(capacity=capacity)
        for part in [self.motion, self.memory, *self.steps]:
            for name, column in (part.columns() if part is not None else {}).items():
                self.table.register(name, column)
        if classes == "together":
            for name, column in vote_columns().items():
                self.table.register(name, column)
        self.time = 0
        self.dropped = 0
        self._last_index = -1

    def reset(self) -> None:
        """Forget all tracks; ids start at 1 again."""
        self.table.clear()
        self.time = 0
        self.dropped = 0
        self._last_index = -1

    def step(self, frame: Frame) -> Tracks:
        """Track one more frame.

        Args:
            frame: The next frame of the sequence.

        Returns:
            The tracks seen in it.

        Raises:
            ValueError: The frame is not later than the last one, or its detections are not usable.
        """
        if frame.index <= self._last_index:
            raise ValueError(
                f"Tracker.step: frame {frame.index} came after frame {self._last_index}: "
                "frames of a sequence come in order (Frame.index from 0), and reset() goes before "
                "the next sequence"
            )
        table = self.table
        detections, dropped = checked_detections(frame)
        if dropped:
            self._note_dropped(dropped, frame)
        apart = self.classes == "apart"
        context = FrameContext(frame, self.time, table, self.motion, self.memory, detections, apart)
        for step in self.steps:
            step(context)
        if context.tracks is None:
            self._report(context)
        ended = table.states == TrackState.REMOVED
        if ended.any():
            table.compact(~ended)
        self._last_index = frame.index
        self.time += 1
        assert context.tracks is not None
        return context.tracks

    def _note_dropped(self, dropped: int, frame: Frame) -> None:
        if not self.dropped:
            _LOG.warning(
                "frame %d: %d of %d detections have no width or height and are left out; further "
                "ones of this sequence are counted and not reported",
                frame.index,
                dropped,
                len(frame.detections),
            )
        self.dropped += dropped

    def propagated(self) -> NDArray[np.bool_]:
        """Which tracks of the table ``(N,)`` its ``Propagate`` steps will move, as they now are.

        All of them in a tracker without such steps: others may ask for any.
        """
        states = self.table.states
        wanted = [step.wants(states) for step in self.steps if isinstance(step, Propagate)]
        return np.any(wanted, axis=0) if wanted else np.ones(len(states), dtype=bool)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Everything that the next frame depends on, as a flat dict of arrays (copies)."""
        state = self.table.state_dict()
        state["time"] = np.array(self.time, dtype=np.int64)
        state["last_index"] = np.array(self._last_index, dtype=np.int64)
        return state

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a saved state, as if there had been no interruption.

        Raises:
            ValueError: The state is not one of a tracker with these steps, motion and memory.
        """
        missing = [name for name in _CLOCK if name not in state]
        if missing:
            raise ValueError(
                f"Tracker state lacks {missing}: expected what Tracker.state_dict() returns, got "
                f"the keys {sorted(state)}"
            )
        self.table.load_state_dict(
            {name: array for name, array in state.items() if name not in _CLOCK}
        )
        self.time = int(state["time"])
        self._last_index = int(state["last_index"])
