"""Caltech Pedestrian (.seq, .vbb) to list files or MOTChallenge folders (videos with identities).

python tools/dataset_converters/caltech.py Caltech --out data/joint [--dry-run]

Caltech holds setNN/VNNN.seq and annotations/setNN/VNNN.vbb. The frames are taken out of the videos
as the JPEG images that they are. caltech.train: set00 to set05, caltech.val: set06 to set10,
caltech.10k.val: ten thousand images of the latter.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.caltech import Frames, read_caltech
from mmdeepmot.converters.command import make_parser, run_converter


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument(
        "--frames",
        choices=("persons", "all"),
        help="only frames in which a person is labelled (as the JDE paper's lists; default of list "
        "files), or all (default of MOTChallenge folders, which are videos without gaps)",
    )
    parser.add_argument(
        "--step",
        type=int,
        default=1,
        help="one frame in so many (1; the benchmark's test: --frames all --step 30)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    frames: Frames = args.frames or ("persons" if args.form == "lists" else "all")
    return run_converter(args, lambda: read_caltech(args.source, frames, args.step))


if __name__ == "__main__":
    sys.exit(main())
