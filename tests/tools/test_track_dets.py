"""The tool that tracks from detection files, from its command line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tiny
from walkers import detected, walk, write_seqinfo, write_walkers

from mmdeepmot.io.mot import read_mot_text, write_mot_text
from mmdeepmot.trackers.interpolation import interpolate_linear

Call = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools/track_dets.py"


@pytest.fixture(scope="session")
def tool() -> ModuleType:
    return tiny.load_tool("track_dets")


@pytest.fixture
def place(tmp_path: Path, monkeypatch) -> Path:
    """The working folder: ``street/`` with sequences A, B, C."""
    write_walkers(tmp_path / "street")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(tool: ModuleType, place: Path, capfd) -> Call:
    """Runs ``CONFIG --dets street --out out``, then more arguments; status, stdout and stderr.

    In one process where the arguments say nothing else.
    """

    def call(arguments: str = "", config: str = "bytetrack", base: str = "--dets street --out out"):
        jobs = "" if "--jobs" in arguments else "--jobs 1"
        return tiny.call(tool, f"{config} {base} {jobs} {arguments}"), *capfd.readouterr()

    return call


def results(folder: str | Path = "out") -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(Path(folder).glob("*.txt"))}


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


# -------------------------------------------------------------------------------------- it works


def test_tracks_and_scores(run):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert list(results()) == ["A.txt", "B.txt", "C.txt"]
    rows = read_mot_text("out/A.txt", "result", strict=True)
    assert rows.frames.min() >= 1 and rows.frames.max() == 20 and len(np.unique(rows.ids)) >= 4
    assert re.search(r"^\[3/3\] [ABC]: 20 frames, \d+ boxes, \d+ tracks, \d+ frames/s$", out, re.M)
    assert re.search(r"^Association: \d+ frames/s on one core \(60 frames, ", out, re.M)
    table = [line.split() for line in out.splitlines()]
    header = next(cells for cells in table if cells[:2] == ["Sequence", "MOTA"])
    scores = {cells[0]: dict(zip(header, cells, strict=True)) for cells in table[-5:] if cells}
    assert [name for name in scores if name in ("A", "B", "C", "OVERALL")] == [*"ABC", "OVERALL"]
    assert float(scores["OVERALL"]["MOTA"]) > 70 and scores["OVERALL"]["GT"] == "240"


@pytest.mark.parametrize("extra", ["", "--interpolate gaussian --min-score 0.55"])
def test_processes_do_not_change_results(run, extra):
    assert run(f"--gt none {extra}")[0] == 0
    alone = results()
    shutil.rmtree("out")
    code, out, _ = run(f"--jobs 2 --gt none {extra}")
    assert code == 0 and "MOTA" not in out
    assert results() == alone


def test_single_file_and_ground_truth_elsewhere(run, place):
    """Without seqinfo.ini beside it, the ground truth's tells the length: frame 21 is too late."""
    shutil.copy("street/B/det/det.txt", "B.txt")
    code, out, _ = run("--gt street", base="--dets B.txt --out out")
    assert code == 0 and "OVERALL" in out and list(results()) == ["B.txt"]
    with open("B.txt", "a") as file:
        file.write("21,-1,1,1,5,5,1\n")
    code, _, err = run("--gt street", base="--dets B.txt --out out")
    assert code == 1 and "expected frames 1 to 20" in err


def test_some_sequences_and_other_detections(run):
    shutil.copy("street/B/det/det.txt", "street/B/det/det_SDP.txt")
    shutil.rmtree("street/C/gt")
    code, out, _ = run("--sequences A C")
    assert code == 0 and list(results()) == ["A.txt", "C.txt"]
    assert "Without ground truth in" in out and "not scored: C." in out
    shutil.rmtree("out")
    assert run("--det det/det_SDP.txt")[0] == 0
    assert list(results()) == ["B.txt"]


def test_options_of_the_config(run):
    run("--gt none")
    before = results()
    code, _, _ = run("--gt none --cfg-options tracker.steps.1.min_score=0.99")
    assert code == 0 and results() != before


