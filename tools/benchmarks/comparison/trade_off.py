"""Trackers on scenes: accuracy, and the time of detector, embedding and association."""

import copy
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from mmdeepmot.apis.evaluate import build_metrics, evaluate
from mmdeepmot.apis.locate import find_checkpoint, find_config
from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.engine.config import load_config
from mmdeepmot.errors import InputError
from mmdeepmot.io.pages import markdown
from mmdeepmot.registry import DATASETS
from mmdeepmot.visualization.trade_off import TradeOffPoint

FIGURES = ("MOTA", "IDF1")
COLUMNS = ("MOTA", "IDF1", "HOTA", "IDs", "FP", "FN")


@dataclass(frozen=True)
class Scene:
    """Sequences of one density.

    Attributes:
        name: In tables and pictures.
        dataset: What replaces the test dataset of a config (type, where the data are).
    """

    name: str
    dataset: Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """A config and its weights.

    Attributes:
        config: File.
        checkpoint: File; None: the newest of the config's work dir.
    """

    config: Path
    checkpoint: Path | None = None

    @classmethod
    def parse(cls, text: str) -> "Model":
        """``CONFIG`` or ``CONFIG=CHECKPOINT``."""
        name, _, checkpoint = text.partition("=")
        return cls(find_config(name), Path(checkpoint) if checkpoint else None)

    def weights(self) -> Path:
        """The checkpoint.

        Raises:
            FileNotFoundError: There is none.
        """
        if self.checkpoint is None:
            return Path(find_checkpoint(self.config))
        if not self.checkpoint.is_file():
            raise FileNotFoundError(f"{self.checkpoint}: expected weights of {self.config.stem}")
        return self.checkpoint


@dataclass(frozen=True)
class Measurement:
    """A model on a scene.

    Attributes:
        name: Of the config.
        scene: Name of the scene.
        detector: Name of the detector.
        embedding: Name of the embedding.
        density: Objects a frame.
        scores: Figures of the whole scene.
        speed: Frames per second, see :class:`~mmdeepmot.models.mot.timings.Timings`.
    """

    name: str
    scene: str
    detector: str
    embedding: str
    density: float
    scores: dict[str, float]
    speed: dict[str, float]

    def milliseconds(self, part: str) -> float:
        """Of a frame: ``FPSD``, ``FPSE``, ``FPSA`` or ``FPS``; 0 where there is none."""
        rate = self.speed.get(part, 0.0)
        return 1000 / rate if rate > 0 else 0.0


def parse_scene(text: str) -> Scene:
    """A scene as the command line names it.

    Args:
        text: ``NAME=synthmot:DENSITY`` (people a frame, 512x288), ``NAME=FOLDER`` of MOTChallenge,
            or ``NAME=FOLDER:SEQ,SEQ`` (names or patterns of its sequences).

    Raises:
        InputError: It is none of these.
    """
    name, _, what = text.partition("=")
    kind, colon, details = what.partition(":")
    if not (name and kind) or bool(colon) != bool(details):
        raise InputError(
            "--scene: expected NAME=synthmot:DENSITY, NAME=FOLDER or NAME=FOLDER:SEQ,SEQ, got "
            f"{text!r}"
        )
    if kind != "synthmot":
        chosen = {"sequences": details.split(",")} if details else {}
        return Scene(name, {"type": "MOTChallengeDataset", "data_root": kind, **chosen})
    try:
        people = float(details)
    except ValueError:
        raise InputError(f"--scene: expected people a frame, a number, in {text!r}") from None
    recipe = {
        "preset": "small", "train_sequences": 0, "test_sequences": 2, "test_frames": 60,
        "density": people, "seed": 7,
    }  # fmt: skip
    place = {"data_root": "data/synthmot", "split": "test"}
    return Scene(name, {"type": "SynthMOTDataset", "recipe": recipe, **place})


def describe(cfg: Config) -> tuple[str, str]:
    """Names of the detector and of the embedding of a model."""
    model = cfg.model
    detector = model.get("detector") or model.get("follower")
    inner = detector.get("detector", detector)
    backbone = inner.get("backbone", {})
    depth = backbone.get("depth", "")
    name = f"{inner.type} {backbone.get('type', '')}-{depth}".rstrip("-")
    if model.tracker.get("memory") is None:
        return name, "none"
    if model.get("reid") is None:
        return name, "own"
    return name, model.reid.head.type.removesuffix("Head")


