"""Detection files, trackers of configs, and tracking from Python."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from walkers import SIZE, detected, walk, write_seqinfo, write_walkers

from mmdeepmot.apis.detections import (
    build_tracker,
    find_detections,
    find_info,
    load_tracker,
    read_detections,
    track,
)
from mmdeepmot.config_file import ConfigError
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import MOTRows, write_mot_text
from mmdeepmot.structures.boxes import xyxy_to_tlwh

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def street(tmp_path: Path) -> Path:
    return write_walkers(tmp_path / "street")


def write_array(path: Path, rows: MOTRows, dim: int = 8, seed: int = 0) -> np.ndarray:
    """DeepSORT's file of these rows; its embeddings (N, dim)."""
    looks = np.random.default_rng(seed).normal(size=(len(rows), dim))
    head = [rows.frames, rows.ids, *xyxy_to_tlwh(rows.bboxes).T, rows.scores]
    np.save(path, np.column_stack([*head, *[np.full(len(rows), -1)] * 3, looks]))
    return looks


# -------------------------------------------------------------------------------------- finding


def test_folder_of_sequences(street):
    found = find_detections(street)
    assert found == {name: street / name / "det" / "det.txt" for name in "ABC"}
    shutil.copy(street / "B/det/det.txt", street / "B/det/det_SDP.txt")
    assert find_detections(street, "det/det_SDP.txt") == {"B": street / "B/det/det_SDP.txt"}


def test_single_sequence_and_single_file(street, tmp_path):
    path = street / "B/det/det.txt"
    assert find_detections(street / "B") == {"B": path}
    assert find_detections(path) == {"B": path}
    flat = tmp_path / "walk.txt"
    shutil.copy(path, flat)
    assert find_detections(flat) == {"walk": flat}


def test_folder_of_files(street, tmp_path):
    folder = tmp_path / "flat"
    folder.mkdir()
    shutil.copy(street / "A/det/det.txt", folder / "one.txt")
    write_array(folder / "two.npy", walk())
    (folder / ".hidden.txt").write_text("")
    (folder / "notes.md").write_text("")
    assert find_detections(folder) == {"one": folder / "one.txt", "two": folder / "two.npy"}
    write_array(folder / "one.npy", walk())
    with pytest.raises(InputError, match=r"one file of detections for sequence one, got one\.npy"):
        find_detections(folder)


