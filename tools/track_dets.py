"""Tracks from detection files: no network, no GPU, no torch.

    python tools/track_dets.py configs/bytetrack/bytetrack.py --dets MOT17/train --out results
    python tools/track_dets.py sort --dets SEQ.txt --out results --interpolate linear

Writes OUT/SEQ.txt (MOTChallenge text) for every sequence, and scores where there is ground truth.

exit status: 0; 1 after an error in what was given (said in one line; sequences that are not
concerned are finished first); 2 for a wrong command line; 130 after Ctrl-C (results that are
written by then are kept).
"""

import argparse
import glob
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # --jobs says how many cores; before numpy is imported

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmdeepmot.errors import InputError, run_command  # noqa: E402

if TYPE_CHECKING:
    from mmdeepmot.apis.parallel import Outcome
    from mmdeepmot.apis.track_files import SequenceTask, Settings

DEFAULT_CAMERA = "SparseFlow"
SHOWN_FAILURES = 3
"""So many reasons stand in the error at the end; all of them where they happened."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config with a tracker: its path, or its name in configs/")
    parser.add_argument(
        "--dets",
        required=True,
        metavar="PATH",
        help="SEQ.txt or SEQ.npy (with embeddings), a folder of them, or of SEQ/det/det.txt",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="for SEQ.txt")
    parser.add_argument(
        "--det", default="det/det.txt", metavar="FILE", help="within SEQ/ (det/det.txt)"
    )
    parser.add_argument(
        "--sequences", nargs="+", metavar="SEQ", help="names, or patterns 'MOT17-*'"
    )
    parser.add_argument("--min-score", type=float, metavar="S", help="leave out detections below")
    parser.add_argument(
        "--classes",
        nargs="+",
        metavar="NAME[=NUMBER]",
        help="classes in column 8 of detections, ground truth and results, which are scored one by "
        "one; kept apart, or by --cfg-options tracker.classes=together not. Names of MOT16's "
        "classes, or with numbers: cyclist=1 bus=4",
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (one a core)")
    parser.add_argument("--resume", action="store_true", help="skip what is finished and unchanged")
    parser.add_argument(
        "--interpolate", choices=("linear", "gaussian"), help="fill gaps (and smooth) afterwards"
    )
    parser.add_argument("--max-gap", type=int, metavar="N", help="longest gap to fill: 20 frames")
    parser.add_argument(
        "--images",
        default="auto",
        metavar="DIR",
        help="for trackers that compensate camera motion: DIR/SEQ/img1; auto: img1 beside the "
        "detections where it is there; none",
    )
    parser.add_argument("--camera", metavar="NAME", help=f"ECC or {DEFAULT_CAMERA} (default)")
    parser.add_argument(
        "--gt",
        metavar="DIR",
        help="DIR/SEQ/gt/gt.txt; by default what stands beside the detections; none: do not score",
    )
    parser.add_argument(
        "--evaluator",
        choices=("motmetrics", "trackeval"),
        default="motmetrics",
        help="who counts CLEAR MOT and IDF1 (HOTA: always trackeval)",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        metavar="KEY=VALUE",
        help="change values of the config, e.g. tracker.steps.1.limit=0.6",
    )
    args = parser.parse_args(argv)
    if args.jobs is not None and args.jobs < 1:
        parser.error(f"--jobs: expected a number of processes from 1, got {args.jobs}")
    if args.max_gap is not None and args.interpolate is None:
        parser.error("--max-gap is that of --interpolate: give that too")
    if args.max_gap is not None and args.max_gap < 0:
        parser.error(f"--max-gap: expected a number of frames from 0, got {args.max_gap}")
    if args.camera is not None and args.images == "none":
        parser.error("--camera needs images: leave out --images none")
    return args


def track_all(args: argparse.Namespace) -> None:
    """Track all sequences, then score them."""
    from mmdeepmot.apis.detections import build_tracker, find_detections, load_tracker
    from mmdeepmot.apis.track_files import (
        Settings,
        check_overwriting,
        choose_sequences,
        find_gt,
        plan_tasks,
    )
    from mmdeepmot.config_file import OptionAction, find_config
    from mmdeepmot.io.mot_classes import class_table, parse_classes
    from mmdeepmot.trackers.interpolation import MAX_GAP
    from mmdeepmot.trackers.steps import Compensate

    if args.classes is not None:
        class_table(parse_classes(args.classes))  # before any work
    settings = Settings(
        find_config(args.config),
        OptionAction.parse(args.cfg_options or ()),
        Path(args.out),
        args.min_score,
        args.interpolate,
        MAX_GAP if args.max_gap is None else args.max_gap,
        args.classes is not None,
    )
    tracker = load_tracker(settings.config, settings.options)
    steps = build_tracker(tracker, str(settings.config)).steps
    found = choose_sequences(find_detections(args.dets, args.det), args.sequences)
    gt: Path | None = None
    with_gt: list[str] = []
    if args.gt != "none":
        gt, with_gt = find_gt(found, None if args.gt is None else Path(args.gt))
    tasks = plan_tasks(found, gt)
    tasks = with_camera(tasks, args, any(isinstance(step, Compensate) for step in steps))
    check_overwriting(settings, tasks)
    if gt is not None:
        from mmdeepmot.evaluation.tracking import check_tracking_options

        check_tracking_options(evaluator=args.evaluator)
    settings.out.mkdir(parents=True, exist_ok=True)
    failures = run(settings, tracker, tasks, args)
    if gt is not None:
        without = [name for name in found if name not in with_gt]
        if without:
            print(f"Without ground truth in {gt}, not scored: {', '.join(without)}.")
        score(settings.out, gt, [name for name in with_gt if name not in failures], args)
    if failures:
        reasons = [f"{name}: {reason}" for name, reason in failures.items()]
        others = len(reasons) - SHOWN_FAILURES
        text = "; ".join(reasons[:SHOWN_FAILURES]) + (f"; and {others} others" * (others > 0))
        raise InputError(f"{len(failures)} of {len(tasks)} sequences failed: {text}")


def with_camera(
    tasks: "list[SequenceTask]", args: argparse.Namespace, compensates: bool
) -> "list[SequenceTask]":
    """The tasks with images, if the tracker compensates camera motion and there are some."""
    from mmdeepmot.apis.track_files import add_camera

    asked = args.camera is not None or args.images not in ("auto", "none")
    if asked and not compensates:
        raise InputError(
            f"--images, --camera: the tracker of {args.config} has no step Compensate, so that "
            "camera motion would have no effect; take one that has (configs/botsort), or leave "
            "them out"
        )
    if args.images == "none" or not compensates:
        return tasks
    camera = {"type": args.camera or DEFAULT_CAMERA}
    tasks = add_camera(tasks, camera, None if args.images == "auto" else Path(args.images))
    count = sum(task.images is not None for task in tasks)
    if asked and not count:
        raise InputError(
            "--camera: expected images (SEQ/img1) beside the detections, found none; name their "
            "folder by --images DIR"
        )
    print(f"Camera motion: {camera['type']}; {count} of {len(tasks)} sequences have images.")
    return tasks


def run(
    settings: "Settings", tracker: dict[str, Any], tasks: "list[SequenceTask]", args: Any
) -> dict[str, str]:
    """Track what is not finished; what failed, and why."""
    from mmdeepmot.apis.parallel import run_tasks
    from mmdeepmot.apis.track_files import Manifest, Progress, fingerprint, track_file

    manifest = Manifest(settings.out)
    made_of = {task.name: fingerprint(settings, tracker, task) for task in tasks}
    left = tasks
    if args.resume:
        left = [
            task
            for task in tasks
            if not manifest.is_current(task.name, made_of[task.name], settings.result(task.name))
        ]
        finished = len(tasks) - len(left)
        print(f"{finished} of {len(tasks)} sequences are finished and unchanged: skipped.")
    progress = Progress({task.name: task.dets.stat().st_size for task in left}, sys.stdout)

    def end(outcome: "Outcome") -> None:
        if outcome.error is None:
            manifest.add(outcome.name, made_of[outcome.name], settings.result(outcome.name))
        elif outcome.trace is not None:
            sys.stderr.write(outcome.trace)
        progress.end(outcome)

    jobs = min(args.jobs or cores(), len(left))
    work = partial(track_file, settings)
    try:
        run_tasks(work, [(task.name, task) for task in left], jobs, progress.update, end)
    except KeyboardInterrupt:
        count = len(tasks) - len(left) + len(progress.summaries)
        sys.stderr.write(
            f"\n{count} of {len(tasks)} sequences are in {settings.out}; the same command with "
            "--resume does the others\n"
        )
        raise
    if progress.summaries:
        print(progress.speed())
    return progress.failures


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def score(out: Path, gt: Path, names: list[str], args: argparse.Namespace) -> None:
    """Print the scores of these sequences."""
    from mmdeepmot.evaluation.folder import evaluate_folder, evaluate_folder_classes
    from mmdeepmot.io.mot_classes import parse_classes

    if not names:
        return
    patterns = [glob.escape(name) for name in names]
    if args.classes is None:
        print(evaluate_folder(out, gt, args.evaluator, patterns))
        return
    classes = parse_classes(args.classes)
    scores = evaluate_folder_classes(out, gt, classes, args.evaluator, patterns)
    print(f"{scores.sequences}\n\n{scores.classes}")


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    return run_command(lambda: track_all(args))


if __name__ == "__main__":
    sys.exit(main())
