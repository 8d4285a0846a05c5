"""Independent tasks in parallel processes, of which none is lost when another fails or dies.

Processes are spawned, never forked: each starts from nothing and imports what it needs, so that
results do not depend on what this process has done before.
"""

import multiprocessing
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from mmdeepmot.errors import UserError, describe

Work = Callable[[Any, Callable[[Any], None]], Any]
"""``work(task, progress) -> result``; ``progress(value)`` may be called now and then."""

PROGRESS_SECONDS = 0.2
"""A task's progress is handed on at most this often."""

_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended.

    Attributes:
        name: Of the task.
        result: What ``work`` returned; None if it failed.
        error: Why it failed, in one line; None if it did not.
        trace: Traceback of an error that is not of the user's making.
    """

    name: str
    result: Any = None
    error: str | None = None
    trace: str | None = None


def run_tasks(
    work: Work,
    tasks: Iterable[tuple[str, Any]],
    jobs: int,
    on_progress: Callable[[str, Any], None],
    on_done: Callable[[Outcome], None],
) -> None:
    """Run ``work`` on every task.

    Args:
        work: A function of a module (it is sent to the processes by name), or a partial of one.
        tasks: Names and arguments, which are sent to the processes; begun in this order.
        jobs: Number of processes; 1: all is done in this process.
        on_progress: Called with the name of a task and what it reported.
        on_done: Called once for each task, when it has ended.

    Raises:
        KeyboardInterrupt: Ctrl-C; the processes are ended. Ctrl-C does not reach them themselves.
    """
    waiting = deque(tasks)
    if jobs <= 1:
        for name, argument in waiting:
            on_done(_attempt(work, name, argument, partial(on_progress, name)))
        return
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                workers.append(_Worker(work))
                workers[-1].begin(*waiting.popleft())
            for worker in _ready(workers):
                message = worker.receive()
                if isinstance(message, _Progress):
                    on_progress(worker.task, message.value)
                    continue
                on_done(message)
                if worker.alive and waiting:
                    worker.begin(*waiting.popleft())
                else:
                    worker.end()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.end()


@dataclass(frozen=True, slots=True)
class _Progress:
    value: Any


class _Worker:
    """A process that does one task after another."""

    def __init__(self, work: Work) -> None:
        self.connection, theirs = _CONTEXT.Pipe()
        self.task = ""
        self.alive = True
        self._process: BaseProcess = _CONTEXT.Process(
            target=_serve, args=(work, theirs), daemon=True
        )
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # it inherits this
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()

    def begin(self, name: str, argument: Any) -> None:
        self.task = name
        try:
            self.connection.send((name, argument))
        except OSError:  # it has died: receive() says so
            self.alive = False

    def receive(self) -> Any:
        """What it says next: progress, or the outcome of its task."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.alive = False
            self._process.join()
            code = self._process.exitcode or 0
            why = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
            if code == -signal.SIGKILL:
                why += ", perhaps for lack of memory: try fewer jobs"
            return Outcome(self.task, error=f"its process died ({why})")

    def end(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join()


def _ready(workers: Sequence[_Worker]) -> list[_Worker]:
    by_connection = {worker.connection: worker for worker in workers}
    return [by_connection[ready] for ready in wait(list(by_connection))]  # type: ignore[index]


def _serve(work: Work, connection: Connection) -> None:
    """What a process does: tasks, until the connection is closed."""
    last = 0.0

    def progress(value: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS:
            last = now
            connection.send(_Progress(value))

    try:
        while True:
            name, argument = connection.recv()
            connection.send(_attempt(work, name, argument, progress))
    except (EOFError, OSError):
        return  # nobody listens any more


def _attempt(work: Work, name: str, argument: Any, progress: Callable[[Any], None]) -> Outcome:
    try:
        return Outcome(name, work(argument, progress))
    except (UserError, OSError) as error:
        return Outcome(name, error=describe(error))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return Outcome(name, error=reason, trace=traceback.format_exc())
