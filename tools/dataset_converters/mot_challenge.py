"""MOT15, MOT16, MOT17, MOT20 and DanceTrack: a check of their folders, or list files of them.

python tools/dataset_converters/mot_challenge.py MOT17 --dry-run
python tools/dataset_converters/mot_challenge.py MOT17/train --out data/joint

This project reads these folders as they are (MOTChallengeDataset): a dry run checks that all is
there, and counts. The joint training set takes MOT17 as a list file.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.command import make_parser, run_converter
from mmdeepmot.converters.mot_challenge import read_mot_challenge


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = make_parser(__doc__, "the benchmark's folder, or one of its splits")
    parser.add_argument(
        "--sequences", nargs="+", metavar="SEQ", help="names or patterns (every video once)"
    )
    parser.add_argument("--name", help="of the list files (the folder's: mot17)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_converter(args, lambda: read_mot_challenge(args.source, args.sequences, args.name))


if __name__ == "__main__":
    sys.exit(main())
