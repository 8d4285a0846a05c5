"""Writes the trained weights of a matcher as a safetensors file, with how they were made.

    python tools/model_converters/matcher.py configs/dhn/short/dhn_seq_gru_short.py \\
        work_dirs/dhn_seq_gru_short/epoch_1.pth dhn_seq_gru.safetensors \\
        --made-by command="python tools/train.py ..." data="generated" seed=0 time="70 min, 1 core"

A matcher loads it by ``pretrained='dhn_seq_gru.safetensors'``; those of mmdeepmot/models/matchers/
weights come with the package (``pretrained=True``). Weights are written in half precision.
"""

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.registry import init_default_scope

from mmdeepmot.engine.checkpoint import CheckpointError, load_checkpoint
from mmdeepmot.engine.config import load_config
from mmdeepmot.engine.weights import match_weights, state_dict_of
from mmdeepmot.errors import InputError, run_command
from mmdeepmot.models.matchers import save_weights
from mmdeepmot.registry import MODELS

PREFIX = "matcher."
"""Of the matcher's weights in a checkpoint of a training."""


def convert(config: Path, checkpoint: Path, out: Path, made_by: dict[str, str]) -> None:
    """Writes ``out``, whole or not at all.

    Raises:
        InputError: The config has no matcher.
        CheckpointError: The checkpoint is of another one.
    """
    matcher = load_config(config).model.get("matcher")
    if matcher is None:
        raise InputError(f"{config}: expected a config with model.matcher, as those of configs/dhn")
    module = MODELS.build(dict(matcher, pretrained=False))
    state = state_dict_of(load_checkpoint(checkpoint))
    weights = {key.removeprefix(PREFIX): state[key] for key in state if key.startswith(PREFIX)}
    match = match_weights(module, weights)
    if match.fraction < 1:
        raise CheckpointError(f"{checkpoint}: not of {config}'s matcher. {match.describe()}")
    module.load_state_dict(weights)
    save_weights(module, out, made_by, torch.float16)


def pair(text: str) -> tuple[str, str]:
    """``KEY=TEXT``."""
    key, found, value = text.partition("=")
    if not found or not key:
        raise argparse.ArgumentTypeError(f"expected KEY=TEXT, got {text!r}")
    return key, value


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="config of the training")
    parser.add_argument("checkpoint", type=Path, help="its checkpoint (.pth)")
    parser.add_argument("out", type=Path, help="file to write (.safetensors)")
    parser.add_argument("--made-by", nargs="+", type=pair, default=[], metavar="KEY=TEXT")
    args = parser.parse_args(argv)
    init_default_scope("mmdeepmot")
    return run_command(lambda: convert(args.config, args.checkpoint, args.out, dict(args.made_by)))


if __name__ == "__main__":
    sys.exit(main())
