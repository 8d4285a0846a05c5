"""Writing a SynthMOT set: one folder a sequence, several processes, whole or not at all.

Every sequence is rendered into a temporary folder and renamed; the set grows in a folder
``.NAME.partial`` that gets its name when it is complete. An interrupted generation goes on where
it was. A lock lets one process generate at a time.
"""

import json
import multiprocessing
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.logging import print_log
from mmengine.utils import ProgressBar

from mmdeepmot.datasets.synthmot.detections import detect
from mmdeepmot.datasets.synthmot.recipe import (
    SPLITS,
    SYNTHMOT_VERSION,
    Recipe,
    Split,
    resolve_recipe,
)
from mmdeepmot.datasets.synthmot.render import Plan, Renderer, Truth, plan_sequence
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import DISTRACTOR, PEDESTRIAN, MOTRows, write_mot_text

DEFAULT_ROOT = "data/synthmot"
RECIPE_FILE = "recipe.json"


def sequence_name(split: Split, index: int) -> str:
    """``SynthMOT-train-001`` for the first of the training split."""
    return f"SynthMOT-{split}-{index + 1:03d}"


def _ground_truth(plan: Plan, truths: list[Truth]) -> MOTRows:
    """Rows of all frames; identities are numbered from 1 in an order that tells nothing.

    People of whom little is seen are MOT17's distractors (flag 0, class 8): neither rewarded nor
    punished.
    """
    frames = np.repeat(np.arange(1, len(truths) + 1), [len(truth.persons) for truth in truths])
    persons = np.concatenate([truth.persons for truth in truths])
    boxes = np.concatenate([truth.bboxes for truth in truths])
    visibility = np.concatenate([truth.visibility for truth in truths])
    kept = visibility >= plan.recipe.ignored_visibility
    targets = visibility >= plan.recipe.min_visibility
    present, codes = np.unique(persons[kept], return_inverse=True)
    numbers = np.random.default_rng(plan.identity_seed).permutation(len(present)) + 1
    ids = numbers[codes]
    order = np.lexsort((ids, frames[kept]))
    rows = MOTRows.from_arrays(
        frames[kept],
        ids,
        np.round(boxes[kept], 2),
        targets[kept].astype(np.float64),
        np.where(targets[kept], PEDESTRIAN, DISTRACTOR),
        visibility=np.round(visibility[kept], 3),
    )
    return rows[order]


def write_sequence(
    recipe: Recipe,
    split: Split,
    index: int,
    folder: Path,
    report: Callable[[], None] | None = None,
) -> None:
    """Render one sequence into a new folder.

    Args:
        recipe: Of the set.
        split, index: Which sequence.
        folder: Must not exist.
        report: Called after each frame.
    """
    plan = plan_sequence(recipe, split, index)
    for name in ("img1", "gt", "det"):
        (folder / name).mkdir(parents=True)
    truths = []
    quality = [cv2.IMWRITE_JPEG_QUALITY, recipe.jpeg_quality]
    for frame, (image, truth) in enumerate(Renderer(plan).frames()):
        _, data = cv2.imencode(".jpg", image, quality)
        (folder / "img1" / f"{frame + 1:06d}.jpg").write_bytes(data.tobytes())
        truths.append(truth)
        if report is not None:
            report()
    rows = _ground_truth(plan, truths)
    write_mot_text(folder / "gt" / "gt.txt", rows, "gt")
    detections = detect(plan.detection_seed, recipe, plan.frames, rows[rows.scores > 0])
    write_mot_text(folder / "det" / "det.txt", detections)
    (folder / "seqinfo.ini").write_text(
        "[Sequence]\n"
        f"name={sequence_name(split, index)}\n"
        "imDir=img1\n"
        f"frameRate={plan.fps}\n"
        f"seqLength={plan.frames}\n"
        f"imWidth={recipe.width}\n"
        f"imHeight={recipe.height}\n"
        "imExt=.jpg\n"
    )


