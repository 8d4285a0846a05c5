"""Public detections scored by a detector, their false positives left out: a text file a sequence.

    python tools/dataset_converters/rescore_detections.py CONFIG CHECKPOINT MOT17/train
        [--sequences 'MOT17-*'] [--det det/det.txt] [--out det/rescored.txt] [--min-score 0.5]

CONFIG is a Tracktor or its detector (configs/deepmot/detector). Boxes stay as they are; the file is
written beside the public one, into each sequence's folder. Configs of single-object trackers on
MOT17 expect it; others use it by
    --cfg-options test_dataloader.dataset.with_detections=det/rescored.txt
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.device import get_device

from mmdeepmot.apis.rescore import load_scorer, rescore
from mmdeepmot.config_file import find_config
from mmdeepmot.datasets.mot_challenge import MOTChallengeDataset
from mmdeepmot.engine.config import load_config
from mmdeepmot.errors import InputError, run_command
from mmdeepmot.io.mot import write_mot_text


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="file, or its name under configs/")
    parser.add_argument("checkpoint", help="weights of the detector")
    parser.add_argument("root", type=Path, help="folder of sequences")
    parser.add_argument(
        "--sequences", nargs="+", metavar="SEQ", default=["*"], help="names or patterns (all)"
    )
    parser.add_argument("--det", default="det/det.txt", help="file in a sequence's folder")
    parser.add_argument("--out", default="det/rescored.txt", help="file in a sequence's folder")
    parser.add_argument(
        "--min-score", type=float, default=0.5, help="lower scores are left out (0.5)"
    )
    parser.add_argument("--nms", type=float, help="IoU above which the lower score is left out")
    parser.add_argument("--frames", type=int, default=4, help="frames in one batch (4)")
    parser.add_argument("--device", default=None, help="cpu or cuda:N (the best there is)")
    args = parser.parse_args(arguments)
    if Path(args.det) == Path(args.out):
        parser.error("--out: the public detections stay as they are; give another file")
    return args


def run(args: argparse.Namespace) -> None:
    """Read, score and write all sequences."""
    cfg = load_config(find_config(args.config), check=False)
    if not cfg.get("test_dataloader"):
        raise InputError(f"{args.config} has no test_dataloader, whose pipeline makes the inputs")
    dataset = MOTChallengeDataset(
        args.root,
        cfg.test_dataloader.dataset.pipeline,
        sequences=args.sequences,
        with_detections=args.det,
        require_gt=False,
        view="video",
        clip_length=args.frames,
        test_mode=True,
    )
    model = load_scorer(cfg, args.checkpoint, args.device or get_device())
    for name, given, rows in rescore(model, dataset, args.min_score, args.nms):
        path = args.root / name / args.out
        write_mot_text(path, rows)
        print(f"{path}: {len(rows)} of {given} detections")


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_command(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
