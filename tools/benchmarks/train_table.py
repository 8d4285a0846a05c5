"""Trains and scores several configs with several seeds: one table of means and spreads.

Each run is tools/train.py followed by tools/test.py in processes of their own. What is finished is
not run again, and what was interrupted goes on where it was: the same command continues. What
another config, another start or other options made is refused. Intervals of differences take seeds
and sequences for crossed random effects (comparison/intervals.py).

::

    python tools/benchmarks/train_table.py configs/fairmot/anchors/*.py --seeds 0 1 2 --amp \
        --section "anchors" --out docs/benchmarks.md

With ``--start`` one of the configs is trained first, and the others go on from its weights. With
``--tested A=B`` the config A is not trained: it is tested with the weights of B.

exit status: 0; 1 after an error, also of one of the runs (the others are still made); 130 after
Ctrl-C.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from comparison.trainings import TASKS, Recipe, Run, run_all, sequence_table, table  # noqa: E402

from mmdeepmot.errors import InputError, run_command  # noqa: E402
from mmdeepmot.io.pages import place  # noqa: E402

COLUMNS = ("MOTA", "IDF1", "HOTA", "IDs", "FP", "FN", "Prec", "Rec", "AP@0.5", "TPR@FAR=0.1")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configs", nargs="+", type=Path, help="a row of the table each")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="runs of each (0)")
    parser.add_argument("--eval", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK")
    parser.add_argument("--columns", nargs="+", default=list(COLUMNS), help="figures of the table")
    parser.add_argument(
        "--baseline",
        type=Path,
        help="one of the configs: others are compared with it, seed by seed, sequence by sequence",
    )
    parser.add_argument(
        "--compare", nargs="+", default=["MOTA"], metavar="FIGURE", help="what is compared (MOTA)"
    )
    parser.add_argument(
        "--start",
        type=Path,
        help="one of the configs: the others start from its weights, each from those of its seed",
    )
    parser.add_argument(
        "--tested",
        nargs="+",
        default=[],
        metavar="CONFIG=TRAINED",
        help="two of the configs: the first is tested with what the second has learnt",
    )
    parser.add_argument(
        "--by-sequence",
        nargs="+",
        default=[],
        metavar="FIGURE",
        help="figures for a second table, of single sequences",
    )
    parser.add_argument("--sequences", nargs="+", metavar="SEQ", help="test on these only")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (1)")
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="processes of each run, on a machine with GPUs one a GPU; with --jobs, GPUs are "
        "divided among the runs (1)",
    )
    parser.add_argument("--threads", type=int, help="of each process (all cores / all processes)")
    parser.add_argument("--amp", action="store_true", help="train in mixed precision")
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/tables"))
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, help="Markdown page to put the table into")
    parser.add_argument("--section", default="trainings", help="the table's place in the page")
    args = parser.parse_args(argv)
    for name in ("baseline", "start"):
        if getattr(args, name) not in [None, *args.configs]:
            parser.error(f"--{name} {getattr(args, name)} is none of the configs")
    args.tested = dict(_pair(text, parser) for text in args.tested)
    for name in {*args.tested, *args.tested.values()}:
        if name not in args.configs:
            parser.error(f"--tested: {name} is none of the configs")
    for name in args.tested.values():
        if name in args.tested:
            parser.error(f"--tested: {name} is not trained itself")
    for name in ("jobs", "processes"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} must be 1 or more, got {getattr(args, name)}")
    return args


def _pair(text: str, parser: argparse.ArgumentParser) -> tuple[Path, Path]:
    """``CONFIG=TRAINED`` as the two files."""
    config, found, trained = text.partition("=")
    if not found or config == trained:
        parser.error(f"--tested: expected CONFIG=TRAINED, two of the configs, got {text!r}")
    return Path(config), Path(trained)


def make_table(args: argparse.Namespace, argv: list[str]) -> None:
    """Runs what is missing, prints the table and puts it into its page.

    Raises:
        InputError: Runs failed, or scores that are there were made with something else.
    """
    recipe = Recipe(
        tasks=tuple(args.eval),
        amp=args.amp,
        options=tuple(args.cfg_options),
        sequences=tuple(args.sequences or ()),
        threads=args.threads or max(1, (os.cpu_count() or 1) // (args.jobs * args.processes)),
        processes=args.processes,
    )
    runs: list[Run] = []
    for seed in args.seeds:
        start = Run(args.start, seed, args.work_dir) if args.start else None
        made = {
            config: Run(config, seed, args.work_dir, None if config == args.start else start)
            for config in args.configs
        }
        for config, trained in args.tested.items():
            made[config] = Run(config, seed, args.work_dir, trained=made[trained])
        runs += made.values()
    failed = run_all(runs, recipe, args.jobs)
    text = table(args.configs, runs, args.columns, args.baseline, args.compare)
    if args.by_sequence:
        text += f"\n\n{sequence_table(args.configs, runs, args.by_sequence)}"
    print(text)
    if failed:
        raise InputError(f"{len(failed)} of {len(runs)} runs failed: {'; '.join(failed)}")
    if args.out is not None:
        command = shlex.join(["python", "tools/benchmarks/train_table.py", *argv])
        place(args.out, args.section, f"`{command}`\n\n{text}")


def main(argv: list[str] | None = None) -> int:
    given = sys.argv[1:] if argv is None else argv
    args = parse_args(given)
    return run_command(lambda: make_table(args, given))


if __name__ == "__main__":
    sys.exit(main())
