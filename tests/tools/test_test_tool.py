"""The test tool, from its command line, on a tiny set and a tiny JDE."""

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import tiny
import torch

from mmdeepmot.io.mot import read_mot_text, write_mot_text
from mmdeepmot.io.video import open_video

SHOWN = ("MOTA", "IDF1", "HOTA", "MOTP", "IDs", "FP", "FN", "MT", "ML", "AP@0.5", "TPR@FAR=0.1")


@pytest.fixture(scope="session")
def tool() -> ModuleType:
    return tiny.load_tool("test")


@pytest.fixture
def place(tiny_project: Path) -> Path:
    return tiny_project


@pytest.fixture
def run(tool: ModuleType, place: Path, capsys) -> Callable[[str], tuple[int, str, str]]:
    """Runs a command line; exit status, stdout and stderr."""

    def call(arguments: str) -> tuple[int, str, str]:
        return tiny.call(tool, arguments), *capsys.readouterr()

    return call


def rows_of(out: str) -> dict[str, list[str]]:
    """Cells of the printed table by their row's name."""
    lines = [line.split() for line in out.splitlines()]
    start = next(i for i, cells in enumerate(lines) if cells[:2] == ["Sequence", "MOTA"])
    end = next(i for i, cells in enumerate(lines) if cells[:1] == ["OVERALL"])
    return {cells[0]: cells[1:] for cells in lines[start : end + 1]}


def test_all_tasks_in_one_table(run, place):
    code, out, _ = run("tiny.py weights.pth --eval track detection embedding --out scores.json")
    assert code == 0
    rows = rows_of(out)
    assert list(rows) == ["Sequence", "A", "B", "OVERALL"]
    assert [name for name in rows["Sequence"] if name in SHOWN] == list(SHOWN)
    assert rows["Sequence"][-1] == "FPS"
    shown = dict(zip(rows["Sequence"], rows["OVERALL"], strict=True))
    assert "-" not in shown.values()
    saved = json.loads(Path("scores.json").read_text())
    tables = saved["tables"]
    assert list(tables) == ["track", "detection", "embedding"]
    assert f"{tables['track']['rows']['OVERALL']['MOTA']:.2f}" == shown["MOTA"]
    assert f"{tables['detection']['rows']['OVERALL']['AP@0.5']:.2f}" == shown["AP@0.5"]
    assert (
        tables["track"]["rows"]["A"]["GT"]
        == 18
        == tables["embedding"]["rows"]["OVERALL"]["Boxes"] / 2
    )
    assert math.isclose(float(shown["FPS"]), saved["speed"]["FPS"], abs_tol=0.1)
    # three passes; the association ran in the first alone
    assert out.count("Epoch(test) [4/4]") == 3


def test_figures_by_area(run, place):
    """The three people of the tiny set have 768 px^2."""
    code, out, _ = run(
        "tiny.py weights.pth --eval track detection embedding --areas 700 800 --out scores.json"
    )
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    start = next(i for i, cells in enumerate(lines) if cells[:1] == ["Size"])
    assert lines[start][1:5] == ["IDs", "GT", "AP@0.5", "TPR@FAR=0.1"]
    small, medium, large, overall = (cells for cells in lines[start + 1 : start + 5])
    assert small == ["small", "0", "0", "-", "-", "-", "-", "0"]
    assert medium[2] == "36" and "-" not in medium
    assert medium[1:3] + medium[4:] == overall[1:3] + overall[4:]
    assert float(medium[3]) > float(overall[3])  # without the false alarms of other sizes
    assert large[0] == "large" and overall[0] == "OVERALL"
    assert "small < 700 <= medium <= 800 < large" in out
    tables = json.loads(Path("scores.json").read_text())["tables"]
    assert list(tables) == ["track", "detection", "embedding", "areas"]
    assert tables["areas"]["rows"]["medium"]["IDs"] == tables["track"]["rows"]["OVERALL"]["IDs"]
    code, _, err = run("tiny.py weights.pth --areas 700 800 --evaluator trackeval")
    assert code == 1 and "counted by motmetrics" in err
    code, _, err = run("tiny.py weights.pth --areas 800 700")
    assert code == 1 and "0 < first < second" in err


OWN_EVALUATOR = """
_base_ = "tiny.py"
test_dataloader = dict(dataset=dict(classes=dict(person=1, car=3)))
test_evaluator = [
    dict(type="DetectionMetric", classes="together"),
    dict(type="MOTMetric", classes="together", evaluator="trackeval", iou_threshold=0.1),
    dict(type="EmbeddingMetric", max_embeddings=10),
]
"""


