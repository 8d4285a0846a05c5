"""Statistics of batch normalisation in a training of two processes."""

from pathlib import Path

import torch
from ranks import as_rank, run_ranks
from test_scaling import train_toy
from toy_fixtures import ROOT, TOY_CONFIG

from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.engine.runner import MOTRunner


def work(rank: int, folder: Path) -> None:
    runners = []
    train = MOTRunner.train

    def remember(runner):
        runners.append(runner)
        return train(runner)

    MOTRunner.train = remember
    train_toy(folder, 2, "normed", **{"model.norm": True, "train_cfg.max_epochs": 1})
    (runner,) = runners
    buffers = {name: value.clone() for name, value in runner.model.module.named_buffers()}
    torch.save(buffers, folder / f"buffers-{rank}.pth")


def test_all_processes_have_the_same_after_an_epoch(tmp_path):
    """They validate with them, and the first one's are those of the checkpoint."""
    base = str(ROOT / "configs/_base_/default_runtime.py")
    (tmp_path / "toy.py").write_text(TOY_CONFIG.format(base=base))
    run_ranks(__file__, tmp_path)
    one, other = (torch.load(tmp_path / f"buffers-{rank}.pth") for rank in (0, 1))
    saved = load_checkpoint(tmp_path / "normed/epoch_1.pth")["state_dict"]
    means = [name for name in one if name.endswith("running_mean")]
    assert means and all(one[name].any() for name in means)
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, rtol=0, atol=0)
        torch.testing.assert_close(saved[name], value, rtol=0, atol=0)


if __name__ == "__main__":
    as_rank(work)
