"""Converts a checkpoint published by the original JDE implementation (Towards-Realtime-MOT).

    python tools/model_converters/jde.py jde.1088x608.uncertainty.pt work_dirs/jde_1088x608.pth
    python tools/test.py configs/jde/published/jde_darknet53_1088x608_published.py \\
        work_dirs/jde_1088x608.pth

Every key without a counterpart is printed; shapes that differ are an error. The size says which
anchors the model was made with: use the config that is printed at the end.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor

from mmdeepmot.errors import run_command
from mmdeepmot.models.utils.conversion import Conversion, read_weights, require, write_detector
from mmdeepmot.models.utils.published_jde import convert_published_jde
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
SIZES = ("1088x608", "864x480", "576x320")
EXPECTED = (
    "published JDE checkpoint: expected a dict whose entry 'model' has keys such as "
    "'module_list.0.conv_0.weight'"
)


def target_shapes(config: Path, source: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict (without memory) of the config's detector, with the source's identities."""
    detector = Config.fromfile(config).model.detector
    classifier = source.get("classifier.weight")
    if classifier is not None:
        detector.bbox_head.num_ids = len(classifier)
    with torch.device("meta"):
        return MODELS.build(detector).state_dict()


def convert(path: Path, out: Path, config: Path) -> Conversion:
    """Converts ``path`` and writes ``out`` (whole or not at all).

    Raises:
        InputError: If it is no such checkpoint, shapes differ or weights are missing.
    """
    source = read_weights(path, lambda key: key.startswith("module_list."), EXPECTED)
    conversion = convert_published_jde(source, target_shapes(config, source))
    problems = [*conversion.mismatched, *(f"{key}: missing" for key in conversion.missing)]
    require(problems, path, str(config))
    write_detector(out, conversion.state, {"converted_from": path.name, "config": config.name})
    return conversion


def report(arguments: argparse.Namespace) -> None:
    """Converts what the command line names, and says what became of it."""
    config = ROOT / "configs" / "jde" / "published" / f"jde_darknet53_{arguments.size}_published.py"
    conversion = convert(arguments.checkpoint, arguments.out, config)
    for key in conversion.unmatched:
        print(f"no counterpart, left out: {key}")
    print(f"{len(conversion.state)} tensors converted, {len(conversion.unmatched)} keys left out")
    print(f"use it with {config.relative_to(ROOT)}")


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, help="published checkpoint (.pt)")
    parser.add_argument("out", type=Path, help="checkpoint to write (.pth)")
    parser.add_argument("--size", choices=SIZES, default=SIZES[0], help="input size of the model")
    arguments = parser.parse_args(argv)
    return run_command(lambda: report(arguments))


if __name__ == "__main__":
    sys.exit(main())
