"""Accuracy of matchers against the size of the matrix, as the paper's Fig. 8.

    python tools/analysis/assignment_sizes.py configs/dhn/dhn_seq_gru.py=CHECKPOINT Sinkhorn
    python tools/analysis/assignment_sizes.py DHN --sizes 2 300 --step 10 --out work_dirs/sizes

Square matrices of uniform random distances in [0, 1), ten of each size from 2 to 300; WA by
row-wise and by column-wise maximum. A matcher is a config with its checkpoint, a config whose
matcher needs none, or the name of a registered matcher (with its shipped weights if it has any
parameters). Writes OUT.csv (all scores of all sizes) and OUT.png, and prints a table.
"""

import argparse
import csv
import io
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.registry import init_default_scope

from mmdeepmot.apis.evaluate import check_tasks, needs_checkpoint
from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.config_file import find_config
from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.engine.config import load_config
from mmdeepmot.engine.weights import load_weights
from mmdeepmot.errors import InputError, run_command
from mmdeepmot.evaluation.functional.assignment import ASSIGNMENT_SCORES, assignment_scores
from mmdeepmot.registry import MODELS

COLUMNS = ("row_wa", "col_wa")
SHOWN = 12
"""Rows of the printed table at most; the file has all sizes."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A matcher under a name."""

    name: str
    matcher: nn.Module


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("matchers", nargs="+", metavar="MATCHER", help="CONFIG[=FILE] or TYPE")
    parser.add_argument("--sizes", nargs=2, type=int, default=(2, 300), metavar=("FIRST", "LAST"))
    parser.add_argument("--step", type=int, default=1, help="every so many sizes")
    parser.add_argument("--count", type=int, default=10, help="matrices of each size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path, default=Path("work_dirs/assignment_sizes"))
    args = parser.parse_args(arguments)
    if not 1 <= args.sizes[0] <= args.sizes[1] or min(args.step, args.count) < 1:
        parser.error("expected 1 <= FIRST <= LAST, and --step and --count of at least 1")
    return args


def build(text: str) -> Contender:
    """The matcher that an argument of the command line names.

    Raises:
        InputError: A config whose matcher needs weights, without a checkpoint.
    """
    config, _, checkpoint = text.partition("=")
    if MODELS.get(config) is not None:
        matcher = MODELS.build({"type": config})
        if any(True for _ in matcher.parameters()):
            matcher = MODELS.build({"type": config, "pretrained": True})
        return Contender(config, matcher)
    path = find_config(config)
    cfg = load_config(path)
    check_tasks(cfg, ["assignment"])
    if not checkpoint and needs_checkpoint(cfg):
        raise InputError(f"{config}: its matcher needs weights, give {config}=CHECKPOINT")
    model = MODELS.build(cfg.model)
    if checkpoint:
        load_weights(model, checkpoint)
    return Contender(path.stem, model.matcher)


@torch.no_grad()
def measure(
    matcher: nn.Module, size: int, count: int, seed: int, device: str = "cpu"
) -> dict[str, float]:
    """Mean scores in percent over ``count`` matrices of ``size x size``, and ``ms`` a matrix.

    The matrices follow from (seed, size): every matcher meets the same.
    """
    rng = np.random.default_rng((seed, size))
    distances = rng.random((count, size, size), dtype=np.float32)
    optimal = optimal_assignment(distances)
    start = time.perf_counter()
    soft = np.concatenate(
        [matcher(torch.from_numpy(one[None]).to(device)).float().cpu().numpy() for one in distances]
    )
    spent = time.perf_counter() - start
    scores = [assignment_scores(*pair) for pair in zip(soft, optimal, strict=True)]
    means = {name: 100 * float(np.mean([s[name] for s in scores])) for name in ASSIGNMENT_SCORES}
    return {**means, "ms": 1e3 * spent / count}


def table(sizes: Sequence[int], results: dict[str, list[dict[str, float]]]) -> str:
    """WA by row and column at some of the sizes, and the least and mean of all sizes."""
    head = ["size", *(f"{name} {c[:3]}" for name in results for c in COLUMNS)]
    chosen = np.unique(np.linspace(0, len(sizes) - 1, SHOWN).astype(int)).tolist()
    lines = [head]
    for at in chosen:
        values = (rows[at][c] for rows in results.values() for c in COLUMNS)
        lines.append([str(sizes[at]), *(f"{value:.2f}" for value in values)])
    for label, combine in (("least", np.min), ("mean", np.mean)):
        values = (combine([r[c] for r in rows]) for rows in results.values() for c in COLUMNS)
        lines.append([label, *(f"{value:.2f}" for value in values)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def to_csv(sizes: Sequence[int], results: dict[str, list[dict[str, float]]]) -> str:
    """All scores: a line for each matcher and size."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = (*ASSIGNMENT_SCORES, "ms")
    writer.writerow(["matcher", "size", *names])
    for name, rows in results.items():
        for size, row in zip(sizes, rows, strict=True):
            writer.writerow([name, size, *(f"{row[key]:.4f}" for key in names)])
    return text.getvalue()


def plot(sizes: Sequence[int], results: dict[str, list[dict[str, float]]]) -> bytes:
    """The figure as PNG: WA row-wise (solid) and column-wise (dashed) against the size."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for at, (name, rows) in enumerate(results.items()):
        for column, style in zip(COLUMNS, ("-", "--"), strict=True):
            axes.plot(
                sizes,
                [row[column] for row in rows],
                style,
                color=f"C{at}",
                label=f"{name}, {'row' if column == 'row_wa' else 'column'}-wise",
            )
    axes.set(xlabel="rows and columns", ylabel="WA (%)")
    axes.grid(alpha=0.3)
    axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def analyse(args: argparse.Namespace) -> None:
    """Measure all matchers, print the table, write the files."""
    init_default_scope("mmdeepmot")
    contenders = [build(text) for text in args.matchers]
    sizes = list(range(args.sizes[0], args.sizes[1] + 1, args.step))
    results: dict[str, list[dict[str, float]]] = {}
    for contender in contenders:
        if contender.name in results:
            raise InputError(f"two matchers are called {contender.name}: give each once")
        matcher = contender.matcher.to(args.device).eval()
        rows = results[contender.name] = []
        for size in sizes:
            rows.append(measure(matcher, size, args.count, args.seed, args.device))
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{contender.name}: size {size} of {sizes[-1]} ")
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    print(f"WA in percent, {args.count} uniform random matrices of each size, seed {args.seed}")
    print(table(sizes, results))
    files = {".csv": to_csv(sizes, results).encode(), ".png": plot(sizes, results)}
    for suffix, content in files.items():
        atomic_write(args.out.with_name(args.out.name + suffix), content)
    print(f"wrote {args.out}.csv and {args.out}.png")


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_command(lambda: analyse(args))


if __name__ == "__main__":
    sys.exit(main())
