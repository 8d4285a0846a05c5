"""Weights that a part's own ``init_cfg`` loads are not drawn anew."""

import pytest
import torch
from fairmot_small import small_fairmot_config
from jde_small import small_config
from sot_small import GOTURN

from mmdeepmot.models.utils.initial_weights import loads_weights
from mmdeepmot.registry import MODELS

PARTS = {
    "goturn": GOTURN,
    "up_channel_rpn": dict(type="UpChannelRPN", in_channels=4, width=4),
    "fairmot_head": small_fairmot_config()["bbox_head"],
    "jde_head": small_config(prior=0.01)["bbox_head"],
}


@pytest.mark.parametrize("config", PARTS.values(), ids=PARTS.keys())
def test_pretrained_parts_keep_their_weights(config, tmp_path):
    part = MODELS.build(config)
    state = {
        key: torch.full_like(value, 0.25) if value.is_floating_point() else value
        for key, value in part.state_dict().items()
    }
    torch.save(state, tmp_path / "part.pth")
    load = dict(type="Pretrained", checkpoint=str(tmp_path / "part.pth"))
    loaded = MODELS.build({**config, "init_cfg": load})
    loaded.init_weights()
    for key, value in loaded.state_dict().items():
        torch.testing.assert_close(value, state[key], msg=key)
    drawn = MODELS.build(config)
    drawn.init_weights()
    assert any((value != state[key]).any() for key, value in drawn.state_dict().items())


def test_of_several_initialisations_one_that_loads_is_enough():
    normal = dict(type="Normal", layer="Conv2d")
    assert not loads_weights(None) and not loads_weights(normal) and not loads_weights([normal])
    assert loads_weights([normal, dict(type="Pretrained", checkpoint="a.pth")])
