"""CrowdHuman to list files (photographs, no identities).

python tools/dataset_converters/crowdhuman.py CrowdHuman --out data/joint [--dry-run]

CrowdHuman holds annotation_train.odgt, annotation_val.odgt and Images/ (or
CrowdHuman_train/Images/, CrowdHuman_val/Images/).
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.command import make_parser, run_converter
from mmdeepmot.converters.crowdhuman import read_crowdhuman


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument(
        "--boxes", choices=("full", "visible", "head"), default="full", help="which of a person"
    )
    parser.add_argument(
        "--identities",
        choices=("none", "each"),
        default="none",
        help="none, or every box an identity of its own (FairMOT's training on single images)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_converter(args, lambda: read_crowdhuman(args.source, args.boxes, args.identities))


if __name__ == "__main__":
    sys.exit(main())
