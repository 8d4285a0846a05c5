"""Loading: plain data only, whatever the entrance; writing: whole or not at all."""

import functools
import http.server
import os
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.logging import HistoryBuffer
from mmengine.runner import load_checkpoint as mmengine_load
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn
from toy_fixtures import toy_environment

from mmdeepmot.engine import atomic
from mmdeepmot.engine.atomic import atomic_write, remove_leftovers
from mmdeepmot.engine.checkpoint import CheckpointError, load_checkpoint
from mmdeepmot.engine.weights import load_weights, match_weights


class Payload:
    """Writes a file when unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "executed"


@pytest.fixture
def evil(tmp_path, marker):
    """A checkpoint that fits and executes code where unpickling is not restricted."""
    path = tmp_path / "evil.pth"
    checkpoint = dict(
        state_dict=nn.Linear(2, 1).state_dict(),
        meta=dict(epoch=1, iter=5),
        optimizer=Payload(marker),
    )
    torch.save(checkpoint, path)
    return path


def test_the_payload_works_where_nothing_stops_it(evil, marker):
    torch.load(evil, weights_only=False)
    assert marker.exists()


def entrances(path):
    yield "our loader", lambda: load_checkpoint(path)
    yield "load_weights", lambda: load_weights(nn.Linear(2, 1), path)
    yield "mmengine's load_checkpoint", lambda: mmengine_load(nn.Linear(2, 1), str(path))
    yield "mmengine's CheckpointLoader", lambda: CheckpointLoader.load_checkpoint(str(path))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("legacy", [False, True])
def test_malicious_checkpoint_is_refused_by_functions(number, legacy, evil, marker):
    if legacy:  # torch's old format, and what is not torch's at all
        evil.write_bytes(pickle.dumps(dict(state_dict={}, optimizer=Payload(marker))))
    _, load = list(entrances(evil))[number]
    with pytest.raises(CheckpointError, match=r"evil\.pth: refused.*could execute code"):
        load()
    assert not marker.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--cfg-options", "load_from={path}"],
        ["--resume", "{path}"],
        ["--cfg-options", "model.init_cfg.checkpoint={path}"],
    ],
)
def test_malicious_checkpoint_is_refused_in_training(
    arguments, evil, marker, toy_config, run_train
):
    if "init_cfg" in arguments[-1]:
        with toy_config.open("a") as file:
            file.write("model['init_cfg'] = dict(type='Pretrained', checkpoint='')\n")
    run = run_train(toy_config, *[text.format(path=evil) for text in arguments])
    assert run.returncode == 1
    assert "evil.pth: refused" in run.output
    assert not marker.exists()


def test_malicious_last_checkpoint_is_refused(evil, marker, toy_config, run_train):
    (evil.parent / "last_checkpoint").write_text(str(evil))
    run = run_train(toy_config, "--work-dir", evil.parent, "--resume")
    assert run.returncode == 1 and "evil.pth: refused" in run.output
    assert not marker.exists()


@pytest.fixture
def web(tmp_path, monkeypatch):
    """Address of a server of tmp_path; downloads go to a cache of the test's."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *args: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_downloads_are_held_to_the_same(evil, marker, web, tmp_path):
    with pytest.raises(CheckpointError, match=r"evil\.pth: refused"):
        load_checkpoint(f"{web}/evil.pth")
    with pytest.raises(CheckpointError, match=r"evil\.pth: refused"):
        CheckpointLoader.load_checkpoint(f"{web}/evil.pth")
    assert not marker.exists()
    torch.save(dict(state_dict=dict(a=torch.ones(2)), meta=dict(config="boom")), tmp_path / "g.pth")
    good = load_checkpoint(f"{web}/g.pth")
    assert good["state_dict"]["a"].tolist() == [1, 1] and good["meta"] == {}


def test_every_scheme_of_mmengine_is_ours():
    modules = {loader.__module__ for loader in CheckpointLoader._schemes.values()}
    assert modules == {"mmdeepmot.engine.checkpoint"}
    with pytest.raises(CheckpointError, match=r"pavi://x: this kind of address"):
        load_checkpoint("pavi://x")
    with pytest.raises(CheckpointError, match=r"torchvision://resnet51.*near ones.*resnet50"):
        load_checkpoint("torchvision://resnet51")


