"""The follower of docs/deepmot.md, taken from the page: trained, resumed, validated, tested."""

import json
import re
import sys
from pathlib import Path

import pytest
import tiny
import torch

from mmdeepmot.datasets.matrices import read_matrices
from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.registry import MODELS

SMALL = """
_base_ = ["my_config.py"]
few = dict(_delete_=True, preset="small", width=256, height=160, train_sequences=1,
           test_sequences=1, train_frames=21, test_frames=4, density=6.0, camera_motion=0.5)
size = (256, 160)
here = dict(data_root="streets", recipe=few)
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    **here, pipeline=[
        {**step, "size": size} if "size" in step else step for step in _base_.train_pipeline
    ]))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    **here, pipeline=[
        {**step, "size": size} if "size" in step else step for step in _base_.test_pipeline
    ]))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=3e-3))
default_hooks = dict(logger=dict(interval=5, first=0), checkpoint=dict(interval=10))
log_processor = dict(window_size=5)
custom_hooks = [*_base_.custom_hooks, dict(type="MatrixDumpHook", shard=100)]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository: Path) -> Path:
    """The page's two files, and ``small.py``, the same on a few frames."""
    path = tmp_path_factory.mktemp("own")
    page = (repository / "docs/deepmot.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"```python\n# (my_\w+\.py)\n(.*?)```", page, re.DOTALL))
    assert set(blocks) == {"my_tracker.py", "my_config.py"}
    assert len(blocks["my_tracker.py"].splitlines()) <= 40
    for name, text in blocks.items():
        (path / name).write_text(text.replace('"configs/', f'"{repository}/configs/'))
    (path / "small.py").write_text(SMALL)
    return path


@pytest.fixture
def own(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("my_tracker", None)
    MODELS.module_dict.pop("CropRegressor", None)


def logged(run: Path) -> list[dict]:
    """What a run has logged of its training, each entry the mean of five iterations."""
    (file,) = run.glob("*/vis_data/scalars.json")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    return [entry for entry in entries if "loss_dmota" in entry]


def test_it_learns_and_is_validated_and_tested(own: Path, capsys):
    options = "--cfg-options train_cfg.max_epochs=10"
    assert tiny.call(tiny.load_tool("train"), f"small.py --work-dir run {options}") == 0
    for name, more in (("dMOTA", 0.05), ("dMOTP", 0.02)):
        curve = [entry[name] for entry in logged(own / "run")]
        assert len(curve) == 10
        assert sum(curve[-2:]) / 2 > sum(curve[:2]) / 2 + more
    assert all(entry["FP"] >= 0 and entry["IDS"] >= 0 for entry in logged(own / "run"))
    weights = load_checkpoint(own / "run/epoch_10.pth")["state_dict"]
    assert all(key.startswith("follower.") for key in weights)
    capsys.readouterr()
    command = "small.py run/epoch_10.pth --eval track --work-dir run/test"
    assert tiny.call(tiny.load_tool("test"), command) == 0
    table = capsys.readouterr().out
    assert "OVERALL" in table and "SynthMOT-test-001" in table


def test_matchers_are_judged_on_the_matrices_that_a_training_met(own: Path, repository, capsys):
    one = "val_cfg=None val_dataloader=None val_evaluator=None train_cfg.max_epochs=1"
    train = f"small.py --work-dir met --cfg-options {one}"
    assert tiny.call(tiny.load_tool("train"), train) == 0
    assert len(read_matrices(own / "met/matrices")) == 20
    few = "test_dataloader.num_workers=0 test_dataloader.dataset.datasets=[met/matrices]"
    command = f"{repository}/configs/dhn/sinkhorn.py --eval assignment --work-dir met/test"
    capsys.readouterr()
    assert tiny.call(tiny.load_tool("test"), f"{command} --cfg-options {few}") == 0
    table = capsys.readouterr().out
    assert "deepmot" in table and "WA row" in table


def test_a_resumed_training_ends_with_the_same_weights(own: Path):
    train = tiny.load_tool("train")
    always = "val_cfg=None val_dataloader=None val_evaluator=None"
    always += " default_hooks.checkpoint.interval=1"
    for work_dir, epochs, more in (("one", 2, ""), ("two", 1, ""), ("two", 2, "--resume")):
        options = f"--cfg-options train_cfg.max_epochs={epochs} {always}"
        assert tiny.call(train, f"small.py --amp --work-dir {work_dir} {more} {options}") == 0
    one, two = (load_checkpoint(own / run / "epoch_2.pth")["state_dict"] for run in ("one", "two"))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)
