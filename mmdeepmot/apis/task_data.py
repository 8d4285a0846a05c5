"""Tests whose tasks have data of their own, as in the JDE paper (Sec. 4.1).

A config says so by ``task_dataloaders = dict(detection=dict(dataset=...))``; tasks that it does
not name are tested on ``test_dataloader``.
"""

from dataclasses import replace

from mmengine.config import Config, ConfigDict

from mmdeepmot.evaluation.table import ScoreTable


def task_dataloader(cfg: Config, task: str) -> ConfigDict:
    """The data that a task is tested on: its keys replace those of ``test_dataloader``."""
    own = (cfg.get("task_dataloaders") or {}).get(task) or {}
    return ConfigDict({**cfg.test_dataloader, **own})


def name_data(table: ScoreTable, cfg: Config, task: str) -> ScoreTable:
    """The table with a note where a task has data of its own."""
    if task not in (cfg.get("task_dataloaders") or {}):
        return table
    dataset = task_dataloader(cfg, task).dataset
    parts = [
        one.get("list_files", one.get("data_root")) for one in dataset.get("datasets", [dataset])
    ]
    return replace(table, notes=(*table.notes, f"{task}: on {', '.join(map(str, parts))}"))
