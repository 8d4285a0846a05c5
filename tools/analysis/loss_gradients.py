"""Draws where each term of the DeepMOT loss pushes the boxes of tracks.

    python tools/analysis/loss_gradients.py [--out docs/images/loss_gradients.png]
        [--matcher Sinkhorn:temperature=0.05,slack=0.125] [--loss gate=0.25,precise_over=kept]

A row for each fault (a track slid off its object; a box that holds a third of it; two tracks that
exchanged their objects), a column for each term. Arrows at the corners of a track's box are the
negative gradient of the term by that corner, relative to the largest in the panel.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

import mmdeepmot  # noqa: F401  (before anything of mmdet: see mmdeepmot.ops)
from mmdeepmot.errors import run_command
from mmdeepmot.evaluation.functional.fault_cases import fault_cases
from mmdeepmot.models.losses import DeepMOTOptions
from mmdeepmot.models.losses.deepmot_scene import (
    Match,
    scene_errors,
    scene_gradients,
    scene_terms,
)
from mmdeepmot.models.utils.short_config import short_config
from mmdeepmot.registry import MODELS
from mmdeepmot.visualization.loss_gradients import GradientCase, draw_loss_gradients

ROOT = Path(__file__).resolve().parents[2]
TITLES = {
    "FP": "slid off its object\n(FP and FN)",
    "FN": "holds a third of it\n(FP and FN)",
    "IDS": "exchanged\n(IDS)",
}


def gradient_cases(match: Match, options: DeepMOTOptions) -> list[GradientCase]:
    """The last frames of the fault cases, with the gradient of every term."""
    cases = []
    for fault, scene in fault_cases().items():
        gradients = scene_gradients(scene, match, options)
        errors = scene_errors(scene_terms(scene, match, options))
        cases.append(
            GradientCase(
                title=TITLES[fault],
                objects=scene.object_bboxes[-1],
                object_colours=scene.object_ids[-1].tolist(),
                tracks=scene.track_bboxes[-1],
                track_colours=scene.track_ids[-1].tolist(),
                values={name: error.item() for name, error in errors.items()},
                gradients={name: gradient[-1].numpy() for name, gradient in gradients.items()},
            )
        )
    return cases


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--matcher",
        default="Sinkhorn:temperature=0.05,slack=0.125",
        metavar="NAME:OPTIONS",
        help="registered name, parameters behind a colon (default: %(default)s)",
    )
    parser.add_argument("--loss", default="", metavar="OPTIONS", help="of DeepMOTLoss")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "loss_gradients.png")
    parser.add_argument("--dpi", type=int, default=110)
    arguments = parser.parse_args(argv)
    torch.manual_seed(0)
    matcher = MODELS.build(short_config(arguments.matcher)).eval().requires_grad_(False)
    loss = MODELS.build(short_config(f"DeepMOTLoss:{arguments.loss}"))
    cases = gradient_cases(matcher, loss.options)
    note = f"matcher {arguments.matcher}; loss {arguments.loss or 'by default'}"
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    draw_loss_gradients(cases, note).savefig(arguments.out, dpi=arguments.dpi)
    print(f"wrote {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
