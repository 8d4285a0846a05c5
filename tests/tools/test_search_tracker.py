"""The search of tracker parameters: spaces, metric, log, samplers, and the command as a whole."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tiny

from mmdeepmot.apis.detections import build_tracker, load_tracker, read_detections, track
from mmdeepmot.apis.search import (
    BayesianSampler,
    Choice,
    Evaluation,
    GridSampler,
    Metric,
    Range,
    Trial,
    TrialLog,
    grid,
    parse_parameters,
    trials_text,
    write_best,
)
from mmdeepmot.errors import InputError, MissingPackageError
from mmdeepmot.evaluation.folder import evaluate_folder
from mmdeepmot.io.mot import MOTRows, write_mot_text

LIMIT = "tracker.steps.1.limit"
SCORE = "tracker.steps.5.min_score"
CONFIG = "bytetrack/bytetrack"


# --------------------------------------------------------------------------------------- spaces


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("a.b=0.5:0.9", Range(0.5, 0.9)),
        ("a=0:1", Range(0, 1, integer=True)),
        ("a=0.0:1", Range(0, 1)),
        ("a=10:90:20", Range(10, 90, 20, integer=True)),
        ("a=0.1:0.5:0.2", Range(0.1, 0.5, 0.2)),
        ("a=1e-3:1:log", Range(1e-3, 1, log=True)),
        ("a=1:64:log", Range(1, 64, log=True, integer=True)),
        ("a=-2:-1", Range(-2, -1, integer=True)),
        ("a=x,y", Choice(("x", "y"))),
        ("a=1,2.5,None,true", Choice((1, 2.5, None, True))),
        ("a=[tracked],[tracked,lost]", Choice((["tracked"], ["tracked", "lost"]))),
    ],
)
def test_what_a_parameter_may_be(text, space):
    (parameter,) = parse_parameters([text])
    assert parameter.path == text.partition("=")[0]
    assert parameter.space == space


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "give at least one --param"),
        (["a"], r"expected PATH=LOW:HIGH.*PATH=A,B,C"),
        (["=1:2"], "expected PATH=LOW:HIGH"),
        (["a=1:b"], "a bound that is no number"),
        (["a=1:nan"], "expected PATH=LOW:HIGH"),
        (["a=1:2:3:4"], "expected PATH=LOW:HIGH"),
        (["a=0.9:0.5"], r"lower bound first, got 0.9:0.5"),
        (["a=0.0:1:2"], r"step above 0 and up to 1, got 2"),
        (["a=0.0:1:log"], "a lower bound above 0, got 0"),
        (["a=3"], r"at least two choices or a range, got \[3\]"),
        (["a=[1,2"], "brackets and quotes closed"),
        (["a=1:2", "a=1:3"], "--param a is given 2 times"),
    ],
)
def test_wrong_parameters(texts, message):
    with pytest.raises(InputError, match=message):
        parse_parameters(texts)


@pytest.mark.parametrize(
    ("space", "count", "values"),
    [
        (Range(0.5, 0.9), 5, [0.5, 0.6, 0.7, 0.8, 0.9]),
        (Range(0.5, 0.9), 1, [0.5]),
        (Range(0.1, 0.45, 0.1), 2, [0.1, 0.2, 0.3, 0.4]),
        (Range(0.1, 0.3, 0.1), 2, [0.1, 0.2, 0.3]),
        (Range(1e-3, 10, log=True), 5, [1e-3, 1e-2, 0.1, 1.0, 10.0]),
        (Range(0, 3, integer=True), 9, [0, 1, 2, 3]),
        (Range(0, 10, integer=True), 3, [0, 5, 10]),
        (Range(0, 10, 4, integer=True), 2, [0, 4, 8]),
        (Range(1, 4, log=True, integer=True), 3, [1, 2, 4]),
        (Choice(("x", None)), 1, ["x", None]),
    ],
)
def test_values_of_a_grid(space, count, values):
    got = space.grid(count)
    assert got == values
    assert [type(value) for value in got] == [type(value) for value in values]


def test_grid_is_every_combination():
    parameters = parse_parameters(["a=0.0:1", "b=x,y"])
    assert grid(parameters, 2) == [{"a": a, "b": b} for a in (0.0, 1.0) for b in ("x", "y")]
    with pytest.raises(InputError, match="at least 1 value for each range, got 0"):
        grid(parameters, 0)


def test_grid_goes_on_with_what_is_missing():
    sampler = GridSampler(parse_parameters(["a=0:2"]), 3)
    done = [Trial(0, {}, 1.0, {}, 0.0), Trial(2, {"a": 1}, 1.0, {}, 0.0)]
    assert sampler.total == 3
    assert sampler.ask(done, 1) == [(1, {"a": 0}), (3, {"a": 2})]


# --------------------------------------------------------------------------------------- metric


def test_metric_is_a_weighted_mean():
    row = {"HOTA": 40.0, "IDF1": 60.0, "MOTA": 10.0}
    assert Metric.parse("HOTA").value(row) == 40
    assert Metric.parse("hota+IDF1").value(row) == 50
    metric = Metric.parse("2*HOTA + 0.5*MOTA")
    assert metric.value(row) == pytest.approx((80 + 5) / 2.5)
    assert str(metric) == "2*HOTA+0.5*MOTA"
    assert metric.families == ("CLEAR", "HOTA")
    assert Metric.parse("IDF1").families == ("Identity",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("HOTTA", "unknown rate 'HOTTA'; expected one of.*'HOTA'"),
        ("IDs", "unknown rate 'IDs'"),
        ("HOTA+", "unknown rate ''"),
        ("-1*HOTA", "a positive number before"),
        ("x*HOTA", "a positive number before.*got 'x'"),
    ],
)
def test_wrong_metrics(text, message):
    with pytest.raises(InputError, match=message):
        Metric.parse(text)


# ------------------------------------------------------------------------------------------ log


def trial(number: int, score: float | None = 1.0) -> Trial:
    return Trial(number, {"a": number}, score, {}, 0.5)


def test_log_remembers_and_drops_an_unfinished_line(tmp_path: Path):
    with TrialLog(tmp_path, {"x": 1}) as log:
        for number, score in enumerate((1.0, 3.0, None, 3.0)):
            log.append(trial(number, score))
        assert [t.number for t in log.best(9)] == [1, 3, 0]  # of equal ones the first
    path = tmp_path / "trials.jsonl"
    path.write_bytes(path.read_bytes() + b'{"number": 4, "para')
    with TrialLog(tmp_path, {"x": 1}, must_exist=True) as log:
        assert log.trials == [trial(n, s) for n, s in enumerate((1.0, 3.0, None, 3.0))]
        log.append(trial(4))
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [0, 1, 2, 3, 4]


def test_log_refuses_what_is_not_its_own(tmp_path: Path):
    with pytest.raises(InputError, match=r"--resume: .* holds no search \(search.json"):
        TrialLog(tmp_path, {}, must_exist=True).__enter__()
    first = {"tracker": {"steps": [{"limit": 0.5}]}, "metric": "HOTA"}
    with TrialLog(tmp_path, first) as log:
        log.append(trial(0))
        with pytest.raises(InputError, match="another search is running in this folder"):
            TrialLog(tmp_path, first).__enter__()
    for other, message in (
        ({**first, "metric": "IDF1"}, "its metric is 'HOTA', this one's 'IDF1'"),
        ({"tracker": {"steps": [{"limit": 0.6}]}}, r"its tracker.steps.0.limit is 0.5, .* 0.6"),
        ({"tracker": first["tracker"]}, "its metric is 'HOTA', this one has none"),
        ({**first, "seed": 1}, "it has no seed, this one 1"),
    ):
        with pytest.raises(InputError, match=f"holds another search: {message}"):
            TrialLog(tmp_path, other).__enter__()
    path = tmp_path / "trials.jsonl"
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(InputError, match=r"trials.jsonl:1: expected a trial.*remove the line"):
        TrialLog(tmp_path, first).__enter__()
    (tmp_path / "search.json").unlink()
    with pytest.raises(InputError, match=r"has trials.jsonl but no search.json"):
        TrialLog(tmp_path, first).__enter__()


# ------------------------------------------------------------------------------------ the command


def people_at(corners: np.ndarray) -> np.ndarray:
    """Boxes ``(N, 4)`` xyxy px, 40 x 100, from their upper left corners."""
    return np.concatenate([corners, corners + np.array([40, 100])], axis=1)


def write_sequence(folder: Path, seed: int, frames: int = 40, people: int = 8) -> None:
    """People who cross each other; a detector that misses, shakes and sees ghosts."""
    rng = np.random.default_rng(seed)
    at, speed = rng.uniform(0, 500, (people, 2)), rng.normal(0, 6, (people, 2))
    truth, found = [], []
    for frame in range(1, frames + 1):
        at += speed
        speed[(at < 0) | (at > 500)] *= -1
        boxes = people_at(at)
        truth += [(frame, person, *box, 1) for person, box in enumerate(boxes, 1)]
        seen = boxes[rng.random(people) > 0.15] + rng.normal(0, 3, 4)
        ghosts = rng.uniform(0, 500, (rng.poisson(1), 2))
        seen = np.concatenate([seen, people_at(ghosts)])
        found += [
            (frame, -1, *box, score)
            for box, score in zip(seen, rng.random(len(seen)) ** 0.5, strict=True)
        ]
    for name, rows, kind in (("gt", truth, "gt"), ("det", found, "result")):
        table = np.array(rows)
        columns = MOTRows.from_arrays(
            table[:, 0], table[:, 1], table[:, 2:6], table[:, 6], classes=np.ones(len(table))
        )
        write_mot_text(folder / name / f"{name}.txt", columns, kind=kind)
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate=30\nseqLength={frames}\n"
        "imWidth=640\nimHeight=600\nimExt=.png\n"
    )


@pytest.fixture(scope="session")
def _street(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("street")
    for seed, name in enumerate(("A-1", "A-2", "B-1")):
        write_sequence(root / name, seed)
    return root


@pytest.fixture
def street(_street: Path, tmp_path: Path, monkeypatch) -> Path:
    """Sequences A-1, A-2, B-1 in ``street`` of the working folder."""
    shutil.copytree(_street, tmp_path / "street")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "street"


@pytest.fixture(scope="session")
def tool() -> ModuleType:
    return tiny.load_tool("analysis/search_tracker")


@pytest.fixture
def run(tool: ModuleType, street: Path, capsys) -> Callable[[str], tuple[int, str, str]]:
    """Runs a command line; exit status, stdout and stderr."""

    def call(arguments: str) -> tuple[int, str, str]:
        code = tiny.call(tool, f"{CONFIG} --dets street --gt street {arguments}")
        return code, *capsys.readouterr()

    return call


GRID = f"--param {LIMIT}=0.3:0.9 {SCORE}=0.4,0.8 --grid 3 --evaluator trackeval"


def trials_of(folder: str) -> list[dict]:
    """Trials in the order of their numbers, without the time they took."""
    lines = (Path(folder) / "trials.jsonl").read_text().splitlines()
    found = sorted(map(json.loads, lines), key=lambda line: line["number"])
    return [{key: value for key, value in line.items() if key != "seconds"} for line in found]


def score_by_files(values: dict, names: list[str], folder: Path) -> dict[str, float]:
    """Scores of the config with other values, through result files: an independent way."""
    tracker = build_tracker(load_tracker(CONFIG, values))
    for name in names:
        found = track(tracker, read_detections(f"street/{name}/det/det.txt"))
        write_mot_text(folder / f"{name}.txt", found)
    return evaluate_folder(folder, "street", "trackeval", sequences=names).overall


def test_grid_finds_the_best_on_the_tune_sequences_alone(run, tmp_path):
    code, out, err = run(f"{GRID} --metric HOTA+IDF1 --train A-* --test B-1 --out found")
    assert (code, err) == (0, "")
    trials = trials_of("found")
    assert [t["parameters"] for t in trials] == [
        {},
        *({LIMIT: limit, SCORE: score} for limit in (0.3, 0.6, 0.9) for score in (0.4, 0.8)),
    ]
    for one in trials:
        row = score_by_files(one["parameters"], ["A-1", "A-2"], tmp_path / "results")
        assert one["score"] == pytest.approx((row["HOTA"] + row["IDF1"]) / 2, abs=1e-2)
    assert len({one["score"] for one in trials}) > 4  # the parameters matter
    best = max(trials, key=lambda one: one["score"])
    assert load_tracker("found/best.py") == load_tracker(CONFIG, best["parameters"])
    build_tracker(load_tracker("found/best.py"))
    assert Path("found/search.png").read_bytes().startswith(b"\x89PNG")
    assert Path("found/results.txt").read_text().strip() in out
    held_out = out.partition("Held out: B-1")[2].splitlines()
    rows = {line.split()[0]: line.split() for line in held_out if line}
    names = rows["Sequence"]
    after = score_by_files(best["parameters"], ["B-1"], tmp_path / "results")
    shown = rows["trial"][2:]
    assert float(shown[names.index("HOTA") - 1]) == pytest.approx(after["HOTA"], abs=0.02)
    before = score_by_files({}, ["B-1"], tmp_path / "results")
    assert float(rows["as"][names.index("IDF1") + 2]) == pytest.approx(before["IDF1"], abs=0.02)


def test_interrupted_search_goes_on_as_if_it_had_not_been(run, monkeypatch):
    assert run(f"{GRID} --out whole")[0] == 0
    original = Evaluation.trial

    def interrupted(self, number, *rest):
        if number == 3:
            raise KeyboardInterrupt
        return original(self, number, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Evaluation, "trial", interrupted)
        code, _, err = run(f"{GRID} --out parts")
    assert code == 130
    assert "3 trials are kept in parts; the same command goes on" in err
    assert [one["number"] for one in trials_of("parts")] == [0, 1, 2]
    code, out, _ = run(f"{GRID} --out parts")
    assert code == 0 and "3 trials are there already" in out and "[2/6]" not in out
    assert trials_of("parts") == trials_of("whole")
    assert Path("parts/best.py").read_text() == Path("whole/best.py").read_text()


def test_two_processes_find_the_same(run):
    assert run(f"{GRID} --out one")[0] == 0
    assert run(f"{GRID} --out two --jobs 2")[0] == 0
    assert trials_of("one") == trials_of("two")
    assert Path("one/best.py").read_text() == Path("two/best.py").read_text()


def test_another_search_needs_another_folder(run):
    assert run(f"--param {LIMIT}=0.3:0.9 --grid 2 --out found")[0] == 0
    code, _, err = run(f"--param {LIMIT}=0.3:0.8 --grid 2 --out found")
    assert code == 1
    assert f"holds another search: its parameters.0 is '{LIMIT}=0.3:0.9'" in err
    code, _, err = run(f"--param {LIMIT}=0.3:0.9 --grid 2 --out found --train A-1")
    assert code == 1 and "its sequences.A-2 is" in err
    code, out, _ = run(f"--param {LIMIT}=0.3:0.9 --grid 2 --out found --resume")
    assert code == 0 and "3 trials are there already" in out
    code, _, err = run(f"--param {LIMIT}=0.3:0.9 --grid 2 --out fuond --resume")
    assert code == 1 and "fuond holds no search" in err and not Path("fuond").exists()


def test_values_that_make_no_tracker_are_failed_trials(run):
    code, out, _ = run("--param tracker.steps.7.buffer=30,-5 --grid 1 --out found --train A-1")
    assert code == 0
    assert "1 trials failed, trial 2: " in out and "must not be negative" in out
    assert [t["score"] is None for t in trials_of("found")] == [False, False, True]


def test_nothing_better_than_the_config_as_it_is(run):
    code, out, _ = run(f"--param {LIMIT}=0.001,0.002 --grid 1 --out found --train A-1")
    assert code == 0
    assert "No trial is better than the config as it is; best.py changes nothing." in out
    assert load_tracker("found/best.py") == load_tracker(CONFIG)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--param tracker.steps.1.limt=0.1:0.2", "no parameter 'limt'; did you mean 'limit'"),
        ("--param tracker.steps.99.limit=0.1:0.2", r"tracker.steps is a list of 10"),
        ("--param tracker.stpes.1.limit=0.1:0.2", r"no key 'stpes'; it has .*'steps'"),
        ("--param model.backbone.depth=18,50", "only the tracker is used here"),
        ("--param tracker.steps.7.buffer=-3:4", "tried with -3.*must not be negative"),
        (f"--param {LIMIT}=0.1:0.2 --metric HOTTA", "unknown rate 'HOTTA'"),
        (f"--param {LIMIT}=0.1:0.2 --train C-*", r"--train: no sequence is called .C-"),
        (f"--param {LIMIT}=0.1:0.2 --train A-* --test A-2", "must not share.*A-2"),
        (f"--param {LIMIT}=0.1:0.2 --test A-* B-*", "no sequence is left to tune on"),
        (f"--param {LIMIT}=0.1:0.2 --jobs 0", "--jobs must be at least 1, got 0"),
        (f"--param {LIMIT}=0.1:0.2 --gt nowhere", "expected ground truth nowhere/SEQ/gt/gt.txt"),
        (f"--param {LIMIT}=0.1:0.2 --det det/no.txt", "det/no.txt"),
    ],
)
def test_wrong_command_lines(run, arguments, message):
    code, _, err = run(f"{arguments} --grid 2 --out found")
    assert code == 1
    assert err.startswith("error: ") and len(err.splitlines()) == 1
    assert re.search(message, err), err
    assert not Path("found").exists()


def test_best_of_a_config_with_a_model_sets_the_model(tmp_path, repository):
    config = repository / "configs/jde/jde_r18_synthmot.py"
    values = {"tracker.steps.1.limit": 0.61, "tracker.motion.position_weight": 0.07}
    write_best(tmp_path / "best.py", config, Trial(3, values, 1.0, {}, 0.0), "two\nlines")
    assert (tmp_path / "best.py").read_text().startswith("# two\n# lines\n")
    assert load_tracker(tmp_path / "best.py") == load_tracker(config, values)


def test_table_of_trials():
    parameters = parse_parameters(["a=0.0:1", "b=x,y"])
    trials = [
        Trial(0, {}, 10.0, {"HOTA": 10.0}, 0.0),
        Trial(1, {"a": 1 / 3, "b": "x"}, 30.0, {"HOTA": 30.0}, 0.0),
        Trial(2, {"a": 0.5, "b": "y"}, 20.0, {"HOTA": 20.0}, 0.0),
        Trial(3, {"a": 0.7, "b": "y"}, None, {}, 0.0, "broken"),
    ]
    assert trials_text(trials, Metric.parse("HOTA"), parameters, count=1).splitlines() == [
        "rank  trial    HOTA           a           b",
        "   1      1  30.000    0.333333           x",
        "   3      0  10.000  (as it is)  (as it is)",
        "1 trials failed, trial 3: broken",
    ]


def test_no_torch_is_imported(repository):
    code = (
        "import sys; import mmdeepmot.apis.search; import mmdeepmot.apis.detections; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=repository).returncode == 0


# ------------------------------------------------------------------------------------- Bayesian


def test_without_optuna_the_grid_still_works(run, monkeypatch):
    find = BayesianSampler.__init__.__globals__["importlib"].util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "optuna" else find(name)
    )
    with pytest.raises(MissingPackageError, match="pip install optuna"):
        BayesianSampler(parse_parameters(["a=0:1"]), 3)
    code, _, err = run(f"--param {LIMIT}=0.3:0.9 --trials 3 --out found")
    assert code == 1
    assert "needs the package optuna" in err and "--grid" in err
    assert run(f"--param {LIMIT}=0.3:0.9 --grid 1 --out found --train A-1")[0] == 0


def bumpy(values: dict) -> float:
    """A function of known maximum: a = 0.3, b = 7, c = 'y'."""
    return 10 - 9 * (values["a"] - 0.3) ** 2 - abs(values["b"] - 7) / 5 + (values["c"] == "y")


def optimise(total: int, jobs: int = 1, stop: int | None = None, known=()) -> list[Trial]:
    parameters = parse_parameters(["a=0.01:1:log", "b=0:20", "c=x,y", "d=0.0:1:0.25"])
    sampler = BayesianSampler(parameters, total, seed=4)
    trials = list(known)
    while asked := sampler.ask(trials, jobs):
        for number, values in asked:
            if number == stop:
                return trials
            trials.append(Trial(number, values, bumpy(values), {}, 0.0))
    return trials


def test_bayesian_search_stays_in_its_space_and_nears_the_maximum():
    pytest.importorskip("optuna", reason="the Bayesian search needs optuna")
    trials = optimise(60)
    assert [t.number for t in trials] == list(range(1, 61))
    for one in trials:
        a, b, c, d = (one.parameters[key] for key in "abcd")
        assert 0.01 <= a <= 1 and b in range(21) and isinstance(b, int) and c in ("x", "y")
        assert d in (0, 0.25, 0.5, 0.75, 1)
    scores = [one.score for one in trials]
    assert max(scores) > 10.7  # of 11
    assert np.mean(scores[40:]) > np.mean(scores[:10]) + 0.5  # it learns


def test_bayesian_search_goes_on_as_if_not_interrupted():
    pytest.importorskip("optuna", reason="the Bayesian search needs optuna")
    whole = optimise(20)
    assert optimise(20) == whole
    assert optimise(20, known=optimise(20, stop=14)) == whole
    assert optimise(20, known=optimise(8)) == whole  # more trials than first asked for
    batches = optimise(20, jobs=3)
    assert [t.number for t in batches] == list(range(1, 21))
    assert len({json.dumps(t.parameters) for t in batches}) > 15
    failed = [Trial(1, {"a": 0.5, "b": 3, "c": "x", "d": 0.5}, None, {}, 0.0, "broken")]
    assert len(optimise(5, known=failed)) == 5


def test_bayesian_command(run):
    pytest.importorskip("optuna", reason="the Bayesian search needs optuna")
    arguments = f"--param {LIMIT}=0.3:0.9 {SCORE}=0.4,0.8 --train A-1 --evaluator trackeval"
    assert run(f"{arguments} --trials 14 --out whole")[0] == 0
    assert run(f"{arguments} --trials 6 --out parts")[0] == 0
    assert run(f"{arguments} --trials 14 --out parts --resume")[0] == 0
    assert trials_of("parts") == trials_of("whole")
    code, _, err = run(f"{arguments} --trials 14 --seed 1 --out whole")
    assert code == 1 and "its seed is 0, this one's 1" in err
    code, _, err = run(f"{arguments} --grid 2 --out whole")
    assert code == 1 and "its method is 'bayesian', this one's 'grid'" in err
