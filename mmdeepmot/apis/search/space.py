"""What a search may change: ranges and choices of config values, read from text."""

import copy
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from mmengine.config import DictAction

from mmdeepmot.errors import InputError

FORMS = (
    "expected PATH=LOW:HIGH, PATH=LOW:HIGH:STEP, PATH=LOW:HIGH:log or PATH=A,B,C, e.g. "
    "tracker.steps.1.limit=0.5:0.9"
)


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included.

    Attributes:
        low: Least value.
        high: Greatest value.
        step: Distance of allowed values from ``low`` on; None: any value (integers: 1).
        log: Values are spread evenly over their logarithm.
        integer: Only integers.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False
    integer: bool = False

    def grid(self, count: int) -> list[Any]:
        """``count`` values spread over the range; all allowed ones if there is a step."""
        if self.step is not None:
            steps = math.floor((self.high - self.low) / self.step * (1 + 1e-12))
            return [self._plain(self.low + index * self.step) for index in range(steps + 1)]
        if self.integer and self.high - self.low < count:
            return list(range(int(self.low), int(self.high) + 1))
        if count == 1:
            return [self._plain(self.low)]
        spread = np.geomspace if self.log else np.linspace
        values = spread(self.low, self.high, count).tolist()
        return list(dict.fromkeys(map(self._plain, values)))

    def _plain(self, value: float) -> float | int:
        """Without the noise of the last digits: 0.6 instead of 0.6000000000000001."""
        return round(value) if self.integer else float(f"{value:.12g}")


@dataclass(frozen=True)
class Choice:
    """One of several values.

    Attributes:
        values: Anything that JSON holds.
    """

    values: tuple[Any, ...]

    def grid(self, count: int) -> list[Any]:
        """All values, whatever ``count`` says."""
        return list(self.values)


@dataclass(frozen=True)
class Parameter:
    """A place in a config, and what may stand there.

    Attributes:
        path: Keys and indices with dots between, as of ``--cfg-options``.
        space: Its values.
    """

    path: str
    space: Range | Choice

    def describe(self) -> str:
        """As one would write it on the command line, for the log of a search."""
        space = self.space
        if isinstance(space, Choice):
            return f"{self.path}={','.join(json.dumps(value) for value in space.values)}"
        tail = ":log" if space.log else f":{space.step!r}" if space.step is not None else ""
        return f"{self.path}={space.low!r}:{space.high!r}{tail}"


def parse_parameters(texts: Sequence[str]) -> list[Parameter]:
    """Parameters from the texts of ``--param``.

    Two integers make a range of integers, ``0.0:1.0`` one of floats.

    Raises:
        InputError: There is none, a text is not of a known form, a range is empty, or a path comes
            twice.
    """
    if not texts:
        raise InputError(f"nothing to search: give at least one --param; {FORMS}")
    parameters = [_parse(text) for text in texts]
    paths = [parameter.path for parameter in parameters]
    for path in paths:
        if paths.count(path) > 1:
            raise InputError(f"--param {path} is given {paths.count(path)} times; expected once")
    return parameters


def _parse(text: str) -> Parameter:
    path, equals, value = text.partition("=")
    path, value = path.strip(), value.strip()
    if not (path and equals and value):
        raise InputError(f"--param {text!r}: {FORMS}")
    if ":" in value:
        return Parameter(path, _parse_range(text, value.split(":")))
    return Parameter(path, _parse_choice(text, value))


def _parse_range(text: str, parts: Sequence[str]) -> Range:
    log = len(parts) == 3 and parts[2].strip() == "log"
    numbers = parts[:2] if log else parts
    try:
        values = [float(number) for number in numbers]
        integer = all(number.strip().lstrip("+-").isdigit() for number in numbers)
    except ValueError:
        raise InputError(f"--param {text!r}: {FORMS}; got a bound that is no number") from None
    if len(values) not in (2, 3) or not all(map(math.isfinite, values)):
        raise InputError(f"--param {text!r}: {FORMS}")
    low, high, step = values[0], values[1], values[2] if len(values) == 3 else None
    if low >= high:
        raise InputError(
            f"--param {text!r}: expected the lower bound first, got {low:g}:{high:g}; for a fixed "
            "value use the config or --cfg-options"
        )
    if step is not None and not 0 < step <= high - low:
        raise InputError(
            f"--param {text!r}: expected a step above 0 and up to {high - low:g}, got {step:g}"
        )
    if log and low <= 0:
        raise InputError(
            f"--param {text!r}: a logarithmic range needs a lower bound above 0, got {low:g}"
        )
    if integer:
        whole = None if step is None else int(step)
        return Range(int(low), int(high), whole, log, integer=True)
    return Range(low, high, step, log)


def _parse_choice(text: str, value: str) -> Choice:
    try:
        values = DictAction._parse_iterable(f"[{value}]")
    except (AssertionError, RecursionError):
        raise InputError(
            f"--param {text!r}: expected choices with commas between, brackets and quotes closed"
        ) from None
    plain = json.loads(json.dumps(values))
    if len(plain) < 2:
        raise InputError(
            f"--param {text!r}: expected at least two choices or a range, got {plain}; for a fixed "
            "value use the config or --cfg-options"
        )
    return Choice(tuple(plain))


def grid(parameters: Sequence[Parameter], count: int) -> list[dict[str, Any]]:
    """Every combination of ``count`` values of each range, and of all choices and steps.

    Raises:
        InputError: ``count`` is below 1.
    """
    if count < 1:
        raise InputError(f"--grid must be at least 1 value for each range, got {count}")
    axes = [parameter.space.grid(count) for parameter in parameters]
    paths = [parameter.path for parameter in parameters]
    return [dict(zip(paths, values, strict=True)) for values in product(*axes)]


def with_values(tracker: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A tracker's config with other values; the paths are those that ``load_tracker`` accepts."""
    out = {"tracker": copy.deepcopy(dict(tracker))}
    for path, value in values.items():
        *keys, last = path.removeprefix("model.").split(".")
        node: Any = out
        for key in keys:
            node = node[int(key) if isinstance(node, list) else key]
        node[int(last) if isinstance(node, list) else last] = copy.deepcopy(value)
    return out["tracker"]