def test_interpolation(run):
    """Gaps of the detections are filled: the result of the library's function."""
    run("--gt none --sequences A")
    plain = read_mot_text("out/A.txt", "result")
    run("--gt none --sequences A --interpolate linear --max-gap 3")
    filled = read_mot_text("out/A.txt", "result")
    expected = interpolate_linear(plain, 3)
    assert len(filled) == len(expected) > len(plain)
    np.testing.assert_allclose(filled.bboxes, expected.bboxes, atol=2e-3)  # files: 3 digits


def test_embeddings_from_arrays(run, place):
    Path("arrays").mkdir()
    rows = detected(walk())
    boxes = np.concatenate([rows.bboxes[:, :2], rows.bboxes[:, 2:] - rows.bboxes[:, :2]], axis=1)
    looks = np.random.default_rng(0).normal(size=(len(rows), 4))
    blank = np.full((len(rows), 3), -1)
    table = np.column_stack([rows.frames, rows.ids, boxes, rows.scores, blank, looks])
    np.save("arrays/A.npy", table)
    code, out, _ = run("--gt street", "deepsort", "--dets arrays --out out")
    assert code == 0 and "OVERALL" in out


def test_camera_motion(run, place):
    """The street's images: used where the tracker compensates, and only there."""
    tiny.write_street(place / "seen", ("A",))
    truth = read_mot_text("seen/A/gt/gt.txt", "gt")
    write_mot_text("seen/A/det/det.txt", truth)
    shutil.copytree("street/B", "seen/B")
    base = "--dets seen --out out"
    code, out, err = run("", "botsort", base)
    assert (code, err) == (0, "")
    assert "Camera motion: SparseFlow; 1 of 2 sequences have images." in out
    code, out, _ = run("--camera ECC --sequences A", "botsort", base)
    assert code == 0 and "Camera motion: ECC; 1 of 1" in out
    code, out, _ = run("--images none", "botsort", base)
    assert code == 0 and "Camera motion" not in out
    Path("seen/A/img1").rename("pictures")
    code, out, _ = run("--images pictures --sequences A", "botsort", base)
    assert code == 0 and "1 of 1" in out
    for arguments, config, message in [
        ("--camera ECC", "bytetrack", "bytetrack has no step Compensate"),
        ("--images pictures", "bytetrack", "bytetrack has no step Compensate"),
        ("--camera ECC", "botsort", r"expected images \(SEQ/img1\) beside the detections"),
        ("--images nowhere", "botsort", "--images nowhere: expected the images of sequence "),
        ("--images pictures --camera EEC", "botsort", "--camera: no camera motion is called 'EEC'"),
    ]:
        code, _, err = run(arguments, config, base)
        assert code == 1 and re.search(message, err), err


# --------------------------------------------------------------------------------------- resume


def stamps() -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in Path("out").glob("*.txt")}


def test_resume_does_only_what_would_come_out_otherwise(run):
    arguments = "--gt none --resume"
    code, out, _ = run(arguments)
    assert code == 0 and "0 of 3 sequences are finished and unchanged: skipped." in out
    before, text = stamps(), results()
    code, out, _ = run(arguments)
    assert code == 0 and "3 of 3 sequences are finished" in out and "Association" not in out
    assert stamps() == before

    def changed() -> set[str]:
        nonlocal before
        assert run(arguments)[0] == 0
        after = stamps()
        names = {name for name in after if after[name] != before.get(name)}
        before = after
        return names

    path = Path("street/B/det/det.txt")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert changed() == {"B.txt"}
    Path("out/A.txt").write_text(text["A.txt"] + "20,99,1,1,5,5,1,-1,-1,-1\n")
    assert changed() == {"A.txt"}
    Path("out/C.txt").unlink()
    assert changed() == {"C.txt"}
    write_seqinfo(Path("street/C"), 20, fps=5)
    assert changed() == {"C.txt"}
    arguments += " --cfg-options tracker.steps.1.limit=0.7"
    assert changed() == {"A.txt", "B.txt", "C.txt"}
    arguments += " --interpolate linear"
    assert changed() == {"A.txt", "B.txt", "C.txt"}
    assert changed() == set()
    Path("out/track_dets.json").write_text("{broken")
    assert changed() == {"A.txt", "B.txt", "C.txt"}
    assert set(json.loads(Path("out/track_dets.json").read_text())["sequences"]) == {*"ABC"}