def test_models_alone_load_safely_too():
    """Whoever builds a model with pretrained weights has imported the models, maybe no more."""
    program = (
        "import mmdeepmot.models; from mmengine.runner.checkpoint import CheckpointLoader as c;"
        "assert {f.__module__ for f in c._schemes.values()} == {'mmdeepmot.engine.checkpoint'}"
    )
    subprocess.run([sys.executable, "-c", program], env=toy_environment(), check=True)


CONFIG_TEXT = "import os\nos.system('touch {marker}')\nmodel = dict(type='ToyModel')\n"


def with_config(marker):
    text = CONFIG_TEXT.format(marker=marker)
    hub = dict(runtime_info=dict(cfg=text, epoch=1), log_scalars={}, resumed_keys=dict(cfg=True))
    return dict(state_dict={}, meta=dict(epoch=1, iter=5, cfg=text, config=text), message_hub=hub)


def test_the_config_text_works_where_nothing_stops_it(marker):
    Config.fromstring(with_config(marker)["meta"]["config"], ".py")
    assert marker.exists()


def test_config_text_does_not_survive_loading(tmp_path, marker):
    torch.save(with_config(marker), tmp_path / "c.pth")
    checkpoint = load_checkpoint(tmp_path / "c.pth")
    assert checkpoint["meta"] == dict(epoch=1, iter=5)
    assert checkpoint["message_hub"] == dict(
        runtime_info=dict(epoch=1), log_scalars={}, resumed_keys={}
    )
    assert not marker.exists()


def test_config_text_is_not_executed_on_resume(tmp_path, marker, toy_config, run_train):
    assert run_train(toy_config, "--work-dir", tmp_path / "w").returncode == 0
    path = tmp_path / "w/epoch_2.pth"
    checkpoint = load_checkpoint(path)
    checkpoint["meta"].update(with_config(marker)["meta"], iter=10, epoch=2)
    checkpoint["message_hub"]["runtime_info"]["cfg"] = CONFIG_TEXT.format(marker=marker)
    torch.save(checkpoint, path)
    run = run_train(toy_config, "--work-dir", tmp_path / "w", "--resume", path)
    assert run.returncode == 0 and "resumed epoch: 2, iter: 10" in run.output, run.output
    assert not marker.exists()


def test_config_text_is_not_executed_by_mmengines_inferencer(tmp_path, marker):
    torch.save(with_config(marker), tmp_path / "c.pth")
    with pytest.raises(ValueError, match="Cannot find the config in the checkpoint"):
        BaseInferencer._init_model(None, Config(), str(tmp_path / "c.pth"))
    assert not marker.exists()


def test_log_histories_of_mmengine_load_without_their_functions(tmp_path):
    history = HistoryBuffer([1.0, 3.0], [1, 1])
    history.statistics_methods = {}
    scalars = OrderedDict({"train/loss": history})
    torch.save(dict(state_dict={}, message_hub=dict(log_scalars=scalars)), tmp_path / "h.pth")
    loaded = load_checkpoint(tmp_path / "h.pth")["message_hub"]["log_scalars"]["train/loss"]
    assert type(loaded) is HistoryBuffer
    assert loaded.mean() == 2.0 and loaded.current() == 3.0
    torch.save(loaded, tmp_path / "again.pth")


def test_a_history_cannot_bring_functions_of_its_own(tmp_path, monkeypatch):
    methods = dict(HistoryBuffer._statistics_methods)
    poisoned = dict(methods, mean=HistoryBuffer.max)  # pickled by way of getattr
    monkeypatch.setattr(HistoryBuffer, "_statistics_methods", poisoned)
    torch.save(
        dict(message_hub=dict(log_scalars=dict(x=HistoryBuffer([1.0, 3.0], [1, 1])))),
        tmp_path / "p.pth",
    )
    monkeypatch.setattr(HistoryBuffer, "_statistics_methods", methods)
    loaded = load_checkpoint(tmp_path / "p.pth")["message_hub"]["log_scalars"]["x"]
    assert loaded.statistics("mean") == 2.0
    assert HistoryBuffer._statistics_methods == methods


