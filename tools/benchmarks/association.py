"""How fast a tracker associates when detections and embeddings are given.

Synthetic crowds of walking boxes (misses, false alarms, one appearance each) and, where the
shared data lies, MOT17 public detections with a made-up appearance for every true identity.
Prints frames per second by wall clock and by CPU time of the process (the honest figure on a busy
machine), the median over repeats, and the time of each step.

::

    OMP_NUM_THREADS=1 python tools/benchmarks/association.py --objects 15 60
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # one core: before numpy is imported

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from mmengine.config import Config  # noqa: E402

from mmdeepmot.association import assign  # noqa: E402
from mmdeepmot.io.mot import read_mot_text, read_seqinfo  # noqa: E402
from mmdeepmot.registry import TRACKERS  # noqa: E402
from mmdeepmot.structures import Detections, Frame  # noqa: E402
from mmdeepmot.structures.boxes import iou_matrix  # noqa: E402
from mmdeepmot.trackers import Tracker  # noqa: E402
from mmdeepmot.trackers.context import FrameContext  # noqa: E402
from mmdeepmot.trackers.steps import Step  # noqa: E402

#: Noise added to each identity's embedding: same person cos 0.9, as a trained ReID head gives.
APPEARANCE_NOISE = 1 / 3


@dataclass
class Scene:
    """Frames of one sequence."""

    name: str
    frames: list[Frame]

    @property
    def objects(self) -> float:
        """Mean number of detections a frame."""
        return float(np.mean([len(frame.detections) for frame in self.frames]))


class TimedStep(Step):
    """A step that adds up its own time, in ns."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.name = step.name
        self.elapsed = 0

    def __call__(self, context: FrameContext) -> None:
        start = time.perf_counter_ns()
        self.step(context)
        self.elapsed += time.perf_counter_ns() - start


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _look(looks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One noisy unit embedding for each unit row of ``looks (N, D)``."""
    noise = rng.normal(size=looks.shape) / np.sqrt(2 * looks.shape[1])
    return _unit(looks + 2 * APPEARANCE_NOISE * noise).astype(np.float32)


def walking_crowd(objects: int, frames: int, dim: int, seed: int = 0) -> Scene:
    """``objects`` boxes that walk through 1920x1080 and turn at its borders.

    3% of the boxes are missed, 2% as many false alarms are added, boxes jitter by 2% of their size.
    """
    rng = np.random.default_rng(seed)
    width, height = 1920, 1080
    tall = rng.uniform(80, 260, objects)
    size = np.stack([0.4 * tall, tall], axis=1)
    centre = rng.uniform([0, 0], [width, height], (objects, 2))
    velocity = rng.normal(0, 3, (objects, 2))
    looks = _unit(rng.normal(size=(objects, dim)))
    out = []
    for index in range(frames):
        centre += velocity
        outside = (centre < 0) | (centre > [width, height])
        velocity[outside] *= -1
        seen = rng.random(objects) > 0.03
        false = int(rng.binomial(objects, 0.02))
        where = np.concatenate([centre[seen], rng.uniform([0, 0], [width, height], (false, 2))])
        extent = np.concatenate([size[seen], np.tile([40.0, 100.0], (false, 1))])
        look = np.concatenate([looks[seen], _unit(rng.normal(size=(false, dim)))])
        boxes = np.concatenate([where - extent / 2, where + extent / 2], axis=1)
        boxes += rng.normal(0, 0.02, boxes.shape) * extent[:, [0, 1, 0, 1]]
        detections = Detections(
            boxes, rng.uniform(0.6, 1, len(boxes)), np.zeros(len(boxes), int), _look(look, rng)
        )
        out.append(Frame(index, (width, height), 30.0, detections))
    return Scene(f"crowd of {objects}", out)


def public_detections(folder: Path, dim: int, seed: int = 0) -> Scene:
    """A MOTChallenge sequence: ``det/det.txt`` with appearances made up from ``gt/gt.txt``."""
    rng = np.random.default_rng(seed)
    info = read_seqinfo(folder)
    truth = read_mot_text(folder / "gt" / "gt.txt", "gt")
    found = read_mot_text(folder / "det" / "det.txt", "det")
    people = np.unique(truth.ids)
    looks = _unit(rng.normal(size=(len(people), dim)))
    out = []
    for index in range(info.length):
        here, true = found.frames == index + 1, truth.frames == index + 1
        boxes = found.bboxes[here]
        look = _unit(rng.normal(size=(len(boxes), dim)))
        rows, columns = assign(1 - iou_matrix(boxes, truth.bboxes[true]), 0.5)
        look[rows] = looks[np.searchsorted(people, truth.ids[true][columns])]
        detections = Detections(
            boxes, np.ones(len(boxes)), np.zeros(len(boxes), int), _look(look, rng)
        )
        out.append(Frame(index, info.size, info.fps, detections))
    return Scene(f"{info.name} FRCNN", out)


def run(tracker: Tracker, scene: Scene) -> None:
    """Track a scene from its beginning."""
    tracker.reset()
    for frame in scene.frames:
        tracker.step(frame)


def frames_per_second(tracker: Tracker, scene: Scene, repeats: int) -> tuple[float, float]:
    """Median over ``repeats`` runs, by wall clock and by CPU time of the process."""
    times = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        run(tracker, scene)
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    by_wall, by_cpu = len(scene.frames) / np.median(times, axis=0)
    return float(by_wall), float(by_cpu)


def step_times(config: dict, scene: Scene) -> list[tuple[str, float]]:
    """µs a frame of every step, and of what lies between them."""
    tracker = TRACKERS.build(config)
    timed = [TimedStep(step) for step in tracker.steps]
    tracker.steps = timed
    start = time.perf_counter_ns()
    run(tracker, scene)
    total = time.perf_counter_ns() - start
    rows = [(step.name, step.elapsed) for step in timed]
    rows.append(("checks, engine", total - sum(step.elapsed for step in timed)))
    return [(name, ns / 1e3 / len(scene.frames)) for name, ns in rows]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--config", default=ROOT / "configs/_base_/trackers/jde_code.py")
    parser.add_argument("--objects", type=int, nargs="*", default=[15, 60], help="crowd sizes")
    parser.add_argument("--frames", type=int, default=600, help="frames of a crowd")
    parser.add_argument("--dim", type=int, default=512, help="length of embeddings")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT.parent / "shared/data/association/MOT17",
        help="folder of MOTChallenge sequences; left out where missing",
    )
    parser.add_argument("--sequences", nargs="*", help="names in --data (default: all; none: -)")
    arguments = parser.parse_args(argv)

    config = Config.fromfile(arguments.config).tracker
    scenes = [
        walking_crowd(n, arguments.frames, arguments.dim, arguments.seed) for n in arguments.objects
    ]
    if arguments.data.is_dir():
        wanted = arguments.sequences
        for folder in sorted(arguments.data.iterdir()):
            if (folder / "det").is_dir() and (wanted is None or folder.name in wanted):
                scenes.append(public_detections(folder, arguments.dim, arguments.seed))

    print(arguments.config)
    print(f"embeddings of {arguments.dim}, one core, median of {arguments.repeats} runs")
    print(f"{'scene':<20}{'objects/frame':>14}{'frames':>8}{'frames/s':>12}{'frames/s (CPU)':>16}")
    breakdown = []
    for scene in scenes:
        tracker = TRACKERS.build(config)
        run(tracker, scene)  # warm-up
        wall, cpu = frames_per_second(tracker, scene, arguments.repeats)
        print(
            f"{scene.name:<20}{scene.objects:>14.1f}{len(scene.frames):>8}{wall:>12,.0f}{cpu:>16,.0f}",
            flush=True,
        )
        breakdown.append(step_times(config, scene))
    print(f"\n{'µs a frame':<30}" + "".join(f"{scene.name[:17]:>18}" for scene in scenes))
    for row in zip(*breakdown, strict=True):
        print(f"{row[0][0]:<30}" + "".join(f"{value:>18.1f}" for _, value in row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