def test_without_resume_all_is_done_again(run):
    run("--gt none")
    before = stamps()
    run("--gt none")
    assert all(stamps()[name] > before[name] for name in before)


def test_interruption_keeps_what_is_written_and_resume_goes_on(run, place):
    names = tuple(f"S{n:02d}" for n in range(12))
    write_walkers(place / "many", names, people=10, frames=250)
    arguments = ["ocsort", "--dets", "many", "--out", "out", "--gt", "none", "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, str(TOOL), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None  # on a busy machine lines of progress come first
    assert any("[1/12]" in line for line in process.stdout)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all processes of the group
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err and last_line(err) == "Interrupted."
    written = results()
    said = re.search(r"(\d+) of 12 sequences are in out; the same command with --resume", err)
    assert said is not None and 1 <= int(said[1]) <= len(written) < 12
    code, out, _ = run("--gt none --resume", "ocsort", "--dets many --out out")
    assert code == 0 and f"{said[1]} of 12 sequences are finished" in out
    assert run("--gt none", "ocsort", "--dets many --out whole")[0] == 0
    complete = results("whole")
    assert results() == complete and all(complete[name] == written[name] for name in written)
    assert not list(Path("out").glob(".*"))


# ------------------------------------------------------------------------------------- bad input


def refused(run: Call, message: str, arguments: str = "", **how: str) -> str:
    """A command that ends with one error, said in the last line; what was printed before."""
    code, out, err = run(arguments, **how)
    assert code == 1 and last_line(err).startswith("error: "), err
    assert re.search(message, last_line(err)), err
    assert "Traceback" not in out + err
    return out


def test_wrong_places(run):
    refused(run, "nowhere: expected a file of detections", base="--dets nowhere --out out")
    Path("empty").mkdir()
    refused(run, "empty: expected detections .* found none", base="--dets empty --out out")
    refused(run, "found none; there are SEQ/det/det.txt", "--det det/det_DPM.txt")
    refused(run, "no sequence is called 'D.'; there are .'A', 'B', 'C'.", "--sequences D*")
    refused(run, "--gt nowhere: expected SEQ/gt/gt.txt", "--gt nowhere")
    refused(run, "did you mean bytetrack", config="bytetrakc")
    assert not Path("out").exists()


def test_wrong_configs(run, place):
    Path("none.py").write_text("epochs = 3\n")
    refused(run, r"none\.py: expected tracker=dict", config="none.py")
    Path("syntax.py").write_text("tracker = dict(\n")
    refused(run, r"syntax\.py:1: '\(' was never closed", config="syntax.py")
    refused(run, r"steps\[1\].*no parameter 'limt'", "--cfg-options tracker.steps.1.limt=0.5")
    refused(run, "tracker.steps is a list of", "--cfg-options tracker.steps.99.limit=0.5")
    refused(run, "expected KEY=VALUE, got 'fast'", "--cfg-options fast")


def test_results_never_overwrite_detections(run):
    Path("flat").mkdir()
    shutil.copy("street/A/det/det.txt", "flat/A.txt")
    before = results("flat")
    refused(run, "A.txt there holds detections", base="--dets flat --out flat")
    assert results("flat") == before


@pytest.mark.parametrize(
    ("jobs", "row", "message"),
    [
        (
            1,
            "3,-1,walk,2,3,4,1",
            r"error: 1 of 3 sequences failed: B: \S*B/det/det.txt:5: expected",
        ),
        (2, "3,-1,nan,2,3,4,1", r"B: \S*B/det/det.txt:5: expected finite numbers"),
        (1, "99,-1,1,2,3,4,1", r"B: \S*B/det/det.txt: expected frames 1 to 20 .* got frame 99"),
    ],
)
def test_a_bad_sequence_loses_no_other(run, jobs, row, message):
    path = Path("street/B/det/det.txt")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], row, *lines[4:]]))
    out = refused(run, message, f"--jobs {jobs}")
    assert list(results()) == ["A.txt", "C.txt"]
    assert re.search(r"^\[\d/3\] B: failed: ", out, re.M)
    assert re.search(r"^A .*\nC .*\nOVERALL ", out, re.M)


