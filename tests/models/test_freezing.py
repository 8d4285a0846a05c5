"""Parts of a network that learn, and parts that do not."""

import pytest
from torch import nn

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.freezing import (
    freeze_except,
    frozen_parts,
    keep_statistics,
    random_share,
)


def net() -> nn.Module:
    block = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout())
    return nn.ModuleDict(
        {"backbone": block, "head": nn.ModuleDict({"cls": nn.Linear(4, 2), "reg": nn.Linear(4, 4)})}
    )


def learning(module: nn.Module) -> list[str]:
    return [name for name, p in module.named_parameters() if p.requires_grad]


def test_patterns():
    module = net()
    freeze_except(module, ["head.reg.*", "*.cls.bias"], "owner")
    assert learning(module) == ["head.cls.bias", "head.reg.weight", "head.reg.bias"]
    assert [id(part) for part in frozen_parts(module)] == [id(module["backbone"])]


def test_what_was_frozen_stays_so():
    module = net()
    module["backbone"][0].requires_grad_(False)
    freeze_except(module, ["*"], "owner")
    assert learning(module)[0] == "backbone.1.weight"
    assert [id(part) for part in frozen_parts(module)] == [id(module["backbone"][0])]


def test_nothing_matches():
    with pytest.raises(InputError) as error:
        freeze_except(net(), ["head.reg.*", "head.rec.*"], "DeepMOTModel.trainable")
    assert str(error.value) == (
        "DeepMOTModel.trainable: 'head.rec.*' matches no parameter of ModuleDict; it has "
        "backbone.0.*, backbone.1.*, head.cls.*, head.reg.* (near: head.reg.bias, "
        "head.reg.weight, head.cls.bias)"
    )
    with pytest.raises(InputError, match="owner: no pattern, so that nothing would learn"):
        freeze_except(net(), [], "owner")
    with pytest.raises(InputError, match=r"a list of patterns, got 'head.\*': \['head.\*'\]"):
        freeze_except(net(), "head.*", "owner")


def test_all_that_matches_was_frozen_before():
    module = net()
    module["head"].requires_grad_(False)
    with pytest.raises(InputError, match=r"owner: nothing would learn: .* all that \['head.\*'\]"):
        freeze_except(module, ["head.*"], "owner")


def test_statistics():
    module = net().train()
    keep_statistics(module)
    assert not module["backbone"][1].training and module["backbone"][2].training


def test_share_that_stays_random():
    module = net()  # 16 + 8 parameters of the backbone, 10 and 20 of the heads
    assert random_share(module) == 0
    freeze_except(module, ["head.reg.*"], "owner")
    assert random_share(module) == pytest.approx(34 / 54)
    module["backbone"].init_cfg = dict(type="Pretrained", checkpoint="torchvision://resnet18")
    assert random_share(module) == pytest.approx(10 / 54)
    module["backbone"].init_cfg = dict(type="DarknetPretrainedInit", checkpoint="darknet53.conv.74")
    assert random_share(module) == pytest.approx(10 / 54)
    module["backbone"].init_cfg = [dict(type="Kaiming", layer="Conv2d")]
    assert random_share(module) == pytest.approx(34 / 54)
    assert random_share(nn.Identity()) == 0
