"""Matrices, training, test and analysis of matchers, from their command lines."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from walkers import SIZE, detected, walk

from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.datasets.matrices import distance_matrix, read_matrices
from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.io.mot import MOTRows, write_mot_text
from mmdeepmot.models.matchers import DHN, read_weights

CONFIG = """
_base_ = {base!r}
model = dict(matcher=dict(hidden=4, num_layers=1, widths=(8,)))
loader = dict(num_workers=0, persistent_workers=False)
small = dict(_delete_=True, type='CrowdMatrices', length=60, max_side=6)
train_dataloader = dict(
    batch_size=8, dataset=small, batch_sampler=dict(grow_from=3, grow_iters=8), **loader)
val_dataloader = dict(dataset=dict(**small, seed=1), **loader)
test_dataloader = dict(num_workers=0, dataset=dict(
    _delete_=True, type='MixedMatrices',
    datasets=[dict(type='CrowdMatrices', length=12), dict(type='RandomMatrices', length=4)]))
optim_wrapper = dict(optimizer=dict(lr=3e-3))
train_cfg = dict(max_epochs=3)
visualizer = dict(_delete_=True, type='mmengine.Visualizer', vis_backends=[])
default_hooks = dict(
    checkpoint=dict(latest_iters=2, latest_minutes=0), logger=dict(interval=1))
"""
KILL = "custom_imports = dict(imports=['toy_project'])\ncustom_hooks = [*_base_.custom_hooks, dict(type='KillHook', at={at})]\n"  # noqa: E501


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.py"
    path.write_text(CONFIG.format(base=str(tiny.ROOT / "configs/dhn/dhn_seq_gru.py")))
    return path


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Two sequences of four people, twelve frames."""
    for number, name in enumerate("AB"):
        folder, rows = tmp_path / "Street" / name, walk(4, 12, seed=number)
        found = detected(rows, seed=number)
        truth = MOTRows.from_arrays(rows.frames, rows.ids, rows.bboxes, None, rows.classes)
        write_mot_text(folder / "gt" / "gt.txt", truth, "gt")
        write_mot_text(folder / "det" / "det.txt", found)
        write_mot_text(folder / "det" / "half.txt", found[found.frames <= 6])
        (folder / "seqinfo.ini").write_text(
            f"[Sequence]\nname={name}\nimWidth={SIZE[0]}\nimHeight={SIZE[1]}\n"
            "seqLength=12\nframeRate=10\nimExt=.jpg\n"
        )
    return tmp_path / "Street"


# ------------------------------------------------------------------------------------- matrices


@pytest.fixture
def make():
    return tiny.load_tool("dataset_converters/make_dhn_matrices")


def test_matrices_of_a_folder(make, street, tmp_path, capsys):
    out = tmp_path / "m.npz"
    assert tiny.call(make, f"{street} --out {out} --gates none half --keep-order") == 0
    printed = capsys.readouterr().out
    assert "[2/2] B: 48 matrices" in printed and f"{out}: 48 matrices, rows up to 4" in printed
    file = read_matrices(out)
    assert len(file) == 48 and file.sources == ("Street",) and (file.shapes[:, 1] == 4).all()
    truth, found = (
        one[one.frames == 1] for one in (walk(4, 12, seed=0), detected(walk(4, 12, seed=0)))
    )
    expected = distance_matrix(found.bboxes, truth.bboxes, SIZE)
    assert file.distances(0) == pytest.approx(expected, abs=1e-3)
    for at in range(0, 48, 7):
        assert np.array_equal(file.optimal(at), optimal_assignment(file.distances(at)))
    ungated, gated = file.distances(0), file.distances(1)
    assert (ungated <= 1).all()
    assert np.array_equal(gated > 1, ungated > 0.5) and (gated > 1).any()


