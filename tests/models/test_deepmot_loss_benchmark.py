"""The benchmark of the DeepMOT loss runs, on clips in which tracks come and go."""

import importlib.util
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


def load():
    path = ROOT / "tools" / "benchmarks" / "deepmot_loss.py"
    spec = importlib.util.spec_from_file_location("bench_deepmot_loss", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_prints_what_it_measured(capsys):
    threads = torch.get_num_threads()
    arguments = ["--frames", "3", "--tracks", "6", "--objects", "5", "--repeat", "2"]
    assert load().main(arguments) in (0, 1)
    torch.set_num_threads(threads)
    said = capsys.readouterr().out
    assert "1 clip(s) of 3 frames, 6 tracks x 5 objects each, 1 thread(s), cpu" in said
    assert re.search(
        r"loss +forward and backward +[\d.]+ ms \([\d.]+\) +\(bar 10 ms a clip\)", said
    )


@pytest.mark.slow
def test_a_clip_costs_less_than_the_bar(capsys):
    """Ten frames of 50 x 50 in 10 ms, forward and backward, on one thread of a quiet machine."""
    threads = torch.get_num_threads()
    assert load().main([]) == 0
    torch.set_num_threads(threads)


def test_its_tracks_come_and_go():
    ids = load().identities(1, 5, 20, torch.Generator().manual_seed(0))[0]
    assert (ids == -1).any() and ids.max() > 19
    assert any(set(a.tolist()) != set(b.tolist()) for a, b in pairwise(ids))
    assert all(len(set(kept)) == len(kept) for kept in (row[row >= 0].tolist() for row in ids))
