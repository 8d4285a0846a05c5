"""DLA-34: sizes, aggregation worked by hand, gradients, modes, errors."""

import pytest
import torch
from mmengine.model import initialize
from torch import nn

from mmdeepmot.models.backbones.dla import AggregationTree
from mmdeepmot.registry import MODELS

SLIM = (4, 4, 8, 8, 12, 16)


def dla(**kwargs) -> nn.Module:
    torch.manual_seed(0)
    return MODELS.build({"type": "DLA", **kwargs})


def test_channels_strides_and_parameters_of_the_paper():
    with torch.device("meta"):
        backbone = dla(out_indices=range(6))
        maps = backbone(torch.zeros(2, 3, 64, 96))
    assert [tuple(m.shape) for m in maps] == [
        (2, channels, 64 // stride, 96 // stride)
        for channels, stride in zip((16, 32, 64, 128, 256, 512), (1, 2, 4, 8, 16, 32), strict=True)
    ]
    # Published: 15.8 M with the classifier (and two projections that nothing reads).
    ours = sum(p.numel() for p in backbone.parameters())
    classifier = 512 * 1000 + 1000
    unread = (64 * 128 + 2 * 128) + (128 * 256 + 2 * 256)
    assert ours == 15_229_104
    assert round((ours + classifier + unread) / 1e6, 1) == 15.8


def test_levels_above_the_last_are_not_built():
    assert len(dla(out_indices=(3,)).levels) == 4


class Ones(nn.Module):
    """Gives as many channels as asked for: the mean of all channels of the input, plus ``add``."""

    def __init__(self, channels: int, add: float, stride: int = 1) -> None:
        super().__init__()
        self.channels, self.add, self.stride = channels, add, stride

    def forward(self, x):
        mean = x.mean(dim=1, keepdim=True)[..., :: self.stride, :: self.stride]
        return mean.expand(-1, self.channels, -1, -1) + self.add


def test_a_tree_of_depth_two_joins_what_the_paper_draws():
    """Fig. 2 f: the second root joins its two blocks, the pooled input and the first root."""
    tree = AggregationTree(2, 1, 1, 2, {"type": "BN"}, join_input=True)
    tree.left.left, tree.left.right = Ones(1, 1.0, stride=2), Ones(1, 10.0)
    tree.right.left, tree.right.right = Ones(1, 100.0), Ones(1, 1000.0)
    tree.eval()
    seen = []
    for root in (tree.left.root, tree.right.root):
        root.register_forward_pre_hook(lambda _, args: seen.append(args[0][0, :, 0, 0].tolist()))
        nn.init.ones_(root.conv.weight)
    result = tree(torch.tensor([[[[0.0, 5.0], [2.0, 1.0]]]]))
    # First tree: blocks give 0 + 1 = 1 and 1 + 10 = 11, its root their sum.
    assert seen[0] == [11.0, 1.0]
    first = 12 / (1 + 1e-5) ** 0.5
    # Second: first + 100, that + 1000; the input pooled to its maximum, 5; the first tree's root.
    assert seen[1] == pytest.approx([first + 1100, first + 100, 5.0, first])
    assert result.shape == (1, 1, 1, 1)
    assert result.item() == pytest.approx((3 * first + 1205) / (1 + 1e-5) ** 0.5)


def test_roots_have_no_residual():
    tree = AggregationTree(1, 2, 2, 1, {"type": "BN"}).eval()
    nn.init.zeros_(tree.root.conv.weight)
    assert tree(torch.rand(1, 2, 4, 4)).abs().max() == 0


def test_every_parameter_gets_a_gradient():
    backbone = dla(channels=SLIM)
    backbone.init_weights()
    sum(m.square().mean() for m in backbone(torch.rand(2, 3, 64, 64))).backward()
    without = [n for n, p in backbone.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


def test_a_frame_s_features_do_not_depend_on_its_batch():
    backbone = dla(channels=SLIM).eval()
    images = torch.rand(3, 3, 32, 64)
    with torch.no_grad():
        together, alone = backbone(images), backbone(images[1:2])
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[1:2], b, atol=1e-5, rtol=1e-4)


def test_kaiming_is_the_default_initialisation():
    backbone = dla()
    backbone.init_weights()
    weight = backbone.levels[3].left.left.conv2.weight
    assert weight.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)
    assert weight.mean().abs() < 1e-3


@pytest.mark.parametrize("norm_eval", [False, True])
def test_norm_eval_keeps_statistics(norm_eval):
    backbone = dla(channels=SLIM, norm_eval=norm_eval)
    assert backbone.train() is backbone
    before = backbone.stem.bn.running_mean.clone()
    backbone(torch.rand(2, 3, 32, 32))
    assert torch.equal(backbone.stem.bn.running_mean, before) is norm_eval
    assert backbone.eval() is backbone


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"depth": 60}, r"must be one of \[34\], got 60"),
        ({"channels": (8, 8)}, r"channels of 6 levels, got \(8, 8\)"),
        ({"out_indices": (2, 6)}, r"among 0 to 5, got \(2, 6\)"),
        ({"out_indices": ()}, r"among 0 to 5, got \(\)"),
        ({"out_indices": (3, 2)}, r"must ascend, got \(3, 2\)"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        dla(**kwargs)


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match=r"multiples of 32, got 40x64 \(HxW\)"):
        dla(channels=SLIM)(torch.zeros(1, 3, 40, 64))


def test_an_init_cfg_of_the_user_is_taken():
    backbone = dla(channels=SLIM, init_cfg={"type": "Constant", "layer": "Conv2d", "val": 0.5})
    initialize(backbone, backbone.init_cfg)
    assert (backbone.levels[2].left.conv1.weight == 0.5).all()
