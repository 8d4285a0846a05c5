"""Scores a trained model: one pass over the test set for each task, one table of all figures."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.engine.weights import load_weights
from mmdeepmot.evaluation.table import OVERALL, ScoreTable

TASK_METRICS = {
    "track": "MOTMetric",
    "detection": "DetectionMetric",
    "embedding": "EmbeddingMetric",
}
"""The metric of each task that a test can be asked for."""

SUMMARY = ("MOTA", "IDF1", "HOTA", "MOTP", "IDs", "FP", "FN", "MT", "ML")
"""Columns of the tracking table that the summary shows beside the other tasks' figures."""


@dataclass(frozen=True)
class Evaluation:
    """What a test found.

    Attributes:
        tables: The full table of each task.
        speed: Frames per second of detector (FPSD), association (FPSA) and both (FPS); empty if
            nothing was tracked.
    """

    tables: dict[str, ScoreTable]
    speed: dict[str, float]

    def summary(self) -> ScoreTable:
        """The main figures of all tasks in one table: a row a sequence, and OVERALL.

        Average precision, the embeddings' TPR and the speed belong to the whole set and stand in
        its row alone.
        """
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
        if self.speed:
            columns["FPS"] = 1
            rows[OVERALL]["FPS"] = self.speed["FPS"]
        full = {
            name: {column: row.get(column, math.nan) for column in columns}
            for name, row in rows.items()
        }
        captions = "\n".join(table.caption for table in self.tables.values())
        notes = tuple(note for table in self.tables.values() for note in table.notes)
        return ScoreTable(captions, columns, full, notes)

    def to_dict(self) -> dict[str, Any]:
        """All tables and the speed as plain values, undefined figures as None."""

        def plain(value: float) -> float | None:
            return None if math.isnan(value) else float(value)

        tables = {
            task: {
                "caption": table.caption,
                "notes": list(table.notes),
                "rows": {
                    name: {column: plain(value) for column, value in row.items()}
                    for name, row in table.rows.items()
                },
            }
            for task, table in self.tables.items()
        }
        return {"tables": tables, "speed": self.speed}

    def save(self, path: str | Path) -> None:
        """Writes everything as JSON."""
        atomic_write(path, (json.dumps(self.to_dict(), indent=2) + "\n").encode())


def check_tasks(cfg: Config, tasks: Sequence[str]) -> None:
    """Finds what a test would lack before anything is built.

    Raises:
        ValueError: An unknown task, no test dataset, or no tracker for the task 'track'.
    """
    unknown = [task for task in tasks if task not in TASK_METRICS]
    if unknown or not tasks:
        raise ValueError(f"expected some of the tasks {tuple(TASK_METRICS)}, got {tuple(tasks)}")
    name = cfg.filename or "the config"
    if not cfg.get("test_dataloader"):
        raise ValueError(
            f"{name} has no `test_dataloader`, so there is nothing to test on: inherit one of "
            "configs/_base_/datasets or give one"
        )
    if "track" in tasks and not cfg.model.get("tracker"):
        raise ValueError(
            f"task 'track' needs `model.tracker` in {name}: inherit one of "
            "configs/_base_/trackers, or ask for --eval detection embedding"
        )


def evaluate(
    cfg: Config,
    checkpoint: str | Path | None,
    tasks: Sequence[str] = ("track",),
    metric_options: dict[str, dict[str, Any]] | None = None,
) -> Evaluation:
    """Tests a model.

    Args:
        cfg: A whole config, as ``tools/test.py`` loads it; ``test_evaluator`` is replaced.
        checkpoint: Weights; None: those of initialisation (a check of the config only).
        tasks: Keys of ``TASK_METRICS``; one pass over the test set each.
        metric_options: Arguments of each task's metric.

    Returns:
        The tables of all tasks, the same on every process.

    Raises:
        ValueError: See :func:`check_tasks`.
        mmdeepmot.engine.checkpoint.CheckpointError: The checkpoint does not fit the model.
    """
    check_tasks(cfg, tasks)
    metrics = [
        {
            "type": TASK_METRICS[task],
            "print_table": False,
            **(metric_options or {}).get(task, {}),
        }
        for task in tasks
    ]
    cfg.test_evaluator = metrics[0]
    cfg.setdefault("test_cfg", {})
    cfg.load_from, cfg.resume = None, False
    for part in ("train", "val"):
        for key in ("dataloader", "cfg", "evaluator"):
            cfg.pop(f"{part}_{key}", None)
    for key in ("optim_wrapper", "param_scheduler"):
        cfg.pop(key, None)
    runner = Runner.from_cfg(cfg)
    if checkpoint is not None:
        load_weights(runner.model, checkpoint)
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    tables: dict[str, ScoreTable] = {}
    speed: dict[str, float] = {}
    loop: Any = None
    for task, metric in zip(tasks, metrics, strict=True):
        model.eval()
        model.set_task(task)
        if loop is None:
            runner.test()
            loop = runner.test_loop
        else:
            loop.evaluator = runner.build_evaluator(metric)
            loop.evaluator.dataset_meta = loop.dataloader.dataset.metainfo
            loop.run()
        table = loop.evaluator.metrics[0].table
        if table is not None:
            tables[task] = table
        if task == "track":
            speed = model.timings.fps
    return Evaluation(tables, speed)