def on_scene(cfg: Config, scene: Scene) -> Config:
    """The config, tested on a scene, one frame at a time."""
    cfg = copy.deepcopy(cfg)
    pipeline = cfg.get("test_pipeline") or cfg.test_dataloader.dataset.pipeline
    cfg.test_dataloader.dataset = dict(
        **scene.dataset, pipeline=pipeline, view="video", clip_length=1, test_mode=True
    )
    cfg.pop("task_dataloaders", None)
    return cfg


def density(cfg: Config) -> float:
    """Objects a frame of the data that a config is tested on."""
    counts = DATASETS.build(cfg.test_dataloader.dataset).count_boxes()
    return counts["boxes"] / counts["images"]


def fingerprint(cfg: Config, weights: Path) -> str:
    """Digest of what a measurement is made of: the model, the scene and the weights."""
    files = [weights]
    reid = (cfg.model.get("reid") or {}).get("weights")
    if reid is not None and Path(reid).is_file():
        files.append(Path(reid))
    parts = [
        Config({"model": cfg.model, "data": cfg.test_dataloader.dataset}).pretty_text,
        [(str(file.resolve()), file.stat().st_mtime_ns, file.stat().st_size) for file in files],
        torch.get_num_threads(),
        torch.cuda.is_available(),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def measure(model: Model, scene: Scene, folder: Path) -> Measurement:
    """Tests a model on a scene, or reads what an earlier run of the same found.

    Args:
        model: Config and weights.
        scene: Sequences.
        folder: Holds the measurements, ``SCENE/CONFIG.json``.

    Raises:
        UserError: Weights or data are missing, or do not fit.
    """
    cfg = on_scene(load_config(model.config), scene)
    weights = model.weights()
    key = fingerprint(cfg, weights)
    file = folder / scene.name.replace(" ", "_") / f"{model.config.stem}.json"
    found = _read(file, key)
    if found is not None:
        return found
    cfg.work_dir = str(folder / "logs" / model.config.stem)
    evaluation = evaluate(cfg, weights, build_metrics(("track",)))
    detector, embedding = describe(cfg)
    measurement = Measurement(
        model.config.stem,
        scene.name,
        detector,
        embedding,
        density(cfg),
        {name: float(evaluation.tables["track"].overall[name]) for name in COLUMNS},
        {name: float(rate) for name, rate in evaluation.speed.items()},
    )
    text = json.dumps({"key": key, "measurement": asdict(measurement)}, indent=2)
    atomic_write(file, f"{text}\n".encode())
    return measurement


def _read(file: Path, key: str) -> Measurement | None:
    """A measurement of an earlier run; None if there is none, or one of something else."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Measurement(**content["measurement"]) if content["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def numbers(measurements: Sequence[Measurement]) -> dict[str, int]:
    """Configs numbered from 1 in the order in which they come."""
    names = dict.fromkeys(one.name for one in measurements)
    return {name: number for number, name in enumerate(names, start=1)}


def table(measurements: Sequence[Measurement]) -> str:
    """A Markdown table for each scene; times are ms a frame."""
    number = numbers(measurements)
    header = [
        "Config", "#", "Detector", "Embedding", *COLUMNS,
        "detector, ms", "embedding, ms", "association, ms", "FPS",
    ]  # fmt: skip
    parts = []
    for scene in dict.fromkeys(one.scene for one in measurements):
        here = [one for one in measurements if one.scene == scene]
        rows = [
            [
                f"`{one.name}`",
                str(number[one.name]),
                one.detector,
                one.embedding,
                *(_cell(one.scores[name], name) for name in COLUMNS),
                *(f"{one.milliseconds(part):.1f}" for part in ("FPSD", "FPSE", "FPSA")),
                f"{one.speed['FPS']:.1f}",
            ]
            for one in here
        ]
        parts.append(f"**{scene}**, {here[0].density:.1f} objects a frame\n")
        parts.append(markdown(header, rows) + "\n")
    return "\n".join(parts)


def points(measurements: Sequence[Measurement]) -> list[TradeOffPoint]:
    """What the picture shows of them."""
    number = numbers(measurements)
    return [
        TradeOffPoint(
            number[one.name],
            f"{one.scene}, {one.density:.1f} objects a frame",
            one.detector,
            one.embedding,
            one.speed["FPS"],
            {name: one.scores[name] for name in FIGURES},
        )
        for one in measurements
    ]


def _cell(value: float, name: str) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if name in ("IDs", "FP", "FN") else f"{value:.1f}"
