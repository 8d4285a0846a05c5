"""A YOLO folder of one's own to list files or MOTChallenge folders, of any classes.

python tools/dataset_converters/yolo.py DIR --name mine --out data/mine [--track-ids] [--videos]

DIR holds data.yaml, or images/, labels/ and classes.txt.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.command import make_parser, run_converter
from mmdeepmot.converters.yolo import read_yolo


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument("--name", default="yolo", help="of the list files (yolo)")
    parser.add_argument(
        "--track-ids", action="store_true", help="the sixth number of a row is an identity"
    )
    parser.add_argument(
        "--videos", action="store_true", help="a folder of images is a video, in order of names"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_converter(
        args, lambda: read_yolo(args.source, args.name, args.track_ids, args.videos)
    )


if __name__ == "__main__":
    sys.exit(main())
