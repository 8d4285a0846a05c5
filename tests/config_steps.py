"""Any config of ``configs/`` on tiny data: one training step, one test step, all its other parts.

The config keeps its model, pipelines, samplers, losses and optimizer. Overridden are what takes
time or files: where the data are (a street of :mod:`tiny`, generated matrices), sizes of images,
batches, workers, weights from files, and repetitions in the largest networks.
"""

import logging
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from mmdeepmot.converters.mot_challenge import read_mot_challenge
from mmdeepmot.converters.planning import make_plan
from mmdeepmot.converters.write import write_plan
from mmdeepmot.datasets import JDEListDataset, JointDataset, MOTDataset, SynthMOTDataset
from mmdeepmot.datasets.mot_challenge import split_range
from mmdeepmot.datasets.synthmot.recipe import resolve_recipe
from mmdeepmot.engine.resolve import resolve_config
from mmdeepmot.engine.runner import MOTRunner
from mmdeepmot.registry import DATASETS, HOOKS, MODELS, SCOPE, TRACKERS
from mmdeepmot.structures import Detections, Frame

SIZE = (128, 96)
"""(width, height) px of images at the network's input; a multiple of every stride."""

CROP = (32, 96)
"""(width, height) px of a person's crop; six stripes at stride 16."""

DETECTIONS = 8
"""At most, of an image: an untrained detector sees hundreds."""

PLACES = ("data_root", "list_files", "sequences", "split", "frame_range")
"""Arguments of datasets that say where the data are, and which part of them counts."""

KEPT = ("pipeline", "view", "clip_length", "stride", "max_gap", "with_detections", "test_mode")
"""Arguments of datasets of frames that change what a network sees."""

SMALL = {"length": 8, "max_side": 6}
"""Of datasets of matrices."""

WIDEST = 64
"""Units of a fully connected layer that would have thousands."""

DEEP = (34, 50, 101)
"""ResNets of which each stage has one block here, as has Darknet-53."""


def nodes(tree: Any) -> Iterator[dict]:
    """All dicts of a config, outer ones first."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        for one in tree:
            yield from nodes(one)


def small_dataset(cfg: Any, street: str) -> Any:
    """A dataset's config with the street, or few small matrices, in the place of its data."""
    if isinstance(cfg, (list, tuple)):
        return [small_dataset(one, street) for one in cfg]
    if not isinstance(cfg, dict):
        return cfg
    kind = DATASETS.get(cfg["type"]) if isinstance(cfg.get("type"), str) else None
    if kind is not None and issubclass(kind, MOTDataset):
        elsewhere = {key: value for key, value in cfg.items() if key not in PLACES}
        if kind is SynthMOTDataset:
            return {**elsewhere, "split": cfg.get("split", "train"), "data_root": street}
        if kind is JDEListDataset:
            root = f"{street}_as_list"
            file = f"{root}/lists/street.train"
            return {**elsewhere, "list_files": file, "data_root": root}
        split_range(1000, cfg.get("split"), cfg.get("frame_range"))
        return {**elsewhere, "data_root": street}
    if kind is not None and kind.__name__ == "MatrixFileDataset":
        return {"type": "CrowdMatrices", "length": SMALL["length"]}
    small = {
        key: value if key in ("pipeline", "type") else small_dataset(value, street)
        for key, value in cfg.items()
    }
    if kind is JointDataset:
        small.pop("sequences", None)
        if cfg.get("test_mode"):  # all would be of the same name
            small["datasets"] = small["datasets"][:1]
    elif kind is not None:
        small |= {key: min(small[key], most) for key, most in SMALL.items() if small.get(key)}
    return small


def outline(cfg: Any) -> Any:
    """A loader's config without what differs between sets of frames only."""
    if isinstance(cfg, (list, tuple)):
        return [outline(one) for one in cfg]
    if not isinstance(cfg, dict):
        return cfg
    kind = DATASETS.get(cfg["type"]) if isinstance(cfg.get("type"), str) else None
    if kind is not None and issubclass(kind, MOTDataset):
        return {key: cfg[key] for key in KEPT if key in cfg}
    if kind is JointDataset:
        return outline([cfg["datasets"][0], cfg.get("pipeline")])
    return {key: outline(value) for key, value in cfg.items()}


def write_data(street: Path, patch: Callable[..., None]) -> None:
    """Beside the street: list files of it; and what SynthMOT generates is the street.

    Args:
        street: Folder of MOTChallenge sequences.
        patch: ``monkeypatch.setattr``.
    """
    write_plan(make_plan(read_mot_challenge(street)), Path(f"{street}_as_list"))
    for split in ("train", "test"):
        (street.parent / split).symlink_to(street)

    def generate(recipe: Any, _: str) -> Path:
        resolve_recipe(recipe)
        return street.parent

    patch("mmdeepmot.datasets.synthmot.dataset.ensure_synthmot", generate)


