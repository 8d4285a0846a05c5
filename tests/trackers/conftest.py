"""Scenes for tracker tests: random crowds, and public detections with made-up appearances."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from scipy.optimize import linear_sum_assignment

from mmdeepmot.io.mot import read_mot_text, read_seqinfo
from mmdeepmot.registry import TRACKERS
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.boxes import iou_matrix

sys.path.insert(0, str(Path(__file__).parent))  # scenes.py

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/data/association/MOT17"


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def noisy(looks, rng, noise):
    step = rng.normal(size=looks.shape) / np.sqrt(looks.shape[-1])
    return unit(looks + noise * step).astype(np.float32)


def make_random_scene(seed, people=12, frames=80, dim=32, noise=0.6, fps=30.0, empty=0.05):
    """People who walk through a small image, leave for long, are missed, overlap; false alarms."""
    rng = np.random.default_rng(seed)
    looks = unit(rng.normal(size=(people, dim)))
    looks[1::4] = looks[0]  # look-alikes
    tall = rng.uniform(40, 160, people)
    centre = rng.uniform(0, 400, (people, 2))
    speed = rng.normal(0, 4, (people, 2))
    start = rng.integers(0, frames // 2, people) * (rng.random(people) < 0.5)
    away = rng.integers(5, max(frames, 6), people)
    gap = rng.integers(3, 45, people)
    out = []
    for t in range(frames):
        centre += speed
        speed[(centre < 0) | (centre > 400)] *= -1
        here = (t >= start) & ((t < away) | (t >= away + gap)) & (rng.random(people) > 0.08)
        false = rng.integers(0, 3)
        middle = np.concatenate([centre[here], rng.uniform(0, 400, (false, 2))])
        height = np.concatenate([tall[here], rng.uniform(40, 160, false)])
        half = 0.5 * np.stack([0.4 * height, height], axis=1)
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        boxes += rng.normal(0, 0.03, boxes.shape) * height[:, None]
        look = np.concatenate([looks[here], unit(rng.normal(size=(false, dim)))])
        if rng.random() < empty:
            boxes, look = boxes[:0], look[:0]
        detections = Detections(
            boxes,
            rng.uniform(0.4, 1, len(boxes)),
            np.zeros(len(boxes), dtype=np.int64),
            noisy(look, rng, noise),
        )
        out.append(Frame(t, (400, 400), fps, detections))
    return out


def make_public_scene(name, detector="det.txt", dim=64, noise=0.6, frames=None):
    """Frames of a shared MOT17 sequence; every true identity has one appearance plus noise."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs the shared data: {folder} is missing")
    rng = np.random.default_rng(0)
    info = read_seqinfo(folder)
    truth = read_mot_text(folder / "gt/gt.txt", "gt")
    found = read_mot_text(folder / "det" / detector, "det")
    looks = {person: unit(rng.normal(size=dim)) for person in np.unique(truth.ids)}
    out = []
    for t in range(min(info.length, frames or info.length)):
        here, true = found.frames == t + 1, truth.frames == t + 1
        boxes = found.bboxes[here]
        look = unit(rng.normal(size=(len(boxes), dim)))
        overlap = iou_matrix(boxes, truth.bboxes[true])
        for i, j in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[i, j] > 0.5:
                look[i] = looks[truth.ids[true][j]]
        detections = Detections(
            boxes,
            np.clip(found.scores[here], 0, 1),
            np.zeros(len(boxes), dtype=np.int64),
            noisy(look, rng, noise),
        )
        out.append(Frame(t, info.size, info.fps, detections))
    return out


def build(name):
    """A tracker of ``configs/_base_/trackers``."""
    return TRACKERS.build(Config.fromfile(ROOT / f"configs/_base_/trackers/{name}.py").tracker)


@pytest.fixture(scope="session")
def random_scene():
    return make_random_scene


@pytest.fixture(scope="session")
def public_scene():
    return make_public_scene


@pytest.fixture(scope="session")
def build_tracker():
    return build
