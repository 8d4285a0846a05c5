"""Runs of training and test by config and seed, and the table of their scores."""

import hashlib
import json
import math
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from comparison.gpus import Gpus, visible_gpus
from comparison.intervals import crossed_interval
from mmdeepmot.config_file import read_config
from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.engine.checkpoint import find_latest_checkpoint
from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.table import OVERALL
from mmdeepmot.io.pages import markdown

ROOT = Path(__file__).resolve().parents[3]
TASKS = ("track", "detection", "embedding")
COUNTS = ("IDs", "FP", "FN", "MT", "ML", "Frag")


@dataclass(frozen=True)
class Recipe:
    """What all runs have in common.

    Attributes:
        tasks: Of tools/test.py.
        amp: Whether to train in mixed precision.
        options: ``KEY=VALUE`` for both tools.
        sequences: Names to test on; none: all.
        threads: Of each process.
        processes: Of each run; on a machine with GPUs one for each of so many.
    """

    tasks: tuple[str, ...]
    amp: bool = False
    options: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    threads: int = 1
    processes: int = 1

    def call(self, tool: str, *words: str) -> list[str]:
        """A command line of ``tools/TOOL.py``."""
        command = [sys.executable]
        if self.processes > 1:
            command += ["-m", "torch.distributed.run", "--standalone"]
            command += [f"--nproc-per-node={self.processes}"]
            words = (*words, "--launcher", "pytorch")
        return [*command, str(ROOT / "tools" / f"{tool}.py"), *words]

    def environment(self) -> dict[str, str]:
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        return {**os.environ, **{name: str(self.threads) for name in names}}


@dataclass(frozen=True)
class Run:
    """One config trained with one seed, or tested with what another run has trained.

    Attributes:
        config: Config file.
        seed: Of weights, order and augmentation.
        root: Folder of all runs.
        start: Run whose weights it starts from; None: the config's own start.
        trained: Run whose weights it is tested with; None: it is trained itself.
    """

    config: Path
    seed: int
    root: Path
    start: "Run | None" = None
    trained: "Run | None" = None

    @property
    def stage(self) -> int:
        """How many runs must have ended before this one."""
        before = self.trained or self.start
        return 0 if before is None else before.stage + 1

    @property
    def name(self) -> str:
        return f"{self.config.stem}, seed {self.seed}"

    @property
    def folder(self) -> Path:
        return self.root / f"{self.config.stem}_seed{self.seed}"

    @property
    def scores_file(self) -> Path:
        return self.folder / "scores.json"

    def checkpoint(self) -> Path:
        """Its newest checkpoint.

        Raises:
            InputError: There is none.
        """
        checkpoint = find_latest_checkpoint(self.folder)
        if checkpoint is None:
            raise InputError(f"{self.name}: no checkpoint in {self.folder} to go on from")
        return checkpoint

    def commands(self, recipe: Recipe) -> list[list[str]]:
        """Training, which goes on where it was, and test.

        Raises:
            InputError: The run that it starts from, or is tested with, has left no checkpoint.
        """
        folder, config = str(self.folder), str(self.config)
        checkpoint = [] if self.trained is None else [str(self.trained.checkpoint())]
        test = [config, *checkpoint, "--work-dir", folder, "--eval", *recipe.tasks]
        test += _options(*recipe.options)
        if recipe.sequences:
            test += ["--sequences", *recipe.sequences]
        test_command = recipe.call("test", *test, "--out", str(self.scores_file))
        if self.trained is not None:
            return [test_command]
        loaded = [] if self.start is None else [f"load_from={self.start.checkpoint()}"]
        train = [config, "--work-dir", folder, "--seed", str(self.seed), "--resume"]
        train += _options(*recipe.options, *loaded)
        train += ["--amp"] * recipe.amp
        return [recipe.call("train", *train), test_command]

    # ------------------------------------------------------------- what its scores were made with

    @property
    def record_file(self) -> Path:
        return self.folder / "made_with.json"

    def record(self, recipe: Recipe) -> dict[str, Any]:
        """What its scores depend on, as far as commands and config say."""
        return {
            "config": hashlib.sha256(read_config(self.config).pretty_text.encode()).hexdigest(),
            "start": None if self.start is None else self.start.digest(recipe),
            "trained": None if self.trained is None else self.trained.digest(recipe),
            "eval": sorted(recipe.tasks),
            "sequences": sorted(recipe.sequences),
            "options": sorted(recipe.options),
            "amp": recipe.amp,
            "processes": recipe.processes,
        }

    def digest(self, recipe: Recipe) -> str:
        """Its config's name, and a hash of its :meth:`record`."""
        record = json.dumps(self.record(recipe), sort_keys=True)
        return f"{self.config.stem} {hashlib.sha256(record.encode()).hexdigest()[:16]}"

    def check(self, now: dict[str, Any]) -> None:
        """Whether what is there, finished or not, is what is asked for.

        Args:
            now: Its :meth:`record`.

        Raises:
            InputError: It was made with another config, or other options, or nobody knows.
        """
        if not self.record_file.is_file():
            if self.scores_file.is_file():
                raise InputError(
                    f"{self.name}: {self.scores_file} does not say what it was made with (no "
                    f"{self.record_file.name}): give another --work-dir, or delete that folder"
                )
            return
        before = json.loads(self.record_file.read_text())
        other = [name for name, value in now.items() if before.get(name) != value]
        if other:
            told = "; ".join(f"{name}: {before.get(name)} then, {now[name]} now" for name in other)
            raise InputError(
                f"{self.name}: {self.folder} is of another run ({told}): give another --work-dir, "
                "or delete that folder"
            )


