"""GOTURN's crops and the coordinates of its output."""

import torch
from sot_small import BOXES, GOTURN, IDS, build, frames

from mmdeepmot.models.followers.goturn import OUTPUT_SCALE


def test_crops_show_twice_the_box():
    net = build(GOTURN)
    assert net.regions(BOXES[:1]).tolist() == [[5, -15, 65, 165]]
    assert net.features(net.crops(frames()[0], net.regions(BOXES))).shape == (3, 54)


def test_output_is_the_box_in_the_search_crop_times_ten():
    net = build(GOTURN)
    net.train()  # else boxes are kept in the image
    output = torch.tensor([[2.5, 2.5, 7.5, 7.5], [0, 0, 10, 10], [2.0, 2.5, 7.0, 7.5]])
    net.regress = lambda before, now: output
    first, second = frames()
    found, _ = net.advance(second, net.start(first, BOXES, IDS))
    torch.testing.assert_close(found.boxes[0], BOXES[0])  # the middle half: where it was
    torch.testing.assert_close(found.boxes[1], torch.tensor([180.0, 10, 260, 210]))
    torch.testing.assert_close(found.boxes[2], BOXES[2] - torch.tensor([3.0, 0, 3, 0]))
    assert found.scores.tolist() == [1, 1, 1]


def test_each_crop_comes_from_its_own_frame_and_place():
    net = build(GOTURN)
    first, second = frames((5, 3))
    seen = []
    net.regress = lambda before, now: seen.extend((before, now)) or torch.full((3, 4), 5.0)
    near = BOXES + 6
    net.advance(second, net.start(first, BOXES, IDS).looked_for(near))
    torch.testing.assert_close(seen[0], net.features(net.crops(first, net.regions(BOXES))))
    torch.testing.assert_close(seen[1], net.features(net.crops(second, net.regions(near))))


def test_untrained_it_stays_where_it_was():
    net = build(GOTURN)
    net.init_weights()
    margin = net.box.bias / OUTPUT_SCALE
    torch.testing.assert_close(margin, torch.tensor([0.25, 0.25, 0.75, 0.75]))
    with torch.no_grad():
        first, second = frames()
        found, _ = net.advance(second, net.start(first, BOXES, IDS))
    torch.testing.assert_close(found.boxes, BOXES, atol=1.0, rtol=0)
