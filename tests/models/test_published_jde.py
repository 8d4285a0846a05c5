"""Published JDE checkpoints, on state dicts written with the published names."""

import importlib.util
from pathlib import Path

import pytest
import torch

from mmdeepmot.models.utils.published_jde import convert_published_jde
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).parents[2]
NUM_IDS = 9


def jde() -> torch.nn.Module:
    return MODELS.build(
        {
            "type": "JDE",
            "backbone": {"type": "Darknet", "norm_eval": False},
            "neck": {"type": "YOLOV3Neck", "num_scales": 3, "in_channels": [1024, 512, 256],
                     "out_channels": [512, 256, 128]},
            "bbox_head": {"type": "JDEHead", "num_ids": NUM_IDS, "anchors": "published_1088"},
        }
    )  # fmt: skip


def published_modules():
    """(number, in, out, kernel, stride, normalised) as the published cfg file lists them."""
    yield 0, 3, 32, 3, True
    number, channels = 1, 32
    for blocks in (1, 2, 8, 8, 4):
        yield number, channels, 2 * channels, 3, True
        number, channels = number + 1, 2 * channels
        for _ in range(blocks):
            yield number, channels, channels // 2, 1, True
            yield number + 1, channels // 2, channels, 3, True
            number += 3
    assert number == 75
    skips = {75: 1024, 90: 256 + 512, 105: 128 + 256}
    lateral = {87: (512, 256), 102: (256, 128)}
    for first, width in ((75, 512), (90, 256), (105, 128)):
        for at, (a, b) in lateral.items():
            if at == first - 3:
                yield at, a, b, 1, True
        inputs = skips[first]
        for step in range(6):
            out, kernel = (width, 1) if step % 2 == 0 else (2 * width, 3)
            yield first + step, inputs, out, kernel, True
            inputs = out
        yield first + 6, 2 * width, 24, 1, False
        yield first + 8, width, 512, 3, False


@pytest.fixture(scope="module")
def published() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {}
    for number, inputs, out, kernel, normalised in published_modules():
        name = f"module_list.{number}"
        conv = torch.empty(out, inputs, kernel, kernel).normal_(0, 0.02, generator=generator)
        state[f"{name}.conv_{number}.weight"] = conv
        if normalised:
            for key in ("weight", "bias", "running_mean", "running_var"):
                value = torch.rand(out, generator=generator)
                state[f"{name}.batch_norm_{number}.{key}"] = value
        else:
            state[f"{name}.conv_{number}.bias"] = torch.rand(out, generator=generator)
    for place, number in enumerate((85, 100, 115)):
        for task, key in enumerate(("s_c", "s_r", "s_id")):
            state[f"module_list.{number}.yolo_{number}.{key}"] = torch.tensor([10.0 * place + task])
    state["classifier.weight"] = torch.rand(NUM_IDS, 512, generator=generator)
    state["classifier.bias"] = torch.rand(NUM_IDS, generator=generator)
    return state


def test_every_key_has_a_place(published):
    model = jde()
    result = convert_published_jde(published, model.state_dict())
    assert result.complete, (result.unmatched, result.mismatched, result.missing)
    report = model.load_state_dict(result.state, strict=False)
    assert all(key.endswith("num_batches_tracked") for key in report.missing_keys)
    assert not report.unexpected_keys
    head = model.bbox_head
    # Scales are listed from the coarsest there, from the finest here.
    assert head.balance.log_variance.tolist() == [20, 21, 22, 10, 11, 12, 0, 1, 2]
    assert torch.equal(head.box_convs[0][1].bias, published["module_list.111.conv_111.bias"])
    assert torch.equal(head.embed_convs[2].weight, published["module_list.83.conv_83.weight"])
    assert torch.equal(model.neck.conv2.conv.weight, published["module_list.102.conv_102.weight"])
    third = model.backbone.conv_res_block3.res7.conv2
    assert torch.equal(third.conv.weight, published["module_list.35.conv_35.weight"])


