"""Published DLA-34, CenterNet and FairMOT checkpoints, on state dicts with the published names."""

import importlib.util
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmcv.ops import modulated_deform_conv2d
from torch import Tensor, nn

from mmdeepmot.engine.config import load_config
from mmdeepmot.models.utils import convert_published_fairmot
from mmdeepmot.models.utils.published_fairmot import fold_biases
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).parents[2]
CHANNELS = (16, 32, 64, 128, 256, 512)
HEADS = {"hm": 1, "wh": 4, "reg": 2, "id": 128}


def fairmot(**head) -> nn.Module:
    config = "configs/fairmot/published/fairmot_dla34_1088x608.py"
    cfg = load_config(ROOT / config, check=False).model.detector
    cfg.bbox_head.update(head)
    return MODELS.build(cfg)


class Writer:
    """Makes the tensors of a published checkpoint, seeded."""

    def __init__(self) -> None:
        self.state: dict[str, Tensor] = {}
        self.generator = torch.Generator().manual_seed(0)

    def conv(self, name: str, i: int, o: int, kernel: int, bias: bool = False) -> None:
        std = (2 / (i * kernel * kernel)) ** 0.5
        weight = torch.empty(o, i, kernel, kernel).normal_(0, std, generator=self.generator)
        self.state[f"{name}.weight"] = weight
        if bias:
            self.state[f"{name}.bias"] = 0.1 * torch.randn(o, generator=self.generator)

    def norm(self, name: str, channels: int) -> None:
        for key, low in (("weight", 0.5), ("bias", -0.5), ("running_mean", -0.5),
                         ("running_var", 0.5)):  # fmt: skip
            value = low + torch.rand(channels, generator=self.generator)
            self.state[f"{name}.{key}"] = value
        self.state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    def block(self, name: str, i: int, o: int) -> None:
        for number, channels in ((1, i), (2, o)):
            self.conv(f"{name}.conv{number}", channels, o, 3)
            self.norm(f"{name}.bn{number}", o)

    def project(self, name: str, i: int, o: int) -> None:
        self.conv(f"{name}.project.0", i, o, 1)
        self.norm(f"{name}.project.1", o)

    def root(self, name: str, i: int, o: int) -> None:
        self.conv(f"{name}.root.conv", i, o, 1)
        self.norm(f"{name}.root.bn", o)

    def backbone(self, base: str = "") -> None:
        self.conv(f"{base}base_layer.0", 3, 16, 7)
        self.norm(f"{base}base_layer.1", 16)
        for level, (i, o) in enumerate(((16, 16), (16, 32))):
            self.conv(f"{base}level{level}.0", i, o, 3)
            self.norm(f"{base}level{level}.1", o)
        for level in (2, 5):
            i, o, name = CHANNELS[level - 1], CHANNELS[level], f"{base}level{level}"
            self.block(f"{name}.tree1", i, o)
            self.block(f"{name}.tree2", o, o)
            self.root(name, 2 * o + (i if level == 5 else 0), o)
            self.project(name, i, o)
        for level in (3, 4):
            i, o, name = CHANNELS[level - 1], CHANNELS[level], f"{base}level{level}"
            self.project(name, i, o)
            for tree, before, joined in (("tree1", i, 0), ("tree2", o, o + i)):
                self.block(f"{name}.{tree}.tree1", before, o)
                self.block(f"{name}.{tree}.tree2", o, o)
                self.root(f"{name}.{tree}", 2 * o + joined, o)
            self.project(f"{name}.tree1", i, o)

    def deformable(self, name: str, i: int, o: int) -> None:
        self.conv(f"{name}.conv", i, o, 3, bias=True)
        self.conv(f"{name}.conv.conv_offset_mask", i, 27, 3, bias=True)
        self.state[f"{name}.conv.conv_offset_mask.weight"] *= 0.2
        self.norm(f"{name}.actf.0", o)

    def aggregation(self, name: str, channels: list[int], o: int, factors: list[int]) -> None:
        for number, (i, factor) in enumerate(zip(channels, factors, strict=True), start=1):
            self.deformable(f"{name}.proj_{number}", i, o)
            self.deformable(f"{name}.node_{number}", o, o)
            up = torch.rand(o, 1, 2 * factor, 2 * factor, generator=self.generator)
            self.state[f"{name}.up_{number}.weight"] = up / factor**2

    def neck(self) -> None:
        self.aggregation("dla_up.ida_0", [512], 256, [2])
        self.aggregation("dla_up.ida_1", [256, 256], 128, [2, 2])
        self.aggregation("dla_up.ida_2", [128, 128, 128], 64, [2, 2, 2])
        self.aggregation("ida_up", [128, 256], 64, [2, 4])

    def heads(self, **channels: int) -> None:
        for name, out in {**HEADS, **channels}.items():
            self.conv(f"{name}.0", 64, 256, 3, bias=True)
            self.conv(f"{name}.2", 256, out, 1, bias=True)


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    writer = Writer()
    writer.backbone("base.")
    writer.neck()
    writer.heads()
    return writer.state


