"""Scores a trained model: one pass over the test set for each task, one table of all figures."""

import copy
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmdeepmot.apis.task_data import name_data, task_dataloader
from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.engine.config import ConfigError
from mmdeepmot.engine.hooks import TrackVideoHook
from mmdeepmot.engine.weights import load_weights
from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.by_area import join_area_tables
from mmdeepmot.evaluation.metrics import AssignmentMetric
from mmdeepmot.evaluation.metrics.base import SequenceMetric
from mmdeepmot.evaluation.table import OVERALL, ScoreTable
from mmdeepmot.models.detectors.onnx_detector import trained_parts
from mmdeepmot.registry import METRICS, MODELS

TASK_METRICS = {
    "track": "MOTMetric",
    "detection": "DetectionMetric",
    "embedding": "EmbeddingMetric",
    "assignment": "AssignmentMetric",
}
"""The metric of each task that a test can be asked for."""

SUMMARY = ("MOTA", "IDF1", "HOTA", "MOTP", "IDs", "FP", "FN", "MT", "ML")
"""Columns of the tracking table that the summary shows beside the other tasks' figures."""

_LOOP_KEYS = ("dataloader", "cfg", "evaluator")

Metric = SequenceMetric | AssignmentMetric


@dataclass(frozen=True)
class Evaluation:
    """What a test found.

    Attributes:
        tables: The full table of each task.
        speed: Frames per second of detector (FPSD), embedding (FPSE, where a ReID network gives
            it), association (FPSA) and the whole (FPS); empty if nothing was tracked.
        classes: For each task that tells classes apart, the figures of each.
        areas: The figures of small, medium and large objects, of all tasks in one table; None
            where sizes were not told apart.
    """

    tables: dict[str, ScoreTable]
    speed: dict[str, float]
    areas: ScoreTable | None = None
    classes: dict[str, ScoreTable] = field(default_factory=dict)

    def summary(self) -> ScoreTable:
        """The main figures of all tasks in one table: a row a sequence, and OVERALL.

        Average precision, the embeddings' TPR and the speed belong to the whole set and stand in
        its row alone. The table of a matcher is its own.
        """
        if "assignment" in self.tables:
            return self.tables["assignment"]
        columns: dict[str, int] = {}
        rows: dict[str, dict[str, float]] = {OVERALL: {}}
        track = self.tables.get("track")
        if track is not None:
            columns = {name: track.columns[name] for name in SUMMARY if name in track.columns}
            rows = {name: dict(row) for name, row in track.rows.items()}
        for task in ("detection", "embedding"):
            table = self.tables.get(task)
            for name in table.columns if table else ():
                if name.startswith(("AP", "TPR")):
                    columns[name] = table.columns[name]  # type: ignore[union-attr]
                    rows[OVERALL][name] = table.overall[name]  # type: ignore[union-attr]
        for name, value in self.speed.items():
            columns[name] = 1
            rows[OVERALL][name] = value
        full = {
            name: {column: row.get(column, math.nan) for column in columns}
            for name, row in rows.items()
        }
        captions = "\n".join(table.caption for table in self.tables.values())
        notes = tuple(note for table in self.tables.values() for note in table.notes)
        return ScoreTable(captions, columns, full, notes)

    def speed_text(self) -> str:
        """Frames per second in one line."""
        figures = ", ".join(f"{name} {value:.1f}" for name, value in self.speed.items())
        return f"frames a second of the parts and of the whole: {figures}"

    def to_dict(self) -> dict[str, Any]:
        """All tables and the speed as plain values, undefined figures as None."""

        def plain(value: float) -> float | None:
            return None if math.isnan(value) else float(value)

        tables = {**self.tables} if self.areas is None else {**self.tables, "areas": self.areas}
        tables |= {f"{task}_classes": table for task, table in self.classes.items()}
        plain_tables = {
            name: {
                "caption": table.caption,
                "notes": list(table.notes),
                "rows": {
                    row: {column: plain(value) for column, value in values.items()}
                    for row, values in table.rows.items()
                },
            }
            for name, table in tables.items()
        }
        return {"tables": plain_tables, "speed": self.speed}

    def save(self, path: str | Path) -> None:
        """Writes everything as JSON."""
        atomic_write(path, (json.dumps(self.to_dict(), indent=2) + "\n").encode())


def check_tasks(cfg: Config, tasks: Sequence[str]) -> None:
    """Finds what a test would lack before anything is built.

    Raises:
        ConfigError: No model, no test dataset, no tracker for the task 'track', or no matcher for
            the task 'assignment'.
    """
    name = cfg.filename or "the config"
    for key, why, folder in (
        ("model", "is nothing to test", "models"),
        ("test_dataloader", "is nothing to test on", "datasets"),
    ):
        if not cfg.get(key):
            raise ConfigError(
                f"{name} has no `{key}`, so there {why}: inherit one of configs/_base_/{folder} or "
                "give one"
            )
    if "track" in tasks and not cfg.model.get("tracker"):
        raise ConfigError(
            f"task 'track' needs `model.tracker` in {name}: inherit one of "
            "configs/_base_/trackers, or ask for --eval detection embedding"
        )
    if "assignment" in tasks and not cfg.model.get("matcher"):
        raise ConfigError(
            f"task 'assignment' needs `model.matcher` in {name}: use a config of configs/dhn, or "
            "inherit configs/_base_/models/dhn.py"
        )


