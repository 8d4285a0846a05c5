"""What a model's matchers are given in training, written by a hook."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmdeepmot.datasets.matrices import read_matrices
from mmdeepmot.engine.hooks import MatrixDumpHook
from mmdeepmot.errors import InputError
from mmdeepmot.models.matchers import Hungarian


def run(hook: MatrixDumpHook, model: nn.Module, folder, batches: list) -> None:
    runner = SimpleNamespace(model=model, work_dir=str(folder), iter=0)
    hook.before_train(runner)
    for runner.iter, arguments in enumerate(batches):
        hook.before_train_iter(runner, runner.iter)
        model[0](*arguments)
    hook.after_train(runner)
    model[0](torch.zeros(1, 2, 2))


def test_matrices_without_padding(tmp_path):
    distances = torch.rand(2, 2, 3, requires_grad=True)
    rows = torch.tensor([[True, True], [False, True]])
    columns = torch.tensor([[True, False, True], [False] * 3])
    batches = [(distances, rows, columns), (distances,), (distances[0], rows[1], columns[0])]
    run(MatrixDumpHook(interval=2, source="toy"), nn.Sequential(Hungarian()), tmp_path, batches)
    read = read_matrices(tmp_path / "matrices")
    assert read.shapes.tolist() == [[2, 2], [1, 2]] and read.sources == ("toy",)
    expected = distances.detach().half().float()
    assert torch.equal(torch.from_numpy(read.distances(0)), expected[0][:, [0, 2]])
    assert torch.equal(torch.from_numpy(read.distances(1)), expected[0][1:, [0, 2]])


@pytest.mark.parametrize("shape", [(0, 2, 2), (2, 0, 3), (2, 3, 0)])
def test_frames_without_anyone_are_left_out(shape, tmp_path):
    batches = [(torch.zeros(shape),), (torch.rand(1, 2, 2),)]
    run(MatrixDumpHook(), nn.Sequential(Hungarian()), tmp_path, batches)
    assert read_matrices(tmp_path / "matrices").shapes.tolist() == [[2, 2]]


def test_not_more_than_asked_for(tmp_path):
    hook = MatrixDumpHook(out_dir=str(tmp_path / "m"), shard=2, shards=1)
    run(hook, nn.Sequential(Hungarian()), tmp_path, [(torch.rand(3, 2, 2),)] * 3)
    assert [file.name for file in (tmp_path / "m").iterdir()] == ["rank0_0000.npz"]
    assert len(read_matrices(tmp_path / "m")) == 2


def test_errors(tmp_path):
    with pytest.raises(InputError, match="Linear has no matcher"):
        MatrixDumpHook().before_train(SimpleNamespace(model=nn.Linear(1, 1), work_dir=tmp_path))
    with pytest.raises(InputError, match="interval must be at least 1, got 0"):
        MatrixDumpHook(interval=0)