class Published:
    """The published network, run from its state dict."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self.state = state

    def conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = self.state[f"{name}.weight"]
        pad = weight.shape[-1] // 2
        return F.conv2d(x, weight, self.state.get(f"{name}.bias"), stride, pad)

    def norm(self, x: Tensor, name: str) -> Tensor:
        keys = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.state[f"{name}.{key}"] for key in keys))

    def block(self, x: Tensor, name: str, stride: int, shortcut: Tensor) -> Tensor:
        out = self.norm(self.conv(x, f"{name}.conv1", stride), f"{name}.bn1").relu()
        return (self.norm(self.conv(out, f"{name}.conv2"), f"{name}.bn2") + shortcut).relu()

    def pair(self, x: Tensor, name: str, stride: int, joined: list[Tensor]) -> Tensor:
        """Two blocks and their root."""
        bottom = F.max_pool2d(x, stride, stride)
        if f"{name}.project.0.weight" in self.state:
            bottom = self.norm(self.conv(bottom, f"{name}.project.0"), f"{name}.project.1")
        first = self.block(x, f"{name}.tree1", stride, bottom)
        second = self.block(first, f"{name}.tree2", 1, first)
        x = self.conv(torch.cat([second, first, *joined], 1), f"{name}.root.conv")
        return self.norm(x, f"{name}.root.bn").relu()

    def backbone(self, x: Tensor, base: str = "base.") -> list[Tensor]:
        x = self.norm(self.conv(x, f"{base}base_layer.0"), f"{base}base_layer.1").relu()
        maps = []
        for level in range(6):
            name = f"{base}level{level}"
            pooled = [F.max_pool2d(x, 2, 2)] if level > 2 else []
            if level < 2:
                x = self.norm(self.conv(x, f"{name}.0", 1 + level), f"{name}.1").relu()
            elif level in (2, 5):
                x = self.pair(x, name, 2, pooled)
            else:
                first = self.pair(x, f"{name}.tree1", 2, [])
                x = self.pair(first, f"{name}.tree2", 1, [*pooled, first])
            maps.append(x)
        return maps

    def deformable(self, x: Tensor, name: str) -> Tensor:
        parts = self.conv(x, f"{name}.conv.conv_offset_mask").chunk(3, dim=1)
        weight, bias = self.state[f"{name}.conv.weight"], self.state[f"{name}.conv.bias"]
        x = modulated_deform_conv2d(
            x, torch.cat(parts[:2], 1), parts[2].sigmoid(), weight, bias, 1, 1, 1, 1, 1
        )
        return self.norm(x, f"{name}.actf.0").relu()

    def aggregate(self, maps: list[Tensor], name: str) -> list[Tensor]:
        maps = list(maps)
        for i in range(1, len(maps)):
            up = self.state[f"{name}.up_{i}.weight"]
            factor = up.shape[-1] // 2
            x = self.deformable(maps[i], f"{name}.proj_{i}")
            x = F.conv_transpose2d(x, up, None, factor, factor // 2, groups=len(up))
            maps[i] = self.deformable(x + maps[i - 1], f"{name}.node_{i}")
        return maps

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        s4, s8, s16, s32 = self.backbone(image)[2:]
        b = self.aggregate([s16, s32], "dla_up.ida_0")
        c = self.aggregate([s8, *b], "dla_up.ida_1")
        d = self.aggregate([s4, *c], "dla_up.ida_2")
        feature = self.aggregate([d[-1], c[-1], b[-1]], "ida_up")[-1]
        return {
            head: self.conv(self.conv(feature, f"{head}.0").relu(), f"{head}.2") for head in HEADS
        }


def close(got: Tensor, expected: Tensor) -> None:
    scale = expected.abs().max()
    torch.testing.assert_close(got / scale, expected / scale, atol=2e-5, rtol=0)


def test_every_key_has_a_place(published):
    model = fairmot()
    result = convert_published_fairmot(published, model.state_dict())
    assert (result.unmatched, result.mismatched) == ([], [])
    assert result.missing == ["bbox_head.balance.log_variance"]
    assert sorted({key.split(".project")[0] for key in result.unused}) == [
        "base.level3",
        "base.level4",
    ]
    biases = [key for key in published if key.endswith(".conv.bias")]
    assert len(result.state) + len(result.unused) + len(biases) == len(published)
    model.load_state_dict(result.state, strict=False)
    pairs = {
        "backbone.stem.conv.weight": "base.base_layer.0.weight",
        "backbone.levels.1.0.bn.running_var": "base.level1.1.running_var",
        "backbone.levels.2.left.downsample.1.weight": "base.level2.project.0.weight",
        "backbone.levels.4.left.left.downsample.2.bias": "base.level4.tree1.project.1.bias",
        "backbone.levels.4.right.root.conv.weight": "base.level4.tree2.root.conv.weight",
        "neck.deep.2.projections.1.conv.conv_offset.weight":
            "dla_up.ida_2.proj_2.conv.conv_offset_mask.weight",
        "neck.deep.0.ups.0.weight": "dla_up.ida_0.up_1.weight",
        "neck.last.nodes.1.bn.weight": "ida_up.node_2.actf.0.weight",
        "bbox_head.heatmap.2.bias": "hm.2.bias",
        "bbox_head.offset.0.weight": "reg.0.weight",
        "bbox_head.size.2.weight": "wh.2.weight",
        "bbox_head.embedding.2.weight": "id.2.weight",
    }  # fmt: skip
    state = model.state_dict()
    for ours, theirs in pairs.items():
        assert torch.equal(state[ours], published[theirs]), ours


def test_converted_network_computes_what_the_published_one_does(published):
    model = fairmot().eval()
    model.load_state_dict(
        convert_published_fairmot(published, model.state_dict()).state, strict=False
    )
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        got = model(image, mode="tensor")
        expected = Published(published)(image)
    for ours, theirs in zip(got, ("hm", "reg", "wh", "id"), strict=True):
        close(ours, expected[theirs])


def test_newer_names_wrappers_and_plain_state_dicts(published):
    newer = {
        f"module.{key}".replace("conv_offset_mask", "conv_offset"): value
        for key, value in published.items()
    }
    with torch.device("meta"):
        target = fairmot().state_dict()
    expected = convert_published_fairmot(published, target).state
    got = convert_published_fairmot(newer, target).state
    assert got.keys() == expected.keys()
    assert all(torch.equal(got[key], expected[key]) for key in got)


def test_bias_moves_into_the_running_mean():
    name = "ida_up.proj_1"
    source = {
        f"{name}.conv.bias": torch.tensor([1.0, -2.0]),
        f"{name}.actf.0.running_mean": torch.tensor([0.5, 0.5]),
    }
    folded = fold_biases(source)
    assert folded.keys() == {f"{name}.actf.0.running_mean"}
    assert folded[f"{name}.actf.0.running_mean"].tolist() == [-0.5, 2.5]
    assert source[f"{name}.actf.0.running_mean"].tolist() == [0.5, 0.5]
    alone = {f"{name}.conv.bias": torch.ones(2)}
    assert fold_biases(alone) == alone  # nowhere to go: reported as unmatched


def test_strange_keys_and_shapes_are_reported(published):
    state = {**published, "hm_hp.0.weight": torch.zeros(1), "level9.x": torch.zeros(1)}
    state["base.level0.0.weight"] = torch.zeros(2, 2)
    del state["id.2.bias"]
    with torch.device("meta"):
        target = fairmot(num_ids=5).state_dict()
    result = convert_published_fairmot(state, target)
    assert result.unmatched == ["hm_hp.0.weight", "level9.x"]
    assert result.mismatched == ["base.level0.0.weight: expected (16, 16, 3, 3), got (2, 2)"]
    assert result.missing == [
        "backbone.levels.0.0.conv.weight",
        "bbox_head.embedding.2.bias",
        "bbox_head.loss_id.classifier.weight",
        "bbox_head.loss_id.classifier.bias",
        "bbox_head.balance.log_variance",
    ]


class TestInitialisation:
    """``init_cfg=dict(type='DLAPretrainedInit', ...)``."""

    @pytest.fixture
    def imagenet(self, tmp_path) -> tuple[Path, dict[str, Tensor]]:
        writer = Writer()
        writer.backbone()
        writer.conv("fc", 512, 1000, 1, bias=True)
        torch.save(writer.state, tmp_path / "dla34.pth")
        return tmp_path / "dla34.pth", writer.state

    def built(self, path: Path, **kwargs) -> nn.Module:
        init_cfg = {"type": "DLAPretrainedInit", "checkpoint": str(path)}
        return MODELS.build({"type": "DLA", "init_cfg": init_cfg, **kwargs})

    def test_imagenet(self, imagenet):
        path, state = imagenet
        backbone = self.built(path).eval()
        backbone.init_weights()
        image = torch.rand(1, 3, 32, 64)
        with torch.no_grad():
            got, expected = backbone(image), Published(state).backbone(image, "")[2:]
        for ours, theirs in zip(got, expected, strict=True):
            close(ours, theirs)

    def test_nothing_is_drawn_anew_inside_a_detector(self, imagenet):
        path, state = imagenet
        cfg = load_config(ROOT / "configs/fairmot/fairmot_dla34.py", check=False).model.detector
        cfg.backbone.init_cfg = {"type": "DLAPretrainedInit", "checkpoint": str(path)}
        model = MODELS.build(cfg)
        model.init_weights()
        assert torch.equal(model.backbone.stem.conv.weight, state["base_layer.0.weight"])
        assert torch.equal(model.backbone.stem.bn.weight, state["base_layer.1.weight"])
        assert model.bbox_head.heatmap[2].bias.item() == pytest.approx(-2.19)

    def test_levels_that_are_not_built_are_left_out(self, imagenet):
        path, state = imagenet
        backbone = self.built(path, out_indices=(2, 3))
        backbone.init_weights()
        weight = backbone.levels[3].right.right.conv2.weight
        assert torch.equal(weight, state["level3.tree2.tree2.conv2.weight"])

    def test_a_whole_checkpoint_gives_its_backbone(self, published, tmp_path):
        path = tmp_path / "ctdet.pth"
        state = {f"module.{key}": value for key, value in published.items()}
        torch.save({"epoch": 140, "state_dict": state}, path)
        backbone = self.built(path)
        backbone.init_weights()
        assert torch.equal(backbone.levels[0][0].conv.weight, published["base.level0.0.weight"])

    def test_errors(self, imagenet, tmp_path):
        path, state = imagenet
        with pytest.raises(FileNotFoundError, match=r"none\.pth does not exist"):
            self.built(tmp_path / "none.pth").init_weights()
        torch.save({"layer1.0.conv1.weight": torch.zeros(1)}, tmp_path / "resnet.pth")
        with pytest.raises(
            ValueError, match=r"no published DLA-34 .* http://dl.yf.io/\S+; found \['layer1"
        ):
            self.built(tmp_path / "resnet.pth").init_weights()
        with pytest.raises(ValueError, match=r"does not fit DLA \(14 keys\):\n  level1\.0"):
            self.built(path, channels=(16, 8, 64, 128, 256, 512)).init_weights()
        del state["level5.root.bn.bias"]
        torch.save(state, path)
        with pytest.raises(ValueError, match=r"levels\.5\.root\.bn\.bias: missing"):
            self.built(path).init_weights()


class TestTool:
    @pytest.fixture(scope="class")
    def tool(self):
        path = ROOT / "tools" / "model_converters" / "fairmot.py"
        spec = importlib.util.spec_from_file_location("convert_fairmot", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_a_published_checkpoint(self, tool, published, tmp_path, capsys):
        source, out = tmp_path / "fairmot.pth", tmp_path / "new" / "fairmot.pth"
        torch.save({"epoch": 30, "state_dict": {**published, "odd": torch.zeros(1)}}, source)
        assert tool.main([str(source), str(out)]) == 0
        said = capsys.readouterr().out
        assert "no counterpart, left out: odd" in said
        assert "left out: base.level3.project.0.weight" in said
        assert "not in the file: bbox_head.balance.log_variance" in said
        assert "fairmot_dla34_1088x608.py" in said
        written = torch.load(out, weights_only=True)["state_dict"]
        assert torch.equal(written["detector.bbox_head.heatmap.2.bias"], published["hm.2.bias"])
        assert [path.name for path in out.parent.iterdir()] == ["fairmot.pth"]

    def test_a_detector_for_coco_is_a_start(self, tool, published, tmp_path, capsys):
        writer = Writer()
        writer.heads(hm=80, wh=2)
        state = {k: v for k, v in {**published, **writer.state}.items() if k[:3] != "id."}
        source, out = tmp_path / "ctdet.pth", tmp_path / "start.pth"
        torch.save({"state_dict": state}, source)
        assert tool.main([str(source), str(out)]) == 1
        error = capsys.readouterr().err
        assert "hm.2.weight: expected (1, 256, 1, 1), got (80, 256, 1, 1)" in error
        assert not out.exists()
        assert tool.main([str(source), str(out), "--partial"]) == 0
        said = capsys.readouterr().out
        assert "of another shape, left out: hm.2.bias: expected (1,), got (80,)" in said
        assert "not in the file: bbox_head.embedding.0.weight" in said
        assert "as load_from of" in said and "fairmot_dla34_joint.py" in said
        written = torch.load(out, weights_only=True)["state_dict"]
        assert torch.equal(written["detector.bbox_head.size.2.weight"], state["wh.2.weight"])
        assert "detector.bbox_head.heatmap.2.weight" not in written

    def test_other_files_are_refused(self, tool, published, tmp_path, capsys):
        torch.save({"model": {"a": torch.zeros(1)}}, tmp_path / "other.pth")
        assert tool.main([str(tmp_path / "other.pth"), str(tmp_path / "out")]) == 1
        assert "no published DLA-34 checkpoint" in capsys.readouterr().err
        half = {key: value for key, value in published.items() if not key.startswith("ida_up")}
        torch.save({"state_dict": half}, tmp_path / "half.pth")
        assert tool.main([str(tmp_path / "half.pth"), str(tmp_path / "out"), "--partial"]) == 1
        assert "neck.last.projections.0.conv.weight: missing" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()
