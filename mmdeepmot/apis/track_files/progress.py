"""What is done of many sequences, and how long the rest takes, as lines of text."""

import time
from collections.abc import Mapping
from typing import TextIO

from mmdeepmot.apis.parallel import Outcome
from mmdeepmot.apis.track_files.task import SequenceSummary

TERMINAL_SECONDS = 0.2
LINE_SECONDS = 10.0
"""Between sequences, the state is rewritten this often on a terminal; elsewhere, a line is added
this often."""
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
        self._start = self._written = time.monotonic()

    def update(self, name: str, done: tuple[int, int]) -> None:
        """Note the frames done of a sequence and their total."""
        self._under_way[name] = done
        now = time.monotonic()
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

    def _left(self) -> str:
        share = self._share()
        if not share:
            return "?"
        seconds = round((time.monotonic() - self._start) * (1 / share - 1))
        return f"{seconds // 60}:{seconds % 60:02d}" if seconds >= 60 else f"{seconds} s"

    def _state(self) -> str:
        frames = sum(one.frames for one in self.summaries.values())
        frames += sum(count for count, _ in self._under_way.values())
        rate = frames / max(time.monotonic() - self._start, 1e-9)
        share = 100 * self._share()
        return f"{share:.0f}%: {frames} frames, {rate:.0f} frames/s, {self._left()} left"
