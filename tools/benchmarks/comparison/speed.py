"""Time of contenders on one scene, turn by turn, so that a busy moment hits all of them."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from comparison.contender import Contender
from comparison.scenes import Scene

#: A contender whose run would take longer than this (s) is timed on the first part of the scene.
MAX_SECONDS = 12.0
#: Frames of the warm-up, by which the length of a run is guessed, and the least that is timed.
WARM_UP = 40

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a frame of one contender, the median over repeats.

    Attributes:
        contender: Who.
        frames: Frames a run.
        wall: By wall clock.
        cpu: By CPU time of the process.
    """

    contender: Contender
    frames: int
    wall: float
    cpu: float


def _run(contender: Contender, scene: Scene, inputs: Sequence[Any]) -> tuple[float, float]:
    step = contender.start(scene)
    wall, cpu = time.perf_counter(), time.process_time()
    for frame in inputs:
        step(frame)
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(
    contenders: Sequence[Contender], scene: Scene, repeats: int, progress: Progress
) -> list[Timing]:
    """Time contenders on a scene: one run of each, then again, ``repeats`` times.

    Args:
        contenders: Who.
        scene: What.
        repeats: Runs of each.
        progress: Is told what happens.

    Returns:
        One timing a contender, in their order.
    """
    inputs = []
    for contender in contenders:
        progress(f"{scene.name}: {contender.name} gets ready")
        ready = contender.prepare(scene)
        warm = ready[:WARM_UP]
        seconds = _run(contender, scene, warm)[0] / len(warm)
        inputs.append(ready[: max(WARM_UP, math.ceil(MAX_SECONDS / seconds))])
    times: list[list[tuple[float, float]]] = [[] for _ in contenders]
    for repeat in range(repeats):
        for contender, ready, found in zip(contenders, inputs, times, strict=True):
            progress(f"{scene.name}: run {repeat + 1} of {repeats}, {contender.name}")
            found.append(_run(contender, scene, ready))
    timings = []
    for contender, ready, found in zip(contenders, inputs, times, strict=True):
        wall, cpu = np.median(found, axis=0) / len(ready)
        timings.append(Timing(contender, len(ready), float(wall), float(cpu)))
    return timings


@dataclass(frozen=True, slots=True)
class Growth:
    """Time of a scene that grew sideways.

    Attributes:
        objects: Detections a frame.
        cpu: CPU seconds a frame.
        exponent: log(time ratio) / log(size ratio) to the size before; NaN for the first.
        of_n_log_n: Time ratio to the size before over the ratio of n log n; NaN for the first.
    """

    objects: float
    cpu: float
    exponent: float
    of_n_log_n: float


def growth(objects: Sequence[float], cpu: Sequence[float]) -> list[Growth]:
    """How time grows from each size to the next."""
    found = [Growth(objects[0], cpu[0], math.nan, math.nan)]
    for index in range(1, len(objects)):
        n, m = objects[index], objects[index - 1]
        ratio = cpu[index] / cpu[index - 1]
        found.append(
            Growth(
                n,
                cpu[index],
                math.log(ratio) / math.log(n / m),
                ratio / (n * math.log(n) / (m * math.log(m))),
            )
        )
    return found


def scaling(
    contender: Contender, scenes: Sequence[Scene], repeats: int, progress: Progress
) -> list[Growth]:
    """:func:`growth` of one contender over scenes of growing size, their runs interleaved."""
    times: list[list[float]] = [[] for _ in scenes]
    inputs = [contender.prepare(scene) for scene in scenes]
    for scene, ready in zip(scenes, inputs, strict=True):
        _run(contender, scene, ready[:WARM_UP])
    for repeat in range(repeats):
        progress(f"{contender.name}: growth, run {repeat + 1} of {repeats}")
        for scene, ready, found in zip(scenes, inputs, times, strict=True):
            found.append(_run(contender, scene, ready)[1] / len(ready))
    return growth([scene.objects for scene in scenes], [float(np.median(found)) for found in times])
