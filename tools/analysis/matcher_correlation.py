"""How matchers serve the DeepMOT loss: a row each.

    python tools/analysis/matcher_correlation.py [--scenes 200] [--seed 0] [--size 50]
        [--matchers Hungarian Sinkhorn:temperature=0.05,slack=0.125 ...] [--out PAGE.md]

A matcher is a registered name with its parameters behind a colon. Columns:

- WA, MA, SA row-wise / column-wise (percent) of the assignments of all frames' distances.
- r, gated: correlation of dMOTA (gamma 1) with MOTA (motmetrics) over the scenes, where pairs below
  the metric's IoU of 0.5 are forbidden; r, free: where nothing is; r, soft gate: the same with the
  loss's gate at distance 0.25; r, training: with the options of configs/_base_/models/deepmot.py.
- FP, FN, IDS: how many steps of 2 px against the gradient of that term it takes until the metric
  no longer counts the fault, in the case of that fault, through the matcher alone / with the soft
  gate; a dash: not in 40.
- ms: one matrix of SIZE x SIZE, forward and backward, one thread.
"""

import argparse
import shlex
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from torch import Tensor, nn

import mmdeepmot  # noqa: F401  (before anything of mmdet: see mmdeepmot.ops)
from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.engine.config import load_config
from mmdeepmot.errors import run_command
from mmdeepmot.evaluation.functional.assignment import assignment_scores
from mmdeepmot.evaluation.functional.by_motmetrics import count_by_motmetrics
from mmdeepmot.evaluation.functional.fault_cases import fault_cases
from mmdeepmot.evaluation.functional.faulty_scenes import BoxScene, faulty_scenes
from mmdeepmot.evaluation.functional.preprocess import scoring_frames
from mmdeepmot.io.pages import conditions, markdown, place
from mmdeepmot.models.losses import DeepMOTOptions
from mmdeepmot.models.losses.deepmot_scene import (
    Match,
    scene_errors,
    scene_gradients,
    scene_inputs,
    scene_terms,
)
from mmdeepmot.models.utils.short_config import short_config
from mmdeepmot.registry import MODELS

MATCHERS = (
    "Hungarian",
    "BlackBoxHungarian",
    "PerturbedHungarian:seed=0",
    "Sinkhorn",
    "Sinkhorn:temperature=0.05",
    "Sinkhorn:temperature=0.05,slack=0.125",
    "DHN:pretrained=True",
    "InteriorPoint",
    "InteriorPoint:slack=0.14",
)
MIN_IOU = 0.5
STEP = 2.0
"""Px by which the edge moves that moves most."""

MOST_STEPS = 40
TRAINING = Path(__file__).resolve().parents[2] / "configs/_base_/models/deepmot.py"
MOTA_WEIGHTS = DeepMOTOptions(gamma=1)
SOFT_GATE = replace(MOTA_WEIGHTS, gate=0.25)
COUNTS = DeepMOTOptions(gamma=1, sharpness=1000)
"""With the exact assignment of what overlaps enough: the counts of the metric."""


@dataclass(frozen=True)
class Row:
    """What is said of a matcher; fractions, and seconds."""

    name: str
    parameters: int
    scores: dict[str, float]
    gated: float
    free: float
    soft_gate: float
    training: float
    steps: dict[str, tuple[str, str]]
    seconds: float


def build_matcher(text: str) -> nn.Module:
    """A matcher from ``Name:key=value,key=value``, to be used as it is."""
    return MODELS.build(short_config(text)).eval().requires_grad_(False)


def true_mota(scenes: Sequence[BoxScene]) -> np.ndarray:
    """MOTA of each scene by motmetrics, as a fraction."""
    rates = [
        count_by_motmetrics(scoring_frames(scene.sequence()), MIN_IOU, identity=False)[0].rates()
        for scene in scenes
    ]
    return np.array([rate["MOTA"] for rate in rates]) / 100


def soft_mota(
    scenes: Sequence[BoxScene],
    match: Match,
    options: DeepMOTOptions = MOTA_WEIGHTS,
    min_iou: float = 0.0,
) -> np.ndarray:
    """dMOTA of each scene."""
    with torch.no_grad():
        values = [scene_terms(scene, match, options, min_iou).dmota.item() for scene in scenes]
    return np.array(values)


def mean_scores(scenes: Sequence[BoxScene], match: Match) -> dict[str, float]:
    """Scores of the assignments of all frames, of which half are gated, averaged."""
    found: list[dict[str, float]] = []
    for index, scene in enumerate(scenes):
        given = scene_inputs(scene, MIN_IOU if index % 2 else 0.0)
        masks = given.row_ids >= 0, given.col_ids >= 0
        with torch.no_grad():
            soft = match(given.distances, *masks)
        optimal = optimal_assignment(given.distances, *masks)
        for frame, (rows, columns) in enumerate(zip(*masks, strict=True)):
            if rows.any() and columns.any():
                some = np.ix_(rows, columns)
                found.append(assignment_scores(soft[frame].numpy()[some], optimal[frame][some]))
    return {name: statistics.fmean(scores[name] for scores in found) for name in found[0]}