def test_nothing_to_find(street, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere: expected a file of detections, or a f"):
        find_detections(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"found none; there are SEQ/det/det.txt \(--det"):
        find_detections(street, "det/det_DPM.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"\(SEQ/det/det.txt, SEQ.txt or SEQ.npy\), found"):
        find_detections(tmp_path / "empty")
    (tmp_path / "dets.csv").write_text("")
    with pytest.raises(InputError, match=r"expected a file .txt or .npy, got .csv"):
        find_detections(tmp_path / "dets.csv")


def test_seqinfo_beside_a_file(street, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    shutil.copy(street / "A/det/det.txt", flat / "walk.txt")
    assert find_info(flat / "walk.txt") is None
    write_seqinfo(flat / "walk", 33)
    info = find_info(flat / "walk.txt")
    assert info is not None and (info.length, info.size, info.fps) == (33, SIZE, 25)


# -------------------------------------------------------------------------------------- reading


def test_every_frame_of_the_sequence(tmp_path):
    """Frames 2 and 4 of five have detections; the rows are not sorted."""
    path = tmp_path / "S" / "det" / "det.txt"
    path.parent.mkdir(parents=True)
    path.write_text("4,-1,10,20,30,40,0.5\n2,-1,1,2,3,4,0.9,-1,-1,-1\n4,-1,5,5,5,5,0.25\n")
    write_seqinfo(tmp_path / "S", 5)
    sequence = read_detections(path)
    assert sequence.name == "S"
    assert [frame.index for frame in sequence.frames] == [0, 1, 2, 3, 4]
    assert [len(frame.detections) for frame in sequence.frames] == [0, 1, 0, 2, 0]
    assert {(frame.size, frame.fps) for frame in sequence.frames} == {(SIZE, 25.0)}
    fourth = sequence.frames[3].detections
    assert fourth.bboxes.dtype == np.float64 and fourth.embeddings is None
    np.testing.assert_array_equal(fourth.bboxes, [[10, 20, 40, 60], [5, 5, 10, 10]])
    np.testing.assert_array_equal(fourth.scores, [0.5, 0.25])
    np.testing.assert_array_equal(fourth.labels, [0, 0])


def test_what_nobody_says_comes_from_the_boxes(tmp_path):
    path = tmp_path / "S.txt"
    path.write_text("3,-1,10,20,30.5,40,0.5\n1,-1,1,2,3,90,0.9\n")
    sequence = read_detections(path)
    assert len(sequence.frames) == 3
    assert (sequence.frames[0].size, sequence.frames[0].fps) == ((41, 92), 30.0)
    told = read_detections(path, size=(64, 48), fps=5, length=4, name="T")
    assert (told.name, len(told.frames)) == ("T", 4)
    assert (told.frames[0].size, told.frames[0].fps) == ((64, 48), 5)


def test_least_score(tmp_path):
    path = tmp_path / "S.txt"
    path.write_text("1,-1,0,0,9,9,0.5\n1,-1,0,0,9,9,0.4\n2,-1,0,0,9,9,0.4\n")
    frames = read_detections(path, min_score=0.5).frames
    assert [len(frame.detections) for frame in frames] == [1, 0]


def test_empty_file(tmp_path):
    (tmp_path / "S.txt").write_text("")
    sequence = read_detections(tmp_path / "S.txt")
    assert sequence.frames == []
    assert len(track(build_tracker(load_tracker("sort")), sequence)) == 0
    assert len(read_detections(tmp_path / "S.txt", length=3).frames) == 3


def test_arrays_with_embeddings(tmp_path):
    rows = detected(walk(frames=6))
    looks = write_array(tmp_path / "S.npy", rows)
    order = np.random.default_rng(0).permutation(len(rows))
    np.save(tmp_path / "T.npy", np.load(tmp_path / "S.npy")[order])
    for name in "ST":
        frames = read_detections(tmp_path / f"{name}.npy").frames
        assert len(frames) == 6
        for frame in frames:
            here = rows.frames == frame.index + 1
            got = np.lexsort(frame.detections.bboxes.T)
            expected = np.flatnonzero(here)[np.lexsort(rows.bboxes[here].T)]
            np.testing.assert_allclose(frame.detections.bboxes[got], rows.bboxes[expected])
            np.testing.assert_allclose(frame.detections.embeddings[got], looks[expected], rtol=1e-6)
    write_array(tmp_path / "U.npy", rows, dim=0)
    assert read_detections(tmp_path / "U.npy").frames[0].detections.embeddings is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,-1,walking,20,30,40,1", r"S\.txt:2: expected numbers, got '1,-1,walking"),
        ("1,-1,nan,20,30,40,1", r"S\.txt:2: expected finite numbers, got"),
        ("1,-1,10,20", r"S\.txt:2: expected 7 to 10 comma-separated numbers .* got 4"),
        ("0,-1,10,20,30,40,1", r"S\.txt:2: expected a whole frame number from 1"),
        ("1,-1,10,20,0,40,1", r"S\.txt:2: expected a box of positive width and height"),
    ],
)
def test_bad_rows_are_refused(tmp_path, line, message):
    (tmp_path / "S.txt").write_text(f"1,-1,10,20,30,40,1\n{line}\n")
    with pytest.raises(InputError, match=message):
        read_detections(tmp_path / "S.txt")


def test_bad_arrays_are_refused(tmp_path):
    path = tmp_path / "S.npy"
    table = np.ones((4, 12))
    for change, message in [
        ((2, 3, np.nan), r"S\.npy: row 2 \(from 0\): expected finite numbers"),
        ((1, 11, np.inf), r"row 1 \(from 0\): .* and an embedding that is not finite"),
        ((3, 0, 1.5), r"row 3 \(from 0\): expected finite numbers, a whole frame number"),
        ((0, 4, 0), r"row 0 \(from 0\): .* a box of positive width and height"),
    ]:
        wrong = table.copy()
        wrong[change[:2]] = change[2]
        np.save(path, wrong)
        with pytest.raises(InputError, match=message):
            read_detections(path)
    np.save(path, table[:, :8])
    with pytest.raises(InputError, match=r"expected numbers \(N, 10 \+ D\).* got \(4, 8\)"):
        read_detections(path)
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"S\.npy: expected an array of numbers"):
        read_detections(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"S\.npy: expected an array of numbers"):
        read_detections(path)


def test_frames_beyond_the_end_are_refused(street):
    write_seqinfo(street / "A", 19)
    with pytest.raises(InputError, match=r"expected frames 1 to 19 .* got frame 20 \(\d such rows"):
        read_detections(street / "A/det/det.txt")


def test_missing_file(tmp_path):
    for name in ("S.txt", "S.npy"):
        with pytest.raises(FileNotFoundError, match=rf"{name}: expected"):
            read_detections(tmp_path / name)


# --------------------------------------------------------------------------------------- camera


def write_panning_images(folder: Path, count: int, step: int = 6) -> None:
    """A textured scene that moves ``step`` px to the left from image to image."""
    rng = np.random.default_rng(0)
    scene = cv2.GaussianBlur(rng.integers(0, 255, (120, 400, 3), dtype=np.uint8), (0, 0), 2)
    scene = cv2.normalize(scene, None, 0, 255, cv2.NORM_MINMAX)
    folder.mkdir(parents=True)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index + 1:06d}.png"), scene[:, step * index :][:, :200])


