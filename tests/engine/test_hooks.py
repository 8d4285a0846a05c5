"""Hooks, mostly as a run of tools/train.py shows them."""

import re
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmdeepmot.engine.checkpoint import find_latest_checkpoint, load_checkpoint
from mmdeepmot.engine.hooks import (
    IdentityCountHook,
    IterationSeedHook,
    NonFiniteLossHook,
)
from mmdeepmot.engine.hooks.non_finite import batch_images
from mmdeepmot.engine.optim import NonFiniteLossError


def names(folder):
    return sorted(path.name for path in folder.glob("*.pth"))


def test_files_of_a_run(toy_config, run_train, tmp_path):
    options = ("--cfg-options", "train_cfg.max_epochs=5", "default_hooks.checkpoint.latest_iters=3")
    run = run_train(toy_config, "--work-dir", tmp_path / "w", *options)
    assert run.returncode == 0, run.output
    assert names(tmp_path / "w") == ["epoch_3.pth", "epoch_4.pth", "epoch_5.pth"]
    assert find_latest_checkpoint(tmp_path / "w").name == "epoch_5.pth"
    assert not list((tmp_path / "w").glob(".*"))


def test_old_checkpoints_go_after_the_new_one_is_there(toy_config, run_train, tmp_path):
    # a file that cannot be replaced stands where epoch_4.pth should go
    (tmp_path / "w/epoch_4.pth/x").mkdir(parents=True)
    (tmp_path / "w/.epoch_1.pth.0123abcd.writing").write_bytes(b"left by a killed run")
    run = run_train(
        toy_config, "--work-dir", tmp_path / "w", "--cfg-options", "train_cfg.max_epochs=5"
    )
    assert run.returncode == 1 and "cannot write" in run.output
    assert names(tmp_path / "w") == [
        "epoch_1.pth", "epoch_2.pth", "epoch_3.pth", "epoch_4.pth", "latest.pth"
    ]  # fmt: skip
    assert find_latest_checkpoint(tmp_path / "w").name == "latest.pth"
    assert load_checkpoint(tmp_path / "w/latest.pth")["meta"]["iter"] == 20
    assert not list((tmp_path / "w").glob(".*"))


def test_the_first_iterations_are_logged_with_the_time_left(toy_config, run_train, tmp_path):
    run = run_train(toy_config, "--cfg-options", "train_dataloader.dataset.length=30")
    lines = re.findall(
        r"Epoch\(train\) \[(\d)\]\[ ?(\d+)/15\].*eta: \d:\d\d:\d\d.*loss: \S+", run.output
    )
    assert lines == [("1", str(n)) for n in range(1, 6)] + [
        (str(epoch), "15") for epoch in (1, 2, 3)
    ]


def test_a_nan_names_its_batch_and_loses_nothing(toy_config, run_train, tmp_path):
    options = ("train_dataloader.dataset.nan_at=7", "train_dataloader.sampler.shuffle=False")
    run = run_train(toy_config, "--work-dir", tmp_path / "w", "--cfg-options", *options)
    assert run.returncode == 1
    assert "Training stopped: the loss is nan" in run.output
    assert "epoch 1, iteration 4 (batch 4 of the epoch)" in run.output
    assert "['img/000006.jpg', 'img/000007.jpg']" in run.output
    assert "Traceback" not in run.output
    assert names(tmp_path / "w") == ["latest.pth"]
    weights = load_checkpoint(tmp_path / "w/latest.pth")["state_dict"]
    assert all(torch.isfinite(value).all() for value in weights.values())


def test_wrappers_of_others_are_checked_after_the_step():
    runner = SimpleNamespace(epoch=0, iter=3, optim_wrapper=object())
    hook = NonFiniteLossHook()
    batch = dict(data_samples=[SimpleNamespace(metainfo=dict(img_path="a.jpg"))])
    hook.before_train_iter(runner, 3, batch)
    hook.after_train_iter(runner, 3, batch, dict(loss=torch.tensor(1.0)))
    with pytest.raises(NonFiniteLossError, match=r"the loss is inf.*iteration 4.*\['a\.jpg'\]"):
        hook.after_train_iter(runner, 3, batch, dict(loss=torch.tensor(float("inf"))))


