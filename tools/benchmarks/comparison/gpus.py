"""Which GPUs each of several runs at a time gets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]


class Gpus:
    """Hands out groups of GPUs, each to one run at a time as long as there are enough.

    Args:
        names: All GPUs; none: runs get nothing, and use the CPU.
        each: GPUs of a run.
        jobs: Runs at a time; where there are more than groups, some share one.
    """

    def __init__(self, names: list[str], each: int, jobs: int) -> None:
        groups = [names[first : first + each] for first in range(0, len(names), each)]
        whole = [group for group in groups if len(group) == each] or groups
        self._free: SimpleQueue[list[str]] = SimpleQueue()
        for job in range(jobs):
            self._free.put(whole[job % len(whole)] if whole else [])

    @contextmanager
    def taken(self) -> Iterator[dict[str, str]]:
        """What a run adds to its environment; its GPUs are free again afterwards."""
        group = self._free.get()
        try:
            yield {"CUDA_VISIBLE_DEVICES": ",".join(group)} if group else {}
        finally:
            self._free.put(group)