def test_metrics_are_as_the_config_has_them(run, place):
    """One of three people is called a car; the network calls all of them people."""
    for name in "AB":
        truth = place / "street" / name / "gt/gt.txt"
        rows = [line.split(",") for line in truth.read_text().splitlines()]
        rows = [[*row[:7], "3" if row[1] == "3" else row[7], *row[8:]] for row in rows]
        truth.write_text("\n".join(",".join(row) for row in rows))
    Path("own.py").write_text(OWN_EVALUATOR)
    apart = OWN_EVALUATOR.replace("together", "apart").replace(", max_embeddings=10", "")
    Path("apart.py").write_text(apart.replace(', evaluator="trackeval", iou_threshold=0.1', ""))
    tables = {}
    for name in ("apart", "own"):
        line = f"{name}.py weights.pth --eval track detection embedding --out {name}.json"
        code, out, err = run(line)
        assert code == 0, err
        assert ("Class" in out) == (name == "apart")
        tables[name] = json.loads(Path(f"{name}.json").read_text())["tables"]
    assert tables["apart"]["track_classes"]["rows"]["car"]["FN"] == 12
    found = {name: table["track"]["rows"]["OVERALL"]["FN"] for name, table in tables.items()}
    assert found["own"] < found["apart"] and found["apart"] >= 12
    precision = {name: table["detection"]["rows"]["OVERALL"] for name, table in tables.items()}
    assert precision["own"]["AP@0.5"] > precision["apart"]["AP@0.5"] > 0
    assert precision["own"]["GT"] == precision["apart"]["GT"] == 36
    boxes = {name: table["embedding"]["rows"]["OVERALL"]["Boxes"] for name, table in tables.items()}
    assert boxes == {"apart": 36, "own": 10}
    assert "of a random sample of 36 ground" in tables["own"]["embedding"]["caption"]
    assert "HOTA by trackeval" in tables["own"]["track"]["caption"]
    code, out, _ = run("own.py weights.pth --evaluator motmetrics")
    assert code == 0 and "CLEAR, Identity by motmetrics" in out and "Class" not in out
    formatted = "test_evaluator.1.format_only=True test_evaluator.1.outfile_prefix=written"
    code, out, _ = run(f"own.py weights.pth --cfg-options {formatted}")
    assert code == 0 and "OVERALL" not in out and "and of the whole: FPSD" in out
    assert sorted(path.name for path in Path("written").iterdir()) == ["A.txt", "B.txt"]
    Path("own.py").write_text(OWN_EVALUATOR.replace("Detection", "MOT"))
    code, out, err = run("own.py weights.pth")
    assert code == 1 and "one metric of the task 'track', got MOTMetric and MOTMetric" in err
    assert "mmengine - INFO" not in out


def test_the_newest_run_is_found_and_left_as_it_was(run, place):
    for seconds, name in ((20, "old"), (10, "new")):
        work_dir = place / "work_dirs" / name
        work_dir.mkdir(parents=True)
        shutil.copy("weights.pth", work_dir / "epoch_3.pth")
        shutil.copy("tiny.py", work_dir / "tiny.py")
        (work_dir / "last_checkpoint").write_text(str(work_dir / "epoch_3.pth"))
        os.utime(work_dir / "last_checkpoint", (time.time() - seconds,) * 2)
    before = {path: path.read_bytes() for path in place.glob("work_dirs/*/*")}
    code, out, _ = run("--eval track")
    assert code == 0
    assert f"newest run: work_dirs/new/tiny.py, {place}/work_dirs/new/epoch_3.pth" in out
    assert rows_of(out)["OVERALL"]
    assert {path: path.read_bytes() for path in before} == before
    code, out, _ = run("tiny.py --work-dir work_dirs/old --eval detection")
    assert code == 0 and f"newest checkpoint of tiny: {place}/work_dirs/old/epoch_3.pth" in out
    code, _, err = run("tiny.py --work-dir work_dirs/none")
    assert code == 1 and "no checkpoint of tiny in work_dirs/none, work_dirs/none/tiny: " in err


def test_results_and_videos_of_chosen_sequences(run, place):
    code, out, _ = run("tiny.py weights.pth --format-only --out found --show-dir seen")
    assert code == 0 and "and of the whole: FPSD" in out.splitlines()[-1]
    assert sorted(path.name for path in Path("found").iterdir()) == ["A.txt", "B.txt"]
    for name in "AB":
        rows = read_mot_text(f"found/{name}.txt", "result", strict=True)
        assert len(rows) and set(rows.frames.tolist()) <= set(range(1, 7))
        assert len(list(open_video(f"seen/{name}.mp4"))) == 6
    code, out, _ = run(
        "tiny.py weights.pth --sequences B --out one --show-dir two --show-sequences B"
    )
    assert code == 0 and list(rows_of(out)) == ["Sequence", "B", "OVERALL"]
    assert sorted(path.name for path in Path("one").iterdir()) == ["B.txt", "scores.json"]
    assert [path.name for path in Path("two").iterdir()] == ["B.mp4"]
    assert Path("one/B.txt").read_bytes() == Path("found/B.txt").read_bytes()