class _Report:
    """Progress with the time left: a bar on a terminal, a few lines in a log file."""

    def __init__(self, total: int, done: Any) -> None:
        self.total = total
        self.done = done
        self.start = time.monotonic()
        self.bar = ProgressBar(total, file=sys.stderr) if sys.stderr.isatty() else None
        self.shown = 0

    def __call__(self) -> None:
        fresh = min(self.done.value, self.total) - self.shown
        if fresh <= 0:
            return
        if self.bar is not None:
            self.bar.update(fresh)
        elif fresh < self.total // 5 and self.shown + fresh < self.total:
            return
        else:
            rate = (time.monotonic() - self.start) / (self.shown + fresh)
            left = rate * (self.total - self.shown - fresh)
            print_log(
                f"SynthMOT: {self.shown + fresh} of {self.total} frames, {left:.0f} s left",
                logger="current",
            )
        self.shown += fresh

    def close(self) -> None:
        self()
        if self.bar is not None:
            sys.stderr.write("\n")


def _write_whole(
    recipe: Recipe, split: Split, index: int, root: Path, done: Any, report: _Report | None
) -> None:
    """Render one sequence beside its place, then rename it; ``done.value`` counts frames."""
    name = sequence_name(split, index)
    temporary = root / f".{name}.{os.getpid()}"

    def count() -> None:
        with done.get_lock():
            done.value += 1
        if report is not None:
            report()

    try:
        write_sequence(recipe, split, index, temporary, count)
        (root / split).mkdir(exist_ok=True)
        os.rename(temporary, root / split / name)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _read_recipe(folder: Path) -> dict[str, Any] | None:
    path = folder / RECIPE_FILE
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text())
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected the recipe of a SynthMOT set (JSON); remove {folder}")
    return values


def _check_recipe(folder: Path, recipe: Recipe) -> None:
    """Raise ValueError if a folder was made by another recipe or version."""
    found = _read_recipe(folder)
    if found is None:
        raise InputError(
            f"{folder} exists but has no {RECIPE_FILE}: it is no SynthMOT set. "
            "Remove it or choose another data_root"
        )
    asked = recipe.to_dict()
    for key in sorted(set(found) | set(asked)):
        if found.get(key) != asked.get(key):
            raise InputError(
                f"{folder / RECIPE_FILE}: the set was made with {key} = {found.get(key)!r}, "
                f"asked for {asked.get(key)!r} (generator version {SYNTHMOT_VERSION}). "
                "Remove the folder to generate it anew, or choose another data_root"
            )