def test_options_and_repeatability(make, street, tmp_path):
    def run(name, arguments):
        assert tiny.call(make, f"{street} --out {tmp_path / name} {arguments}") == 0
        return read_matrices(tmp_path / name)

    one, two = run("1.npz", ""), run("2.npz", "")
    assert len(one) == 72 and np.array_equal(one.values, two.values)
    other = run("3.npz", "--seed 1")
    assert not np.array_equal(one.values, other.values)
    few = run("4.npz", "--sequences B --stride 3 --gates random --distance centre --names X")
    assert len(few) == 4 and few.sources == ("X",)
    both = run("5.npz", "--det det/det.txt det/half.txt --gates none")
    assert len(both) == 24 + 12
    assert len(run("6.npz", "--gates none --min-score 0.8").values) < len(
        run("7.npz", "--gates none").values
    )


def test_what_is_wrong_with_folders_and_command_lines(make, street, tmp_path, capsys):
    out = tmp_path / "m.npz"
    for arguments, code, message in (
        (f"{street} --out {out} --det det/no.txt", 1, "no.txt: expected a MOTChallenge text"),
        (f"{street} --out {out} --sequences C", 1, "no sequence is called 'C'"),
        (f"{street} --out {out} --min-score 2", 1, "nothing was written"),
        (f"--out {out}", 2, "give folders of sequences, or --synthmot"),
        (f"{street}", 2, "--out FILE.npz is needed"),
        (f"{street} --out {out} --stride 0", 2, "--stride must be at least 1"),
        (f"{street} --out {out} --names a b", 2, "expected one for each of 1 folders"),
    ):
        assert tiny.call(make, arguments) == code
        assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*m.npz*"))


# ------------------------------------------------------------------------------ training, testing


def weights(folder: Path, epoch: int) -> dict[str, torch.Tensor]:
    return load_checkpoint(folder / f"epoch_{epoch}.pth")["state_dict"]


def test_killed_and_resumed_equals_uninterrupted(config, run_train, tmp_path):
    whole = run_train(config, "--work-dir", tmp_path / "whole")
    assert whole.returncode == 0, whole.output
    assert "assignment/row_wa" in whole.output
    killed = tmp_path / "killed.py"
    killed.write_text("_base_ = 'small.py'\n" + KILL.format(at=13))
    broken = run_train(killed, "--work-dir", tmp_path / "broken")
    assert broken.returncode < 0
    resumed = run_train(config, "--work-dir", tmp_path / "broken", "--resume")
    assert resumed.returncode == 0 and "iter: 12" in resumed.output, resumed.output
    one, other = weights(tmp_path / "whole", 3), weights(tmp_path / "broken", 3)
    assert all(one[name].equal(other[name]) for name in one)
    assert not all(one[name].equal(weights(tmp_path / "whole", 1)[name]) for name in one)


def test_loss_falls_and_the_checkpoint_is_judged(config, run_train, tmp_path, monkeypatch, capsys):
    options = [
        "train_cfg.max_epochs=12", "train_cfg.val_interval=12", "optim_wrapper.optimizer.lr=0.01",
        "default_hooks.checkpoint.interval=12", "default_hooks.checkpoint.latest_iters=0",
    ]  # fmt: skip
    run = run_train(config, "--cfg-options", *options)
    assert run.returncode == 0, run.output
    losses = [float(x.split("loss: ")[1]) for x in run.output.splitlines() if " loss: " in x]
    assert np.mean(losses[-20:]) < 0.7 * np.mean(losses[:20])
    monkeypatch.chdir(tmp_path)
    tool = tiny.load_tool("test")
    assert tiny.call(tool, "small.py --eval assignment --out scores.json") == 0
    out = capsys.readouterr().out
    assert "newest checkpoint of small: " in out and "epoch_12.pth" in out
    names = [line.split()[0] for line in out.splitlines() if line.strip()]
    assert names[-3:] == ["crowd", "random", "OVERALL"]
    assert '"WA row"' in Path("scores.json").read_text()