def test_missing_embeddings(run):
    refused(run, r"A: \S*: this tracker compares appearance.* Give A\.npy", config="deepsort")
    assert not results()


def test_many_failures_are_counted(run, place):
    write_walkers(place / "street", tuple("ABCDE"), frames=3)
    out = refused(run, "5 of 5 sequences failed: .*; and 2 others$", config="deepsort")
    assert out.count("failed: ") == 5


def test_a_bug_and_a_death_are_named(run, place, monkeypatch):
    """A step of the user's own that raises, or kills its process, in sequence B."""
    monkeypatch.syspath_prepend(str(place))
    Path("my_steps.py").write_text(
        "import os\n"
        "from mmdeepmot.registry import STEPS\n"
        "from mmdeepmot.trackers.steps import Step\n\n\n"
        "@STEPS.register_module(force=True)\n"
        "class Trip(Step):\n"
        "    def __init__(self, how):\n"
        "        self.how = how\n\n"
        "    def __call__(self, context):\n"
        "        if context.frame.fps == 7:\n"
        "            os.abort() if self.how == 'abort' else {}['key']\n"
    )
    Path("mine.py").write_text(
        f"_base_ = '{ROOT}/configs/_base_/trackers/sort.py'\n"
        "custom_imports = dict(imports=['my_steps'])\n"
        "tracker = dict(steps=[dict(type='Trip', how='raise'), *_base_.tracker.steps])\n"
    )
    write_seqinfo(Path("street/B"), 20, fps=7)
    code, _, err = run("--jobs 2 --gt none", "mine.py")
    assert code == 1 and list(results()) == ["A.txt", "C.txt"]
    assert "my_steps.py" in err  # a bug keeps its traceback
    assert last_line(err) == "error: 1 of 3 sequences failed: B: KeyError: 'key'"
    shutil.rmtree("out")
    code, _, err = run("--jobs 2 --gt none --cfg-options tracker.steps.0.how=abort", "mine.py")
    assert code == 1 and list(results()) == ["A.txt", "C.txt"]
    assert "B: its process died (signal SIGABRT)" in last_line(err)


def test_empty_detections(run):
    Path("street/A/det/det.txt").write_text("")
    code, _, _ = run("--gt none")
    assert code == 0 and results()["A.txt"] == "" and results()["B.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--jobs 0", "--jobs: expected a number of processes from 1, got 0"),
        ("--max-gap 3", "--max-gap is that of --interpolate"),
        ("--interpolate linear --max-gap -1", "expected a number of frames from 0, got -1"),
        ("--camera ECC --images none", "--camera needs images"),
        ("--interpolate cubic", "invalid choice: 'cubic'"),
    ],
)
def test_wrong_command_lines(run, arguments, message):
    code, _, err = run(arguments)
    assert code == 2 and message in last_line(err)


# ----------------------------------------------------------------------------- time, real data


def test_starts_in_seconds(place):
    """3 s, tracking of a small sequence included, on a machine that does nothing else."""
    command = [sys.executable, str(TOOL), "bytetrack", "--dets", "street/A", "--out", "out"]
    times = []
    for _ in range(3):
        start = time.monotonic()
        subprocess.run([*command, "--gt", "none"], check=True, capture_output=True)
        times.append(time.monotonic() - start)
        if times[-1] < 3:
            return
    assert min(times) < 3 * 3, f"took {times} s"


def test_real_sequence(run, shared_data):
    dets = shared_data / "association" / "MOT15"
    if not dets.is_dir():
        pytest.skip(f"no real detections at {dets}")
    base = f"--dets {dets} --out out --sequences TUD-Stadtmitte"
    code, out, _ = run(base=base)
    assert code == 0
    header, scores = (
        next(line.split() for line in out.splitlines() if line.startswith(start))
        for start in ("Sequence", "OVERALL")
    )
    shown = dict(zip(header, scores, strict=True))
    assert float(shown["MOTA"]) > 50 and float(shown["IDF1"]) > 50
