"""Generate a SynthMOT set: toy streets with known boxes and identities, as MOTChallenge folders.

python tools/dataset_converters/make_synthmot.py --preset small
python tools/dataset_converters/make_synthmot.py --out data/mine --sequences 4 --density 20
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.datasets.synthmot.generate import DEFAULT_ROOT, generate
from mmdeepmot.datasets.synthmot.recipe import PRESETS, SPLITS, Recipe, resolve_recipe
from mmdeepmot.errors import run_command
from mmdeepmot.io.mot import read_mot_text


def parse_size(text: str) -> tuple[int, int]:
    """``1088x608`` -> (1088, 608)."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in px, such as 1088x608: {text!r}")
    return int(parts[0]), int(parts[1])


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out",
        type=Path,
        help=f"folder of the set (default: {DEFAULT_ROOT}/v1-..., where SynthMOTDataset finds it)",
    )
    parser.add_argument("--preset", choices=list(PRESETS), default="default")
    parser.add_argument("--sequences", type=int, help="training sequences")
    parser.add_argument("--test-sequences", type=int, help="test sequences")
    parser.add_argument("--frames", type=int, help="frames of each sequence")
    parser.add_argument("--size", type=parse_size, help="WIDTHxHEIGHT, px")
    parser.add_argument("--density", type=float, help="mean number of people in view")
    parser.add_argument("--camera-motion", type=float, help="0: cameras stand still; 1: default")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")
    args = parser.parse_args(arguments)
    if args.workers is not None and args.workers < 1:
        parser.error(f"--workers must be at least 1, got {args.workers}")
    return args


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The preset with what the command line changes."""
    changes: dict[str, Any] = {
        "train_sequences": args.sequences,
        "test_sequences": args.test_sequences,
        "train_frames": args.frames,
        "test_frames": args.frames,
        "width": args.size and args.size[0],
        "height": args.size and args.size[1],
        "density": args.density,
        "camera_motion": args.camera_motion,
        "seed": args.seed,
    }
    given = {key: value for key, value in changes.items() if value is not None}
    return resolve_recipe({"preset": args.preset, **given})


def describe(folder: Path) -> str:
    """Sequences, frames, boxes and identities of each split."""
    lines = [str(folder)]
    for split in SPLITS:
        frames = len(list(folder.glob(f"{split}/*/img1/*.jpg")))
        rows = [
            read_mot_text(path, "gt", strict=True) for path in folder.glob(f"{split}/*/gt/gt.txt")
        ]
        boxes = sum(len(part) for part in rows)
        identities = sum(len(np.unique(part.ids)) for part in rows)
        lines.append(
            f"{split:5s} {len(rows)} sequences, {frames} frames, {boxes} boxes "
            f"({boxes / max(1, frames):.1f} a frame), {identities} identities"
        )
    return "\n".join(lines)


def make(args: argparse.Namespace) -> None:
    """Generate what the command line asks for, and say what there is."""
    recipe = recipe_of(args)
    out = args.out or Path(DEFAULT_ROOT) / recipe.folder_name()
    print(describe(generate(recipe, out, workers=args.workers)))


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_command(lambda: make(args))


if __name__ == "__main__":
    sys.exit(main())
