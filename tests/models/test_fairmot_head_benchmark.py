"""The benchmark of FairMOT's head runs, and decodes as many peaks as the settings allow."""

import re
from pathlib import Path

import pytest
import tiny

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["fairmot_r18", "fairmot_r18_slim"])
def test_it_prints_what_it_measured(name, capsys):
    config = ROOT / "configs" / "_base_" / "models" / f"{name}.py"
    arguments = ["--config", str(config), "--size", "576x320", "--boxes", "20", "--repeat", "1"]
    assert tiny.load_tool("benchmarks/fairmot_head").main(arguments) in (0, 1)
    said = capsys.readouterr().out
    assert re.search(r"network forward +[\d.]+ ms\n", said)
    assert re.search(r"decoding, +500 peaks +[\d.]+ ms +[\d.]+% \(bar 10%\)", said)
    assert re.search(r"targets, 4 x +20 boxes +[\d.]+ ms +\(bar 50 ms\)", said)