@contextmanager
def _lock(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold a file lock among processes; it falls with the process that holds it."""
    with path.open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            def attempt() -> None:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            def attempt() -> None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

        waited = False
        while True:
            try:
                attempt()
                break
            except OSError:
                if not waited:
                    on_wait()
                waited = True
                time.sleep(0.2)
        yield


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """Sequences are rendered side by side, not the pixels of one.

    Set before processes are forked, not in them: OpenCV's threads do not live on in a fork, and to
    put their number to 1 there, from whatever else, waits for them for ever. 0 lets them sleep.
    """
    threads = cv2.getNumThreads()
    if threads > 1:
        cv2.setNumThreads(0)
    try:
        yield
    finally:
        if threads > 1:
            cv2.setNumThreads(threads)


def _make_missing(recipe: Recipe, root: Path, workers: int, progress: bool) -> None:
    """Render the sequences that a partial set lacks, the longest first."""
    jobs = [
        (split, index)
        for split in SPLITS
        for index in range(recipe.sequences(split))
        if not (root / split / sequence_name(split, index)).is_dir()
    ]
    jobs.sort(key=lambda job: -recipe.frames(job[0]))
    total = sum(recipe.frames(split) for split, _ in jobs)
    # fork where it exists: the workers need neither torch nor a second import of the caller
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    done = context.Value("l", 0)
    report = _Report(total, done) if progress and total else None
    if workers <= 1 or len(jobs) <= 1:
        for split, index in jobs:
            _write_whole(recipe, split, index, root, done, report)
    else:
        with ProcessPoolExecutor(
            min(workers, len(jobs)), context, initializer=_share, initargs=(done,)
        ) as pool:
            futures = [
                pool.submit(_write_shared, recipe, split, index, root) for split, index in jobs
            ]
            _watch(futures, report)
    if report is not None:
        report.close()


_shared: Any = None  # the frame counter, in a worker process


def _share(done: Any) -> None:
    """Start of a worker: keep the counter, and end soon after a parent that was killed.

    An orphan would wait for work for ever, with the inherited lock in its hands.
    """
    global _shared
    _shared = done
    if cv2.getNumThreads() > 1:  # never in a fork, see _one_opencv_thread
        cv2.setNumThreads(0)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _write_shared(recipe: Recipe, split: Split, index: int, root: Path) -> None:
    _write_whole(recipe, split, index, root, _shared, None)


def _watch(futures: list["Future[None]"], report: _Report | None) -> None:
    """Report until all are done; at the first error cancel what has not begun and raise it."""
    waiting = list(futures)
    try:
        while waiting:
            time.sleep(0.2)
            if report is not None:
                report()
            for future in [item for item in waiting if item.done()]:
                future.result()
                waiting.remove(future)
    except BaseException:
        for future in waiting:
            future.cancel()
        raise


def generate(
    recipe: Recipe,
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Generate a set into ``folder`` unless it is there.

    Args:
        recipe: What to generate.
        folder: Of the set: gets ``train/``, ``test/`` and ``recipe.json``.
        workers: Processes; None: one a core.
        progress: Show a bar with the time left on stderr.

    Returns:
        The folder.

    Raises:
        InputError: The folder holds a set of another recipe or version.
    """
    folder = Path(folder)
    if folder.exists():
        _check_recipe(folder, recipe)
        return folder
    if workers is None:
        workers = (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.partial"

    def on_wait() -> None:
        print_log(f"another process generates {folder}: waiting for it", logger="current")

    with _lock(folder.parent / f".{folder.name}.lock", on_wait):
        if folder.exists():
            _check_recipe(folder, recipe)
            return folder
        if partial.exists() and _read_recipe(partial) != recipe.to_dict():
            shutil.rmtree(partial)
        partial.mkdir(exist_ok=True)
        for leftover in partial.glob(".SynthMOT-*"):
            shutil.rmtree(leftover)
        for split in SPLITS:
            (partial / split).mkdir(exist_ok=True)
        (partial / RECIPE_FILE).write_text(json.dumps(recipe.to_dict(), indent=1) + "\n")
        if progress:
            count = sum(recipe.sequences(split) for split in SPLITS)
            print_log(f"generating SynthMOT: {count} sequences into {folder}", logger="current")
        with _one_opencv_thread():
            _make_missing(recipe, partial, workers or 1, progress)
        os.rename(partial, folder)
    return folder


def ensure_synthmot(
    recipe: str | Recipe | Mapping[str, Any] = "default",
    data_root: str | os.PathLike[str] = DEFAULT_ROOT,
    *,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """The folder of a recipe's set under ``data_root``, generated on first use.

    Args:
        recipe: A preset's name, a recipe, or changes to a preset (:func:`resolve_recipe`).
        data_root: Holds one folder a recipe: ``v1-default``, ``v1-small``, ``v1-<hash>``.
    """
    resolved = resolve_recipe(recipe)
    folder = Path(data_root) / resolved.folder_name()
    return generate(resolved, folder, workers=workers, progress=progress)


def await_synthmot(
    recipe: str | Recipe | Mapping[str, Any] = "default",
    data_root: str | os.PathLike[str] = DEFAULT_ROOT,
    *,
    timeout: float = 3600.0,
) -> Path:
    """The folder of a recipe's set, once another process (rank 0) has generated it.

    Raises:
        TimeoutError: It is not there after ``timeout`` seconds.
        InputError: As :func:`generate`.
    """
    resolved = resolve_recipe(recipe)
    folder = Path(data_root) / resolved.folder_name()
    end = time.monotonic() + timeout
    while not folder.exists():
        if time.monotonic() > end:
            raise TimeoutError(
                f"waited {timeout:g} s for rank 0 to generate {folder.resolve()}: see its log, or "
                "generate the set first with tools/dataset_converters/make_synthmot.py"
            )
        time.sleep(0.2)
    _check_recipe(folder, resolved)
    return folder
