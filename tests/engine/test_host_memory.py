"""Freed memory stays in the process: counted in page faults of a process of its own."""

import platform
import subprocess
import sys

import pytest

_PAGES = """
import resource, sys
import numpy as np
from mmdeepmot.engine.host_memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def touch():
    np.ones(1_000_000)  # 8 MB, freed at once
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives the choice")
def test_memory_is_kept_once_freed():
    def faults(mode: str) -> int:
        run = subprocess.run(
            [sys.executable, "-c", _PAGES, mode], capture_output=True, text=True, check=True
        )
        return int(run.stdout)

    assert faults("keep") < 100
