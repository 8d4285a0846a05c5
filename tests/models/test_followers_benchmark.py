"""The benchmark of followers runs and prints what one batch saves."""

import re

import pytest
import tiny
from tracktor_small import ROOT


@pytest.mark.parametrize("name", ["tracktor_r18"])
def test_it_prints_what_it_measured(name, capsys):
    config = ROOT / "configs/_base_/models" / f"{name}.py"
    options = f"{config} --targets 6 --size 256x160 --repeat 1".split()
    assert tiny.load_tool("benchmarks/followers").main(options) in (0, 1)
    said = capsys.readouterr().out
    assert "6 targets, 256x160" in said
    row = rf"\| {name} \|( [\d.]+ \|){{4}} ([\d.]+)x \| [\d.]+ \|\n"
    assert float(re.search(row, said)[2]) > 0


def test_a_config_without_a_follower_is_named():
    tool = tiny.load_tool("benchmarks/followers")
    with pytest.raises(ValueError, match=r"jde_r18.py: expected `model.follower`"):
        tool.build_follower(ROOT / "configs/_base_/models/jde_r18.py")