def run_published(state, image):
    """The published network, by its list of modules: convolutions, shortcuts, routes."""
    from torch.nn import functional as F

    outputs, maps, x = [], {}, image
    convs = {number: normalised for number, *_, normalised in published_modules()}
    down = {1, 5, 12, 37, 62}
    routes = {82: [79], 84: [81, 83], 86: [79], 89: [88, 61], 97: [94], 99: [96, 98], 101: [94],
              104: [103, 36], 112: [109], 114: [111, 113]}  # fmt: skip
    for number in range(116):
        name = f"module_list.{number}"
        if number in convs:
            weight = state[f"{name}.conv_{number}.weight"]
            stride, pad = (2 if number in down else 1), weight.shape[-1] // 2
            x = F.conv2d(x, weight, state.get(f"{name}.conv_{number}.bias"), stride, pad)
            if convs[number]:
                bn = f"{name}.batch_norm_{number}"
                x = F.batch_norm(
                    x, state[f"{bn}.running_mean"], state[f"{bn}.running_var"],
                    state[f"{bn}.weight"], state[f"{bn}.bias"],
                )  # fmt: skip
                x = F.leaky_relu(x, 0.1)
        elif number in routes:
            x = torch.cat([outputs[i] for i in routes[number]], 1)
        elif number in (88, 103):
            x = F.interpolate(x, scale_factor=2)
        elif number in (85, 100, 115):
            maps[number] = x
        else:
            x = outputs[-1] + outputs[-3]
        outputs.append(x)
    return [maps[number] for number in (115, 100, 85)]


def test_converted_network_computes_what_the_published_one_does(published):
    model = jde().eval()
    model.load_state_dict(convert_published_jde(published, model.state_dict()).state, strict=False)
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        boxes, embeddings = model.bbox_head(model.extract_feat(image))
        expected = run_published(published, image)
    for box, embedding, wanted in zip(boxes, embeddings, expected, strict=True):
        joined = torch.cat((box, embedding), dim=1)
        scale = wanted.abs().max()
        torch.testing.assert_close(joined / scale, wanted / scale, atol=1e-5, rtol=0)


def test_strange_keys_and_shapes_are_reported(published):
    state = {f"module.{k}": v for k, v in published.items()}
    state["module.emb_scale"] = torch.tensor(1.0)
    state["module.module_list.3.conv_3.weight"] = torch.zeros(2, 2)
    del state["module.classifier.bias"]
    with torch.device("meta"):
        target = jde().state_dict()
    result = convert_published_jde(state, target)
    assert result.unmatched == ["module.emb_scale"]
    assert result.mismatched == [
        "module.module_list.3.conv_3.weight: expected (64, 32, 3, 3), got (2, 2)"
    ]
    assert result.missing == [
        "backbone.conv_res_block1.res0.conv2.conv.weight",
        "bbox_head.loss_id.classifier.bias",
    ]


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "tools" / "model_converters" / "jde.py"
    spec = importlib.util.spec_from_file_location("convert_jde", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tool_writes_a_checkpoint(tool, published, tmp_path, capsys):
    source, out = tmp_path / "jde.pt", tmp_path / "new" / "jde.pth"
    torch.save({"epoch": 3, "model": {**published, "odd": torch.zeros(1)}, "optimizer": []}, source)
    assert tool.main([str(source), str(out), "--size", "1088x608"]) == 0
    said = capsys.readouterr().out
    assert "left out: odd" in said and "jde_darknet53_1088x608_published.py" in said
    written = torch.load(out, weights_only=True)["state_dict"]
    assert torch.equal(
        written["detector.backbone.conv1.conv.weight"], published["module_list.0.conv_0.weight"]
    )
    assert [p.name for p in out.parent.iterdir()] == ["jde.pth"]


def test_the_tool_refuses_other_files(tool, tmp_path, capsys):
    torch.save({"state_dict": {"a": torch.zeros(1)}}, tmp_path / "other.pt")
    assert tool.main([str(tmp_path / "other.pt"), str(tmp_path / "out")]) == 1
    assert "no published JDE checkpoint" in capsys.readouterr().err
    assert tool.main([str(tmp_path / "none.pt"), str(tmp_path / "out")]) == 1
    assert "none.pt does not exist" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
