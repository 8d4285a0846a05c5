"""What the processes of test_parallel.py do."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmdeepmot.errors import InputError


def work(task: Any, progress: Callable[[Any], None]) -> Any:
    kind, value = task
    if kind == "square":
        for step in range(3):
            progress(step)
        return value**2, os.getpid(), threading.active_count()
    if kind == "bad":
        raise InputError(f"expected good input, got {value}")
    if kind == "missing":
        return Path(value).read_text()
    if kind == "bug":
        return 1 // value
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "exits":
        os._exit(value)
    time.sleep(value)
    return value
