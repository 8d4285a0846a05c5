"""tools/benchmarks/train_table.py: runs are made once, failures are named, figures are by hand."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from mmdeepmot.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/benchmarks"))

import train_table  # noqa: E402
from comparison import trainings  # noqa: E402
from comparison.gpus import Gpus, visible_gpus  # noqa: E402
from comparison.trainings import Recipe, Run, figure, run_all, sequence_table, table  # noqa: E402

A, B = Path("a.py"), Path("b.py")


@pytest.fixture(autouse=True)
def configs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b.py", "s.py"):
        Path(name).write_text("x = 1\n")


def scores(mota, sequences=()):
    rows = {f"S{number}": {"MOTA": value} for number, value in enumerate(sequences)}
    return {
        "tables": {
            "track": {"rows": {**rows, "OVERALL": {"MOTA": mota, "IDs": 10 * mota}}},
            "detection": {"rows": {"OVERALL": {"AP@0.5": 90.0, "Prec": None}}},
        },
        "speed": {"FPS": 20.0},
    }


def finished(root, config, seed, *values):
    run = Run(config, seed, root)
    run.folder.mkdir(parents=True)
    run.scores_file.write_text(json.dumps(scores(*values)))
    run.record_file.write_text(json.dumps(run.record(Recipe(("track",)))))
    return run


def test_means_deviations_and_paired_differences_by_hand(tmp_path):
    runs = [
        finished(tmp_path, A, 0, 50.0, (48.0, 52.0)),
        finished(tmp_path, A, 1, 54.0, (53.0, 55.0)),
        finished(tmp_path, B, 0, 56.0, (55.0, 57.0)),
        Run(B, 1, tmp_path),  # not finished
    ]
    lines = table([A, B], runs, ["MOTA", "IDs", "AP@0.5", "FPS"], A).splitlines()
    assert lines[0] == "| config | seeds | MOTA | IDs | AP@0.5 | FPS | MOTA, difference |"
    assert lines[2] == "| `a` | 2 | 52.00 ± 2.83 | 520 ± 28.3 | 90.00 ± 0.00 | 20.00 ± 0.00 | – |"
    # differences 7 and 5: mean 6, standard error 1, t(0.975, 1) = 12.71
    assert lines[3] == "| `b` | 1 | 56.00 | 560 | 90.00 | 20.00 | +6.00 [-6.71, +18.71] |"


def test_sequences_without_the_figure_are_left_out_of_the_difference(tmp_path):
    runs = [
        finished(tmp_path, A, 0, 50.0, (48.0, None, 50.0)),
        finished(tmp_path, B, 0, 56.0, (55.0, 57.0, 55.0)),
    ]
    assert table([A, B], runs, ["MOTA"], A).endswith("| +6.00 [-6.71, +18.71] |")
    with pytest.raises(InputError, match=r"--compare: 'AP@0.5' is no figure .* each sequence"):
        table([A, B], runs, ["MOTA"], A, ["AP@0.5"])


def test_an_undefined_or_unknown_figure(tmp_path):
    run = finished(tmp_path, A, 0, 50.0)
    assert str(figure(scores(1.0), "Prec")) == "nan"
    with pytest.raises(InputError, match="no run has the figure 'MOTX'"):
        table([A], [run], ["MOTX"], None)


def write_commands(monkeypatch, code):
    monkeypatch.setattr(
        trainings.Run,
        "commands",
        lambda run, _: [[sys.executable, "-c", code, str(run.scores_file), str(run.seed)]],
    )


def test_only_what_is_missing_is_run(tmp_path, monkeypatch, capsys):
    done, missing = finished(tmp_path, A, 0, 50.0), Run(A, 1, tmp_path)
    write_commands(monkeypatch, "import sys; open(sys.argv[1], 'w').write('{}')")
    assert run_all([done, missing], Recipe(("track",)), jobs=2) == []
    assert missing.scores_file.read_text() == "{}"
    assert json.loads(done.scores_file.read_text()) == scores(50.0)
    assert capsys.readouterr().err == "done: a, seed 1\n"


def test_scores_of_something_else_are_refused(tmp_path, monkeypatch):
    write_commands(monkeypatch, "import sys; open(sys.argv[1], 'w').write('{}')")
    run, recipe = Run(A, 0, tmp_path), Recipe(("track",), options=("x=2",))
    assert run_all([run], recipe, jobs=1) == []
    assert run_all([run], recipe, jobs=1) == []
    with pytest.raises(InputError, match=r"a, seed 0: .*\(options: \['x=2'\] then, \[\] now\)"):
        run_all([run], Recipe(("track",)), jobs=1)
    with pytest.raises(InputError, match=r"start: None then, b [0-9a-f]{16} now"):
        run_all([Run(A, 0, tmp_path, Run(B, 0, tmp_path))], recipe, jobs=1)
    with pytest.raises(InputError, match="processes: 1 then, 4 now"):
        run_all([run], Recipe(("track",), options=("x=2",), processes=4), jobs=1)
    A.write_text("x = 3\n")
    with pytest.raises(
        InputError, match=r"of another run .config: .*another --work-dir, or delete"
    ):
        run_all([run], recipe, jobs=1)
    run.record_file.unlink()
    with pytest.raises(InputError, match="does not say what it was made with"):
        run_all([run], recipe, jobs=1)


def test_what_was_made_from_another_start_is_refused_too(tmp_path, monkeypatch):
    write_commands(monkeypatch, "import sys; open(sys.argv[1], 'w').write('{}')")
    start, recipe = Run(B, 0, tmp_path), Recipe(("track",))
    runs = [start, Run(A, 0, tmp_path, start)]
    assert run_all(runs, recipe, jobs=1) == []
    B.write_text("x = 2\n")
    shutil.rmtree(start.folder)
    with pytest.raises(InputError, match=r"a, seed 0: .*\(start: b [0-9a-f]{16} then, b "):
        run_all(runs, recipe, jobs=1)


def test_an_interrupted_run_of_something_else_is_not_gone_on_with(tmp_path, monkeypatch):
    write_commands(monkeypatch, "import sys; sys.exit(1)")
    run = Run(A, 0, tmp_path)
    assert run_all([run], Recipe(("track",)), jobs=1)
    with pytest.raises(InputError, match=r"a, seed 0: .*amp: False then, True now"):
        run_all([run], Recipe(("track",), amp=True), jobs=1)


def test_configs_of_one_name_do_not_share_a_folder(tmp_path):
    Path("other").mkdir()
    Path("other/a.py").write_text("x = 2\n")
    runs = [Run(A, 0, tmp_path), Run(Path("other/a.py"), 0, tmp_path)]
    with pytest.raises(InputError, match=r"would share the folder .*a_seed0: rename one"):
        run_all(runs, Recipe(("track",)), jobs=1)


def test_gpus_are_divided_among_runs(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,6,7,9")
    gpus = Gpus(visible_gpus(), each=2, jobs=2)
    with gpus.taken() as one, gpus.taken() as other:
        assert [one, other] == [{"CUDA_VISIBLE_DEVICES": "3,5"}, {"CUDA_VISIBLE_DEVICES": "6,7"}]
    with gpus.taken() as again:
        assert again in (one, other)
    with Gpus(["0"], each=1, jobs=2).taken() as shared:
        assert shared == {"CUDA_VISIBLE_DEVICES": "0"}
    with Gpus([], each=1, jobs=1).taken() as nothing:
        assert nothing == {}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []


def test_several_processes_a_run(tmp_path):
    train, test = Run(A, 0, tmp_path).commands(Recipe(("track",), processes=4))
    for tool, command in (("train", train), ("test", test)):
        assert command[1:5] == [
            "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=4",
        ]  # fmt: skip
        assert command[5].endswith(f"tools/{tool}.py")
        assert command[-2:] == ["--launcher", "pytorch"]


def test_a_failure_is_named_and_stops_no_other(tmp_path, monkeypatch):
    write_commands(
        monkeypatch,
        "import sys\nif sys.argv[2] == '0': sys.exit('no such data')\n"
        "open(sys.argv[1], 'w').write('{}')",
    )
    runs = [Run(A, 0, tmp_path), Run(A, 1, tmp_path)]
    failed = run_all(runs, Recipe(("track",)), jobs=1)
    assert failed == [f"a, seed 0 (no such data; {runs[0].folder / 'output.log'})"]
    assert runs[1].scores_file.is_file()


def test_commands_resume_and_pass_options_to_both_tools(tmp_path):
    recipe = Recipe(("track",), amp=True, options=("x.y=1",), sequences=("S1",), threads=3)
    train, test = Run(A, 4, tmp_path).commands(recipe)
    assert "--resume" in train and "--amp" in train and "--amp" not in test
    assert train[train.index("--seed") + 1] == "4"
    assert "x.y=1" in train and "x.y=1" in test and test[test.index("--sequences") + 1] == "S1"
    assert recipe.environment()["OMP_NUM_THREADS"] == "3"


def test_runs_start_from_the_weights_of_their_seed(tmp_path, monkeypatch):
    """The config that others start from runs first, and its newest checkpoint is loaded."""
    start = Run(A, 4, tmp_path)
    later = Run(B, 4, tmp_path, start)
    with pytest.raises(InputError, match=r"a, seed 4: no checkpoint in .*a_seed4"):
        later.commands(Recipe(("track",)))
    assert run_all([later], Recipe(("track",)), jobs=1)[0].startswith("a, seed 4: no checkpoint")
    start.folder.mkdir()
    (start.folder / "epoch_2.pth").touch()
    train, test = later.commands(Recipe(("track",), options=("x=1",)))
    assert train[train.index("--cfg-options") + 1 :] == [
        "x=1",
        f"load_from={start.folder / 'epoch_2.pth'}",
    ]
    assert not any("load_from" in part for part in test)
    write_commands(monkeypatch, "import sys, time; open(sys.argv[1], 'w').write(str(time.time()))")
    assert run_all([later, start], Recipe(("track",)), jobs=2) == []
    assert float(start.scores_file.read_text()) < float(later.scores_file.read_text())


def test_a_config_is_tested_with_what_another_has_learnt(tmp_path, monkeypatch):
    """It is not trained, and comes after the training whose weights it gets."""
    trained = Run(A, 1, tmp_path, start=Run(Path("s.py"), 1, tmp_path))
    tested = Run(B, 1, tmp_path, trained=trained)
    with pytest.raises(InputError, match="a, seed 1: no checkpoint"):
        tested.commands(Recipe(("track",)))
    trained.folder.mkdir()
    (trained.folder / "epoch_3.pth").touch()
    (command,) = tested.commands(Recipe(("track",), amp=True, sequences=("S1",)))
    assert command[1].endswith("tools/test.py")
    assert command[2:4] == ["b.py", str(trained.folder / "epoch_3.pth")]
    assert command[-2:] == ["--out", str(tested.scores_file)]
    write_commands(monkeypatch, "import sys, time; open(sys.argv[1], 'w').write(str(time.time()))")
    runs = [tested, trained, trained.start]
    assert run_all(runs, Recipe(("track",)), jobs=3) == []
    assert runs == sorted(runs, key=lambda run: -float(run.scores_file.read_text()))


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["a.py"], "expected CONFIG=TRAINED"),
        (["a.py=a.py"], "expected CONFIG=TRAINED"),
        (["a.py=c.py"], "c.py is none of the configs"),
        (["a.py=b.py", "b.py=a.py"], "is not trained itself"),
    ],
)
def test_pairs_that_cannot_be(pairs, said, capsys):
    with pytest.raises(SystemExit):
        train_table.parse_args(["a.py", "b.py", "--tested", *pairs])
    assert said in capsys.readouterr().err


def test_several_figures_are_compared(tmp_path):
    runs = [
        finished(tmp_path, A, 0, 50.0, (48.0,)),
        finished(tmp_path, B, 0, 56.0, (55.0,)),
    ]
    lines = table([A, B], runs, ["MOTA"], A, ["MOTA", "MOTA"]).splitlines()
    assert lines[0].endswith("| MOTA, difference | MOTA, difference |")
    assert lines[3].endswith("| +7.00 | +7.00 |")


def test_single_sequences(tmp_path):
    runs = [
        finished(tmp_path, A, 0, 50.0, (48.0, 52.0)),
        finished(tmp_path, A, 1, 54.0, (53.0, None)),
        Run(B, 1, tmp_path),  # not finished
    ]
    lines = sequence_table([A, B], runs, ["MOTA", "MOTA"]).splitlines()
    assert lines[0] == "| MOTA, MOTA | S0 | S1 |"
    assert lines[2] == "| `a` | 50.5 / 50.5 | 52.0 / 52.0 |"
    assert lines[3] == "| `b` | – / – | – / – |"
    with pytest.raises(InputError, match=r"--by-sequence: 'AP@0.5' is no figure that tracking has"):
        sequence_table([A], runs, ["AP@0.5"])


@pytest.mark.parametrize("option", ["--baseline", "--start"])
def test_a_baseline_must_be_a_row(option, capsys):
    with pytest.raises(SystemExit):
        train_table.parse_args(["a.py", option, "b.py"])
    assert f"{option} b.py is none of the configs" in capsys.readouterr().err


def test_the_table_is_placed_with_its_command(tmp_path, monkeypatch):
    finished(tmp_path, A, 0, 50.0, (50.0,))
    page = tmp_path / "page.md"
    argv = ["a.py", "--eval", "track", "--work-dir", str(tmp_path), "--columns", "MOTA"]
    argv += ["--out", str(page), "--by-sequence", "MOTA"]
    assert train_table.main(argv) == 0
    text = page.read_text()
    assert "python tools/benchmarks/train_table.py a.py" in text and "| `a` | 1 | 50.00 |" in text
    assert "| MOTA | S0 |" in text
