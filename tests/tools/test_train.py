"""tools/train.py as a user calls it."""

import importlib.util

import pytest
from mmengine.config import Config
from toy_fixtures import ROOT

from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.engine.optim import cpu_has_bfloat16

spec = importlib.util.spec_from_file_location("train_tool", ROOT / "tools/train.py")
train_tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(train_tool)


def test_the_default_work_dir_is_named_after_the_config(toy_config, run_train, tmp_path):
    run = run_train("toy.py", "--cfg-options", "train_cfg.max_epochs=1")
    assert run.returncode == 0, run.output
    assert (tmp_path / "work_dirs/toy/epoch_1.pth").is_file()
    dumped = Config.fromfile(tmp_path / "work_dirs/toy/toy.py")
    assert dumped.model.head.num_ids == 4 and dumped.train_cfg.max_epochs == 1


def test_resume_without_anything_to_resume_starts(toy_config, run_train, tmp_path):
    run = run_train("toy.py", "--resume", "--cfg-options", "train_cfg.max_epochs=1")
    assert run.returncode == 0
    assert "--resume: no checkpoint in work_dirs/toy, starting from the beginning" in run.output


@pytest.mark.skipif(not cpu_has_bfloat16(), reason="this CPU has no bfloat16 arithmetic")
def test_mixed_precision_on_a_cpu_trains_and_resumes(toy_config, run_train, tmp_path):
    one = ("--cfg-options", "train_cfg.max_epochs=1")
    assert run_train("toy.py", "--amp", *one).returncode == 0
    run = run_train("toy.py", "--amp", "--resume")
    assert run.returncode == 0 and "resumed epoch: 1, iter: 5" in run.output, run.output
    assert "CpuAmpOptimWrapper" in (tmp_path / "work_dirs/toy/toy.py").read_text()
    plain = run_train("toy.py", "--work-dir", tmp_path / "plain", *one)
    assert plain.returncode == 0
    mixed, full = (
        load_checkpoint(tmp_path / folder / "epoch_1.pth")["state_dict"]["head.layer.weight"]
        for folder in ("work_dirs/toy", "plain")
    )
    assert mixed.dtype == full.dtype and not mixed.equal(full)
    assert mixed.allclose(full, atol=0.05)


USER_ERRORS = {
    "missing config": (["tyo.py"], r"config tyo.py does not exist; did you mean toy.py?"),
    "missing checkpoint": (["toy.py", "--resume", "x.pth"], "checkpoint x.pth does not exist"),
    "misspelt option": (
        ["toy.py", "--cfg-options", "model.hed=1"],
        "--cfg-options model.hed: model: ToyModel has no argument 'hed' (did you mean 'head'?)",
    ),
    "too few classes": (
        ["toy.py", "--cfg-options", "model.head.num_ids=3"],
        "4 identities (0 to 3), the classifier of head (ToyHead) has num_ids=3",
    ),
    "no GPU": (["toy.py", "--device", "cuda"], "sees no GPU"),
}


@pytest.mark.parametrize("what", USER_ERRORS)
def test_errors_of_the_users_making(what, toy_config, run_train):
    arguments, message = USER_ERRORS[what]
    run = run_train(*arguments)
    assert run.returncode == 1
    last = run.output.strip().splitlines()[-1]
    assert last.startswith("error: ") and message in last
    assert "Traceback" not in run.output


def test_device_is_chosen_before_torch_is_imported(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    for argument, visible in (("cuda", "0,1"), ("cuda:1", "1"), ("cpu", "")):
        train_tool.select_device(["config.py", "--device", argument, "--amp"])
        assert train_tool.os.environ["CUDA_VISIBLE_DEVICES"] == visible
    with pytest.raises(SystemExit, match="expected cpu, cuda or cuda:N, got 'gpu'"):
        train_tool.select_device(["--device", "gpu"])


@pytest.mark.parametrize(
    ("bfloat16", "wrapper"), [(True, "CpuAmpOptimWrapper"), (False, "OptimWrapper")]
)
def test_amp_is_used_where_the_cpu_computes_in_it(monkeypatch, bfloat16, wrapper):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("mmdeepmot.engine.optim.cpu_has_bfloat16", lambda: bfloat16)
    cfg = Config({"optim_wrapper": {"type": "OptimWrapper"}})
    train_tool.enable_amp(cfg)
    assert cfg.optim_wrapper.type == wrapper
