"""Searches the parameters of a tracker on detection files.

    python tools/analysis/search_tracker.py configs/bytetrack/bytetrack.py --dets DIR --gt DIR \\
        --param tracker.steps.1.limit=0.5:0.9 tracker.steps.5.min_score=0.4:0.8:0.1 \\
        --trials 100 --metric HOTA+IDF1 --train 'MOT17-0[2459]*' --test 'MOT17-1*' --out DIR

A parameter is PATH=LOW:HIGH (two integers: integers), PATH=LOW:HIGH:STEP, PATH=LOW:HIGH:log or
PATH=A,B,C, with a path into the config as of --cfg-options. --grid N tries all combinations of N
values a range; --trials N lets Optuna choose (a Parzen estimator, seeded). Trial 0 is the config
as it is. In --out: trials.jsonl, every trial as soon as it is done; results.txt, the best trials,
and on the sequences of --test, which nothing is chosen by, the best one and the config as it is;
best.py, a config that inherits CONFIG and sets the best values; search.png.

The same command goes on where it was interrupted; a search of something else needs another --out.
exit status: 0; 1 after an error in what was given (said in one line); 2 for a wrong command line;
130 after Ctrl-C (all finished trials are kept).
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes, not threads: before numpy is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.apis.detections import build_tracker, find_detections, load_tracker
from mmdeepmot.apis.search import (
    BayesianSampler,
    Evaluation,
    GridSampler,
    Metric,
    Parameter,
    Sampler,
    Task,
    Trial,
    TrialLog,
    parse_parameters,
    plot_search,
    run_search,
    trials_text,
    write_best,
)
from mmdeepmot.config_file import find_config
from mmdeepmot.errors import InputError, run_command
from mmdeepmot.evaluation.table import OVERALL, ScoreTable
from mmdeepmot.evaluation.tracking import EVALUATORS
from mmdeepmot.io.names import choose_names


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config with a tracker: its path, or name in configs/")
    parser.add_argument("--dets", type=Path, required=True, metavar="DIR", help="detections")
    parser.add_argument(
        "--det",
        default="det/det.txt",
        metavar="FILE",
        help="detection file inside a sequence's folder (det/det.txt)",
    )
    parser.add_argument(
        "--gt", type=Path, required=True, metavar="DIR", help="DIR/SEQ/gt/gt.txt of each sequence"
    )
    parser.add_argument(
        "--param", nargs="+", action="extend", required=True, metavar="PATH=VALUES", help="searched"
    )
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--grid", type=int, metavar="N", help="all combinations of N values a range")
    how.add_argument("--trials", type=int, metavar="N", help="Bayesian search (needs optuna)")
    parser.add_argument("--seed", type=int, default=0, help="of the Bayesian search")
    parser.add_argument(
        "--metric",
        default="HOTA",
        help="what is maximised: HOTA, MOTA, IDF1, HOTA+IDF1, 2*HOTA+IDF1",
    )
    parser.add_argument(
        "--evaluator",
        choices=EVALUATORS,
        default="motmetrics",
        help="who counts CLEAR MOT and IDF1 (HOTA: always trackeval)",
    )
    parser.add_argument(
        "--train",
        nargs="+",
        metavar="SEQ",
        help="sequences to tune on, names or patterns (all that are not in --test)",
    )
    parser.add_argument("--test", nargs="+", default=[], metavar="SEQ", help="held-out sequences")
    parser.add_argument("--jobs", type=int, default=1, help="trials at once, a process each")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of results")
    parser.add_argument(
        "--resume", action="store_true", help="go on only: --out must hold this search already"
    )
    return parser.parse_args(argv)


def search(args: argparse.Namespace) -> None:
    """Search, then write what was found."""
    metric = Metric.parse(args.metric)
    parameters = parse_parameters(args.param)
    if args.jobs < 1:
        raise InputError(f"--jobs must be at least 1, got {args.jobs}")
    args.config = find_config(args.config)
    check_paths(args.config, parameters)
    sampler = make_sampler(args, parameters)
    task = make_task(args)
    tune, held_out = split(sorted(task.dets), args.train, args.test)
    what = {
        "tracker": task.tracker,
        "parameters": [parameter.describe() for parameter in parameters],
        "metric": str(metric),
        "evaluator": args.evaluator,
        **sampler.describe(),
        "sequences": {name: fingerprint(task, name) for name in tune},
    }
    evaluation = Evaluation(task)
    with TrialLog(args.out, what, args.resume) as log:
        print(f"{args.config}: {sampler.total} trials, {metric} over {', '.join(tune)}")
        if log.trials:
            print(f"{len(log.trials)} trials are there already")
        try:
            run_search(
                evaluation,
                tune,
                metric,
                sampler,
                log,
                args.jobs,
                lambda trial: print(progress(trial, log, sampler.total), flush=True),
            )
        except KeyboardInterrupt:
            print(
                f"{len(log.trials)} trials are kept in {args.out}; the same command goes on",
                file=sys.stderr,
            )
            raise
        write_results(args.out, args.config, log, evaluation, metric, parameters, tune, held_out)


def check_paths(config: Path, parameters: Sequence[Parameter]) -> None:
    """Find a wrong path, or a name that no part of the tracker takes, before anything runs.

    Raises:
        InputError: Says which.
    """
    build_tracker(load_tracker(config), str(config))
    for parameter in parameters:
        value = parameter.space.grid(1)[0]
        try:
            build_tracker(load_tracker(config, {parameter.path: value}), str(config))
        except InputError as error:
            raise InputError(f"--param {parameter.path} (tried with {value!r}): {error}") from error


def make_sampler(args: argparse.Namespace, parameters: Sequence[Parameter]) -> Sampler:
    """The search that was asked for."""
    if args.grid is not None:
        return GridSampler(parameters, args.grid)
    return BayesianSampler(parameters, args.trials, args.seed)


def make_task(args: argparse.Namespace) -> Task:
    """The sequences that have both detections and ground truth.

    Raises:
        InputError: There are none.
    """
    dets = find_detections(args.dets, args.det)
    truth = {name: args.gt / name / "gt" / "gt.txt" for name in dets}
    both = [name for name, path in truth.items() if path.is_file()]
    if not both:
        raise InputError(
            f"expected ground truth {args.gt}/SEQ/gt/gt.txt of the sequences in {args.dets}, found "
            f"none of {sorted(dets)}"
        )
    without = sorted(set(dets) - set(both))
    if without:
        print(f"without ground truth in {args.gt}, left out: {', '.join(without)}")
    return Task(
        load_tracker(args.config),
        str(args.config),
        {name: dets[name] for name in both},
        {name: truth[name] for name in both},
        args.evaluator,
    )


def split(
    names: Sequence[str], train: Sequence[str] | None, test: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Sequences to tune on, and those that are held out.

    Raises:
        InputError: A pattern matches none, a sequence is on both sides, or none is left to tune on.
    """
    held_out = choose_names(names, test, "--test")
    if train is None:
        tune = [name for name in names if name not in held_out]
    else:
        tune = choose_names(names, train, "--train")
    both = sorted(set(tune) & set(held_out))
    if both:
        raise InputError(
            f"--train and --test must not share sequences, both have {', '.join(both)}: scores on "
            "sequences that were tuned on say nothing"
        )
    if not tune:
        raise InputError(f"no sequence is left to tune on: --test takes all of {list(names)}")
    return tune, held_out


