"""tools/benchmarks/packages.py: the harness on tiny scenes; other packages where they are there."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmdeepmot.errors import InputError
from mmdeepmot.structures import Detections, Frame

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/benchmarks"))

from comparison import tables  # noqa: E402
from comparison.accuracy import SCORES, differences, score, track, worst  # noqa: E402
from comparison.contender import METHODS, Contender, Unavailable  # noqa: E402
from comparison.ours import OurContender, edited, load_config  # noqa: E402
from comparison.scenes import Scene, read_scene, tile  # noqa: E402
from comparison.settings import SETTINGS  # noqa: E402
from comparison.sort_filterpy import FilterpyContender, PlainSort  # noqa: E402
from comparison.speed import Timing, compare, growth  # noqa: E402


def walkers(length=30, people=6, misses=0.1, seed=0):
    """People who walk from left to right, sometimes missed; folder-less scene of 400x300."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 250, (people, 2))
    speed = rng.uniform(-3, 3, (people, 2))
    frames = []
    for index in range(length):
        corner = (start + index * speed + rng.normal(0, 0.4, (people, 2)))[
            rng.random(people) >= misses
        ]
        boxes = np.concatenate([corner, corner + np.array([30, 70])], axis=1)
        scores = rng.uniform(0.3, 1, len(boxes))
        frames.append(
            Frame(index, (400, 300), 30.0, Detections(boxes, scores, np.zeros(len(boxes), int)))
        )
    return Scene("walkers", (400, 300), 30.0, frames)


@pytest.fixture
def sequence(tmp_path):
    """A MOTChallenge folder with one object on a straight way, detected exactly."""
    folder = tmp_path / "MOT17-99"
    (folder / "gt").mkdir(parents=True)
    (folder / "det").mkdir()
    (folder / "seqinfo.ini").write_text(
        "[Sequence]\nname=MOT17-99\nseqLength=12\nframeRate=25\nimWidth=400\nimHeight=300\n"
        "imExt=.jpg\n"
    )
    rows = [(frame, 10 + 2 * frame, 20, 30, 60) for frame in range(1, 13)]
    truth = [f"{f},1,{x},{y},{w},{h},1,1,1" for f, x, y, w, h in rows]
    found = [f"{f},-1,{x},{y},{w},{h},0.9" for f, x, y, w, h in reversed(rows)]
    (folder / "gt/gt.txt").write_text("\n".join(truth))
    (folder / "det/det.txt").write_text("\n".join(found))
    return folder


def test_reads_frames_in_order(sequence):
    scene = read_scene(sequence)
    assert (scene.name, scene.size, scene.fps, scene.objects) == (
        "MOT17-99 FRCNN",
        (400, 300),
        25.0,
        1.0,
    )
    assert [frame.detections.bboxes[0, 0] for frame in scene.frames] == list(range(12, 36, 2))
    with pytest.raises(InputError, match="detector must be one of"):
        read_scene(sequence, "YOLO")


def test_tiles_stand_side_by_side(sequence):
    scene = read_scene(sequence)
    crowd = tile([scene, scene, scene], "three", length=5)
    assert (len(crowd.frames), crowd.size, crowd.objects) == (5, (1200, 300), 3.0)
    np.testing.assert_array_equal(
        crowd.frames[1].detections.bboxes,
        [[14, 20, 44, 80], [414, 20, 444, 80], [814, 20, 844, 80]],
    )


def test_edits_a_config():
    config = dict(
        type="Tracker",
        motion="Motion",
        steps=[
            dict(type="Predict"),
            dict(type="Associate", limit=0.8),
            dict(type="Associate", limit=0.5),
        ],
    )
    changed = edited(
        config, {"Associate[1].limit": 0.4, "Predict": None, "motion": dict(type="AreaKalman")}
    )
    assert changed["steps"] == [
        dict(type="Associate", limit=0.8),
        dict(type="Associate", limit=0.4),
    ]
    assert changed["motion"] == dict(type="AreaKalman")
    assert config["steps"][2]["limit"] == 0.5
    with pytest.raises(InputError, match=r"Associate\[2\].limit: the tracker has 2 steps"):
        edited(config, {"Associate[2].limit": 1})
    with pytest.raises(InputError, match="expected STEP"):
        edited(config, {"Associate 2": 1})


@pytest.mark.parametrize("method", METHODS)
def test_our_side_of_every_setting(method, sequence):
    scene = read_scene(sequence)
    for setting in SETTINGS[method]:
        table = score(setting.our_contender(method), [scene])
        assert table.overall["IDs"] == 0
        assert table.overall["FN"] <= 3  # before the track is confirmed
        assert table.overall["Prec"] == 100


