"""Necks to one fine map: interpolation, order of aggregation, gradients, errors."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmdeepmot.models.necks.dla_up import (
    IterativeAggregation,
    bilinear_kernel,
    depthwise_up_conv,
)
from mmdeepmot.registry import MODELS

CHANNELS = {2: (4, 6, 8, 10, 12), 4: (4, 6, 8, 10), 8: (6, 8, 10), 16: (8, 10)}


def neck(**kwargs) -> nn.Module:
    torch.manual_seed(0)
    return MODELS.build({"type": "DLAUp", **kwargs})


def levels(channels, size=16, batch=2, requires_grad=False) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.rand(batch, c, size >> i, 2 * size >> i, generator=generator).requires_grad_(
            requires_grad
        )
        for i, c in enumerate(channels)
    ]


class TestUpConvolution:
    def test_kernel_worked_by_hand(self):
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        torch.testing.assert_close(bilinear_kernel(2), torch.outer(row, row))

    @pytest.mark.parametrize("factor", [2, 4, 8])
    def test_starts_as_bilinear_interpolation(self, factor):
        x = torch.rand(1, 3, 6, 7)
        up = depthwise_up_conv(3, factor)
        expected = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
        got = up(x)
        assert got.shape == expected.shape
        inside = slice(factor, -factor)  # at the borders zeros are mixed in
        torch.testing.assert_close(
            got[..., inside, inside], expected[..., inside, inside], atol=1e-5, rtol=1e-5
        )

    def test_channels_do_not_mix(self):
        x = torch.zeros(1, 2, 3, 3)
        x[:, 0] = 1
        assert depthwise_up_conv(2, 2)(x)[:, 1].abs().max() == 0

    def test_initialisation_of_the_neck_keeps_it(self):
        built = neck()
        built.init_weights()
        for up in built.last.ups:
            kernel = bilinear_kernel(up.stride[0])
            torch.testing.assert_close(up.weight, kernel.expand_as(up.weight))


class Tag(nn.Module):
    """Writes down its name and what it is given, and passes the text on."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, text):
        return Text(f"{self.name}({text.value})")


class Text:
    """Adds up as text."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.shape = (0, 1)

    def __add__(self, other):
        return Text(f"{self.value}+{other.value}")


class TestAggregation:
    def tagged(self, built: nn.Module) -> nn.Module:
        for name, module in built.named_modules():
            if isinstance(module, IterativeAggregation):
                for part, letter in (("projections", "p"), ("ups", "u"), ("nodes", "n")):
                    layers = getattr(module, part)
                    for index in range(len(layers)):
                        number = name.removeprefix("deep.").replace("last", "L")
                        layers[index] = Tag(f"{letter}{number}{index}")
        return built

    def test_order_is_the_published_one(self):
        """Stride 8: levels a (8), b (16), c (32)."""
        built = self.tagged(neck(in_channels=(1, 1, 1), out_stride=8))
        (result,) = built([Text("a"), Text("b"), Text("c")])
        first = "n00(u00(p00(c))+b)"  # c joins b
        second = "n10(u10(p10(b))+a)"  # b joins a, then what c and b gave
        third = f"n11(u11(p11({first}))+{second})"
        assert result.value == f"nL0(uL0(pL0({first}))+{third})"

    def test_stride_16_is_one_join(self):
        built = self.tagged(neck(in_channels=(1, 1), out_stride=16))
        (result,) = built([Text("b"), Text("c")])
        assert result.value == "n00(u00(p00(c))+b)"


@pytest.mark.parametrize("dcn", [True, False])
@pytest.mark.parametrize("stride", [2, 4, 8, 16])
def test_one_map_at_the_stride(stride, dcn):
    channels = CHANNELS[stride]
    built = neck(in_channels=channels, out_stride=stride, dcn=dcn)
    maps = levels(channels)
    (result,) = built(maps)
    assert result.shape == maps[0].shape
    assert built.out_channels == channels[0]


def test_parameters_of_the_paper_s_network():
    """Counted from the published state dict's shapes, the biases before normalisations left out."""

    def node(c, o):  # 3x3 convolution, its offsets and mask (27 channels), normalisation
        return 9 * c * o + 27 * (9 * c + 1) + 2 * o

    def join(channels, o, factors):
        return sum(
            node(c, o) + (2 * f) ** 2 * o + node(o, o)
            for c, f in zip(channels, factors, strict=True)
        )

    expected = (
        join([512], 256, [2])
        + join([256, 256], 128, [2, 2])
        + join([128, 128, 128], 64, [2, 2, 2])
        + join([128, 256], 64, [2, 4])
    )
    assert sum(p.numel() for p in neck().parameters()) == expected


