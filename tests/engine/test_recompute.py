"""Recomputed and compiled parts change nothing but memory and time."""

import copy
from pathlib import Path
from unittest.mock import Mock

import pytest
import tiny
import torch
from jde_small import people, small_jde
from mmengine.config import Config
from torch import nn

import mmdeepmot.engine.recompute as recompute_module
from mmdeepmot.config_file import ConfigError
from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.engine.parts import find_parts
from mmdeepmot.engine.recompute import recompute, turn_on_activation_checkpointing
from mmdeepmot.engine.runner import MOTRunner
from mmdeepmot.engine.sharding import FullySharded


def step(model: nn.Module) -> dict[str, torch.Tensor]:
    """Losses, gradients and running statistics of one training step."""
    images = torch.randn(4, 3, 96, 128, generator=torch.Generator().manual_seed(7))
    loss = model.loss(images, people())["loss"]
    loss.backward()
    found = {"loss": loss.detach()}
    found |= {f"grad of {name}": p.grad for name, p in model.named_parameters()}
    return found | {name: buffer.clone() for name, buffer in model.named_buffers()}


def test_recomputed_parts_give_the_same_gradients_and_statistics():
    plain = small_jde().train()
    other = copy.deepcopy(plain)
    turn_on_activation_checkpointing(other, ["backbone", "neck"])
    calls = []
    other.backbone.register_forward_pre_hook(lambda *_: calls.append(1))
    expected, found = step(plain), step(other)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name)
    assert calls == [1]  # the module is called once, its inside runs twice
    with torch.no_grad():
        images = torch.rand(1, 3, 64, 64)
        for one, same in zip(other.eval().neck(other.backbone(images)), plain.eval().neck(
            plain.backbone(images)
        ), strict=True):  # fmt: skip
            assert torch.equal(one, same)


def test_activations_are_forgotten_and_statistics_updated_once():
    layers = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5))
    inside = []
    layers[0].register_forward_hook(lambda *_: inside.append(1))
    recompute(layers)
    images = torch.rand(2, 3, 5, 5)  # needs no gradient, as the input of a backbone
    torch.manual_seed(3)
    out = layers(images)
    out.sum().backward()
    assert inside == [1, 1]
    assert layers[0].weight.grad.any()
    assert layers[1].num_batches_tracked == 1
    mean = layers[0](images).mean(dim=(0, 2, 3)).detach()
    torch.testing.assert_close(layers[1].running_mean, 0.1 * mean)


def test_parts_by_names_and_patterns():
    model = small_jde()
    assert find_parts(model, None, "key") == [model.backbone, model.neck]
    assert find_parts(model, "bbox_head", "key") == [model.bbox_head]
    assert len(find_parts(model, ["backbone", "bbox_head.box_convs.*"], "key")) > 3
    with pytest.raises(ConfigError, match=r"key: JDE has no module 'bakbone'; .*backbone"):
        find_parts(model, ["bakbone"], "key")


def compiled(model: nn.Module, options) -> nn.Module:
    runner = MOTRunner.__new__(MOTRunner)
    runner.model, runner.cfg = model, Config({"compile": options})
    runner.logger = type("Silent", (), {"info": lambda *_: None})
    runner._maybe_compile("train_step")
    return model


def test_compiled_parts_give_the_same_gradients():
    plain = small_jde().train()
    other = compiled(copy.deepcopy(plain), dict(modules=["neck"], backend="aot_eager"))
    assert other.neck._compiled_call_impl is not None
    assert other.backbone._compiled_call_impl is None
    assert other.state_dict().keys() == plain.state_dict().keys()
    expected, found = step(plain), step(other)
    for name, value in expected.items():
        scale = value.abs().max().clamp(min=1e-3)
        torch.testing.assert_close(found[name] / scale, value / scale, atol=1e-5, rtol=0, msg=name)


def test_recomputed_parts_may_be_compiled():
    plain = small_jde().train()
    other = copy.deepcopy(plain)
    turn_on_activation_checkpointing(other, ["backbone"])
    torch._dynamo.reset()
    compiled(other, dict(modules=["backbone"], backend="aot_eager"))
    expected, found = step(plain), step(other)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, msg=key, rtol=1e-4, atol=1e-5)


def train_tiny(name: str, switch: str = "") -> dict[str, torch.Tensor]:
    """Weights after an epoch, three iterations, of the tiny JDE in the working folder."""
    Path(f"{name}.py").write_text(f"_base_ = 'tiny.py'\n{switch}\n")
    assert tiny.call(tiny.load_tool("train"), f"{name}.py --work-dir {name} --seed 1") == 0
    return load_checkpoint(f"{name}/epoch_1.pth")["state_dict"]


def test_a_training_with_either_switch_learns_the_same(tiny_project, monkeypatch):
    """The keys of a config reach the model, and the weights are those of a plain training."""
    plain = train_tiny("plain")
    checkpoint = Mock(wraps=recompute_module.checkpoint)
    monkeypatch.setattr(recompute_module, "checkpoint", checkpoint)
    parts = "['detector.backbone', 'detector.neck']"
    recomputed = train_tiny("recomputed", f"activation_checkpointing = {parts}")
    assert checkpoint.call_count == 2 * 3  # parts, iterations
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    options = "dict(modules=['detector.neck'], backend='aot_eager')"
    compiled = train_tiny("compiled", f"compile = {options}")
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    for key, value in plain.items():
        torch.testing.assert_close(recomputed[key], value, msg=key, rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(compiled[key], value, msg=key, rtol=1e-4, atol=1e-5)


def test_parts_are_compiled_by_their_names_inside_a_wrapper():
    wrapped = FullySharded.__new__(FullySharded)
    nn.Module.__init__(wrapped)
    wrapped.module = small_jde()
    compiled(wrapped, dict(modules=["neck"], backend="eager"))
    assert wrapped.module.neck._compiled_call_impl is not None


def test_what_compile_may_be():
    assert compiled(small_jde(), False).neck._compiled_call_impl is None
    both = compiled(small_jde(), True)
    assert both.neck._compiled_call_impl is not None
    assert both.backbone._compiled_call_impl is not None
    with pytest.raises(ConfigError, match=r"compile: expected True, False or a dict .* got 'max'"):
        compiled(small_jde(), "max")
