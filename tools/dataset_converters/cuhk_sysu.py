"""CUHK-SYSU to list files (photographs with identities).

python tools/dataset_converters/cuhk_sysu.py CUHK-SYSU --out data/joint [--dry-run]

CUHK-SYSU holds Image/SSM/*.jpg and annotation/Images.mat, Person.mat, pool.mat.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.command import make_parser, run_converter
from mmdeepmot.converters.cuhk_sysu import read_cuhk_sysu


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    return make_parser(__doc__).parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_converter(args, lambda: read_cuhk_sysu(args.source))


if __name__ == "__main__":
    sys.exit(main())
