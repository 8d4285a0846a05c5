"""Draws what a configured dataset delivers: images, boxes, identities, regions to ignore.

    python tools/browse_dataset.py CONFIG [--stage train|val|test] [--out DIR | --show]
        [--count 20] [--start ITEM] [--raw] [--seed 0] [--cfg-options KEY=VALUE ...]

Images go through the dataset's pipeline, augmentation included, as a training or a test gets them;
with --raw they are as in the files. Clips and pairs give a picture a frame. Colours are identities;
?: unknown. With --show: a key for the next one, q ends.

exit status: 0; 1 after an error in what was given (said in one line); 2 for a wrong command line;
130 after Ctrl-C.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmdeepmot.errors import run_command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmdeepmot.config_file import OptionAction

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config: its path, or name in configs/")
    parser.add_argument("--stage", choices=("train", "val", "test"), default="train")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", type=Path, default=Path("browse"), help="folder of the pictures")
    where.add_argument("--show", action="store_true", help="in a window instead")
    parser.add_argument("--count", type=int, default=20, help="items to show (20)")
    parser.add_argument("--start", type=int, help="first of consecutive items (spread evenly)")
    parser.add_argument("--raw", action="store_true", help="as in the files, without pipeline")
    parser.add_argument("--seed", type=int, default=0, help="of the augmentation")
    parser.add_argument(
        "--cfg-options", nargs="+", action=OptionAction, metavar="KEY=VALUE", help="change values"
    )
    args = parser.parse_args(argv)
    if args.count < 1:
        parser.error(f"--count must be at least 1, got {args.count}")
    return args


def build(args: argparse.Namespace) -> Any:
    """The dataset that the config names for the stage."""
    from mmengine.registry import init_default_scope

    from mmdeepmot.config_file import find_config
    from mmdeepmot.engine.config import load_config
    from mmdeepmot.errors import InputError
    from mmdeepmot.registry import DATASETS

    cfg = load_config(find_config(args.config), args.cfg_options)
    loader = cfg.get(f"{args.stage}_dataloader")
    if not loader:
        raise InputError(f"{args.config} has no {args.stage}_dataloader: choose another --stage")
    init_default_scope(cfg.get("default_scope", "mmdeepmot"))
    return DATASETS.build(loader.dataset)


def browse(args: argparse.Namespace) -> None:
    """Draw, and write or show."""
    import cv2

    from mmdeepmot.apis.browse import browse_items, choose_items
    from mmdeepmot.engine.atomic import atomic_write
    from mmdeepmot.visualization.window import check_display, show_image

    if args.show:
        check_display()
    dataset = build(args)
    print(repr(dataset))
    items = choose_items(len(dataset), args.count, args.start)
    written = 0
    for picture in browse_items(dataset, items, raw=args.raw, seed=args.seed):
        if args.show:
            if show_image(picture.image, args.config, wait_ms=0):
                return
            continue
        encoded = cv2.imencode(".jpg", picture.image)[1]
        atomic_write(args.out / f"{picture.name}.jpg", encoded.tobytes())
        written += 1
    if not args.show:
        print(f"{written} pictures in {args.out}")


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    return run_command(lambda: browse(args))


if __name__ == "__main__":
    sys.exit(main())