def steps_to_mend(
    scene: BoxScene, fault: str, match: Match, options: DeepMOTOptions, step: float = STEP
) -> int | None:
    """Steps against the gradient of a fault until the metric counts it no more.

    Only boxes of the last frame move, the most moved edge by ``step`` px.

    Returns:
        Their number; None: there is no gradient, or ``MOST_STEPS`` were not enough.
    """
    exact, bboxes = build_matcher("Hungarian"), scene.track_bboxes
    for steps in range(MOST_STEPS + 1):
        scene = replace(scene, track_bboxes=bboxes)
        counted = scene_errors(scene_terms(scene, exact, COUNTS, MIN_IOU))[fault]
        if counted < 0.5:
            return steps
        gradient = scene_gradients(scene, match, options)[fault][-1]
        if not gradient.any():
            return None
        bboxes = bboxes.copy()
        bboxes[-1] -= (step * gradient / gradient.abs().max()).numpy()
    return None


@cache
def training_options() -> DeepMOTOptions:
    """Those of the loss that the configs train with."""
    loss = load_config(TRAINING, check=False).model.criterion.loss
    return DeepMOTOptions(**{key: value for key, value in loss.items() if key != "type"})


def seconds_of(match: Match, size: int, repeat: int = 5) -> float:
    """Median time of one matrix of uniform distances, forward and backward."""
    distances = torch.rand(1, size, size, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(1, size, dtype=torch.bool)
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        assignment: Tensor = match(distances.requires_grad_(), mask, mask)
        if assignment.requires_grad:
            assignment.square().sum().backward()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def judge(name: str, scenes: Sequence[BoxScene], mota: np.ndarray, size: int) -> Row:
    """The row of a matcher."""
    matcher = build_matcher(name)

    def correlation(options: DeepMOTOptions, min_iou: float) -> float:
        return float(np.corrcoef(soft_mota(scenes, matcher, options, min_iou), mota)[0, 1])

    return Row(
        name=name,
        parameters=sum(parameter.numel() for parameter in matcher.parameters()),
        scores=mean_scores(scenes, matcher),
        gated=correlation(MOTA_WEIGHTS, MIN_IOU),
        free=correlation(MOTA_WEIGHTS, 0.0),
        soft_gate=correlation(SOFT_GATE, 0.0),
        training=correlation(training_options(), 0.0),
        steps={
            fault: (
                _or_dash(steps_to_mend(scene, fault, matcher, MOTA_WEIGHTS)),
                _or_dash(steps_to_mend(scene, fault, matcher, SOFT_GATE)),
            )
            for fault, scene in fault_cases().items()
        },
        seconds=seconds_of(matcher, size),
    )


def table(rows: Sequence[Row], size: int) -> str:
    """The rows in Markdown."""
    names = ("matcher", "parameters", "WA", "MA", "SA", "r, gated", "r, free", "r, soft gate")
    faults = ("r, training", "FP", "FN", "IDS")
    return markdown((*names, *faults, f"ms, {size} x {size}"), map(_cells, rows))


def _or_dash(steps: int | None) -> str:
    return "–" if steps is None else str(steps)


def _cells(row: Row) -> list[str]:
    pairs = (
        f"{100 * row.scores[f'row_{score}']:.2f} / {100 * row.scores[f'col_{score}']:.2f}"
        for score in ("wa", "ma", "sa")
    )
    return [
        f"`{row.name}`",
        f"{row.parameters:,}",
        *pairs,
        *(f"{value:.4f}" for value in (row.gated, row.free, row.soft_gate, row.training)),
        *(" / ".join(steps) for steps in row.steps.values()),
        f"{1e3 * row.seconds:.1f}",
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--matchers", nargs="+", default=list(MATCHERS), metavar="NAME:OPTIONS")
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=50, help="rows and columns for the time")
    parser.add_argument("--out", type=Path, help="Markdown page to put the table into")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    scenes = faulty_scenes(arguments.scenes, arguments.seed)
    mota = true_mota(scenes)
    print(f"{len(scenes)} scenes, seed {arguments.seed}: MOTA {mota.min():.2f} to {mota.max():.2f}")
    rows = []
    for name in arguments.matchers:
        torch.manual_seed(arguments.seed)
        rows.append(judge(name, scenes, mota, arguments.size))
        print(table(rows[-1:], arguments.size).splitlines()[-1], flush=True)
    text = table(rows, arguments.size)
    print(f"\n{text}")
    if arguments.out:
        given = sys.argv[1:] if argv is None else argv
        command = shlex.join(["python", "tools/analysis/matcher_correlation.py", *given])
        place(arguments.out, "matchers", f"{conditions(command)}\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
