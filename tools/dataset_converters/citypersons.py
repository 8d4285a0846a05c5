"""CityPersons to list files (photographs, no identities).

python tools/dataset_converters/citypersons.py Cityscapes --out data/joint [--dry-run]

Cityscapes holds leftImg8bit/SPLIT/CITY/*.png, and CityPersons' anno_train.mat and anno_val.mat.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.citypersons import read_citypersons
from mmdeepmot.converters.command import make_parser, run_converter


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument(
        "--boxes", choices=("full", "visible"), default="full", help="which of a person"
    )
    parser.add_argument(
        "--pedestrians-only",
        action="store_true",
        help="riders, sitting people and others are ignored, as in the benchmark",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_converter(
        args, lambda: read_citypersons(args.source, args.boxes, args.pedestrians_only)
    )


if __name__ == "__main__":
    sys.exit(main())