def test_numbers_of_numpy_load(tmp_path):
    content = dict(a=np.float32(1.5), b=np.arange(3), c=np.array([True]), d=slice(1, 2))
    torch.save(dict(meta=content), tmp_path / "n.pth")
    loaded = load_checkpoint(tmp_path / "n.pth")["meta"]
    assert loaded["a"] == 1.5 and loaded["b"].tolist() == [0, 1, 2] and loaded["c"].all()
    assert loaded["d"] == slice(1, 2)


def test_unreadable_files_are_named(tmp_path):
    torch.save(dict(a=torch.ones(100)), tmp_path / "epoch_1.pth")
    whole = (tmp_path / "epoch_1.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.pth").write_bytes(b"")
    torch.save([1], tmp_path / "list.pth")
    for name in ("cut", "empty"):
        with pytest.raises(CheckpointError, match=rf"{name}\.pth: (not a readable|refused)"):
            load_checkpoint(tmp_path / f"{name}.pth")
    with pytest.raises(CheckpointError, match=r"list\.pth: expected a dict of weights, got list"):
        load_checkpoint(tmp_path / "list.pth")
    with pytest.raises(FileNotFoundError, match=r"epoch_2\.pth does not exist; did you.*epoch_1"):
        load_checkpoint(tmp_path / "epoch_2.pth")
    with pytest.raises(FileNotFoundError, match=r"is a folder, expected a checkpoint file"):
        load_checkpoint(tmp_path)


def test_safetensors(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    model = nn.Linear(2, 1)
    safetensors.save_file(model.state_dict(), tmp_path / "m.safetensors")
    other = nn.Linear(2, 1)
    assert load_weights(other, tmp_path / "m.safetensors").fraction == 1
    assert torch.equal(model.weight, other.weight)


def small():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 4))


def test_match_counts_by_hand():
    weights = {key: value for key, value in small().state_dict().items() if key != "0.bias"}
    weights["2.weight"] = torch.ones(5, 3)
    weights["extra"] = torch.ones(1)
    match = match_weights(small(), weights)
    # 8 keys without the BN counter: 0.{w,b}, 1.{w,b,mean,var}, 2.{w,b}
    assert match.matched == 6 and match.missing == ("0.bias",) and match.unexpected == ("extra",)
    assert match.reshaped == ("2.weight (5, 3) -> (4, 3)",)
    assert match.fraction == 6 / 9


def test_load_weights_takes_most_and_refuses_another_architecture(tmp_path):
    source, target = small(), small()
    torch.save(
        dict(state_dict={f"module.{k}": v for k, v in source.state_dict().items()}),
        tmp_path / "s.pth",
    )
    assert load_weights(target, tmp_path / "s.pth").fraction == 1
    assert torch.equal(target[2].weight, source[2].weight)

    before = target[0].weight.clone()
    other = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(2, 3), nn.Linear(3, 9))
    torch.save(other.state_dict(), tmp_path / "o.pth")
    with pytest.raises(CheckpointError) as error:
        load_weights(target, tmp_path / "o.pth")
    message = str(error.value)
    assert "o.pth: a checkpoint of another architecture" in message
    assert "Expected the weights of Sequential" in message
    assert (
        "0.weight (8, 3, 3, 3) -> (3, 2)" in message and "only in the model: 1.running" in message
    )
    assert torch.equal(target[0].weight, before)
    load_weights(target, tmp_path / "o.pth", strict_fraction=0)


def test_resuming_another_architecture_is_refused(tmp_path, toy_config, run_train):
    assert run_train(toy_config, "--work-dir", tmp_path / "w").returncode == 0
    options = ("--cfg-options", "model.width=6")
    run = run_train(toy_config, "--work-dir", tmp_path / "w", "--resume", *options)
    assert run.returncode == 1
    assert "epoch_3.pth: a checkpoint of another architecture" in run.output
    assert "body.0.bias (8,) -> (6,)" in run.output


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.pth"
    atomic_write(path, b"old")

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    assert remove_leftovers(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write .*a\.pth: No space left.*--work-dir"):
        atomic_write(tmp_path / "a.pth", b"new")
    assert list(tmp_path.iterdir()) == []