@pytest.mark.parametrize("evaluator", ["motmetrics", "trackeval"])
def test_files_score_as_the_model_that_wrote_them(run, place, evaluator):
    code, out, _ = run(f"tiny.py weights.pth --out found --evaluator {evaluator}")
    assert code == 0 and f"CLEAR, Identity{', HOTA' * (evaluator == 'trackeval')} by" in out
    model = rows_of(out)
    code, out, _ = run(f"--eval track --results found --gt street --evaluator {evaluator}")
    assert code == 0
    files = rows_of(out)
    shared = [name for name in SHOWN if name in files["Sequence"]]
    assert len(shared) == 9
    for name in ("A", "B", "OVERALL"):
        one, other = (dict(zip(t["Sequence"], t[name], strict=True)) for t in (model, files))
        assert [one[key] for key in shared] == [other[key] for key in shared]
    assert list(files)[-1] == "OVERALL"
    code, out, _ = run("--results found --gt street --sequences A")
    assert list(rows_of(out)) == ["Sequence", "A", "OVERALL"]


def test_files_are_scored_without_torch(place):
    write_mot_text("found/A.txt", read_mot_text("street/A/gt/gt.txt", "gt"))
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['test.py', '--results', 'found', '--gt', 'street', '--sequences', 'A']\n"
        "try:\n"
        f"    runpy.run_path({str(tiny.ROOT / 'tools/test.py')!r}, run_name='__main__')\n"
        "finally:\n"
        "    print([name for name in ('torch', 'mmdet') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[]\n")
    assert rows_of(done.stdout)["A"][0] == "100.00"


def test_the_checkpoint_says_the_number_of_identities(run, place):
    """``num_ids=None`` in the config: nothing is trained, the classifier is as it was saved."""
    weights = torch.load("weights.pth", weights_only=True)["state_dict"]
    assert next(len(value) for key, value in weights.items() if "classifier" in key) == 6
    code, out, _ = run("tiny.py weights.pth --eval embedding")
    assert code == 0 and "size mismatch" not in out and "unexpected key" not in out


class Malicious:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("executed",))


NOT_BEGUN = {
    "wrong option": ("tiny.py weights.pth --cfg-options model.detector.nek=1", "mean 'neck'?"),
    "no key=value": ("tiny.py weights.pth --cfg-options model", "expected KEY=VALUE, got 'model'"),
    "config": ("tyni.py weights.pth", "config tyni.py: expected a config file"),
    "checkpoint": ("tiny.py wieghts.pth", "wieghts.pth does not exist; did you mean"),
    "no checkpoint": ("tiny.py", "no checkpoint of tiny in work_dirs/tiny: train one"),
    "no run": ("--eval track", "no training with a checkpoint under work_dirs"),
    "dataset": (
        "tiny.py weights.pth --cfg-options test_dataloader.dataset.data_root=nowhere",
        "data_root nowhere (absolute:",
    ),
    "sequence": (
        "tiny.py weights.pth --sequences A C",
        "no sequence is called 'C'; there are ['A', 'B']",
    ),
    "video": (
        "tiny.py weights.pth --show-dir v --show-sequences C",
        "no video can be made of sequence 'C': the test set has A, B",
    ),
    "tracker": (
        "tiny.py weights.pth --cfg-options model.tracker=None",
        "task 'track' needs `model.tracker` in tiny.py: inherit one of",
    ),
    "test set": (
        "tiny.py weights.pth --cfg-options test_dataloader=None",
        "tiny.py has no `test_dataloader`, so there is nothing to test on",
    ),
    "not a checkpoint": ("tiny.py street/A/seqinfo.ini", "seqinfo.ini: "),
    "pickle": ("tiny.py evil.pth", "evil.pth: refused."),
    "architecture": ("tiny.py other.pth", "other.pth: a checkpoint of another architecture."),
    "damaged": ("tiny.py damaged.pth", "damaged.pth: not a readable checkpoint"),
}