def test_images_of_a_batch_of_clips_and_of_what_is_unknown():
    frames = [SimpleNamespace(metainfo=dict(img_path=f"{i}.jpg")) for i in range(2)]
    clip = SimpleNamespace(video_data_samples=frames, metainfo={})
    assert batch_images(dict(data_samples=[clip])) == ["0.jpg", "1.jpg"]
    assert batch_images(dict(data_samples=[object()])) == ["?"]
    assert batch_images([1, 2]) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_a_checkpoint_and_says_how_to_go_on(
    number, toy_config, run_train, tmp_path
):
    config = tmp_path / "interrupted.py"
    config.write_text(
        "_base_ = 'toy.py'\n"
        f"custom_hooks = [*_base_.custom_hooks, "
        f"dict(type='KillHook', at=6, number={int(number)}, workers=True)]"
    )
    options = (
        "train_dataloader.num_workers=2",
        "optim_wrapper.accumulative_counts=3",
        "default_hooks.checkpoint.latest_iters=0",
    )
    run = run_train(config, "--work-dir", tmp_path / "w", "--cfg-options", *options)
    assert run.returncode == 130
    assert "Interrupted; checkpoint written" in run.output
    assert f"Continue with: python tools/train.py {config}" in run.output
    assert run.output.rstrip().endswith("--resume")
    meta = load_checkpoint(find_latest_checkpoint(tmp_path / "w"))["meta"]
    assert (meta["epoch"], meta["iter"]) == (1, 8)  # the window (6, 7, 8) was finished


@pytest.mark.parametrize("nan_at", [-1, 3])
def test_persistent_workers_end_with_the_run(nan_at, toy_config, run_train):
    """However it ends: workers that ignored the final SIGTERM would be awaited for ever."""
    options = ("train_dataloader.num_workers=2", "train_dataloader.persistent_workers=True")
    run = run_train(
        toy_config, "--cfg-options", *options, f"train_dataloader.dataset.nan_at={nan_at}"
    )
    assert run.returncode == (0 if nan_at < 0 else 1), run.output
    assert "Traceback" not in run.output


def test_random_numbers_follow_from_seed_iteration_and_rank():
    def draw(seed, iteration):
        runner = SimpleNamespace(seed=seed, iter=iteration)
        IterationSeedHook().before_train_iter(runner, 0)
        return (*torch.rand(2).tolist(), *np.random.rand(2).tolist())

    assert draw(0, 1) == draw(0, 1)
    assert len({draw(0, 0), draw(0, 1), draw(1, 0), draw(1, 1)}) == 4
    assert draw(0, 1)[0] != draw(0, 1)[2]


def test_more_identities_than_classes():
    head = torch.nn.Linear(1, 1)
    head.num_ids = 3
    runner = SimpleNamespace(
        model=torch.nn.Sequential(head),
        train_dataloader=SimpleNamespace(dataset=SimpleNamespace(num_identities=4)),
    )
    with pytest.raises(ValueError, match=r"4 identities \(0 to 3\).*Linear\) has num_ids=3"):
        IdentityCountHook().before_train(runner)
    head.num_ids = 4
    IdentityCountHook().before_train(runner)
    runner.train_dataloader.dataset = object()
    IdentityCountHook().before_train(runner)


@pytest.mark.parametrize("begin", ["begin_iter=16", "begin_epoch=4"])
def test_a_training_that_ends_before_its_average_begins(toy_config, run_train, tmp_path, begin):
    hooks = toy_config.read_text() + (
        f"\ncustom_hooks = [*_base_.custom_hooks, dict(type='MovingAverageHook', {begin})]\n"
    )
    toy_config.write_text(hooks)
    run = run_train(toy_config, "--work-dir", tmp_path / "w")
    assert run.returncode == 0 and "this training ends with" in run.output, run.output
    checkpoint = load_checkpoint(tmp_path / "w/epoch_3.pth")
    averaged = checkpoint["ema_state_dict"]
    assert len(checkpoint["state_dict"]) >= 4
    for name, weight in checkpoint["state_dict"].items():
        torch.testing.assert_close(averaged[f"module.{name}"], weight)
