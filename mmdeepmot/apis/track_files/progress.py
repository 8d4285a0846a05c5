"""What is done of many sequences, and how long the rest takes, as lines of text."""

import math
import time
from collections.abc import Mapping
from typing import TextIO

from mmdeepmot.apis.parallel import Outcome
from mmdeepmot.apis.track_files.task import SequenceSummary

TERMINAL_SECONDS = 0.2
LINE_SECONDS = 10.0
"""Between sequences, the state is rewritten this often on a terminal; elsewhere, a line is added
this often."""
LEAST_SECONDS = 0.5
"""How long it must be watched before it is said how long the rest takes."""
_WIDTH = 79


class Progress:
    """Counts frames and sequences; a sequence weighs as its detection file.

    Args:
        weights: Size of each sequence's file, bytes.
        stream: Where the lines go.

    Attributes:
        summaries: Sequences that are finished.
        failures: Sequences that failed, and why.
    """

    def __init__(self, weights: Mapping[str, int], stream: TextIO) -> None:
        self.summaries: dict[str, SequenceSummary] = {}
        self.failures: dict[str, str] = {}
        self._weights = weights
        self._stream = stream
        self._terminal = stream.isatty()
        self._under_way: dict[str, tuple[int, int]] = {}
        self._written = time.monotonic()
        self._begun: tuple[float, float, int] | None = None  # time, share, frames of the first news

    def update(self, name: str, done: tuple[int, int]) -> None:
        """Note the frames done of a sequence and their total."""
        self._under_way[name] = done
        now = time.monotonic()
        if self._begun is None:  # processes have started: that time says nothing of the rest
            self._begun = (now, self._share(), self._frames())
        if now - self._written >= (TERMINAL_SECONDS if self._terminal else LINE_SECONDS):
            self._written = now
            self._write(self._state(), stays=not self._terminal)

    def end(self, outcome: Outcome) -> None:
        """Note that a sequence is finished, or has failed."""
        name = outcome.name
        self._under_way.pop(name, None)
        if outcome.error is None:
            one = self.summaries[name] = outcome.result
            text = f"{one.frames} frames, {one.boxes} boxes, {one.tracks} tracks"
            if one.frames and one.seconds:
                text += f", {one.frames / one.seconds:.0f} frames/s"
        else:
            self.failures[name] = outcome.error
            text = f"failed: {outcome.error}"
        ended, total = len(self.summaries) + len(self.failures), len(self._weights)
        left = f"; {self._left()} left" if ended < total else ""
        self._write(f"[{ended}/{total}] {name}: {text}{left}")

    def speed(self) -> str:
        """Frames a second of the tracker, on one core."""
        frames = sum(one.frames for one in self.summaries.values())
        seconds = sum(one.seconds for one in self.summaries.values())
        return (
            f"Association: {frames / seconds if seconds else 0:.0f} frames/s on one core "
            f"({frames} frames, {seconds:.2f} s CPU time; files are not counted)."
        )

    def _write(self, text: str, stays: bool = True) -> None:
        if self._terminal:  # over the line before
            text = f"\r{text:<{_WIDTH}}"
        self._stream.write(text + "\n" * stays)
        self._stream.flush()

    def _share(self) -> float:
        done: float = sum(self._weights[name] for name in {**self.summaries, **self.failures})
        for name, (count, total) in self._under_way.items():
            done += self._weights[name] * count / max(total, 1)
        return done / max(sum(self._weights.values()), 1)

    def _frames(self) -> int:
        frames = sum(one.frames for one in self.summaries.values())
        return frames + sum(count for count, _ in self._under_way.values())

    def _rate(self) -> tuple[float, float]:
        """Share of the whole and frames a second, since the first news; 0 as long as unknown."""
        start, share, frames = self._begun or (math.inf, 0.0, 0)
        seconds = time.monotonic() - start
        if seconds < LEAST_SECONDS:
            return 0.0, 0.0
        return (self._share() - share) / seconds, (self._frames() - frames) / seconds

    def _left(self) -> str:
        rate, _ = self._rate()
        if not rate:
            return "?"
        seconds = round((1 - self._share()) / rate)
        return f"{seconds // 60}:{seconds % 60:02d}" if seconds >= 60 else f"{seconds} s"

    def _state(self) -> str:
        _, frames = self._rate()
        share = 100 * self._share()
        return f"{share:.0f}%: {self._frames()} frames, {frames:.0f} frames/s, {self._left()} left"
