"""Weights as safetensors files: written, read, and refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from mmdeepmot.datasets.matrices import CrowdMatrices, MatrixFileDataset
from mmdeepmot.engine.checkpoint import CheckpointError
from mmdeepmot.evaluation.functional.assignment import assignment_scores
from mmdeepmot.models.matchers import DHN, ConvDHN, pretrained, read_weights, save_weights
from mmdeepmot.registry import MODELS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Weights of a ConvDHN."""
    path = tmp_path / "conv.safetensors"
    save_weights(ConvDHN(), path, {"command": "tools/train.py ...", "seed": "0"})
    return path


def test_round_trip(file: Path) -> None:
    init_default_scope("mmdeepmot")
    first, second = (MODELS.build(dict(type="ConvDHN", pretrained=str(file))) for _ in range(2))
    assert not torch.equal(first.last.weight, ConvDHN().last.weight)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    first.init_weights()  # as the Runner does before a training
    assert torch.equal(first.last.weight, second.last.weight)


def test_how_it_was_made_stands_in_the_file(file: Path) -> None:
    tensors, made_by = read_weights(file)
    assert made_by == {"command": "tools/train.py ...", "seed": "0"}
    assert set(tensors) == set(ConvDHN().state_dict())


def test_half_precision_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    net = ConvDHN()
    save_weights(net, path, {}, torch.float16)
    assert read_weights(path)[0]["last.weight"].dtype == torch.float16
    loaded = ConvDHN(pretrained=path)
    assert loaded.last.weight.dtype == torch.float32
    torch.testing.assert_close(loaded.last.weight, net.last.weight, rtol=1e-3, atol=1e-4)


def test_packages_own_by_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "FOLDER", file.parent)
    with pytest.raises(
        FileNotFoundError, match=r"no trained weights 'dhn_conv1d' .* present: conv"
    ):
        ConvDHN(pretrained=True)
    file.rename(file.parent / "dhn_conv1d.safetensors")
    ConvDHN(pretrained=True)


@pytest.mark.parametrize(
    ("order", "cell", "name"),
    [
        ("sequential", "gru", "dhn_seq_gru"),
        ("sequential", "lstm", "dhn_seq_lstm"),
        ("parallel", "gru", "dhn_par_gru"),
        ("parallel", "lstm", "dhn_par_lstm"),
    ],
)
def test_names_of_the_variants(
    order: str, cell: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=f"no trained weights '{name}' .* present: none"):
        DHN(order=order, cell=cell, hidden=2, pretrained=True)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"weights .*none\.safetensors do not exist"):
        ConvDHN(pretrained=tmp_path / "none.safetensors")


def test_other_size(file: Path) -> None:
    with pytest.raises(CheckpointError, match=r"other shapes .*down1.bias \(24,\) -> \(8,\)"):
        ConvDHN(channels=(8, 16), pretrained=file)


def test_other_architecture(file: Path) -> None:
    with pytest.raises(
        CheckpointError, match="Expected those of DHN as configured; 0 tensors match"
    ):
        DHN(hidden=2, pretrained=file)


def test_damaged(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        ConvDHN(pretrained=file)


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(ConvDHN().state_dict(), path)
    with pytest.raises(CheckpointError, match=r"expected a \.safetensors file.*init_cfg"):
        ConvDHN(pretrained=path)
    disguised = path.rename(tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        ConvDHN(pretrained=disguised)


def test_shipped_files_fit_and_say_how_they_were_made() -> None:
    """Nothing is shipped that cannot be built by name, and all together stay small."""
    files = sorted(pretrained.FOLDER.glob("*.safetensors"))
    assert sum(path.stat().st_size for path in files) <= 20e6
    for path in files:
        _, made_by = read_weights(path)
        assert {"command", "data", "seed", "time"} <= set(made_by), path.name


def test_what_comes_with_the_package() -> None:
    """Trained on generated matrices, says how, and assigns crowds that it has never seen."""
    assert sum(path.stat().st_size for path in pretrained.FOLDER.iterdir()) <= 20e6
    _, made_by = read_weights(pretrained.FOLDER / "dhn_seq_gru.safetensors")
    assert {"command", "data", "seed", "time"} <= set(made_by)
    init_default_scope("mmdeepmot")
    matcher = MODELS.build(dict(type="DHN", pretrained=True)).eval()
    crowds = CrowdMatrices(length=150, max_side=12, seed=5)
    found = []
    for index in range(len(crowds)):
        distances, optimal, _ = crowds.matrix(index, None)
        with torch.no_grad():
            soft = matcher(torch.from_numpy(distances)[None])[0].numpy()
        found.append([assignment_scores(soft, optimal)[name] for name in ("row_wa", "col_wa")])
    assert (np.mean(found, axis=0) > 0.92).all(), np.mean(found, axis=0)


@pytest.mark.slow
def test_real_matrices(shared_data: Path) -> None:
    """Every 50th of the published matrices, none of which it was trained on."""
    init_default_scope("mmdeepmot")
    matcher = MODELS.build(dict(type="DHN", pretrained=True)).eval()
    matrices = MatrixFileDataset(path=str(shared_data / "dhn" / "mot_matrices_train.npz"))
    found = []
    for index in range(0, len(matrices), 50):
        distances, optimal, _ = matrices.matrix(index, None)
        with torch.no_grad():
            soft = matcher(torch.from_numpy(distances)[None])[0].numpy()
        found.append(list(assignment_scores(soft, optimal).values()))
    row_wa, row_ma, row_sa, col_wa, col_ma, col_sa = np.nanmean(found, axis=0)
    assert min(row_wa, col_wa) > 0.91
    assert row_ma < 0.0479 and row_sa < 0.0339 and col_sa < 0.2657  # the paper's
    assert col_ma < 0.12
