"""PRW to list files (frames of six cameras with identities).

python tools/dataset_converters/prw.py PRW --out data/joint [--dry-run]

PRW holds frames/*.jpg, annotations/*.jpg.mat, frame_train.mat and frame_test.mat.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.command import make_parser, run_converter
from mmdeepmot.converters.prw import read_prw


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    return make_parser(__doc__).parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_converter(args, lambda: read_prw(args.source))


if __name__ == "__main__":
    sys.exit(main())