def _options(*options: str) -> list[str]:
    return ["--cfg-options", *options] if options else []


@dataclass
class _Processes:
    """Those that run now, to be ended when all has to end."""

    running: set[subprocess.Popen] = field(default_factory=set)
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, command: list[str], environment: dict[str, str], log: Path) -> int:
        with log.open("ab") as file:
            with self.lock:
                if self.stopped:
                    return -1
                process = subprocess.Popen(
                    command, stdout=file, stderr=subprocess.STDOUT, env=environment
                )
                self.running.add(process)
            status = process.wait()
        with self.lock:
            self.running.discard(process)
        return status

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.terminate()


def run_all(runs: Iterable[Run], recipe: Recipe, jobs: int) -> list[str]:
    """Makes the runs whose scores are missing, those that others start from first.

    Says each that ends.

    Returns:
        Why runs failed, a line each: the last line of their log, and where that is.

    Raises:
        InputError: What is there was made with something else, or two runs have one folder.
        KeyboardInterrupt: Ctrl-C; the processes are ended, their checkpoints are kept.
    """
    runs = list(runs)
    shared = [name for name, many in Counter(run.folder for run in runs).items() if many > 1]
    if shared:
        raise InputError(f"configs of one name would share the folder {shared[0]}: rename one")
    records = {run: run.record(recipe) for run in runs}  # not in threads: configs are imported
    for run, record in records.items():
        run.check(record)
    missing = [run for run in runs if not run.scores_file.is_file()]
    last = max((run.stage for run in missing), default=0)
    stages = [[run for run in missing if run.stage == stage] for stage in range(last + 1)]
    processes = _Processes()
    gpus = Gpus(visible_gpus() if missing else [], recipe.processes, jobs)
    failed: list[str] = []

    def make(run: Run) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        log = run.folder / "output.log"
        try:
            commands = run.commands(recipe)
        except InputError as error:
            failed.append(str(error))
            return
        atomic_write(run.record_file, f"{json.dumps(records[run], indent=2)}\n".encode())
        with gpus.taken() as devices:
            for command in commands:
                if processes.call(command, recipe.environment() | devices, log):
                    if not processes.stopped:
                        failed.append(f"{run.name} ({last_line(log)}; {log})")
                        print(f"failed: {run.name}", file=sys.stderr, flush=True)
                    return
        print(f"done: {run.name}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            for stage in stages:
                for future in [pool.submit(make, run) for run in stage]:
                    future.result()
        except BaseException:
            processes.stop()
            pool.shutdown(cancel_futures=True)
            raise
    return failed


def last_line(log: Path) -> str:
    """The last line of a log that is not empty."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def figure(scores: dict, column: str, row: str = OVERALL) -> float:
    """A figure of a scores.json of tools/test.py; NaN where it has none.

    Args:
        scores: Its content.
        column: Name of the figure.
        row: Sequence, or all.
    """
    for table_of_task in scores["tables"].values():
        value = table_of_task["rows"].get(row, {}).get(column)
        if value is not None:
            return float(value)
    return float(scores["speed"].get(column, math.nan))


def table(
    configs: Sequence[Path],
    runs: Sequence[Run],
    columns: Sequence[str],
    baseline: Path | None,
    compared: Sequence[str] = ("MOTA",),
) -> str:
    """Markdown: a row a config, mean and standard deviation over its finished seeds.

    Args:
        configs: Rows.
        runs: All runs; those without scores are left out.
        columns: Figures of tools/test.py.
        baseline: Config with which the others are compared, None: no such columns.
        compared: Figures that are compared.

    Raises:
        InputError: A figure is known to no run.
    """
    scores = _finished(runs)
    for column in columns:
        if scores and all(math.isnan(figure(one, column)) for one in scores.values()):
            raise InputError(f"--columns: no run has the figure {column!r}")
    by_seed = {(run.config, run.seed): one for run, one in scores.items()}
    header = ["config", "seeds", *columns, *(f"{one}, difference" for one in compared if baseline)]
    rows = []
    for config in configs:
        own = [one for run, one in scores.items() if run.config == config]
        cells = [
            _mean([figure(one, column) for one in own], column in COUNTS) for column in columns
        ]
        if baseline:
            pairs = [
                (one, by_seed[baseline, seed])
                for (name, seed), one in by_seed.items()
                if name == config != baseline and (baseline, seed) in by_seed
            ]
            cells += [_difference(pairs, column) for column in compared]
        rows.append([f"`{config.stem}`", str(len(own)), *cells])
    return markdown(header, rows)


def sequence_table(configs: Sequence[Path], runs: Sequence[Run], columns: Sequence[str]) -> str:
    """Markdown: a row a config, a column a sequence, in each cell the means over finished seeds.

    Args:
        configs: Rows.
        runs: All runs; those without scores are left out.
        columns: Figures of tracking, which share a cell.

    Raises:
        InputError: A figure is known to no sequence.
    """
    scores = {run: _sequence_rows(one) for run, one in _finished(runs).items()}
    names = sorted({name for rows in scores.values() for name in rows})
    for column in columns:
        if scores and not any(column in row for rows in scores.values() for row in rows.values()):
            raise InputError(
                f"--by-sequence: {column!r} is no figure that tracking has (--eval track)"
            )

    def cell(config: Path, name: str, column: str) -> str:
        own = [rows[name] for run, rows in scores.items() if run.config == config and name in rows]
        values = [row[column] for row in own if row.get(column) is not None]
        return f"{np.mean(values):.{0 if column in COUNTS else 1}f}" if values else "–"

    rows = [
        [f"`{config.stem}`"]
        + [" / ".join(cell(config, name, column) for column in columns) for name in names]
        for config in configs
    ]
    return markdown([", ".join(columns), *names], rows)


def _finished(runs: Iterable[Run]) -> dict[Run, dict]:
    """The scores of those runs that have any."""
    return {
        run: json.loads(run.scores_file.read_text()) for run in runs if run.scores_file.is_file()
    }


def _mean(values: Sequence[float], count: bool) -> str:
    """Mean, and the standard deviation where there are several."""
    if not values:
        return "–"
    digits = 0 if count else 2
    text = f"{np.mean(values):.{digits}f}"
    if len(values) == 1:
        return text
    return f"{text} ± {np.std(values, ddof=1):.{1 if count else digits}f}"


def _difference(pairs: Sequence[tuple[dict, dict]], column: str) -> str:
    """Mean of the paired differences over seeds and sequences, with its 95% interval.

    Sequences where one of the runs has no such figure (MOTP without a match) are left out.

    Raises:
        InputError: The figure is none of single sequences.
    """
    if not pairs:
        return "–"
    values = np.array([[_by_sequence(one, column) for one in pair] for pair in pairs])
    if np.isnan(values).all():
        raise InputError(
            f"--compare: {column!r} is no figure that tracking has of each sequence (--eval track)"
        )
    differences = values[:, 0] - values[:, 1]
    differences = differences[:, ~np.isnan(differences).any(axis=0)]
    if not differences.size:
        return "–"
    mean, half = crossed_interval(differences)
    return f"{mean:+.2f}" + (
        "" if math.isnan(half) else f" [{mean - half:+.2f}, {mean + half:+.2f}]"
    )


def _by_sequence(scores: dict, column: str) -> list[float]:
    rows = _sequence_rows(scores)
    found = [rows[name].get(column) for name in sorted(rows)]
    return [math.nan if value is None else float(value) for value in found]


def _sequence_rows(scores: dict) -> dict[str, dict]:
    """What tracking has of each sequence."""
    rows = scores["tables"].get("track", {"rows": {}})["rows"]
    return {name: row for name, row in rows.items() if name != OVERALL}
