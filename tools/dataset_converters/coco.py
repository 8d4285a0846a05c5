"""A COCO-style data set of one's own to list files or MOTChallenge folders, of any classes.

python tools/dataset_converters/coco.py IMAGES --train train.json [--val val.json] --name mine
    --out data/mine [--categories person car] [--dry-run]

IMAGES is the folder to which file_name in the JSON files is relative. Videos (video_id, frame_id)
and identities (track_id) are kept where the files have them.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.converters.coco import read_coco
from mmdeepmot.converters.command import make_parser, run_converter


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = make_parser(__doc__, "folder of the images")
    parser.add_argument("--train", type=Path, metavar="FILE", help="annotations of split train")
    parser.add_argument("--val", type=Path, metavar="FILE", help="annotations of split val")
    parser.add_argument("--name", default="coco", help="of the list files (coco)")
    parser.add_argument(
        "--categories", nargs="+", metavar="NAME", help="those that count, in order (all)"
    )
    args = parser.parse_args(arguments)
    if args.train is None and args.val is None:
        parser.error("give the annotations: --train FILE, --val FILE, or both")
    return args


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    files = {split: getattr(args, split) for split in ("train", "val") if getattr(args, split)}
    return run_converter(args, lambda: read_coco(files, args.source, args.name, args.categories))


if __name__ == "__main__":
    sys.exit(main())
