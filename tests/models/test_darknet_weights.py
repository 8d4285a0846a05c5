"""Darknet's binary weights, on files written in that format."""

import numpy as np
import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn

from mmdeepmot.models.utils.darknet_weights import (
    load_darknet_weights,
    read_darknet_weights,
)
from mmdeepmot.registry import MODELS


@pytest.fixture(scope="module")
def backbone() -> nn.Module:
    return MODELS.build({"type": "Darknet", "depth": 53})


def values_of(backbone: nn.Module) -> np.ndarray:
    """All values in file order, written independently: walk the convolutions as they run."""
    blocks = [backbone.conv1]
    for stage in range(1, 6):
        block = getattr(backbone, f"conv_res_block{stage}")
        blocks.append(block.conv)
        for name, child in block.named_children():
            if name.startswith("res"):
                blocks += [child.conv1, child.conv2]
    parts = []
    for conv in blocks:
        for t in (
            conv.bn.bias,
            conv.bn.weight,
            conv.bn.running_mean,
            conv.bn.running_var,
            conv.conv.weight,
        ):
            parts.append(t.detach().numpy().ravel())
    return np.concatenate(parts)


def write(path, values, version=(0, 2, 0), seen=32013312):
    header = np.array(version, "<i4").tobytes()
    header += np.array(seen, "<i8" if version[0] * 10 + version[1] >= 2 else "<i4").tobytes()
    path.write_bytes(header + np.asarray(values, "<f4").tobytes())


def random_darknet(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    backbone = MODELS.build({"type": "Darknet", "depth": 53})
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (
                module.weight.data,
                module.bias.data,
                module.running_mean,
                module.running_var,
            ):
                tensor.uniform_(0.5, 1.5)
    return backbone


@pytest.mark.parametrize("version", [(0, 2, 0), (0, 1, 0)])
def test_every_weight_comes_back(tmp_path, backbone, version):
    source = random_darknet(1)
    values = values_of(source)
    assert len(values) == 40_620_640  # darknet53.conv.74 has 162,482,580 bytes: this and the header
    write(tmp_path / "weights", values, version)
    read = read_darknet_weights(tmp_path / "weights")
    assert (read.version, read.seen) == (version, 32013312)
    load_darknet_weights(backbone, tmp_path / "weights")
    for name, tensor in source.state_dict().items():
        assert torch.equal(backbone.state_dict()[name], tensor), name


def test_init_cfg_loads_the_file(tmp_path):
    class Tiny(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = ConvModule(1, 2, 1, norm_cfg={"type": "BN"})

    from mmengine.model import initialize

    write(tmp_path / "w", np.arange(1, 11))
    tiny = Tiny()
    initialize(tiny, {"type": "DarknetPretrainedInit", "checkpoint": str(tmp_path / "w")})
    assert tiny.conv1.bn.bias.tolist() == [1, 2]
    assert tiny.conv1.bn.weight.tolist() == [3, 4]
    assert tiny.conv1.bn.running_mean.tolist() == [5, 6]
    assert tiny.conv1.bn.running_var.tolist() == [7, 8]
    assert tiny.conv1.conv.weight.flatten().tolist() == [9, 10]


def test_every_weight_survives_the_initialisation_of_the_parts(tmp_path):
    source = random_darknet(2)
    write(tmp_path / "weights", values_of(source))
    init_cfg = {"type": "DarknetPretrainedInit", "checkpoint": str(tmp_path / "weights")}
    backbone = MODELS.build({"type": "Darknet", "depth": 53, "init_cfg": init_cfg})
    backbone.init_weights()
    for name, tensor in source.state_dict().items():
        assert torch.equal(backbone.state_dict()[name], tensor), name


def test_errors_say_what_is_wrong(tmp_path, backbone):
    with pytest.raises(FileNotFoundError, match=r"download https://pjreddie.*init_cfg=None"):
        read_darknet_weights(tmp_path / "none")
    (tmp_path / "short").write_bytes(b"123")
    with pytest.raises(ValueError, match="3 bytes: too short"):
        read_darknet_weights(tmp_path / "short")
    (tmp_path / "odd").write_bytes(b"\0\0\0\0\2\0\0\0" + b"\0" * 15)
    with pytest.raises(ValueError, match="no multiple of 4"):
        read_darknet_weights(tmp_path / "odd")
    write(tmp_path / "few", np.zeros(500))
    with pytest.raises(
        ValueError, match=r"end inside conv1\.conv\.weight: it needs values 128 to 992"
    ):
        load_darknet_weights(backbone, tmp_path / "few")