def fingerprint(task: Task, name: str) -> str:
    """What the files of a sequence hold, in a few digits."""
    digest = hashlib.sha256()
    for path in (task.dets[name], task.gt[name]):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def progress(trial: Trial, log: TrialLog, total: int) -> str:
    """One line for a trial that is done."""
    score = (
        "failed" if trial.error else "undefined" if trial.score is None else f"{trial.score:.3f}"
    )
    best = log.best()[0]
    values = " ".join(f"{path}={_short(value)}" for path, value in trial.parameters.items())
    return (
        f"[{trial.number}/{total}] {score} (best {best.score:.3f}, trial {best.number}) "
        f"{trial.seconds:.1f} s  {values or 'the config as it is'}"
    )


def _short(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def write_results(
    folder: Path,
    config: Path,
    log: TrialLog,
    evaluation: Evaluation,
    metric: Metric,
    parameters: Sequence[Parameter],
    tune: Sequence[str],
    held_out: Sequence[str],
) -> None:
    """Table, config and plot; the held-out sequences are looked at here, for the chosen trial."""
    best = log.best()[0]
    tried = f"the best of {len(log.trials) - 1} trials"
    comment = f"{config.stem}, {tried}: {metric} {best.score:.2f} on {', '.join(tune)}."
    write_best(folder / "best.py", config, best, comment)
    plot_search(folder / "search.png", log.trials, metric, parameters)
    parts = [trials_text(log.trials, metric, parameters)]
    if best.number == 0:
        parts.append("No trial is better than the config as it is; best.py changes nothing.")
    for title, names in (("Tuned on", tune), ("Held out", held_out)):
        if names:
            parts.append(f"{title}: {', '.join(names)}\n{compare(evaluation, best, names)}")
    text = "\n\n".join(parts)
    (folder / "results.txt").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}\n\nwritten to {folder}: results.txt, best.py, search.png, trials.jsonl")


def compare(evaluation: Evaluation, best: Trial, names: Sequence[str]) -> ScoreTable:
    """All sequences together under the config as it is, and each and all under the best values."""
    before = evaluation.table({}, names)
    after = evaluation.table(best.parameters, names)
    rows = {"as it is": before.overall}
    if len(names) > 1:
        rows |= {name: row for name, row in after.rows.items() if name != OVERALL}
    rows[f"trial {best.number}"] = after.overall
    return ScoreTable(after.caption, after.columns, rows, after.notes)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    return run_command(lambda: search(args))


if __name__ == "__main__":
    sys.exit(main())
