"""Correlations, heads, anchors, windows and penalties of single-object trackers."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmdeepmot.models.sot.alexnet import CaffeNet, SiamAlexNet
from mmdeepmot.models.sot.anchors import anchor_boxes, change_penalty, cosine_window
from mmdeepmot.models.sot.correlation import depthwise_correlation, up_channel_correlation
from mmdeepmot.models.sot.rpn import DepthwiseRPN, UpChannelRPN

SMALL = (4, 6, 8, 8, 6)


def test_depthwise_correlation_is_one_convolution_a_pair():
    search, kernels = torch.rand(3, 4, 7, 6), torch.rand(3, 4, 3, 2)
    expected = torch.cat(
        [F.conv2d(s[None], k[:, None], groups=4) for s, k in zip(search, kernels, strict=True)]
    )
    torch.testing.assert_close(depthwise_correlation(search, kernels), expected)


def test_up_channel_correlation_is_one_convolution_a_pair():
    search, kernels = torch.rand(3, 4, 7, 6), torch.rand(3, 5 * 4, 3, 2)
    expected = torch.cat(
        [F.conv2d(s[None], k.view(5, 4, 3, 2)) for s, k in zip(search, kernels, strict=True)]
    )
    torch.testing.assert_close(up_channel_correlation(search, kernels), expected)


@pytest.mark.parametrize("correlate", [depthwise_correlation, up_channel_correlation])
def test_correlation_of_nothing_and_of_what_does_not_fit(correlate):
    assert correlate(torch.rand(0, 4, 7, 6), torch.rand(0, 8, 3, 2)).shape[::2] == (0, 5)
    with pytest.raises(ValueError, match=r"as many templates as search regions.*\(2, 4, 7, 6\)"):
        correlate(torch.rand(2, 4, 7, 6), torch.rand(3, 4, 3, 2))


@pytest.mark.parametrize(("side", "size"), [(127, 6), (191, 14), (255, 22), (271, 24)])
def test_siamese_backbone(side, size):
    net = SiamAlexNet(SMALL).eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 3, side, side)).shape == (1, 6, size, size)
    assert net.out_size(side) == size


@pytest.mark.parametrize("norm", ["lrn", "bn"])
@pytest.mark.parametrize(("side", "size"), [(227, 6), (131, 3)])
def test_caffenet(norm, side, size):
    net = CaffeNet(SMALL, norm).eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 3, side, side)).shape == (1, 6, size, size)
    assert net.out_size(side) == size


def test_backbones_shift_with_their_input():
    """Without padding, a shift by the stride is a shift of the features by one cell."""
    net = SiamAlexNet(SMALL).eval()
    wide = torch.rand(1, 3, 127, 135)
    with torch.no_grad():
        first, second = net(wide[..., :127]), net(wide[..., 8:])
    torch.testing.assert_close(first[..., 1:], second[..., :-1])


def test_parameters_of_the_published_networks():
    def millions(module):
        return sum(p.numel() for p in module.parameters()) / 1e6

    assert millions(SiamAlexNet()) == pytest.approx(3.75, abs=0.01)
    assert millions(UpChannelRPN(256)) == pytest.approx(18.89, abs=0.01)
    assert millions(CaffeNet()) == pytest.approx(2.33, abs=0.01)


@pytest.mark.parametrize("head", [UpChannelRPN, DepthwiseRPN])
def test_heads_order_anchors_by_anchor_row_column(head):
    net = head(6, num_anchors=3, width=4)
    net.init_weights()
    kernels = net.kernels(torch.rand(2, 6, 6, 6))
    logits, deltas = net(torch.rand(2, 6, 14, 14), kernels)
    assert logits.shape == (2, 3 * 81, 2)
    assert deltas.shape == (2, 3 * 81, 4)
    classes, maps = net.maps(torch.rand(2, 6, 14, 14), kernels)
    assert classes.shape == (2, 6, 9, 9)
    assert maps.shape == (2, 12, 9, 9)


@pytest.mark.parametrize("head", [UpChannelRPN, DepthwiseRPN])
def test_head_channels_are_value_major(head):
    net = head(6, num_anchors=3, width=4).eval()
    kernels, search = net.kernels(torch.rand(1, 6, 6, 6)), torch.rand(1, 6, 14, 14)
    logits, deltas = net(search, kernels)
    classes, maps = net.maps(search, kernels)
    anchor, row, column = 2, 5, 7
    at = (anchor * 9 + row) * 9 + column
    torch.testing.assert_close(logits[0, at], classes[0, [2, 5], row, column])
    torch.testing.assert_close(deltas[0, at], maps[0, [2, 5, 8, 11], row, column])


def test_untrained_up_channel_scores_are_undecided():
    net = UpChannelRPN(256)
    net.init_weights()
    with torch.no_grad():
        logits, _ = net(torch.randn(2, 256, 24, 24), net.kernels(torch.randn(2, 256, 6, 6)))
    assert (logits.softmax(-1)[..., 1] - 0.5).abs().max() < 0.3


def test_anchors_by_hand():
    anchors = anchor_boxes(3, ratios=(0.33, 1.0, 3.0)).view(3, 3, 3, 4)
    size = anchors[..., 2:] - anchors[..., :2]
    assert size[:, 0, 0].tolist() == [[104, 32], [64, 64], [32, 96]]  # 13x4, 8x8, 4x12 cells of 8
    centre = 0.5 * (anchors[..., 2:] + anchors[..., :2])
    assert centre[1, 1, 1].tolist() == [0, 0]
    assert centre[1, 0, 2].tolist() == [8, -8]  # row 0 is above, column 2 to the right
    assert (centre[0] == centre[2]).all()


def test_window_is_highest_in_the_middle_for_every_anchor():
    window = cosine_window(5, 2).view(2, 5, 5)
    assert (window[0] == window[1]).all()
    assert window[0, 2].tolist() == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-6)


def test_penalty_by_hand():
    boxes = torch.tensor([[[0.0, 0, 20, 40], [10, 10, 50, 90], [0, 0, 40, 20]]])
    penalty = change_penalty(boxes, torch.tensor([[20.0, 40]]), 0.1)
    # the same; twice as large; the same scale, four times as wide for its height
    expected = [1.0, math.exp(-0.1), math.exp(-0.3)]
    assert penalty[0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SiamAlexNet((4, 4)), "channels must be five positive numbers, got"),
        (lambda: CaffeNet((4, 6, 8, 7, 6)), "must be even"),
        (lambda: CaffeNet(SMALL, "gn"), "norm must be one of .*got 'gn'"),
    ],
)
def test_bad_options(build, message):
    with pytest.raises(ValueError, match=message):
        build()