@pytest.mark.parametrize("method", METHODS)
def test_same_steps_give_the_same_tracks_as_the_package(method):
    pytest.importorskip("trackers.core.sort", reason="pip install -e .[benchmarks]")
    equal = [setting for setting in SETTINGS[method] if setting.name != "our config"]
    for setting in equal:
        for seed in range(3):
            scene = walkers(seed=seed)
            ours, theirs = (
                track(contender, scene)
                for contender in (setting.our_contender(method), setting.their_contender(method))
            )
            ours, theirs = by_box(ours), by_box(theirs)
            np.testing.assert_array_equal(ours.frames, theirs.frames)
            np.testing.assert_allclose(ours.bboxes, theirs.bboxes, atol=1e-4)
            pairs = set(zip(ours.ids.tolist(), theirs.ids.tolist(), strict=True))
            assert len(pairs) == len(set(ours.ids.tolist())) == len(set(theirs.ids.tolist()))


def by_box(rows):
    return rows[np.lexsort((rows.bboxes[:, 0], rows.frames))]


def test_plain_sort_is_our_sort():
    kalman = pytest.importorskip("filterpy.kalman").KalmanFilter
    scene = walkers(length=60)
    plain = PlainSort(kalman)
    ours = OurContender("x", edited(load_config("sort"), {"Birth.min_score": 0.0})).start(scene)
    for frame in scene.frames:
        expected, tracks = plain.update(frame.detections.bboxes), ours(frame)
        np.testing.assert_array_equal(tracks.ids, expected[:, 4])
        np.testing.assert_allclose(tracks.bboxes, expected[:, :4], atol=1e-6)


@pytest.mark.parametrize("module", ["trackers", "motpy"])
def test_a_missing_package_says_so(module, monkeypatch):
    from comparison.motpy_tracker import MotpyContender
    from comparison.roboflow import TrackersContender

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Unavailable, match=module):
        MotpyContender() if module == "motpy" else TrackersContender("sort", "x", {})


class Sleeper(Contender):
    name = "sleeper"

    def prepare(self, scene):
        return scene.frames

    def start(self, scene):
        return lambda frame: None


def test_times_all_contenders_in_turns():
    heard = []
    timings = compare([Sleeper(), Sleeper()], walkers(), 2, heard.append)
    assert [timing.frames for timing in timings] == [30, 30]
    assert all(0 <= timing.wall < 0.01 for timing in timings)
    assert len(heard) == 6  # two get ready, four runs


def test_growth_of_n_log_n():
    sizes = [25.0, 50.0, 100.0]
    found = growth(sizes, [n * math.log(n) for n in sizes])
    assert math.isnan(found[0].of_n_log_n)
    assert [one.of_n_log_n for one in found[1:]] == pytest.approx([1, 1])
    assert growth([10, 20], [1.0, 4.0])[1].exponent == pytest.approx(2)


def test_speed_table_names_what_is_missing():
    ours = OurContender("our config", load_config("sort"))
    timings = [Timing(ours, 100, 0.002, 0.001), Timing(Sleeper(), 50, 0.004, 0.004)]
    table, ratio = tables.speed_table(timings, ["motpy: no module"], 100)
    assert ratio == pytest.approx(4)
    lines = table.splitlines()
    assert lines[2].startswith("| mmdeepmot") and lines[2].endswith(
        "| 1,000 | 500 | 1,000 | **4.0x** |"
    )
    assert "sleeper, its own defaults (first 50 frames)" in lines[3]
    assert lines[4] == "| motpy: no module |  |  |  |  |"


def test_differences_of_scores(sequence):
    scene = read_scene(sequence)
    ours, later = (
        score(OurContender("x", edited(load_config("sort"), {"Report.warm_up": n})), [scene])
        for n in (3, 0)
    )
    table = differences(ours, later)
    assert set(table["OVERALL"]) == set(SCORES)
    assert table["OVERALL"]["MOTA"] == pytest.approx(25)  # three of twelve frames
    assert worst(table) > 0
    text = tables.accuracy_table([("SORT", ours, later), ("SORT", ours, None)])
    assert "(+25.00)" in text and "/ –" in text


def test_filterpy_contender_is_published_sort():
    pytest.importorskip("filterpy")
    contender = FilterpyContender()
    step = contender.start(walkers())
    assert step(np.array([[0.0, 0, 10, 20]])).tolist()[0][4] == 1


def test_command_ends_in_one_line_without_data(tmp_path):
    command = [sys.executable, str(ROOT / "tools/benchmarks/packages.py"), "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().startswith("error: --data: expected a folder of MOTChallenge")