def needs_checkpoint(cfg: Config) -> bool:
    """Whether a test needs weights from a file.

    Matchers without parameters (Sinkhorn, Hungarian) and those that bring their weights
    (``pretrained``) do not, and neither do exported detectors.
    """
    matcher = cfg.model.get("matcher")
    if not matcher:
        exported = (cfg.model.get("detector") or {}).get("type") == "OnnxDetector"
        return not exported or bool(trained_parts(cfg.model))
    return not matcher.get("pretrained") and any(True for _ in MODELS.build(matcher).parameters())


def build_metrics(
    tasks: Sequence[str] = ("track",),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    configured: Any = None,
) -> dict[str, Metric]:
    """The metric of each task; what one of them lacks is found here, before any inference.

    Args:
        tasks: Keys of ``TASK_METRICS``.
        options: Arguments of each task's metric.
        configured: A config's ``test_evaluator``: one metric or a list of them, whose arguments
            hold where ``options`` say nothing else. A task's metric may be a subclass of that of
            ``TASK_METRICS``; metrics of other tasks are left out.

    Raises:
        InputError: An unknown task, a wrong option, or several metrics of one task.
        MissingPackageError: The library of an evaluator is not installed.
    """
    unknown = [task for task in tasks if task not in TASK_METRICS]
    if unknown or not tasks:
        raise InputError(f"expected some of the tasks {tuple(TASK_METRICS)}, got {tuple(tasks)}")
    return {
        task: METRICS.build(
            {
                **_configured(task, configured),
                "print_table": False,
                **(options or {}).get(task, {}),
            }
        )
        for task in tasks
    }


def _configured(task: str, evaluator: Any) -> dict[str, Any]:
    """The metric of a task as a config's ``test_evaluator`` has it, else with its defaults."""
    metrics = evaluator if isinstance(evaluator, Sequence) else [evaluator] if evaluator else []
    base = METRICS.get(TASK_METRICS[task])
    found = [metric for metric in metrics if issubclass(_type(metric), base)]
    if len(found) > 1:
        raise InputError(
            f"test_evaluator: expected one metric of the task {task!r}, got "
            f"{' and '.join(_type(metric).__name__ for metric in found)}: leave one"
        )
    return dict(found[0]) if found else {"type": TASK_METRICS[task]}


def _type(metric: Mapping[str, Any]) -> type:
    kind = metric["type"]
    return kind if isinstance(kind, type) else METRICS.get(kind)


def evaluate(
    cfg: Config, checkpoint: str | Path | None, metrics: Mapping[str, Metric] | None = None
) -> Evaluation:
    """Tests a model.

    Args:
        cfg: A whole config, as :func:`~mmdeepmot.engine.config.load_config` gives it; not changed.
            Logs go to the folder ``test`` of its ``work_dir``. A task that ``task_dataloaders``
            names is tested on that data: its keys replace those of ``test_dataloader``.
        checkpoint: Weights; None: those of initialisation (a check of the config only).
        metrics: By task, as of :func:`build_metrics`; one pass over the test set each. None: of
            tracks, as ``test_evaluator`` has it.

    Returns:
        The tables of all tasks, the same on every process.

    Raises:
        UserError: See :func:`check_tasks`; a dataset that is missing or bad, a checkpoint that
            does not fit the model.
    """
    if metrics is None:
        metrics = build_metrics(configured=cfg.get("test_evaluator"))
    check_tasks(cfg, tuple(metrics))
    runner = Runner.from_cfg(_test_config(cfg, next(iter(metrics))))
    loop: Any = runner.build_test_loop(runner._test_loop)
    runner._test_loop = loop
    if checkpoint is not None:
        load_weights(runner.model, checkpoint)
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if "embedding" in metrics and not getattr(model, "has_embeddings", True):
        raise ConfigError(
            f"task 'embedding' needs a network that gives boxes an appearance, and the model of "
            f"{cfg.filename or 'the config'} has none: give it a `reid`, or ask for other tasks"
        )
    tables: dict[str, ScoreTable] = {}
    speed: dict[str, float] = {}
    try:
        loaded = task_dataloader(cfg, next(iter(metrics)))
        for task, metric in metrics.items():
            wanted = task_dataloader(cfg, task)
            if wanted != loaded:
                loaded, loop.dataloader = wanted, runner.build_dataloader(copy.deepcopy(wanted))
            loop.evaluator = Evaluator(metric)
            loop.evaluator.dataset_meta = loop.dataloader.dataset.metainfo
            model.eval()
            model.set_task(task)
            runner.test()
            if metric.table is not None:
                tables[task] = name_data(metric.table, cfg, task)
            if task == "track":
                speed = model.timings.fps
    finally:
        for hook in runner.hooks:
            if isinstance(hook, TrackVideoHook):
                hook.close()
    areas = [getattr(metric, "area_table", None) for metric in metrics.values()]
    classes = {
        task: table
        for task, metric in metrics.items()
        if (table := getattr(metric, "class_table", None)) is not None
    }
    areas_table = join_area_tables([one for one in areas if one is not None])
    return Evaluation(tables, speed, areas_table, classes)


def _test_config(cfg: Config, first_task: str) -> Config:
    """The part that a test needs; in a folder of its own, as the runner leaves a copy there."""
    cfg = copy.deepcopy(cfg)
    cfg.test_dataloader = task_dataloader(cfg, first_task)
    training = {f"{part}_{key}" for part in ("train", "val") for key in _LOOP_KEYS}
    for key in training | {"optim_wrapper", "param_scheduler"}:
        cfg.pop(key, None)
    cfg.work_dir = str(Path(cfg.get("work_dir") or "work_dirs") / "test")
    cfg.test_cfg = cfg.get("test_cfg") or {}
    cfg.test_evaluator = []
    cfg.load_from, cfg.resume = None, False
    return cfg
