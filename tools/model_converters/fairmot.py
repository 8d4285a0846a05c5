"""Converts a checkpoint published by the original FairMOT or CenterNet implementation (DLA-34).

    python tools/model_converters/fairmot.py fairmot_dla34.pth work_dirs/fairmot_dla34.pth
    python tools/test.py configs/fairmot/published/fairmot_dla34_1088x608.py \\
        work_dirs/fairmot_dla34.pth

CenterNet's detector for COCO has another head; what fits is kept, to start training from:

    python tools/model_converters/fairmot.py ctdet_coco_dla_2x.pth \\
        data/pretrained/ctdet_coco_dla_2x_converted.pth --partial

Every key of either side without a counterpart is printed. Without --partial all of the network
must be there; the identity classifier and the loss weights, needed in training only, never are.
"""

import argparse
import os
import sys
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor

from mmdeepmot.errors import run_command
from mmdeepmot.models.utils.conversion import Conversion, read_weights, require, write_detector
from mmdeepmot.models.utils.published_fairmot import (
    EXPECTED,
    belongs,
    convert_published_fairmot,
)
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs" / "fairmot"
PUBLISHED = CONFIGS / "published" / "fairmot_dla34_1088x608.py"
JOINT = CONFIGS / "fairmot_dla34_joint.py"
HEAD = ("bbox_head.",)
TRAINING_ONLY = ("bbox_head.loss_id.", "bbox_head.balance.")


def target_shapes(config: Path) -> dict[str, Tensor]:
    """State dict (without memory) of the config's detector."""
    with torch.device("meta"):
        return MODELS.build(Config.fromfile(config).model.detector).state_dict()


def convert(path: Path, out: Path, config: Path, partial: bool = False) -> Conversion:
    """Converts ``path`` and writes ``out`` (whole or not at all).

    Args:
        path: The published checkpoint.
        out: The file to write.
        config: Config of the network that it is for.
        partial: Whether the head may be missing or of other shapes.

    Raises:
        InputError: If it is no such checkpoint, or backbone, neck or (unless ``partial``) head do
            not fit.
    """
    source = read_weights(path, belongs, EXPECTED)
    conversion = convert_published_fairmot(source, target_shapes(config))
    optional = HEAD if partial else TRAINING_ONLY
    needed = [f"{key}: missing" for key in conversion.missing if not key.startswith(optional)]
    if needed:
        require([*conversion.mismatched, *needed], path, str(config))
    write_detector(out, conversion.state, {"converted_from": path.name, "config": config.name})
    return conversion


def report(arguments: argparse.Namespace) -> None:
    """Converts what the command line names, and says what became of it."""
    partial = arguments.partial
    config = arguments.config or (JOINT if partial else PUBLISHED)
    conversion = convert(arguments.checkpoint, arguments.out, config, partial)
    for key in conversion.unused:
        print(f"without use in the published network, left out: {key}")
    for key in conversion.unmatched:
        print(f"no counterpart, left out: {key}")
    for text in conversion.mismatched:
        print(f"of another shape, left out: {text}")
    for key in conversion.missing:
        print(f"not in the file: {key}")
    left = len(conversion.unused) + len(conversion.unmatched) + len(conversion.mismatched)
    print(f"{len(conversion.state)} tensors converted, {left} keys left out")
    print(f"use it {'as load_from of' if partial else 'with'} {os.path.relpath(config)}")


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, help="published checkpoint (.pth)")
    parser.add_argument("out", type=Path, help="checkpoint to write (.pth)")
    parser.add_argument(
        "--partial", action="store_true", help="the head need not fit: a start for training"
    )
    parser.add_argument(
        "--config",
        type=Path,
        help=f"the network it is for (default: {PUBLISHED.name}; with --partial {JOINT.name})",
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: report(arguments))


if __name__ == "__main__":
    sys.exit(main())
