"""SiamRPN and GOTURN as followers: the protocol, and what all of them must have in common."""

import pytest
import torch
from sot_small import BOXES, FOLLOWERS, GOTURN, IDS, SIAMRPN, build, frames

from mmdeepmot.registry import MODELS


@pytest.fixture(params=FOLLOWERS)
def follower(request):
    return build(FOLLOWERS[request.param])


@torch.no_grad()
def follow(net, boxes=BOXES, ids=IDS, images=None, near=None):
    first, second = frames() if images is None else images
    targets = net.start(first, boxes, ids)
    return net.advance(second, targets if near is None else targets.looked_for(near))


def test_one_row_a_target(follower):
    found, targets = follow(follower)
    assert found.row_ids.tolist() == targets.ids.tolist() == [7, 3, 12]
    assert found.boxes.shape == (3, 4)
    assert found.valid.tolist() == [True] * 3
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()


def test_batch_is_one_after_another(follower):
    together, _ = follow(follower)
    for row in range(3):
        alone, _ = follow(follower, BOXES[row : row + 1], IDS[row : row + 1])
        torch.testing.assert_close(alone.boxes[0], together.boxes[row], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(alone.scores[0], together.scores[row], rtol=1e-3, atol=1e-4)


def test_order_of_targets_changes_nothing(follower):
    order = torch.tensor([2, 0, 1])
    expected, _ = follow(follower)
    found, _ = follow(follower, BOXES[order], IDS[order])
    torch.testing.assert_close(found.boxes, expected.boxes[order], rtol=1e-3, atol=1e-3)
    assert found.row_ids.tolist() == IDS[order].tolist()


def test_a_moved_camera_moves_what_is_found(follower):
    """Where the whole image moves and ``near`` with it, boxes do so too."""
    middle = torch.tensor([[130.0, 80, 150, 120]])  # no crop of it leaves the image
    shift = torch.tensor([12.0, 8, 12, 8])
    expected, _ = follow(follower, middle, IDS[:1])
    found, _ = follow(follower, middle, IDS[:1], frames((12, 8)), middle + shift)
    torch.testing.assert_close(found.boxes, expected.boxes + shift, atol=0.1, rtol=0)


def test_no_targets(follower):
    found, targets = follow(follower, BOXES[:0], IDS[:0])
    assert len(found) == len(targets) == 0
    assert found.boxes.shape == (0, 4)
    _, others = follow(follower)
    assert targets.and_also(others).ids.tolist() == [7, 3, 12]
    assert others[torch.tensor([], dtype=torch.int64)].and_also(others).ids.tolist() == [7, 3, 12]


def test_boxes_stay_in_the_image(follower):
    far = torch.tensor([[-60.0, -80, -20, -10], [270, 150, 330, 260], [100, 100, 100.5, 101]])
    found, targets = follow(follower.eval(), far)
    torch.testing.assert_close(found.boxes, targets.boxes, rtol=0, atol=0)
    centre = 0.5 * (targets.boxes[:, :2] + targets.boxes[:, 2:])
    assert (centre >= 0).all()
    assert (centre <= torch.tensor([280.0, 180])).all()
    side = targets.boxes[:, 2:] - targets.boxes[:, :2]
    assert (side >= 4 - 1e-4).all()
    assert (side[:, 0] <= 280.1).all()
    assert torch.isfinite(targets.boxes).all()
    found, targets = follow(follower.train(), far)  # where they would be drawn back from
    assert (0.5 * (found.boxes[0, :2] + found.boxes[0, 2:]) < 0).any()
    assert (0.5 * (targets.boxes[:, :2] + targets.boxes[:, 2:]) >= 0).all()


@pytest.mark.parametrize("name", ["siamrpn", "up_channel", "goturn"])
@pytest.mark.parametrize("choice", ["best", "soft"])
def test_gradients_of_the_boxes(name, choice):
    config = FOLLOWERS[name]
    if name == "goturn" and choice == "soft":
        pytest.skip("GOTURN has one proposal")
    net = build(config, **({} if name == "goturn" else {"choice": choice})).train()
    first, second = frames()
    targets = net.start(first, BOXES, IDS).detach()  # as where gradients stay in their frame
    found, _ = net.advance(second, targets)
    found.boxes.square().sum().backward()
    missing = {n for n, p in net.named_parameters() if p.grad is None}
    if choice == "best":
        assert all("_cls" in name for name in missing)
        assert bool(missing) == (name != "goturn")
    else:
        assert missing == set()
    grads = [p.grad for n, p in net.named_parameters() if p.grad is not None]
    assert all(torch.isfinite(grad).all() for grad in grads)
    if name != "goturn":  # the template's side too
        assert max(p.grad.abs().max() for n, p in net.named_parameters() if "template_box" in n) > 0


@pytest.mark.parametrize("name", FOLLOWERS)
def test_gradients_go_on_through_time(name):
    net = build(FOLLOWERS[name]).train()
    first, second = frames()
    boxes = BOXES.clone().requires_grad_()
    found, _ = net.advance(second, net.start(first, boxes, IDS))
    (gradient,) = torch.autograd.grad(found.boxes[:, :2].sum(), boxes)
    # Where a target stands moves where it is found.
    assert (gradient[:, 0] + gradient[:, 2] > 0.1).all()
    assert (gradient[:, 1] + gradient[:, 3] > 0.1).all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({**SIAMRPN, "choice": "mean"}, "choice must be one of .*got 'mean'"),
        (
            {**SIAMRPN, "search": 111},
            "a search region not smaller, got 6 from 127 px and 4 from 111",
        ),
        ({**SIAMRPN, "template": 71}, "at least 3 x 3 features"),
        ({**SIAMRPN, "temperature": 0}, "temperature must be positive"),
        ({**SIAMRPN, "window": 1.5}, r"window and rate in \[0, 1\] and penalty >= 0, got 1.5,"),
        ({**SIAMRPN, "refresh": 0}, "refresh must be None or at least 1 frame"),
        ({**GOTURN, "crop": 30}, "GOTURN.crop: 30 px are too few"),
    ],
)
def test_bad_options(config, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config)