def test_camera_motion_from_images(tmp_path):
    write_panning_images(tmp_path / "img1", 4)
    (tmp_path / "S.txt").write_text("1,-1,10,20,30,40,1\n4,-1,10,20,30,40,1\n")
    for camera in (None, {"type": "ECC", "mode": "translation"}):
        frames = read_detections(tmp_path / "S.txt", images=tmp_path / "img1", camera=camera).frames
        warps = [frame.warp() for frame in frames]
        np.testing.assert_array_equal(warps[0], np.eye(2, 3))
        for warp in warps[1:]:
            np.testing.assert_allclose(warp, [[1, 0, -6], [0, 1, 0]], atol=0.2)


def test_no_images_no_warp(tmp_path):
    (tmp_path / "S.txt").write_text("1,-1,10,20,30,40,1\n3,-1,10,20,30,40,1\n")
    assert all(frame.warp is None for frame in read_detections(tmp_path / "S.txt").frames)
    with pytest.raises(InputError, match="needs the folder of the images"):
        read_detections(tmp_path / "S.txt", camera={"type": "ECC"})
    with pytest.raises(FileNotFoundError, match="expected a folder of images"):
        read_detections(tmp_path / "S.txt", images=tmp_path / "img1")
    write_panning_images(tmp_path / "img1", 2)
    with pytest.raises(InputError, match=r"3 frames.*1 are missing; the first is that of frame 3"):
        read_detections(tmp_path / "S.txt", images=tmp_path / "img1")
    write_panning_images(tmp_path / "more", 3)
    with pytest.raises(InputError, match=r"camera: no camera motion is called 'EEC'"):
        read_detections(tmp_path / "S.txt", images=tmp_path / "more", camera={"type": "EEC"})


# ------------------------------------------------------------------------------------- trackers


def test_trackers_of_configs(tmp_path):
    by_name, by_path = load_tracker("sort"), load_tracker(ROOT / "configs/sort/sort.py")
    assert by_name == by_path and by_name["type"] == "Tracker"
    assert type(by_name["steps"]) is list and type(by_name["steps"][0]) is dict
    assert len(build_tracker(by_name).steps) == len(by_name["steps"])


def test_the_models_tracker_counts(tmp_path):
    """A config may change what its helper variable ``tracker`` once was."""
    config = tmp_path / "mine.py"
    config.write_text(
        f"_base_ = '{ROOT}/configs/_base_/trackers/sort.py'\n"
        "model = dict(type='TrackingModel', tracker=dict(type='Tracker', steps=['Predict']))\n"
    )
    assert load_tracker(config)["steps"] == ["Predict"]
    jde = load_tracker("jde_r18_synthmot")
    assert jde["memory"]["type"] == "MomentumMemory"


def test_options(tmp_path):
    config = tmp_path / "mine.py"
    config.write_text(
        "tracker = dict(type='Tracker', steps=['Predict',\n"
        "    dict(type='Associate', cost=[dict(type='iou'), 'iou'], limit=0.7), 'Birth'])\n"
    )
    options = {"tracker.steps.1.limit": 0.6, "model.tracker.steps.1.cost.0.weight": 2}
    changed = load_tracker(config, {**options, "tracker.capacity": 5})
    assert changed["capacity"] == 5
    assert changed["steps"][1] == {
        "type": "Associate",
        "cost": [{"type": "iou", "weight": 2}, "iou"],
        "limit": 0.6,
    }
    for option, message in {
        "test_cfg.fps": r"--cfg-options test_cfg.fps: only the tracker is used here; expected trac",
        "tracker": "expected tracker.KEY",
        "tracker.steps.3.limit": r"tracker.steps is a list of 3: expected an index from 0 to 2, go",
        "tracker.steps.first.limit": "got 'first'",
        "tracker.memory.size": r"tracker has no key 'memory'; it has \['steps', 'type'\]",
        "tracker.steps.0.limit": "tracker.steps.0 is 'Predict', which has no keys",
    }.items():
        with pytest.raises(ConfigError, match=message):
            load_tracker(config, {option: 1})


def test_wrong_trackers(tmp_path):
    config = tmp_path / "mine.py"
    config.write_text("model = dict(type='TrackingModel')\n")
    with pytest.raises(ConfigError, match=r"mine\.py: expected tracker=dict.* got none"):
        load_tracker(config)
    with pytest.raises(FileNotFoundError, match="did you mean bytetrack"):
        load_tracker("bytetrak")
    wrong = load_tracker("sort", {"tracker.steps.1.limt": 0.5})
    with pytest.raises(ConfigError, match=r"mine: .*steps\[1\].*no parameter 'limt'.*'limit'"):
        build_tracker(wrong, "mine")
    with pytest.raises(ConfigError, match="no tracker is called 'Trakcer'"):
        build_tracker({"type": "Trakcer", "steps": ["Predict"]})


