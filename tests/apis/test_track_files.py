"""Progress and manifest of many sequences; the command is tested in tests/tools."""

import io
import re

import pytest
from walkers import write_walkers

from mmdeepmot.apis.detections import find_detections, load_tracker
from mmdeepmot.apis.parallel import Outcome
from mmdeepmot.apis.track_files import (
    Manifest,
    Progress,
    SequenceSummary,
    Settings,
    find_gt,
    fingerprint,
    plan_tasks,
    track_file,
)
from mmdeepmot.apis.track_files import progress as progress_module
from mmdeepmot.config_file import find_config


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """``clock[0]`` is the time, s."""
    now = [100.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


def test_progress_as_lines(clock):
    """Weights 300 and 100. From half of A (3/8 of all) to all of it (6/8) in 6 s: 4 s are left."""
    stream = io.StringIO()
    progress = Progress({"A": 300, "B": 100}, stream)
    clock[0] += 6
    progress.update("A", (500, 1000))
    assert stream.getvalue() == ""  # not often
    clock[0] += 6
    progress.update("A", (1000, 1000))
    assert stream.getvalue() == "75%: 1000 frames, 83 frames/s, 4 s left\n"  # 500 in 6 s
    progress.end(Outcome("A", SequenceSummary(1000, 70, 3, 0.5)))
    progress.end(Outcome("B", error="no file"))
    lines = stream.getvalue().splitlines()
    assert lines[1] == "[1/2] A: 1000 frames, 70 boxes, 3 tracks, 2000 frames/s; 4 s left"
    assert lines[2:] == ["[2/2] B: failed: no file"]
    assert progress.failures == {"B": "no file"}
    assert progress.speed().startswith("Association: 2000 frames/s on one core (1000 frames, 0.50")


def test_progress_on_a_terminal(clock):
    """The state is written over itself; minutes are shown as such."""
    stream = Terminal()
    progress = Progress({"A": 1, "B": 1}, stream)
    for count in (1, 2, 3):
        clock[0] += 1
        progress.update("A", (count, 50))
    states = stream.getvalue().split("\r")[1:]
    assert [state.rstrip() for state in states] == [
        "1%: 1 frames, 0 frames/s, ? left",
        "2%: 2 frames, 1 frames/s, 1:38 left",
        "3%: 3 frames, 1 frames/s, 1:37 left",
    ]
    progress.end(Outcome("A", SequenceSummary(50, 0, 0, 0.0)))
    assert re.search(r"\r\[1/2\] A: 50 frames, 0 boxes, 0 tracks; 2 s left *\n$", stream.getvalue())


def test_nothing_to_do():
    assert "0 frames/s" in Progress({}, io.StringIO()).speed()


def test_one_sequence_and_its_manifest(tmp_path):
    street = write_walkers(tmp_path / "street", ("A",))
    config = find_config("sort")
    settings = Settings(config, {}, tmp_path)
    (task,) = plan_tasks(find_detections(street))
    seen = []
    summary = track_file(settings, task, seen.append)
    assert (summary.frames, seen[0], seen[-1]) == (20, (1, 20), (20, 20))
    tracker = load_tracker(config)
    inputs = fingerprint(settings, tracker, task)
    manifest = Manifest(tmp_path)
    result = settings.result("A")
    assert not manifest.is_current("A", inputs, result)
    manifest.add("A", inputs, result)
    assert Manifest(tmp_path).is_current("A", inputs, result)
    assert not Manifest(tmp_path).is_current("B", inputs, result)
    others = [
        (Settings(config, {}, tmp_path, min_score=0.1), tracker),
        (Settings(config, {}, tmp_path, interpolate="linear"), tracker),
        (settings, load_tracker(config, {"tracker.capacity": 3})),
    ]
    assert all(fingerprint(*other, task) != inputs for other in others)
    assert fingerprint(Settings(config, {}, tmp_path, max_gap=3), tracker, task) == inputs


def test_ground_truth_beside_detections(tmp_path):
    street = write_walkers(tmp_path / "street", ("A", "B"))
    assert find_gt(find_detections(street)) == (street, ["A", "B"])
    assert find_gt(find_detections(street / "B")) == (street, ["B"])
    (tmp_path / "C.txt").write_text("")
    assert find_gt(find_detections(tmp_path / "C.txt")) == (None, [])


def test_largest_files_come_first(tmp_path):
    for name, size in (("a", 10), ("b", 30), ("c", 20)):
        (tmp_path / f"{name}.txt").write_text("\n" * size)
    assert [task.name for task in plan_tasks(find_detections(tmp_path))] == ["b", "c", "a"]
