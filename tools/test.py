"""Scores a trained model, or a folder of result files.

    python tools/test.py [CONFIG] [CHECKPOINT] --eval track [detection embedding]
    python tools/test.py CONFIG [CHECKPOINT] --eval assignment
    python tools/test.py --eval track --results DIR --gt DIR

Without CONFIG the newest run under work_dirs/ is tested; without CHECKPOINT the newest one of the
config's work dir. One pass over the test set for each task asked for; one table of all figures.
Metrics have the arguments of the config's test_evaluator, where it names them.
A matcher is judged by --eval assignment; one that needs no training, or comes trained, needs no
CHECKPOINT.

exit status: 0; 1 after an error in what was given (said in one line); 2 for a wrong command line;
130 after Ctrl-C (videos and result files that are written by then are kept).
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmdeepmot.errors import run_command

TASKS = ("track", "detection", "embedding", "assignment")
MODEL_ONLY = ("config", "work_dir", "out", "format_only", "show_dir", "areas", "cfg_options")
"""Arguments that mean nothing where files are scored."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", nargs="?", help="config; by default that of the newest run")
    parser.add_argument("checkpoint", nargs="?", help="by default the newest of the work dir")
    parser.add_argument(
        "--eval",
        nargs="+",
        choices=TASKS,
        default=["track"],
        metavar="TASK",
        help=f"what to score: {', '.join(TASKS)}",
    )
    parser.add_argument(
        "--evaluator",
        choices=("motmetrics", "trackeval"),
        help="who counts CLEAR MOT and IDF1 (HOTA: always trackeval); by default motmetrics, or as "
        "the config's test_evaluator says",
    )
    parser.add_argument(
        "--areas",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="also AP, TPR and IDs of small, medium and large objects, px^2 (FairMOT: 6000 25000)",
    )
    parser.add_argument("--results", metavar="DIR", help="score DIR/SEQ.txt, without a model")
    parser.add_argument(
        "--classes",
        nargs="+",
        metavar="NAME[=NUMBER]",
        help="with --results: score these classes (column 8) one by one: names of MOT16's classes, "
        "or names and their numbers in the files (cyclist=1 bus=4)",
    )
    parser.add_argument(
        "--any-flag",
        action="store_true",
        help="with --classes: boxes of the ground truth count whatever their flag (MOT16 flags all "
        "but pedestrians 0)",
    )
    parser.add_argument("--gt", metavar="DIR", help="with --results: DIR/SEQ/gt/gt.txt")
    parser.add_argument(
        "--sequences",
        nargs="+",
        metavar="SEQ",
        help="only these sequences: names, or patterns such as 'MOT17-*-FRCNN'",
    )
    parser.add_argument(
        "--work-dir",
        help="folder of the run (work_dirs/NAME); logs go to its folder test/",
    )
    parser.add_argument("--out", metavar="PATH", help="FILE.json: scores; a folder: SEQ.txt too")
    parser.add_argument("--format-only", action="store_true", help="write --out, score nothing")
    parser.add_argument("--show-dir", metavar="DIR", help="write SEQ.mp4 with boxes, ids, trails")
    parser.add_argument("--show-sequences", nargs="+", metavar="SEQ", help="only these videos")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        metavar="KEY=VALUE",
        help="change values of the config, e.g. test_dataloader.dataset.clip_length=16",
    )
    parser.add_argument(
        "--launcher",
        choices=("none", "pytorch", "slurm"),
        default="none",
        help="of several processes: set by tools/dist_test.sh and slurm_test.sh",
    )
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    _check_combination(parser, args)
    return args


