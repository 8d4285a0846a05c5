"""Tasks in parallel processes: results, errors, deaths, interruption."""

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mmdeepmot.apis.parallel import Outcome, run_tasks


@pytest.fixture(autouse=True)
def work(monkeypatch):
    """A module that the processes can import: they get this one's paths."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import parallel_work

    return parallel_work.work


def run(work, tasks: dict[str, Any], jobs: int) -> tuple[dict[str, Outcome], dict[str, list]]:
    outcomes: dict[str, Outcome] = {}
    reports: dict[str, list] = {name: [] for name in tasks}

    def on_done(outcome: Outcome) -> None:
        assert outcome.name not in outcomes
        outcomes[outcome.name] = outcome

    run_tasks(work, tasks.items(), jobs, lambda name, value: reports[name].append(value), on_done)
    assert not multiprocessing.active_children()
    return outcomes, reports


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_and_progress(work, jobs):
    outcomes, reports = run(work, {str(n): ("square", n) for n in range(5)}, jobs)
    assert {name: outcome.result[0] for name, outcome in outcomes.items()} == {
        str(n): n * n for n in range(5)
    }
    processes = {outcome.result[1] for outcome in outcomes.values()}
    if jobs == 1:
        assert processes == {os.getpid()}
        assert all(values == [0, 1, 2] for values in reports.values())
    else:
        assert 1 <= len(processes) <= 2 and os.getpid() not in processes
        assert all(set(values) <= {0, 1, 2} for values in reports.values())  # not all are sent


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_lose_nothing(work, jobs):
    tasks = {
        "a": ("bad", 7), "b": ("square", 2), "c": ("bug", 0), "d": ("missing", "/no/such/file"),
        "e": ("square", 3),
    }  # fmt: skip
    outcomes, _ = run(work, tasks, jobs)
    assert outcomes["b"].result[0] == 4 and outcomes["e"].result[0] == 9
    assert outcomes["a"] == Outcome("a", error="expected good input, got 7")
    assert "/no/such/file" in (outcomes["d"].error or "") and outcomes["d"].trace is None
    assert (outcomes["c"].error or "").startswith("ZeroDivisionError: ")
    assert "parallel_work.py" in (outcomes["c"].trace or "")


def test_deaths_lose_nothing(work):
    tasks = {"a": ("killed", 0), "b": ("square", 2), "c": ("exits", 3), "d": ("square", 3)}
    outcomes, _ = run(work, tasks, 2)
    assert outcomes["b"].result[0] == 4 and outcomes["d"].result[0] == 9
    assert outcomes["a"].error == (
        "its process died (signal SIGKILL, perhaps for lack of memory: try fewer jobs)"
    )
    assert outcomes["c"].error == "its process died (exit status 3)"


def test_no_tasks(work):
    assert run(work, {}, 0) == ({}, {})


def test_interruption_ends_the_processes(work):
    def interrupt() -> None:
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)

    done: list[Outcome] = []
    thread = threading.Thread(target=interrupt)
    start = time.monotonic()
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_tasks(work, [("a", ("sleep", 60)), ("b", ("sleep", 60))], 2, print, done.append)
    thread.join()
    assert time.monotonic() - start < 30 and not done
    assert not multiprocessing.active_children()