@pytest.mark.parametrize("what", NOT_BEGUN)
def test_wrong_input_is_said_before_inference(what, run, place):
    arguments, message = NOT_BEGUN[what]
    weights = torch.load("weights.pth", weights_only=True)["state_dict"]
    if what == "pickle":
        torch.save({"state_dict": {**weights, "detector.x": Malicious()}}, "evil.pth")
    elif what == "architecture":
        renamed = {k.replace("backbone.", "trunk."): v for k, v in weights.items()}
        torch.save({"state_dict": renamed}, "other.pth")
    elif what == "damaged":
        content = Path("weights.pth").read_bytes()
        Path("damaged.pth").write_bytes(content[: len(content) // 2])
    code, out, err = run(f"{arguments} --out found")
    assert code == 1
    assert err.splitlines()[-1].startswith("error: ") and message in err.splitlines()[-1]
    assert "Traceback" not in err and "Epoch(test)" not in out
    assert not Path("found").exists() and not Path("executed").exists()


def test_config_text_in_a_checkpoint_is_not_executed(run, place):
    text = "import os\nos.mkdir('executed')\n"
    checkpoint = torch.load("weights.pth", weights_only=True)
    torch.save({**checkpoint, "meta": {"cfg": text, "config": text}}, "weights.pth")
    assert run("tiny.py weights.pth")[0] == 0
    assert not Path("executed").exists()


@pytest.mark.parametrize("library", ["motmetrics", "trackeval"])
def test_a_missing_evaluator_is_said_before_anything_is_built(run, place, monkeypatch, library):
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == library else find_spec(name)
    )
    code, out, err = run("tiny.py weights.pth --eval detection track")
    assert code == 1 and f"not installed: pip install {library}" in err
    assert "mmengine - INFO" not in out
    assert run("--results found --gt street")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--results found", "--results DIR and --gt DIR belong together"),
        ("--results found --gt street --eval detection", "only --eval track"),
        ("tiny.py --results found --gt street", "CONFIG is for testing a model: leave it out"),
        ("--results found --gt street --show-dir v", "--show-dir is for testing a model"),
        ("tiny.py --format-only", "--format-only needs --out FOLDER"),
        ("tiny.py --format-only --out x.json", "--format-only needs --out FOLDER"),
        ("tiny.py --format-only --out x --eval track detection", "--eval track alone"),
        ("tiny.py --eval track track", "each task once"),
        ("tiny.py --eval tracking", "invalid choice: 'tracking'"),
        ("tiny.py --show-sequences A", "give that too"),
        ("tiny.py --areas 6000", "expected 2 arguments"),
        ("tiny.py --areas 1 2 --format-only --out x", "--areas needs scores"),
        ("--results found --gt street --areas 1 2", "--areas is for testing a model"),
        ("tiny.py --show-dir v --eval detection", "add track to --eval"),
    ],
)
def test_wrong_command_lines(run, arguments, message):
    code, _, err = run(arguments)
    assert code == 2 and message in err


def test_help_names_every_option(run):
    code, out, _ = run("--help")
    assert code == 0
    for text in ("--sequences", "--show-sequences", "--evaluator", "exit status", "130 after Ctrl"):
        assert text in out


def test_a_bug_keeps_its_traceback(run, place):
    Path("broken.py").write_text(
        "from mmdeepmot.models.detectors import JDE\n"
        "from mmdeepmot.registry import MODELS\n"
        "@MODELS.register_module(force=True)\n"
        "class BrokenJDE(JDE):\n"
        "    def predict(self, *args, **kwargs):\n"
        "        return len(3)\n"
    )
    Path("bug.py").write_text(
        "_base_ = 'tiny.py'\ncustom_imports = dict(imports=['broken'])\n"
        "model = dict(detector=dict(type='BrokenJDE'))\n"
    )
    sys.path.insert(0, str(place))
    try:
        with pytest.raises(TypeError, match="has no len"):
            run("bug.py weights.pth")
    finally:
        sys.path.remove(str(place))


def test_ctrl_c_keeps_the_video_so_far(run, place, monkeypatch):
    from mmdeepmot.engine.hooks import TrackVideoHook

    draw = TrackVideoHook._write
    drawn = []

    def interrupted(self, frame):
        if len(drawn) == 8:
            raise KeyboardInterrupt
        drawn.append(frame.video_name)
        draw(self, frame)

    monkeypatch.setattr(TrackVideoHook, "_write", interrupted)
    code, out, err = run("tiny.py weights.pth --show-dir seen")
    assert code == 130 and "Interrupted." in err and "OVERALL" not in out
    assert [len(list(open_video(f"seen/{name}.mp4"))) for name in "AB"] == [6, 2]


def test_two_processes_score_as_one(run, place):
    arguments = "--eval track detection embedding --out"
    assert run(f"tiny.py weights.pth {arguments} one")[0] == 0
    done = subprocess.run(
        [
            *("bash", str(tiny.ROOT / "tools/dist_test.sh"), "tiny.py", "weights.pth", "2"),
            *f"{arguments} two --show-dir seen".split(),
        ],
        env={**os.environ, "PYTHON": sys.executable, "PORT": "29617", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("OVERALL") == 1
    one, two = (json.loads(Path(f"{name}/scores.json").read_text()) for name in ("one", "two"))
    assert one["tables"] == two["tables"]
    for name in ("A.txt", "B.txt"):
        assert Path(f"one/{name}").read_bytes() == Path(f"two/{name}").read_bytes()
    assert sorted(path.name for path in Path("seen").iterdir()) == ["A.mp4", "B.mp4"]