def _check_combination(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    tracks_only = args.eval == ["track"]
    if len(set(args.eval)) < len(args.eval):
        parser.error(f"--eval: each task once, got {' '.join(args.eval)}")
    if "assignment" in args.eval and (len(args.eval) > 1 or args.areas):
        parser.error("--eval assignment judges a matcher: ask for it alone, and without --areas")
    if (args.results is None) != (args.gt is None):
        parser.error("--results DIR and --gt DIR belong together")
    if args.classes is not None and args.results is None:
        parser.error("--classes is for --results; with a model, its dataset names the classes")
    if args.any_flag and args.classes is None:
        parser.error("--any-flag is for --classes")
    if args.results is not None:
        if not tracks_only:
            parser.error("--results holds tracks: only --eval track can be scored from files")
        for name in MODEL_ONLY:
            if getattr(args, name):
                option = name.upper() if name == "config" else f"--{name.replace('_', '-')}"
                parser.error(f"{option} is for testing a model: leave it out with --results")
    if args.format_only and (args.out is None or args.out.endswith(".json")):
        parser.error("--format-only needs --out FOLDER")
    if args.format_only and not tracks_only:
        parser.error("--format-only writes tracks: use it with --eval track alone")
    if args.format_only and args.areas:
        parser.error("--areas needs scores, which --format-only leaves out")
    if args.show_sequences and args.show_dir is None:
        parser.error("--show-sequences chooses among the videos of --show-dir DIR: give that too")
    if args.show_dir is not None and "track" not in args.eval:
        parser.error("--show-dir shows tracks: add track to --eval")


def score_files(args: argparse.Namespace) -> None:
    """Scores result files; imports no torch."""
    from mmdeepmot.evaluation.folder import evaluate_folder, evaluate_folder_classes
    from mmdeepmot.evaluation.tracking import Evaluator
    from mmdeepmot.io.mot_classes import parse_classes

    evaluator: Evaluator = args.evaluator or "motmetrics"
    if args.classes is None:
        print(evaluate_folder(args.results, args.gt, evaluator, args.sequences))
        return
    classes = parse_classes(args.classes)
    scores = evaluate_folder_classes(
        args.results, args.gt, classes, evaluator, args.sequences, any_flag=args.any_flag
    )
    print(f"{scores.sequences}\n\n{scores.classes}")


def test_model(args: argparse.Namespace) -> None:
    """Scores a model."""
    from mmengine.dist import is_main_process
    from mmengine.registry import init_default_scope

    from mmdeepmot.apis.evaluate import build_metrics, check_tasks, evaluate, needs_checkpoint
    from mmdeepmot.apis.locate import find_checkpoint, find_config, newest_run
    from mmdeepmot.engine.config import OptionAction, load_config
    from mmdeepmot.engine.distributed import init_distributed

    if args.config is None:
        config, checkpoint = newest_run()
        print(f"newest run: {config}, {checkpoint}", flush=True)
    else:
        config, checkpoint = find_config(args.config), args.checkpoint
    options = OptionAction.parse(args.cfg_options or ())
    if args.sequences is not None:
        options["test_dataloader.dataset.sequences"] = args.sequences
    cfg = load_config(config, options)
    check_tasks(cfg, args.eval)
    if checkpoint is None and needs_checkpoint(cfg):
        if args.work_dir is None:
            checkpoint = find_checkpoint(config, cfg.get("work_dir"))
        else:
            checkpoint = find_checkpoint(config, args.work_dir, root=args.work_dir)
        print(f"newest checkpoint of {config.stem}: {checkpoint}", flush=True)
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or f"work_dirs/{config.stem}"
    init_default_scope(cfg.get("default_scope", "mmdeepmot"))

    track: dict[str, Any] = {"evaluator": args.evaluator} if args.evaluator else {}
    if args.format_only:
        track["format_only"] = True
    scores = args.out
    if args.out is not None and not args.out.endswith(".json"):
        track["outfile_prefix"] = args.out
        scores = str(Path(args.out) / "scores.json")
    options_of: dict[str, dict[str, Any]] = {"track": track}
    if args.areas:
        options_of = {task: {**options_of.get(task, {}), "areas": args.areas} for task in args.eval}
    metrics = build_metrics(args.eval, options_of, cfg.get("test_evaluator"))
    if args.show_dir is not None:
        hook = {"type": "TrackVideoHook", "out_dir": args.show_dir}
        hook["sequences"] = args.show_sequences
        cfg.custom_hooks = [*cfg.get("custom_hooks", []), hook]
    init_distributed(args.launcher, cfg, train=False)
    evaluation = evaluate(cfg, checkpoint, metrics)
    if not is_main_process():
        return
    if not evaluation.tables:  # format_only, here or in the config
        print(evaluation.speed_text())
        return
    print(evaluation.summary())
    for table in evaluation.classes.values():
        print(f"\n{table}")
    if evaluation.areas is not None:
        print(f"\n{evaluation.areas}")
    if scores is not None:
        evaluation.save(scores)


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    score = score_files if args.results is not None else test_model
    return run_command(lambda: score(args))


if __name__ == "__main__":
    sys.exit(main())
