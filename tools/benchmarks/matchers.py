"""How long matchers take.

    python tools/benchmarks/matchers.py [--sizes 10 50 100 300] [--batch 1] [--limit 60]

Times every registered matcher as it is built by default on uniform random matrices, forward (in
evaluation mode, without gradient) and forward and backward (training mode). A size is left out
where the size before says that it would take longer than the limit.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from mmengine.registry import init_default_scope

import mmdeepmot.models
from mmdeepmot.models.matchers import Matcher
from mmdeepmot.registry import MODELS

LEAST = 0.3
"""Seconds that a measurement lasts at least, by repetition."""


def registered() -> list[str]:
    """Names of all matchers in the registry."""
    return [
        name
        for name, kind in MODELS.module_dict.items()
        if isinstance(kind, type) and issubclass(kind, Matcher)
    ]


def seconds(function: Callable[[], object], device: torch.device) -> float:
    """Median time of a call; calls that take long are not repeated."""
    times: list[float] = []
    while not times or (sum(times) < LEAST and len(times) < 100):
        start = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(matcher: Matcher, distances: torch.Tensor) -> tuple[float, float | None]:
    """Seconds of forward, and of forward and backward (None: no gradient)."""
    given = distances.clone().requires_grad_()
    weights = torch.rand_like(distances)

    def forward() -> None:
        with torch.no_grad():
            matcher(distances)

    def both() -> None:
        given.grad = None
        matcher.zero_grad(set_to_none=True)
        (matcher(given) * weights).sum().backward()

    matcher.eval()
    matcher(distances[:, :2, :2])  # what is set up at the first call
    alone = seconds(forward, distances.device)
    matcher.train()
    if not matcher(given[:, :2, :2]).requires_grad:
        return alone, None
    return alone, seconds(both, distances.device)


def rows(name: str, arguments: argparse.Namespace) -> list[str]:
    """Lines of the table for one matcher."""
    matcher = MODELS.build({"type": name}).to(arguments.device)
    parameters = sum(parameter.numel() for parameter in matcher.parameters())
    lines: list[str] = []
    before: tuple[int, float] | None = None
    for size in arguments.sizes:
        if before and before[1] * (size / before[0]) ** 2 > arguments.limit:
            lines.append(f"{name:<22}{parameters:>12,}{size:>6}{'-':>14}{'-':>20}")
            continue
        distances = torch.rand(arguments.batch, size, size, device=arguments.device)
        forward, both = measure(matcher, distances)
        before = size, both or forward
        told = "no gradient" if both is None else f"{both * 1e3:.2f}"
        lines.append(f"{name:<22}{parameters:>12,}{size:>6}{forward * 1e3:>14.2f}{told:>20}")
    return lines


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50, 100, 300], help="N = M")
    parser.add_argument("--batch", type=int, default=1, help="matrices in a call")
    parser.add_argument("--limit", type=float, default=60.0, help="longest expected call, s")
    parser.add_argument("--matchers", nargs="+", default=None, help="names; default: all")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    arguments = parser.parse_args(argv)
    init_default_scope(mmdeepmot.registry.SCOPE)
    torch.manual_seed(0)
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {arguments.device}, "
        f"batch {arguments.batch}\n"
        f"{'matcher':<22}{'parameters':>12}{'size':>6}{'forward ms':>14}{'fwd + bwd ms':>20}"
    )
    for name in arguments.matchers or registered():
        for line in rows(name, arguments):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