def small_loader(cfg: ConfigDict, street: str) -> ConfigDict:
    """A data loader's config: no workers, a batch of two (four crops of two people)."""
    loader = ConfigDict(cfg)
    loader.dataset = small_dataset(loader.dataset, street)
    loader.update(num_workers=0, persistent_workers=False, batch_size=min(2, loader.batch_size))
    loader.pop("prefetch_factor", None)
    if loader.sampler.get("type") == "IdentitySampler":
        loader.sampler.update(crops=2, groups=1)
        loader.batch_size = 4
    for node in nodes(loader.dataset):
        if "size" in node:
            node["size"] = CROP if node.get("type") == "CropBox" else SIZE
        if node.get("view") == "video":
            node["clip_length"] = 2
    return loader


def small_model(cfg: ConfigDict) -> ConfigDict:
    """A model's config without files, its largest parts with fewer repetitions and units.

    Matchers keep the weights that come with the package: others match nothing.
    """
    for node in nodes(cfg):
        for key in ("init_cfg", "weights", "pretrained"):
            if node.get(key) and node[key] is not True:
                node[key] = None
        for key in ("fc_out_channels", "in_features"):
            if node.get(key) == 1024:
                node[key] = WIDEST
        if "max_per_img" in node:
            node["max_per_img"] = DETECTIONS
        if "crop_size" in node:
            node["crop_size"] = CROP
        kind = node.get("type")
        if kind == "HRNet":
            for stage in node["extra"].values():
                stage.update(num_modules=1, num_blocks=(1,) * stage["num_branches"])
        elif kind == "DHN" and not node.get("pretrained"):
            node["hidden"] = 8  # the paper's 256 take seconds
        elif kind == "GOTURN" and node.get("width", 4096) > 1000:
            node["width"] = WIDEST
    return cfg


def shrink(cfg: Config, street: Path) -> Config:
    """The config on tiny data, its identities counted."""
    cfg.model = small_model(cfg.model)
    for stage in ("train", "val", "test"):
        loader = cfg.get(f"{stage}_dataloader")
        if loader:
            cfg[f"{stage}_dataloader"] = small_loader(loader, str(street))
    for task in cfg.get("task_dataloaders", {}).values():
        task.dataset = small_dataset(task.dataset, str(street))
    return cfg


def build_model(cfg: Config) -> Any:
    """The model of a loaded config, or its tracker, without weights from files."""
    init_default_scope(SCOPE)
    if cfg.get("model"):
        return MODELS.build(small_model(cfg.model))
    return TRACKERS.build(cfg.tracker)


