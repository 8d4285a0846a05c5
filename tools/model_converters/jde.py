"""Converts a checkpoint published by the original JDE implementation (Towards-Realtime-MOT).

    python tools/model_converters/jde.py jde.1088x608.uncertainty.pt work_dirs/jde_1088x608.pth
    python tools/test.py configs/jde/published/jde_darknet53_1088x608.py work_dirs/jde_1088x608.pth

Every key without a counterpart is printed; shapes that differ are an error. The size says which
anchors the model was made with: use the config that is printed at the end.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor

from mmdeepmot.engine.checkpoint import load_local
from mmdeepmot.errors import InputError, run_command
from mmdeepmot.models.utils.published_jde import Conversion, convert_published_jde
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
SIZES = ("1088x608", "864x480", "576x320")


def read_published(path: Path) -> dict[str, Tensor]:
    """The published state dict.

    Raises:
        FileNotFoundError: If there is no file.
        CheckpointError: If it is damaged, or not plain data.
        InputError: If it is no such checkpoint.
    """
    content = load_local(path)
    state = content.get("model", content)
    if not isinstance(state, Mapping) or not any("module_list." in str(key) for key in state):
        raise InputError(
            f"{path} is no published JDE checkpoint: expected a dict whose entry 'model' has keys "
            "such as 'module_list.0.conv_0.weight'"
        )
    return {str(key): value for key, value in state.items() if isinstance(value, Tensor)}


def target_shapes(config: Path, source: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict (without memory) of the config's detector, with the source's identities."""
    detector = Config.fromfile(config).model.detector
    classifier = source.get("classifier.weight", source.get("module.classifier.weight"))
    if classifier is not None:
        detector.bbox_head.num_ids = len(classifier)
    with torch.device("meta"):
        return MODELS.build(detector).state_dict()


def convert(path: Path, out: Path, config: Path) -> Conversion:
    """Converts ``path`` and writes ``out`` (whole or not at all).

    Raises:
        InputError: If shapes differ or weights are missing.
    """
    source = read_published(path)
    conversion = convert_published_jde(source, target_shapes(config, source))
    if conversion.mismatched or conversion.missing:
        problems = [*conversion.mismatched, *(f"{key}: missing" for key in conversion.missing)]
        raise InputError(
            f"{path} does not fit {config} ({len(problems)} keys):\n  " + "\n  ".join(problems)
        )
    checkpoint = {
        "state_dict": {f"detector.{key}": value for key, value in conversion.state.items()},
        "meta": {"converted_from": path.name, "config": config.name},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(out.name + ".part")
    torch.save(checkpoint, beside)
    os.replace(beside, out)
    return conversion


def report(arguments: argparse.Namespace) -> None:
    """Converts what the command line names, and says what became of it."""
    config = ROOT / "configs" / "jde" / "published" / f"jde_darknet53_{arguments.size}.py"
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