# ------------------------------------------------------------------------------------- tracking


def trajectories(rows: MOTRows) -> Counter:
    """Tracks whatever their ids: frames and boxes."""
    return Counter(
        tuple(zip(rows.frames[own].tolist(), map(tuple, rows.bboxes[own].round(6)), strict=True))
        for own in (rows.ids == track for track in np.unique(rows.ids))
    )


@pytest.mark.parametrize("config", ["sort", "bytetrack", "ocsort", "botsort"])
def test_straight_walkers_keep_their_ids(tmp_path, config):
    """Far apart and never missed: as many tracks as people, each box where its detection is."""
    rows = walk(people=5, frames=30, seed=3, missed=0)
    rows.scores = np.full(len(rows), 0.9)
    write_mot_text(tmp_path / "S.txt", detected(rows, 3))
    tracker = build_tracker(load_tracker(config))
    sequence = read_detections(tmp_path / "S.txt")
    seen = []
    result = track(tracker, sequence, seen.append)
    assert seen == list(range(1, 31))
    assert (np.diff(result.frames) >= 0).all() and result.frames[-1] == 30
    late = result[result.frames > 10]
    truth = rows[rows.frames > 10]
    assert len(late) == len(truth)
    centre, true_centre = (r.bboxes.reshape(-1, 2, 2).mean(axis=1) for r in (late, truth))
    apart = np.linalg.norm(centre[:, None] - true_centre, axis=2)
    apart[late.frames[:, None] != truth.frames] = np.inf
    assert apart.min(axis=1).max() < 3
    pairs = {(a, b) for a, b in zip(late.ids, truth.ids[apart.argmin(axis=1)], strict=True)}
    assert len(pairs) == 5
    again = track(tracker, sequence)
    np.testing.assert_array_equal(again.bboxes, result.bboxes)
    np.testing.assert_array_equal(again.ids, result.ids)


def test_the_order_of_rows_in_the_file_does_not_matter(tmp_path):
    """Frames in any order: the very same. Rows of a frame too: the same tracks, other ids."""
    path = tmp_path / "S.txt"
    write_mot_text(path, detected(walk(people=8, frames=40)))
    lines = path.read_text().splitlines()
    tracker = build_tracker(load_tracker("bytetrack"))
    first = track(tracker, read_detections(path))
    by_frame: dict[str, list[str]] = {}
    for line in lines:
        by_frame.setdefault(line.split(",")[0], []).append(line)
    blocks = list(by_frame.values())[::-1]
    path.write_text("\n".join(line for block in blocks for line in block))
    second = track(tracker, read_detections(path))
    np.testing.assert_array_equal(second.ids, first.ids)
    np.testing.assert_array_equal(second.bboxes, first.bboxes)
    np.random.default_rng(0).shuffle(lines)
    path.write_text("\n".join(lines))
    third = track(tracker, read_detections(path))
    assert trajectories(third) == trajectories(first)


def test_embeddings_reach_the_tracker_or_are_asked_for(tmp_path):
    rows = detected(walk(people=3, frames=12, missed=0))
    tracker = build_tracker(load_tracker("deepsort"))
    write_mot_text(tmp_path / "S.txt", rows)
    with pytest.raises(InputError, match=r"S\.txt: this tracker compares appearance.*Give S\.npy"):
        track(tracker, read_detections(tmp_path / "S.txt"))
    write_array(tmp_path / "S.npy", rows)
    assert len(track(tracker, read_detections(tmp_path / "S.npy")))


def test_a_tracker_that_needs_images_says_so(tmp_path):
    write_mot_text(tmp_path / "S.txt", detected(walk(frames=3)))
    tracker = build_tracker({"type": "Tracker", "steps": ["Predict", "Compensate", "Birth"]})
    with pytest.raises(InputError, match=r"^S: .*Compensate needs camera motion.*folder of images"):
        track(tracker, read_detections(tmp_path / "S.txt"))


def test_no_torch_and_quick():
    """Importing, building and tracking leave torch alone; seconds are tested with the tool."""
    code = (
        "import sys\n"
        "import mmdeepmot.apis.track_files, mmdeepmot.apis.parallel\n"
        "from mmdeepmot.apis.detections import build_tracker, load_tracker\n"
        "for name in ('sort', 'deepsort', 'bytetrack', 'ocsort', 'botsort', 'jde_r18_synthmot'):\n"
        "    build_tracker(load_tracker(name))\n"
        "assert not [name for name in ('torch', 'mmdet.models') if name in sys.modules]\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
