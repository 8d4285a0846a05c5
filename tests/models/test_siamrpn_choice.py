"""Which proposal SiamRPN takes, against the published rules written plainly; its templates."""

import numpy as np
import pytest
import torch
from sot_small import BOXES, IDS, SIAMRPN, build, frames

from mmdeepmot.models.followers.siamrpn import Proposals


def plain_choice(anchors, hann, logits, deltas, size, penalty, window, rate):
    """One target, loop by loop: (box about the crop's centre, score, rate)."""

    def padded(w, h):
        pad = (w + h) * 0.5
        return np.sqrt((w + pad) * (h + pad))

    best, chosen = -1.0, None
    for anchor, hat, logit, delta in zip(anchors, hann, logits, deltas, strict=True):
        w, h = anchor[2] - anchor[0], anchor[3] - anchor[1]
        x = (anchor[0] + anchor[2]) / 2 + delta[0] * w
        y = (anchor[1] + anchor[3]) / 2 + delta[1] * h
        w, h = w * np.exp(delta[2]), h * np.exp(delta[3])
        score = np.exp(logit[1]) / np.exp(logit).sum()
        s = padded(w, h) / padded(*size)
        r = (size[0] / size[1]) / (w / h)
        trust = np.exp(-(max(s, 1 / s) * max(r, 1 / r) - 1) * penalty)
        decides = trust * score * (1 - window) + hat * window
        if decides > best:
            best, chosen = (
                decides,
                ([x - w / 2, y - h / 2, x + w / 2, y + h / 2], score, trust * score * rate),
            )
    return chosen


def random_proposals(net, count, spread=1.0):
    from mmdeepmot.models.heads.coding import decode_boxes

    logits = torch.randn(count, len(net.anchors), 2) * 3
    deltas = torch.randn(count, len(net.anchors), 4) * 0.3 * spread
    return Proposals(logits, deltas, decode_boxes(net.anchors, deltas))


def test_best_proposal_against_plain_rules():
    net = build(SIAMRPN)
    proposals = random_proposals(net, 20)
    sizes = torch.rand(20, 2) * 60 + 20
    box, score, rate = net._choose(proposals, sizes)
    for row in range(20):
        expected = plain_choice(
            net.anchors.double().numpy(), net.hann.double().numpy(),
            proposals.logits[row].double().numpy(), proposals.deltas[row].double().numpy(),
            sizes[row].double().numpy(), net.penalty, net.window, net.rate,
        )  # fmt: skip
        np.testing.assert_allclose(box[row], expected[0], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(score[row], expected[1], rtol=1e-4)
        np.testing.assert_allclose(rate[row], expected[2], rtol=1e-4)


def test_soft_choice_comes_near_the_best_as_the_temperature_falls():
    net = build(SIAMRPN, choice="soft", temperature=1e-4)
    proposals, sizes = random_proposals(net, 5), torch.rand(5, 2) * 60 + 20
    soft, *_ = net._choose(proposals, sizes)
    net.choice = "best"
    best, *_ = net._choose(proposals, sizes)
    torch.testing.assert_close(soft, best, atol=0.5, rtol=0)


def test_soft_choice_keeps_pixels_in_mixed_precision():
    net = build(SIAMRPN, choice="soft")
    proposals, sizes = random_proposals(net, 5), torch.rand(5, 2) * 60 + 20
    expected, *_ = net._choose(proposals, sizes)
    with torch.autocast("cpu", torch.bfloat16):
        box, *_ = net._choose(proposals, sizes)
    torch.testing.assert_close(box, expected)


def test_size_follows_at_its_rate_and_the_centre_at_once():
    net = build(SIAMRPN)
    first, second = frames()
    with torch.no_grad():
        half, _ = net.advance(second, net.start(first, BOXES, IDS))
        net.rate = 0.0
        none, _ = net.advance(second, net.start(first, BOXES, IDS))
    size = BOXES[:, 2:] - BOXES[:, :2]
    torch.testing.assert_close(none.boxes[:, 2:] - none.boxes[:, :2], size, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(half.boxes.view(3, 2, 2).mean(1), none.boxes.view(3, 2, 2).mean(1))
    assert (half.boxes[:, 2:] - half.boxes[:, :2] - size).abs().max() > 0.1


@torch.no_grad()
def test_templates_are_renewed_where_the_target_was_found():
    net = build(SIAMRPN, refresh=3)
    first, second = frames()
    net.refresh_score = float(net.advance(second, net.start(first, BOXES, IDS))[0].scores[1])
    ages, changed = [], []
    targets = net.start(first, BOXES, IDS)
    for _ in range(3):
        before = targets.memory["cls_kernel"]
        found, targets = net.advance(second, targets)
        ages.append(targets.memory["age"].tolist())
        changed.append((targets.memory["cls_kernel"] != before).flatten(1).any(1).tolist())
    assert ages[:2] == [[1] * 3, [2] * 3]
    assert changed[:2] == [[False] * 3] * 2
    renewed = (found.scores > net.refresh_score).tolist()
    assert changed[2] == renewed
    assert ages[2] == [0 if new else 3 for new in renewed]


def test_training_remembers_pixels_and_testing_kernels():
    net = build(SIAMRPN)
    first, second = frames()
    with torch.no_grad():
        tested = net.start(first, BOXES, IDS)
        assert tested.memory.keys() == {"age", "cls_kernel", "box_kernel"}
        net.train()
        trained = net.start(first, BOXES, IDS)
        assert trained.memory.keys() == {"age", "template"}
        assert trained.memory["template"].shape == (3, 3, 127, 127)
        net.eval()
        a, b = (net.advance(second, targets)[0] for targets in (tested, trained))
        torch.testing.assert_close(a.boxes, b.boxes)
        net.refresh, net.refresh_score = 1, 0.0
        with pytest.raises(ValueError, match="started in training cannot go on in testing"):
            net.advance(second, trained)
