"""Accuracy against speed of trackers, for few people and for many: tables and a picture.

Each model is tested on each scene, frame by frame, and the time of a frame is divided into
detector, embedding and association. What is measured is not measured again (--work-dir holds it),
so that the same command goes on after an interruption.

::

    python tools/benchmarks/accuracy_speed.py \\
        faster_rcnn_r18_pcb_jde_synthmot=work_dirs/faster_rcnn_r18_sort_synthmot/epoch_5.pth \\
        jde_r18_synthmot --plot accuracy_speed.png

MODEL is CONFIG=CHECKPOINT, or CONFIG, of whose work dir the newest checkpoint counts; ReID weights
are those that the config names. SCENE is NAME=synthmot:DENSITY (people a frame; 512x288, generated
on first use), NAME=FOLDER of MOTChallenge sequences, or NAME=FOLDER:SEQ,SEQ, some of them. By
default the scenes are two densities of SynthMOT, and the real videos of ../shared/data/mot where
that folder is.

exit status: 0; 1 after an error in what was given, also of one of the models (the others are still
measured); 130 after Ctrl-C.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from mmdeepmot.errors import InputError, UserError, run_command  # noqa: E402

SCENES = ("low density=synthmot:6", "high density=synthmot:24")
REAL = ROOT.parent / "shared/data/mot"
REAL_SCENES = {"real": "PETS09-S2L1,TUD-Stadtmitte", "real, moving camera": "MOT17-11-540p"}


def default_scenes() -> list[str]:
    """SynthMOT's, and the real ones whose videos are there."""
    here = [
        f"{name}={REAL}:{videos}"
        for name, videos in REAL_SCENES.items()
        if all((REAL / video / "seqinfo.ini").is_file() for video in videos.split(","))
    ]
    return [*SCENES, *here]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="CONFIG or CONFIG=CHECKPOINT")
    parser.add_argument(
        "--scene",
        action="append",
        metavar="SCENE",
        help="NAME=synthmot:DENSITY, NAME=FOLDER or NAME=FOLDER:SEQ,SEQ; by default "
        + "; ".join(default_scenes()),
    )
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/accuracy_speed"))
    parser.add_argument("--threads", type=int, default=1, help="of the networks on a CPU (1)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="picture to write (.png, .pdf)")
    parser.add_argument("--out", type=Path, help="Markdown page to put the tables into")
    parser.add_argument("--section", default="accuracy-speed", help="their place in the page")
    args = parser.parse_args(argv)
    if args.threads < 1:
        parser.error(f"--threads: expected a number from 1, got {args.threads}")
    return args


def compare(args: argparse.Namespace, argv: list[str]) -> None:
    """Measures, prints the tables, writes page and picture.

    Raises:
        InputError: A model or scene is not as expected; or some could not be measured.
    """
    import torch
    from comparison.trade_off import Model, measure, parse_scene, points, table

    from mmdeepmot.io.pages import conditions, place
    from mmdeepmot.visualization.trade_off import plot_trade_off

    torch.set_num_threads(args.threads)
    models = [Model.parse(text) for text in args.models]
    scenes = [parse_scene(text) for text in args.scene or default_scenes()]
    found, failed = [], []
    for scene in scenes:
        for model in models:
            try:
                found.append(measure(model, scene, args.work_dir))
            except (UserError, OSError) as error:
                failed.append(f"{model.config.stem} on {scene.name}: {error}")
    if found:
        text = table(found)
        print(text)
        if args.plot is not None:
            args.plot.parent.mkdir(parents=True, exist_ok=True)
            plot_trade_off(args.plot, points(found))
        if args.out is not None:
            command = shlex.join(["python", "tools/benchmarks/accuracy_speed.py", *argv])
            place(args.out, args.section, f"{conditions(command)}\n\n{text}")
    if failed:
        count = len(models) * len(scenes)
        raise InputError(f"{len(failed)} of {count} could not be measured: {'; '.join(failed)}")


def main(argv: list[str] | None = None) -> int:
    given = sys.argv[1:] if argv is None else argv
    args = parse_args(given)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    return run_command(lambda: compare(args, given))


if __name__ == "__main__":
    sys.exit(main())
