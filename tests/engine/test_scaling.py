"""Two and four processes, sharded or not, train and test as one does."""

import os
from pathlib import Path

import pytest
import tiny
import torch
import torch.distributed as dist
from mmengine.hooks import EMAHook
from ranks import as_rank, run_ranks
from toy_fixtures import ROOT, TOY_CONFIG

from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.engine.config import ConfigError, load_config
from mmdeepmot.engine.runner import MOTRunner
from mmdeepmot.engine.sharding import FullySharded, any_process

WRAPPERS = {
    "replicated": {},
    "sharded": {"model_wrapper_cfg": dict(type="FullySharded", units=["body", "head"])},
}
WORLDS = (2, 4)
BATCH = 8


def train_toy(folder: Path, world_size: int, name: str, **options) -> None:
    """Two epochs of the toy model: 16 samples in batches of 4, accumulated to 8, clipped."""
    config = folder / "toy.py"
    options = {
        "model.norm": False,
        "model.dropout": 0,
        "train_cfg.max_epochs": 2,
        "train_dataloader.batch_size": BATCH // 2 // world_size,
        "train_dataloader.dataset.length": 2 * BATCH,
        "optim_wrapper.clip_grad": dict(max_norm=0.2),
        "default_hooks.checkpoint.latest_minutes": 1e-9,  # at the end of every window
        "default_hooks.checkpoint.max_keep_ckpts": 3,
        "effective_batch_size": BATCH,
        **options,
    }
    train = tiny.load_tool("train")
    launcher = "none" if world_size == 1 else "pytorch"
    args = train.parse_args([str(config), "--work-dir", str(folder / name), "--launcher", launcher])
    args.cfg_options, args.resume = options, options.pop("resume", None)
    tiny._forget_loggers()
    train.train(args)


def work_in_group(rank: int, folder: Path, world_size: int) -> None:
    for name, options in WRAPPERS.items():
        train_toy(folder, world_size, f"{name}-{world_size}", **options)
    assert any_process(rank == 1) and not any_process(False)


def work(rank: int, folder: Path) -> None:
    from mmdeepmot.apis.evaluate import evaluate

    work_in_group(rank, folder, 4)
    os.chdir(folder)
    cfg = load_config("tiny.py")
    cfg.model_wrapper_cfg = dict(type="FullySharded")
    tiny.load_tool("test")  # its path
    from mmdeepmot.engine.distributed import init_distributed

    init_distributed("pytorch", cfg, train=False)
    cfg.work_dir = "tested-4"
    scores = evaluate(cfg, "weights.pth")
    if rank == 0:
        scores.save("scores-4.json")
    dist.destroy_process_group()
    if rank < 2:  # the first two go on alone
        os.environ["WORLD_SIZE"] = "2"
        meeting = (folder / "meeting").as_uri()
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
        work_in_group(rank, folder, 2)
        last = str(folder / "sharded-4" / "epoch_1.pth")
        train_toy(folder, 2, "resumed-2", resume=last, **WRAPPERS["sharded"])
        check_evaluation_mode(rank)


def check_evaluation_mode(rank: int) -> None:
    """A process may predict alone, before and between trainings."""
    torch.manual_seed(rank)  # the first process's weights count
    layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    torch.manual_seed(0)
    expected = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    model = FullySharded(layers, units=["0"])
    points = torch.arange(6.0).view(2, 3)
    for _ in range(2):
        model.eval()
        if rank == 0:
            with torch.no_grad():
                torch.testing.assert_close(model(points), expected(points))
        dist.barrier()
        model.train()
        model(points).sum().backward()
        local = model.module[0].weight.to_local()
        assert len(local) == 2  # of 4 rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("scaling")
    base = str(ROOT / "configs/_base_/default_runtime.py")
    (path / "toy.py").write_text(TOY_CONFIG.format(base=base))
    tiny.make_project(path)
    train_toy(path, 1, "one")
    run_ranks(__file__, path, 4)
    return path


def checkpoint(folder: Path, name: str, epoch: int) -> dict:
    return load_checkpoint(folder / name / f"epoch_{epoch}.pth")


def assert_same(found: dict, expected: dict) -> None:
    assert found["state_dict"].keys() == expected["state_dict"].keys()
    for key, value in expected["state_dict"].items():
        torch.testing.assert_close(found["state_dict"][key], value, rtol=1e-5, atol=1e-6)
    states = [one["optimizer"]["state"] for one in (found, expected)]
    assert states[0].keys() == states[1].keys() and len(states[0]) == 4
    for number, state in states[1].items():
        momentum = states[0][number]["momentum_buffer"]
        assert type(momentum) is torch.Tensor
        torch.testing.assert_close(momentum, state["momentum_buffer"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("world_size", WORLDS)
@pytest.mark.parametrize("name", WRAPPERS)
def test_several_processes_equal_one(folder, name, world_size):
    """Weights and optimizer states; losses are normalised over all, gradients accumulated."""
    for epoch in (1, 2):
        found = checkpoint(folder, f"{name}-{world_size}", epoch)
        assert_same(found, checkpoint(folder, "one", epoch))


def test_a_sharded_training_resumes_on_fewer_processes(folder):
    assert_same(checkpoint(folder, "resumed-2", 2), checkpoint(folder, "one", 2))


def test_a_sharded_training_resumes_on_one_process(folder):
    train_toy(folder, 1, "resumed-1", resume=str(folder / "sharded-2" / "epoch_1.pth"))
    assert_same(checkpoint(folder, "resumed-1", 2), checkpoint(folder, "one", 2))


def test_a_test_on_more_processes_than_sequences_scores_as_one(folder, monkeypatch):
    """Sequences go to processes whole; two of the four get none, and the wrapper is left out."""
    import json

    from mmdeepmot.apis.evaluate import evaluate

    monkeypatch.chdir(folder)
    tiny._forget_loggers()
    evaluate(load_config("tiny.py"), "weights.pth").save("scores-1.json")
    one, four = (json.loads((folder / f"scores-{n}.json").read_text()) for n in (1, 4))
    assert one["tables"] == four["tables"]
    assert set(one["tables"]["track"]["rows"]) == {"A", "B", "OVERALL"}


def test_a_sharded_model_has_no_moving_average():
    runner = MOTRunner.__new__(MOTRunner)
    runner.model, runner._hooks = FullySharded.__new__(FullySharded), [EMAHook()]
    with pytest.raises(ConfigError, match="leave it out of custom_hooks, or model_wrapper_cfg"):
        runner.train()


if __name__ == "__main__":
    as_rank(work)
