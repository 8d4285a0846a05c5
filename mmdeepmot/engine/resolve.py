"""Fill in what a config leaves to the data and the machine."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log
from torch.utils.data import Dataset

from mmdeepmot.registry import DATASETS

from .config_check import ConfigError, accepted_arguments, find_target


def build_train_dataset(cfg: Config) -> Dataset:
    """Build the training dataset (once: the runner takes the built one).

    Raises:
        ConfigError: If the config has none.
    """
    _require(cfg, "train", ("model", "train_dataloader", "train_cfg", "optim_wrapper"))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    if hasattr(dataset, "full_init"):
        dataset.full_init()
    return dataset


def resolve_config(cfg: Config, dataset: Dataset | None = None, world_size: int = 1) -> Config:
    """Resolve ``num_ids=None`` and ``effective_batch_size``.

    Args:
        cfg: A loaded config; changed in place.
        dataset: The built training dataset; None: built here if ``num_ids`` needs it.
        world_size: Number of processes.

    Returns:
        The same config.

    Raises:
        ConfigError: If the dataset has no identities to count, or a batch cannot hold frame pairs.
    """
    wanting = list(_identity_heads(cfg.model, ["model"]))
    if wanting:
        dataset = build_train_dataset(cfg) if dataset is None else dataset
        num_identities = getattr(dataset, "num_identities", None)
        if not num_identities:
            raise ConfigError(
                f"{wanting[0][0]}.num_ids=None means as many identities as the training data has, "
                f"but {type(dataset).__name__} has none. Set num_ids to a number."
            )
        for _, head in wanting:
            head["num_ids"] = int(num_identities)
    loader = cfg.get("train_dataloader")
    if loader is not None:
        _check_pairs(loader)
        if cfg.get("effective_batch_size") is not None:
            cfg.optim_wrapper["accumulative_counts"] = accumulation(
                cfg.effective_batch_size, loader.batch_size, world_size
            )
    return cfg


def accumulation(effective_batch_size: int, batch_size: int, world_size: int = 1) -> int:
    """Number of batches to accumulate so that one step sees ``effective_batch_size`` samples.

    Rounded to the nearest possible, with a warning where it does not come out even.
    """
    at_once = batch_size * world_size
    counts = max(1, math.floor(effective_batch_size / at_once + 0.5))
    if counts * at_once != effective_batch_size:
        print_log(
            f"effective_batch_size={effective_batch_size} is not a multiple of {batch_size} images "
            f"x {world_size} processes: a step sees {counts * at_once} images. Consider scaling "
            "optim_wrapper.optimizer.lr accordingly.",
            logger="current",
        )
    return counts


def check_evaluation(cfg: Config, stage: str = "test") -> None:
    """Raise before anything runs if what a test (or ``val``) needs is missing.

    Raises:
        ConfigError: Names the key.
    """
    _require(cfg, stage, (f"{stage}_dataloader", f"{stage}_evaluator"))


def _require(cfg: Config, stage: str, keys: tuple[str, ...]) -> None:
    for key in keys:
        if not cfg.get(key):
            raise ConfigError(
                f"{cfg.filename or 'config'}: no {key}; expected one to {stage} with. Add a "
                "_base_ of configs/_base_/ that has it, or set it."
            )


def _check_pairs(loader: ConfigDict) -> None:
    sampler = loader.get("sampler") or {}
    if sampler.get("type") == "FramePairSampler" and loader.batch_size % 2:
        raise ConfigError(
            "train_dataloader.batch_size: FramePairSampler needs an even batch size to keep pairs "
            f"of frames together, got {loader.batch_size}."
        )


def _identity_heads(node: Any, path: list[str]) -> Iterator[tuple[str, dict]]:
    """Typed dicts that take ``num_ids`` and have None (or nothing) there.

    What lies inside one that takes ``num_ids`` gets the number from it.
    """
    if isinstance(node, Mapping):
        if node.get("type") is not None:
            target, _ = find_target(path, node)
            if target is not None and "num_ids" in accepted_arguments(target)[0]:
                if node.get("num_ids") is None:
                    yield ".".join(path), node  # type: ignore[misc]
                return
        for key, child in node.items():
            yield from _identity_heads(child, [*path, str(key)])
    elif isinstance(node, (list, tuple)):
        for index, child in enumerate(node):
            yield from _identity_heads(child, [*path, str(index)])
