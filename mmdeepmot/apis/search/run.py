"""Run the trials of a search, in this process or in several."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from types import TracebackType

from mmdeepmot.apis.search.evaluation import Evaluation, Task
from mmdeepmot.apis.search.log import Trial, TrialLog
from mmdeepmot.apis.search.metric import Metric
from mmdeepmot.apis.search.samplers import Sampler, Suggestion
from mmdeepmot.errors import InputError

_in_worker: Evaluation | None = None


def run_search(
    evaluation: Evaluation,
    names: Sequence[str],
    metric: Metric,
    sampler: Sampler,
    log: TrialLog,
    jobs: int = 1,
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> None:
    """Run what a search still lacks; trial 0 is the config as it is.

    Args:
        evaluation: Tracks and scores.
        names: Sequences to tune on.
        metric: What is maximised.
        sampler: What proposes values.
        log: Open; holds the trials so far and takes the new ones.
        jobs: Trials that run at once, each in a process of its own.
        on_trial: Called after every new trial.

    Raises:
        InputError: The config as it is cannot be run or scored.
    """

    def keep(trial: Trial) -> None:
        log.append(trial)
        on_trial(trial)

    if not any(trial.number == 0 for trial in log.trials):
        first = evaluation.trial(0, {}, names, metric)
        if first.score is None:
            raise InputError(
                f"{evaluation.task.source}: the config as it is gives no {metric}: "
                f"{first.error or f'it is undefined over {list(names)}'}"
            )
        keep(first)
    with _Trials(evaluation, names, metric, jobs) as trials:
        while suggestions := sampler.ask(log.trials, jobs):
            fresh = []
            for number, values in suggestions:
                same = next((t for t in log.trials if t.parameters == values), None)
                if same is None:
                    fresh.append((number, values))
                else:
                    keep(replace(same, number=number, seconds=0.0))
            for trial in trials.run(fresh):
                keep(trial)


class _Trials:
    """Runs suggestions; with several jobs in as many processes, as a context."""

    def __init__(
        self, evaluation: Evaluation, names: Sequence[str], metric: Metric, jobs: int
    ) -> None:
        self._evaluation, self._names, self._metric = evaluation, list(names), metric
        self._jobs = jobs
        self._others = set(multiprocessing.active_children())
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "_Trials":
        if self._jobs > 1:
            self._pool = ProcessPoolExecutor(
                self._jobs,
                multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(self._evaluation.task,),
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is None:
            return
        if kind is not None:  # an interruption does not wait for trials that nobody will see
            for process in set(multiprocessing.active_children()) - self._others:
                process.terminate()
        self._pool.shutdown(cancel_futures=True)

    def run(self, suggestions: Sequence[Suggestion]) -> Iterator[Trial]:
        """Trials in the order in which they are done."""
        if self._pool is None:
            for number, values in suggestions:
                yield self._evaluation.trial(number, values, self._names, self._metric)
            return
        futures = [
            self._pool.submit(_in_process, number, values, self._names, self._metric)
            for number, values in suggestions
        ]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise InputError(
                f"one of {self._jobs} processes was ended from outside (out of memory?); the "
                "trials so far are kept, go on with fewer --jobs"
            ) from error


def _start_worker(task: Task) -> None:
    """Ctrl-C reaches all processes of a terminal: the one that writes the log deals with it."""
    global _in_worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _in_worker = Evaluation(task)


def _end_with_parent() -> None:
    """A parent that is killed cannot end its processes: they do it themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _in_process(number: int, values: dict, names: Sequence[str], metric: Metric) -> Trial:
    assert _in_worker is not None
    return _in_worker.trial(number, values, names, metric)
