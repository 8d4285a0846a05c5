"""A run killed with SIGKILL and resumed ends with the weights of an uninterrupted one."""

import signal

import pytest
import torch

from mmdeepmot.engine.checkpoint import find_latest_checkpoint, load_checkpoint


def differences(a, b, path=""):
    """Places at which two nested structures of tensors and numbers are not bit-equal."""
    if isinstance(a, torch.Tensor):
        return [] if torch.equal(a, b) else [path]
    if isinstance(a, dict):
        assert a.keys() == b.keys(), path
        return [d for key in a for d in differences(a[key], b[key], f"{path}.{key}")]
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b), path
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{path}.{i}")]  # noqa: B905
    return [] if a == b else [path]


def with_hooks(config, *hooks):
    """A config beside ``config`` with more custom hooks."""
    path = config.with_name(f"toy{len(hooks)}{abs(hash(hooks))}.py")
    path.write_text(
        f"_base_ = 'toy.py'\ncustom_hooks = [*_base_.custom_hooks, {', '.join(hooks)}]\n"
    )
    return path


# Killed before iteration, resumed from iteration, options, hooks. Epochs have 5 batches; the
# rolling checkpoint comes after every 2nd iteration, or at the end of its window.
CASES = {
    "inside an epoch": (8, 8, [], []),
    "with 2 workers": (8, 8, ["train_dataloader.num_workers=2"], []),
    "with persistent workers": (
        13,
        12,
        ["train_dataloader.num_workers=2", "train_dataloader.persistent_workers=True"],
        [],
    ),
    "with averaged weights": (9, 8, [], ["dict(type='EMAHook', momentum=0.1)"]),
    # windows of 3 end after iterations 3, 5 | 8, 10 | ...: due at 6, written at 8
    "accumulating": (9, 8, ["optim_wrapper.accumulative_counts=3"], []),
    "right after an epoch": (5, 5, [], []),
    "numbered by iteration": (
        11,
        10,
        [
            "default_hooks.checkpoint.by_epoch=False",
            "default_hooks.checkpoint.interval=5",
            "default_hooks.checkpoint.filename_tmpl=epoch_{}.pth",
        ],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_killed_and_resumed_equals_uninterrupted(case, toy_config, run_train, tmp_path):
    kill_at, resumed_at, options, hooks = CASES[case]
    plain = with_hooks(toy_config, *hooks)
    killed = with_hooks(toy_config, *hooks, f"dict(type='KillHook', at={kill_at})")
    options = ["--cfg-options", *options] if options else []
    numbered = "numbered" in case

    whole = run_train(plain, "--work-dir", tmp_path / "whole", *options)
    assert whole.returncode == 0, whole.output
    first = run_train(killed, "--work-dir", tmp_path / "cut", *options)
    assert first.returncode == -signal.SIGKILL, first.output
    rest = run_train(plain, "--work-dir", tmp_path / "cut", "--resume", *options)
    assert rest.returncode == 0, rest.output
    assert f"iter: {resumed_at}\n" in rest.output  # mmengine's "resumed epoch: E, iter: I"

    name = "epoch_15.pth" if numbered else "epoch_3.pth"
    states = [load_checkpoint(tmp_path / run / name) for run in ("whole", "cut")]
    assert states[0]["meta"]["iter"] == states[1]["meta"]["iter"] == 15
    for key in ("state_dict", "optimizer", "param_schedulers", *["ema_state_dict"] * bool(hooks)):
        assert differences(states[0][key], states[1][key], key) == []


def test_the_comparison_sees_a_difference(toy_config, run_train, tmp_path):
    for seed in (0, 1):
        run = run_train(toy_config, "--work-dir", tmp_path / str(seed), "--seed", seed)
        assert run.returncode == 0, run.output
    states = [load_checkpoint(tmp_path / seed / "epoch_3.pth") for seed in ("0", "1")]
    assert differences(states[0]["state_dict"], states[1]["state_dict"])


def test_another_batch_size_starts_the_epoch_again_and_says_so(toy_config, run_train, tmp_path):
    killed = with_hooks(toy_config, "dict(type='KillHook', at=8)")
    assert run_train(killed, "--work-dir", tmp_path / "w").returncode == -signal.SIGKILL
    options = ("--cfg-options", "train_dataloader.batch_size=5")
    run = run_train(toy_config, "--work-dir", tmp_path / "w", "--resume", *options)
    assert run.returncode == 0, run.output
    assert "cannot continue exactly" in run.output and "were (5, 2, 1), are (2, 5, 1)" in run.output
    assert "Epoch 2 starts from its beginning" in run.output
    assert load_checkpoint(tmp_path / "w/epoch_3.pth")["meta"]["iter"] == 6


def test_the_latest_checkpoint_is_found(tmp_path):
    assert find_latest_checkpoint(tmp_path) is None
    for name in ("epoch_9.pth", "epoch_10.pth", "best_MOTA_epoch_12.pth"):
        (tmp_path / name).write_bytes(b"")
    assert find_latest_checkpoint(tmp_path) == tmp_path / "epoch_10.pth"
    (tmp_path / "last_checkpoint").write_text("/gone/epoch_9.pth")  # the folder was moved
    assert find_latest_checkpoint(tmp_path) == tmp_path / "epoch_9.pth"