def test_matchers_without_weights_and_own_matrices(make, street, tmp_path, monkeypatch, capsys):
    tool = tiny.load_tool("test")
    assert tiny.call(make, f"{street} --out {tmp_path / 'm.npz'} --gates none") == 0
    monkeypatch.chdir(tmp_path)
    hungarian = str(tiny.ROOT / "configs/dhn/hungarian.py")
    options = "--cfg-options test_dataloader.num_workers=0 test_dataloader.dataset.datasets=[m.npz]"
    capsys.readouterr()
    assert tiny.call(tool, f"{hungarian} --eval assignment {options}") == 0
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert last[:8] == ["OVERALL", "100.00", "0.00", "0.00", "100.00", "0.00", "0.00", "24"]
    dhn = str(tiny.ROOT / "configs/dhn/dhn_seq_gru.py")
    for arguments, code, message in (
        (f"{dhn} --eval assignment", 1, "no checkpoint of dhn_seq_gru"),
        (f"{dhn} --eval track", 1, "task 'track' needs `model.tracker`"),
        (f"{hungarian} --eval assignment track", 2, "--eval assignment judges a matcher"),
        (f"{hungarian} --eval assignment --areas 1 2", 2, "without --areas"),
    ):
        assert tiny.call(tool, arguments) == code
        assert message in capsys.readouterr().err


def test_weights_become_a_file_that_a_matcher_loads(config, tmp_path, capsys):
    tool = tiny.load_tool("model_converters/matcher")
    net = DHN(hidden=4, num_layers=1, widths=(8,))
    states = {f"matcher.{key}": value for key, value in net.state_dict().items()}
    checkpoint, out = tmp_path / "epoch_1.pth", tmp_path / "net.safetensors"
    torch.save({"state_dict": states}, checkpoint)
    assert tool.main([*map(str, (config, checkpoint, out)), "--made-by", "seed=0", "data=a b"]) == 0
    loaded = DHN(hidden=4, num_layers=1, widths=(8,), pretrained=out)
    torch.testing.assert_close(loaded.by_rows.weight_hh_l0, net.by_rows.weight_hh_l0.half().float())
    assert read_weights(out)[1] == {"seed": "0", "data": "a b"}
    torch.save({"state_dict": {"matcher.head.0.weight": torch.ones(2, 2)}}, checkpoint)
    assert tool.main([*map(str, (config, checkpoint, tmp_path / "other.safetensors"))]) == 1
    assert "not of " in capsys.readouterr().err
    assert not (tmp_path / "other.safetensors").exists()
    street = tiny.ROOT / "configs/jde/jde_r18_synthmot.py"
    assert tool.main([*map(str, (street, checkpoint, out))]) == 1
    assert "expected a config with model.matcher" in capsys.readouterr().err


# -------------------------------------------------------------------------------------- analysis


def test_accuracy_against_size(tmp_path, capsys):
    tool = tiny.load_tool("analysis/assignment_sizes")
    out = tmp_path / "sizes"
    configs = tiny.ROOT / "configs/dhn"
    arguments = f"Hungarian {configs / 'sinkhorn.py'} --sizes 2 8 --step 3 --count 2 --out {out}"
    assert tiny.call(tool, arguments) == 0
    printed = capsys.readouterr().out.splitlines()
    head = next(line for line in printed if line.split()[:1] == ["size"])
    assert head.split()[1::2] == ["Hungarian", "Hungarian", "sinkhorn", "sinkhorn"]
    with Path(f"{out}.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["matcher"], row["size"]) for row in rows] == [
        (name, size) for name in ("Hungarian", "sinkhorn") for size in "258"
    ]
    assert {row["row_wa"] for row in rows[:3]} == {"100.0000"}
    assert Path(f"{out}.png").read_bytes().startswith(b"\x89PNG")
    for arguments, code, message in (
        (f"{configs / 'dhn_seq_gru.py'}", 1, "its matcher needs weights"),
        ("Hungarian Hungarian --sizes 2 2", 1, "two matchers are called Hungarian"),
        ("Hungarian --sizes 5 2", 2, "expected 1 <= FIRST <= LAST"),
        ("Hungarain", 1, "Hungarain"),
    ):
        assert tiny.call(tool, arguments) == code
        assert message in capsys.readouterr().err
