"""Scores a trained model, or a folder of result files.

    python tools/test.py [CONFIG] [CHECKPOINT] --eval track [detection embedding]
    python tools/test.py --eval track --results DIR --gt DIR

Without CONFIG the newest run under work_dirs/ is tested; without CHECKPOINT the newest one of the
config's work dir. One pass over the test set for each task asked for.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

TASKS = ("track", "detection", "embedding")
USER_ERRORS = (FileNotFoundError, ValueError, KeyError, ImportError, TypeError, RuntimeError)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", nargs="?", help="config; by default that of the newest run")
    parser.add_argument("checkpoint", nargs="?", help="by default the newest of the work dir")
    parser.add_argument("--eval", nargs="+", choices=TASKS, default=["track"], metavar="TASK")
    parser.add_argument("--evaluator", choices=("motmetrics", "trackeval"), default="motmetrics")
    parser.add_argument("--results", metavar="DIR", help="score DIR/SEQ.txt, without a model")
    parser.add_argument("--gt", metavar="DIR", help="with --results: DIR/SEQ/gt/gt.txt")
    parser.add_argument("--sequences", nargs="+", metavar="SEQ", help="with --results: only these")
    parser.add_argument("--work-dir", help="by default work_dirs/NAME of the config")
    parser.add_argument("--out", metavar="PATH", help="FILE.json: scores; a folder: SEQ.txt too")
    parser.add_argument("--format-only", action="store_true", help="write --out, score nothing")
    parser.add_argument("--show-dir", metavar="DIR", help="write SEQ.mp4 with boxes, ids, trails")
    parser.add_argument("--show-sequences", nargs="+", metavar="SEQ", help="only these videos")
    if "--results" not in (
        sys.argv if argv is None else argv
    ):  # scoring files starts without torch
        from mmdeepmot.engine.config import OptionAction

        parser.add_argument(
            "--cfg-options",
            nargs="+",
            action=OptionAction,
            metavar="KEY=VALUE",
            help="change the config",
        )
    parser.add_argument("--launcher", choices=("none", "pytorch", "slurm"), default="none")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if (args.results is None) != (args.gt is None):
        parser.error("--results DIR and --gt DIR belong together")
    if args.results is not None and args.eval != ["track"]:
        parser.error("--results holds tracks: only --eval track can be scored from files")
    if args.format_only and (args.out is None or args.out.endswith(".json")):
        parser.error("--format-only needs --out FOLDER")
    if args.format_only and args.eval != ["track"]:
        parser.error("--format-only writes tracks: use it with --eval track alone")
    return args


def score_files(args: argparse.Namespace) -> None:
    """Scores result files; imports no torch."""
    from mmdeepmot.evaluation.folder import evaluate_folder

    print(evaluate_folder(args.results, args.gt, args.evaluator, args.sequences))


def test_model(args: argparse.Namespace) -> None:
    """Scores a model."""
    from mmengine.dist import is_main_process
    from mmengine.registry import init_default_scope

    from mmdeepmot.apis.evaluate import check_tasks, evaluate
    from mmdeepmot.apis.locate import find_checkpoint, find_config, newest_run
    from mmdeepmot.engine.config import load_config
    from mmdeepmot.engine.distributed import init_distributed

    if args.config is None:
        config, checkpoint = newest_run()
        print(f"newest run: {config}, {checkpoint}", flush=True)
    else:
        config, checkpoint = find_config(args.config), args.checkpoint
    cfg = load_config(str(config), args.cfg_options)
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or f"work_dirs/{config.stem}"
    check_tasks(cfg, args.eval)
    if checkpoint is None:
        checkpoint = find_checkpoint(config, cfg.work_dir)
        print(f"newest checkpoint of {config.stem}: {checkpoint}", flush=True)
    init_default_scope(cfg.get("default_scope", "mmdeepmot"))
    init_distributed(args.launcher, cfg)

    track: dict = {"evaluator": args.evaluator, "format_only": args.format_only}
    scores = args.out
    if args.out is not None and not args.out.endswith(".json"):
        track["outfile_prefix"] = args.out
        scores = str(Path(args.out) / "scores.json")
    if args.show_dir is not None:
        hook = {"type": "TrackVideoHook", "out_dir": args.show_dir}
        cfg.custom_hooks = [
            *cfg.get("custom_hooks", []),
            {**hook, "sequences": args.show_sequences},
        ]
    evaluation = evaluate(cfg, checkpoint, args.eval, {"track": track})
    if not is_main_process() or args.format_only:
        return
    print(evaluation.summary())
    if scores is not None:
        evaluation.save(scores)


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    try:
        score_files(args) if args.results is not None else test_model(args)
    except USER_ERRORS as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        print(f"error: {text}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
