"""A tiny dataset and model with everything that makes resuming hard, for the engine's tests.

Used in processes of their own through ``custom_imports`` (this folder on PYTHONPATH), and in the
test process through ``import toy_project``.
"""

import multiprocessing
import os
import signal
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.utils import reduce_mean
from mmengine.hooks import Hook
from mmengine.model import BaseDataPreprocessor, BaseModel
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmdeepmot.registry import DATASETS, HOOKS, METRICS, MODELS


@DATASETS.register_module()
class ToyDataset(Dataset):
    """Random vectors, augmented with np.random noise, as a training pipeline would."""

    def __init__(self, length: int = 10, nan_at: int = -1, num_identities: int = 4) -> None:
        self.length = length
        self.nan_at = nan_at
        self.num_identities = num_identities
        self.metainfo = dict(classes=("pedestrian",), num_identities=num_identities)
        self.sequence_ids = np.zeros(length, dtype=np.int64)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, item: int | tuple[int, int]) -> dict[str, Any]:
        index, seed = item if isinstance(item, tuple) else (item, None)
        if seed is not None:
            np.random.seed(seed)
        values = np.random.default_rng(index).normal(size=4) + 0.1 * np.random.normal(size=4)
        if index == self.nan_at:
            values[0] = np.nan
        sample = DetDataSample(metainfo=dict(img_path=f"img/{index:06d}.jpg"))
        return dict(inputs=torch.tensor(values, dtype=torch.float32), data_samples=sample)


@MODELS.register_module()
class ToyHead(nn.Module):
    """One layer with a classifier's ``num_ids``."""

    def __init__(self, channels: int, num_ids: int | None = None, width: int = 1) -> None:
        super().__init__()
        self.num_ids = num_ids
        self.layer = nn.Linear(channels, width)

    def forward(self, features: Tensor) -> Tensor:
        return self.layer(features)


@MODELS.register_module()
class ToyPreprocessor(BaseDataPreprocessor):
    """Stacks."""

    def forward(self, data: dict, training: bool = False) -> dict:
        data = self.cast_data(data)
        data["inputs"] = torch.stack(list(data["inputs"]))
        return data


@MODELS.register_module()
class ToyModel(BaseModel):
    """Batch norm, dropout, random numbers in the loss: state of every kind."""

    def __init__(
        self,
        head: dict,
        width: int = 8,
        norm: bool = True,
        dropout: float = 0.3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(dict(type="ToyPreprocessor"), init_cfg)
        self.body = nn.Sequential(
            nn.Linear(4, width),
            nn.BatchNorm1d(width) if norm else nn.Identity(),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.head = MODELS.build(dict(channels=width, **head))

    def forward(self, inputs: Tensor, data_samples: list, mode: str = "tensor") -> Any:
        out = self.head(self.body(inputs))
        if mode != "loss":
            return data_samples
        errors = (out - inputs.sum(1, keepdim=True)) ** 2
        # a normaliser that differs between processes, as the number of objects does
        weights = inputs[:, :1].abs()
        normaliser = reduce_mean(weights.sum())
        return dict(loss=(errors * weights).sum() / normaliser, **{"box/8": errors.mean()})


@METRICS.register_module()
class ToyMetric:
    """Takes no argument that matters."""

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = prefix


@HOOKS.register_module()
class KillHook(Hook):
    """Sends a signal to its own process (and its workers) before an iteration, from 0."""

    def __init__(self, at: int, number: int = signal.SIGKILL, workers: bool = False) -> None:
        self.at = at
        self.number = number
        self.workers = workers

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == self.at:
            for worker in multiprocessing.active_children() if self.workers else ():
                os.kill(worker.pid, self.number)
            os.kill(os.getpid(), self.number)