@pytest.mark.parametrize("dcn", [True, False])
def test_everything_gets_a_gradient(dcn):
    built = neck(in_channels=CHANNELS[4], dcn=dcn).train()
    built.init_weights()
    for module in built.modules():  # offsets between pixels, where sampling is differentiable
        if hasattr(module, "conv_offset"):
            nn.init.normal_(module.conv_offset.weight, std=0.05)
            nn.init.uniform_(module.conv_offset.bias, -0.4, 0.4)
    maps = levels(CHANNELS[4], requires_grad=True)
    built(maps)[0].square().mean().backward()
    without = [n for n, p in built.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []
    assert all(level.grad.abs().sum() > 0 for level in maps)


def test_deformable_convolution_starts_as_a_plain_one_with_half_the_weight():
    """Offsets start at 0 and the mask at sigmoid(0)."""
    deformable, plain = (
        neck(in_channels=(3, 4), out_stride=16, dcn=d).eval() for d in (True, False)
    )
    deformable.init_weights()
    state = deformable.state_dict()
    halved = {
        key: value / 2 if key.endswith("conv.weight") else value
        for key, value in state.items()
        if "conv_offset" not in key
    }
    plain.load_state_dict(halved)
    maps = levels((3, 4))
    torch.testing.assert_close(deformable(maps)[0], plain(maps)[0], atol=1e-6, rtol=1e-5)


def test_a_step_of_training_lowers_the_loss():
    built = neck(in_channels=CHANNELS[8], out_stride=8).train()
    maps = levels(CHANNELS[8], size=8)
    wanted = torch.rand(2, 6, 8, 16)
    optimizer = torch.optim.Adam(built.parameters(), lr=1e-2)
    losses = []
    for _ in range(8):
        loss = F.mse_loss(built(maps)[0], wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"out_stride": 3}, "out_stride of DLAUp must be 2, 4, 8 or 16, got 3"),
        ({"out_stride": 8}, r"needs 3 levels \(strides 8 to 32\), got in_channels=\(64, 128, 256"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        neck(**kwargs)


@pytest.mark.parametrize("kind", ["DLAUp", "FPNUp"])
def test_other_levels_are_refused(kind):
    built = MODELS.build({"type": kind})
    with pytest.raises(ValueError, match=r"expects levels of \(64, 128, 256, 512\) .* got \(4, 6"):
        built(levels((4, 6)))


class TestFPNUp:
    def built(self, **kwargs) -> nn.Module:
        torch.manual_seed(0)
        cfg = {"type": "FPNUp", "in_channels": (4, 6, 8), "widths": (7, 5), **kwargs}
        return MODELS.build(cfg)

    @pytest.mark.parametrize("dcn", [True, False])
    def test_finest_map_and_gradients(self, dcn):
        built = self.built(dcn=dcn)
        built.init_weights()
        for module in built.modules():
            if hasattr(module, "conv_offset"):
                nn.init.uniform_(module.conv_offset.bias, -0.4, 0.4)
        maps = levels((4, 6, 8), requires_grad=True)
        (result,) = built.train()(maps)
        assert result.shape == (2, 5, 16, 32) and built.out_channels == 5
        result.square().mean().backward()
        without = [n for n, p in built.named_parameters() if p.grad is None or not p.grad.any()]
        assert without == []
        assert all(level.grad.abs().sum() > 0 for level in maps)

    def test_without_skips_it_is_the_plain_neck(self):
        """With silent laterals and neutral nodes the way up is ``CTResNetNeck``'s."""
        built = self.built().eval()
        plain = MODELS.build(
            {"type": "CTResNetNeck", "in_channels": 8, "num_deconv_filters": (7, 5),
             "num_deconv_kernels": (4, 4), "use_dcn": False}
        ).eval()  # fmt: skip
        for step, up in enumerate(built.ups):
            for part in range(2):
                plain.deconv_layers[2 * step + part].load_state_dict(
                    up.deconv_layers[part].state_dict()
                )
        for lateral in built.laterals:
            nn.init.zeros_(lateral.conv.weight)
        for node in built.nodes:
            nn.init.dirac_(node.conv.weight)
            node.bn.running_var.fill_(1 - node.bn.eps)
        maps = levels((4, 6, 8))
        torch.testing.assert_close(built(maps)[0], plain(maps)[0])

    @pytest.mark.parametrize("widths", [(7,), (7, 5, 3)])
    def test_widths_must_fit(self, widths):
        with pytest.raises(ValueError, match="one width less than levels"):
            self.built(widths=widths)
