"""ETH's sequences (.idl) to list files (videos, no identities).

python tools/dataset_converters/eth.py ETH --out data/joint [--dry-run]

Sequences of which MOT16's test set holds a part are left out, as the JDE paper does (Sec. 4.1).
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.command import make_parser, run_converter
from mmdeepmot.converters.eth import MOT16_TEST, read_eth


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument(
        "--leave-out",
        nargs="*",
        metavar="NAME",
        default=list(MOT16_TEST),
        help=f"names or patterns of sequences, in lower case ({' '.join(MOT16_TEST)})",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_converter(args, lambda: read_eth(args.source, args.leave_out))


if __name__ == "__main__":
    sys.exit(main())
