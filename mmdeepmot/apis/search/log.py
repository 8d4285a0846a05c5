"""The memory of a search: every trial on disk as soon as it is done."""

import fcntl
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from mmdeepmot.errors import InputError

TRIALS = "trials.jsonl"
SEARCH = "search.json"


@dataclass(frozen=True)
class Trial:
    """One set of values and what it gave.

    Attributes:
        number: 0: the config as it is; from 1: the search's.
        parameters: Values by path.
        score: What is maximised; None if it failed or is undefined.
        scores: The rates behind it, of all tune sequences together.
        seconds: Time it took.
        error: Why it failed.
    """

    number: int
    parameters: dict[str, Any]
    score: float | None
    scores: dict[str, float]
    seconds: float
    error: str | None = None


class TrialLog:
    """``FOLDER/search.json``, what is searched, and ``FOLDER/trials.jsonl``, a line a trial.

    A context: the folder is locked against a second search while it is open. A line that an
    interrupted write left unfinished is dropped.

    Args:
        folder: Made if need be.
        search: What the search is, as JSON values; trials of another one are not mixed in.
        must_exist: There must be a search to go on with.

    Raises:
        InputError: The folder holds a different search (the first difference is named), a line
            that is no trial, or is in use; or holds none although ``must_exist``.
    """

    def __init__(
        self, folder: str | Path, search: Mapping[str, Any], must_exist: bool = False
    ) -> None:
        self.folder = Path(folder)
        self._search = json.loads(json.dumps(search))
        self._must_exist = must_exist
        self.trials: list[Trial] = []

    def __enter__(self) -> "TrialLog":
        header, path = self.folder / SEARCH, self.folder / TRIALS
        if self._must_exist and not header.is_file():
            raise InputError(
                f"--resume: {self.folder} holds no search ({SEARCH} is missing); leave out "
                "--resume to begin one, or check --out"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        try:
            self._lock()
            self._check_header(header)
            self._read(path)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, trial: Trial) -> None:
        """Write a trial down; it is on the disk when this returns."""
        line = json.dumps(asdict(trial), allow_nan=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.trials.append(trial)

    def best(self, count: int = 1) -> list[Trial]:
        """The trials of the highest scores; of equal ones the first."""
        scored = [trial for trial in self.trials if trial.score is not None]
        return sorted(scored, key=lambda trial: (-(trial.score or 0.0), trial.number))[:count]

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{self.folder}: another search is running in this folder; wait for it, or choose "
                "another --out"
            ) from None

    def _check_header(self, header: Path) -> None:
        if not header.is_file():
            if self._file.seek(0, os.SEEK_END):
                raise InputError(
                    f"{self.folder} has {TRIALS} but no {SEARCH} that says what was searched; "
                    "choose another --out"
                )
            header.write_text(json.dumps(self._search, indent=2) + "\n", encoding="utf-8")
            return
        try:
            known = json.loads(header.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise InputError(
                f"{header}: expected JSON, got {error}; choose another --out"
            ) from None
        difference = _difference(known, self._search, "")
        if difference is not None:
            raise InputError(
                f"{self.folder} holds another search: {difference}. Choose another --out, or "
                "repeat that search to go on with it"
            )

    def _read(self, path: Path) -> None:
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        for index, line in enumerate(whole.splitlines(), 1):
            try:
                self.trials.append(Trial(**json.loads(line)))
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"{path}:{index}: expected a trial as this command writes it, got "
                    f"{line[:80]!r} ({error}); remove the line, or choose another --out"
                ) from None
        if len(whole) < len(content):
            self._file.truncate(len(whole))


def finite_or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None


def _difference(known: Any, given: Any, path: str) -> str | None:
    """The first place at which two JSON values differ, in words; None if they are equal."""
    if isinstance(known, dict) and isinstance(given, dict):
        for key in [*known, *(key for key in given if key not in known)]:
            place = f"{path}.{key}" if path else key
            if key not in known:
                return f"it has no {place}, this one {given[key]!r}"
            if key not in given:
                return f"its {place} is {known[key]!r}, this one has none"
            difference = _difference(known[key], given[key], place)
            if difference is not None:
                return difference
        return None
    if isinstance(known, list) and isinstance(given, list) and len(known) == len(given):
        pairs = enumerate(zip(known, given, strict=True))
        found = (_difference(a, b, f"{path}.{index}") for index, (a, b) in pairs)
        return next(filter(None, found), None)
    return None if known == given else f"its {path} is {known!r}, this one's {given!r}"
