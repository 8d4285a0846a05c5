"""The loss benchmark runs, and measures the loss of the crowd that it makes."""

import importlib.util
import re
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]


def load():
    path = ROOT / "tools" / "benchmarks" / "jde_loss.py"
    spec = importlib.util.spec_from_file_location("bench_jde_loss", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_prints_what_it_measured(capsys):
    config = ROOT / "configs" / "_base_" / "models" / "jde_r18.py"
    arguments = ["--config", str(config), "--size", "256x160", "--boxes", "20", "--repeat", "1"]
    assert load().main(arguments) in (0, 1)
    said = capsys.readouterr().out
    foreground = re.search(r"20 boxes, (\d+) foreground", said)
    assert foreground and int(foreground[1]) > 5
    assert re.search(r"loss forward and backward +[\d.]+ ms +[\d.]+% \(bar 5%\)", said)


def test_its_crowd_is_people():
    boxes = load().crowd((640, 480), 50, 7).gt_instances.bboxes
    size = boxes[:, 2:] - boxes[:, :2]
    torch.testing.assert_close(size[:, 1], 3 * size[:, 0], atol=1e-3, rtol=0)
    assert size[:, 1].min() >= 29 and size[:, 1].max() <= 300
