"""Single-object followers that are small enough for tests, and targets for them."""

import torch

from mmdeepmot.registry import MODELS

CHANNELS = (4, 6, 8, 8, 6)
SIAMRPN = {
    "type": "SiamRPN",
    "backbone": {"type": "SiamAlexNet", "channels": CHANNELS},
    "rpn": {"type": "DepthwiseRPN", "width": 6},
    "search": 191,
    "ratios": (1.5, 2.25, 3.0),
    "min_side": 4.0,
}
GOTURN = {
    "type": "GOTURN",
    "tower": {"type": "CaffeNet", "channels": CHANNELS, "norm": "bn"},
    "crop": 131,
    "width": 16,
    "dropout": 0.0,
    "min_side": 4.0,
}
UP_CHANNEL = {**SIAMRPN, "rpn": {"type": "UpChannelRPN", "width": 4}}
FOLLOWERS = {"siamrpn": SIAMRPN, "up_channel": UP_CHANNEL, "goturn": GOTURN}

BOXES = torch.tensor([[20.0, 30, 50, 120], [200, 60, 240, 160], [90, 10, 120, 90]])
IDS = torch.tensor([7, 3, 12])


def build(config, **changes):
    """A follower in test mode, its normalisation calibrated so that features differ."""
    torch.manual_seed(0)
    net = MODELS.build({**config, **changes})
    net.init_weights()
    if config["type"] == "GOTURN":
        torch.nn.init.normal_(net.box.weight, std=0.05)  # so that it does not stand still
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    net.train()
    with torch.no_grad():
        first, second = frames()
        net.advance(second, net.start(first, BOXES, IDS))
    return net.eval()


def frames(shift=(0, 0)):
    """Two images (3, 180, 280) of textured noise; the second is moved by ``shift`` (x, y) px."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, 23, 35, generator=generator)
    image = torch.nn.functional.interpolate(coarse, size=(180, 280), mode="bilinear")[0]
    return image, image.roll(shift[::-1], dims=(1, 2))