def train_step(cfg: Config) -> nn.Module:
    """One step of the config's optimizer; the trained model.

    Raises:
        AssertionError: The loss is not finite, a trained parameter gets no gradient (processes
            would wait for each other), or nothing moves.
    """
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    resolve_config(cfg, dataset)
    loader = Runner.build_dataloader(dict(cfg.train_dataloader, dataset=dataset), seed=0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.train()
    if cfg.model.get("reid") and (cfg.model.get("detector") or cfg.model.get("follower")):
        model.reid.requires_grad_(False)  # an external network, its weights left out here
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    data = model.data_preprocessor(next(iter(loader)), True)
    loss, _ = model.parse_losses(model(**data, mode="loss"))
    assert math.isfinite(loss.item())
    if not trained:  # an exact matcher
        return model
    before = {name: p.detach().clone() for name, p in trained.items()}
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    optimizer.backward(loss)
    assert [name for name, p in trained.items() if p.grad is None] == []
    optimizer.optimizer.step()
    assert all(torch.isfinite(p).all() for p in trained.values())
    assert any(not torch.equal(p, before[name]) for name, p in trained.items())
    return model


def test_step(cfg: Config, model: nn.Module) -> None:
    """The first item of the test set, as a test of the config's main task sees it."""
    loader = Runner.build_dataloader(cfg.test_dataloader, seed=0)
    model.eval()
    with torch.no_grad():
        if cfg.model.get("tracker"):
            model.set_task("track")
        elif cfg.model.get("reid"):
            model.set_task("embedding")
        found = model.test_step(next(iter(loader)))
    assert len(found) > 0
    if cfg.model.get("tracker"):
        for frame in found[0]:
            tracks = frame.pred_track_instances
            assert tracks.bboxes.shape == (len(tracks.instances_id), 4)
            assert torch.isfinite(tracks.bboxes).all()
    elif cfg.model.get("reid"):
        assert len(found[0][0].pred_embeddings.embeddings) > 0


def build_parts(cfg: Config, model: nn.Module) -> None:
    """What a runner builds of a config besides the model, as the runner builds it."""
    runner = MOTRunner.__new__(MOTRunner)
    runner.cfg, runner.model, runner.logger = cfg, model, logging.getLogger("test")
    runner.visualizer, runner._hooks = SimpleNamespace(), []
    runner._randomness_cfg, runner._seed = {}, 0
    runner.register_hooks(cfg.default_hooks, cfg.custom_hooks)
    named = {HOOKS.get(one["type"]) for one in (*cfg.default_hooks.values(), *cfg.custom_hooks)}
    assert named <= {type(hook) for hook in runner.hooks}
    runner._train_dataloader = cfg.train_dataloader
    runner._train_loop = runner.build_train_loop(cfg.train_cfg)
    assert len(runner.train_dataloader) > 0
    assert runner.max_epochs == cfg.train_cfg.max_epochs
    for stage in ("val", "test"):
        if cfg.get(f"{stage}_cfg"):
            setattr(runner, f"_{stage}_dataloader", cfg[f"{stage}_dataloader"])
            setattr(runner, f"_{stage}_evaluator", cfg[f"{stage}_evaluator"])
            loop = getattr(runner, f"build_{stage}_loop")(cfg[f"{stage}_cfg"])
            assert len(loop.dataloader) > 0
            assert len(loop.evaluator.metrics) > 0
    for task in cfg.get("task_dataloaders", {}).values():
        assert len(DATASETS.build(task.dataset)) > 0
    if any(p.requires_grad for p in model.parameters()):
        runner.optim_wrapper = runner.build_optim_wrapper(cfg.optim_wrapper)
        schedulers = runner.build_param_scheduler(cfg.param_scheduler)
        assert len(schedulers) == len(cfg.param_scheduler)


def track_step(cfg: Config) -> None:
    """Six frames of a config that holds a tracker alone: who is seen keeps the identity."""
    tracker = TRACKERS.build(cfg.tracker)
    boxes = np.array([[10.0, 10, 40, 100], [80, 20, 112, 110]])
    looks = np.eye(2, 8)
    tracker.reset()
    found = []
    for index in range(6):
        seen = Detections(boxes + index, np.full(2, 0.99), np.zeros(2, np.int64), looks)
        frame = Frame(
            index, (160, 120), 30.0, seen,
            warp=lambda: np.eye(2, 3),
            embed=lambda asked: np.eye(2, 8)[: len(asked)],
            propagate=lambda asked, _: (asked + 1, np.full(len(asked), 0.9)),
        )  # fmt: skip
        found.append(tracker.step(frame))
    assert found[-1].ids.tolist() == found[-2].ids.tolist()
    assert len(found[-1]) == 2


def make_shallow(patch: Callable[..., None]) -> None:
    """Stages of one block in the deepest backbones.

    Args:
        patch: ``monkeypatch.setattr``.
    """
    from mmdet.models.backbones import Darknet, ResNet

    blocks, channels = Darknet.arch_settings[53]
    patch(Darknet, "arch_settings", {53: ((1,) * len(blocks), channels)})
    shallow = {
        depth: (block, (1,) * len(blocks)) if depth in DEEP else (block, blocks)
        for depth, (block, blocks) in ResNet.arch_settings.items()
    }
    patch(ResNet, "arch_settings", shallow)


def run(cfg: Config, street: Path, patch: Callable[..., None], done: set[str]) -> None:
    """One training and one test step of a loaded config, and all its parts built.

    Args:
        cfg: Is changed.
        street: Folder of MOTChallenge sequences with public detections; see :func:`write_data`.
        patch: ``monkeypatch.setattr``.
        done: What has been stepped: configs that train the same network in the same way on frames
            alike, and those that test the same model, share a step.
    """
    if not cfg.get("model"):
        track_step(cfg)
        return
    init_default_scope(SCOPE)
    make_shallow(patch)
    cfg = shrink(cfg, street)
    outside = ("tracker", "camera", "reid" if cfg.model.get("detector") else "")
    trained = {key: value for key, value in cfg.model.items() if key not in outside}
    training = repr((trained, outline(cfg.train_dataloader), cfg.optim_wrapper))
    test = repr((cfg.model, outline(cfg.test_dataloader)))
    torch.manual_seed(0)
    model = MODELS.build(cfg.model) if training in done else train_step(cfg)
    if not {training, test} <= done:
        test_step(cfg, model)
    done |= {training, test}
    build_parts(cfg, model)
