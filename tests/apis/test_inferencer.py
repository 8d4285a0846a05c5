"""The inferencer: hand-made videos with known tracks, and the real model."""

import importlib.util
import os
import pickle
import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmdeepmot.apis import MOTInferencer, TrackResult, find_checkpoint, find_config
from mmdeepmot.apis.locate import config_root
from mmdeepmot.apis.result import to_mot_rows
from mmdeepmot.engine.checkpoint import CheckpointError
from mmdeepmot.engine.config import load_config
from mmdeepmot.io.mot import read_mot_text
from mmdeepmot.io.video import open_video

spec = importlib.util.spec_from_file_location(
    "blob_fixtures", Path(__file__).with_name("conftest.py")
)
assert spec is not None and spec.loader is not None
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
blob_frames, blob_boxes = fixtures.blob_frames, fixtures.blob_boxes


@pytest.fixture
def inferencer(blob_config) -> MOTInferencer:
    return MOTInferencer(blob_config, device="cpu")


def assert_equal(one: list[TrackResult], other: list[TrackResult]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.frame_index == b.frame_index
        for name in ("bboxes", "scores", "labels", "ids"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


# ------------------------------------------------------------------------------------- results


def test_boxes_come_in_original_pixels_with_steady_ids(inferencer):
    results = list(inferencer.stream(blob_frames()))
    assert [one.frame_index for one in results] == list(range(12))
    for result in results[4:]:
        assert len(result) == 2
        order = np.argsort(result.bboxes[:, 1])[::-1]  # the lower one first
        np.testing.assert_allclose(result.bboxes[order], blob_boxes(result.frame_index), atol=3)
        assert result.ids.dtype.kind == "i"
        assert result.scores.shape == result.labels.shape == (2,)
    ids = {tuple(one.ids[np.argsort(one.bboxes[:, 1])].tolist()) for one in results[4:]}
    assert len(ids) == 1
    assert len(set(ids.pop())) == 2


def test_a_call_equals_the_stream_for_every_batch_size(inferencer):
    frames = blob_frames(11)
    expected = list(inferencer.stream(frames))
    detector = inferencer.model.detector
    for batch_size, sizes in ((1, [1] * 11), (4, [4, 4, 3]), (16, [11])):
        detector.batch_sizes.clear()
        assert_equal(inferencer(frames, batch_size=batch_size), expected)
        assert detector.batch_sizes == sizes
        assert_equal(list(inferencer.stream(frames, batch_size=batch_size)), expected)


def test_each_video_starts_afresh(inferencer):
    first = inferencer(blob_frames())
    inferencer(blob_frames(5))
    assert_equal(inferencer(blob_frames()), first)


def test_a_result_comes_before_the_next_frame_is_fetched(inferencer):
    fetched = []

    def camera():
        for index, image in enumerate(blob_frames()):
            fetched.append(index)
            yield image

    stream = inferencer.stream(camera())
    assert next(stream).frame_index == 0
    assert fetched == [0]


def test_zero_tracks_and_no_frames(inferencer):
    dark = np.zeros((160, 320, 3), dtype=np.uint8)
    (result,) = inferencer([dark])
    assert len(result) == 0
    assert result.bboxes.shape == (0, 4)
    assert inferencer([]) == []


def test_another_stream_ends_the_first(inferencer):
    first = inferencer.stream(blob_frames())
    next(first)
    next(inferencer.stream(blob_frames()))
    with pytest.raises(RuntimeError, match="this stream ended when another one was started"):
        next(first)


# -------------------------------------------------------------------------------------- outputs


def test_video_and_text_are_written(inferencer, tmp_path):
    video, text = tmp_path / "out" / "video.mp4", tmp_path / "out" / "tracks.txt"
    results = inferencer(blob_frames(), out_video=video, out_txt=text, fps=10)
    source = open_video(video)
    assert (len(list(source)), source.size, source.fps) == (12, (320, 160), 10.0)
    rows = read_mot_text(text, "result")
    assert len(rows) == sum(len(one) for one in results) > 10
    expected = to_mot_rows(results)
    np.testing.assert_array_equal(rows.frames, expected.frames)
    np.testing.assert_array_equal(rows.ids, expected.ids)
    np.testing.assert_allclose(rows.bboxes, expected.bboxes, atol=2e-3)


def test_a_folder_with_an_unreadable_image_keeps_the_frame_numbers(inferencer, tmp_path):
    for index, image in enumerate(blob_frames()):
        cv2.imwrite(str(tmp_path / f"{index + 1}.png"), image)
    (tmp_path / "7.png").write_bytes(b"")
    results = inferencer(tmp_path)
    assert [one.frame_index for one in results] == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    np.testing.assert_allclose(
        np.sort(results[-1].bboxes, axis=0), np.sort(blob_boxes(11), axis=0), atol=3
    )


def test_max_frames(inferencer):
    assert len(inferencer(blob_frames(), max_frames=5, batch_size=4)) == 5
    with pytest.raises(ValueError, match="max_frames must be at least 1, got 0"):
        inferencer(blob_frames(), max_frames=0)


@pytest.mark.parametrize("ending", [OSError("camera gone"), ValueError("bad"), KeyboardInterrupt()])
def test_however_it_ends_what_was_tracked_is_kept(inferencer, tmp_path, ending):
    def frames():
        yield from blob_frames(8)
        raise ending

    video, text = tmp_path / "video.mp4", tmp_path / "tracks.txt"
    with pytest.raises(type(ending)):
        inferencer(frames(), out_video=video, out_txt=text, batch_size=2)
    assert len(list(open_video(video))) == 8
    assert read_mot_text(text, "result").frames.max() == 8


@pytest.mark.parametrize("batch_size", [1, 4, 16])
def test_frames_before_a_bad_one_are_tracked(inferencer, batch_size):
    results = []
    with pytest.raises(ValueError, match="frame 8: expected 320x160 px"):
        for result in inferencer.stream(
            [*blob_frames(7), np.zeros((10, 10, 3), np.uint8)], batch_size=batch_size
        ):
            results.append(result)
    assert len(results) == 7


def test_closing_the_iterator_finishes_the_video(inferencer, tmp_path):
    results = inferencer.run(blob_frames(), tmp_path / "video.mp4", batch_size=1)
    for _ in range(3):
        next(results)
    results.close()
    assert len(list(open_video(tmp_path / "video.mp4"))) == 3


def test_showing_without_a_screen_fails_before_anything_is_read(inferencer, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(RuntimeError, match="showing needs a screen"):
        inferencer.run(iter(()), show=True)


# ----------------------------------------------------------------------------------- bad frames


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, r"stream: frame 3: expected a \(H, W, 3\) uint8 BGR array, got NoneType"),
        (np.zeros((160, 320), np.uint8), r"frame 3: .* got uint8 \(160, 320\)"),
        (np.zeros((160, 320, 3), np.float32), r"frame 3: .* got float32"),
        (np.zeros((160, 320, 4), np.uint8), r"frame 3: .* got \(160, 320, 4\)"),
        (np.zeros((0, 320, 3), np.uint8), r"frame 3: .* got \(0, 320, 3\)"),
        (np.zeros((160, 300, 3), np.uint8), r"frame 3: expected 320x160 px .* got 300x160"),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 8])
def test_bad_frames_are_named(inferencer, bad, message, batch_size):
    with pytest.raises(ValueError, match=message):
        list(inferencer.stream([*blob_frames(2), bad], batch_size=batch_size))


def test_unusable_arguments(inferencer, tmp_path):
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        inferencer.stream([], batch_size=0)
    with pytest.raises(ValueError, match="out_txt must be a file, got the folder"):
        inferencer([], out_txt=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nothing\.mp4"):
        inferencer(tmp_path / "nothing.mp4")


# ---------------------------------------------------------------------------------- supervision


def test_supervision_missing_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    empty = np.zeros(0)
    result = TrackResult(0, np.zeros((0, 4)), empty, empty, empty)
    with pytest.raises(ModuleNotFoundError, match="pip install supervision"):
        result.to_supervision()


def test_supervision_gets_identities_in_tracker_id(monkeypatch):
    module = types.ModuleType("supervision")
    module.Detections = lambda **fields: fields  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "supervision", module)
    result = TrackResult(
        4, np.array([[1.0, 2, 3, 4]]), np.array([0.5]), np.array([0]), np.array([17])
    )
    fields = result.to_supervision()
    np.testing.assert_array_equal(fields["xyxy"], [[1, 2, 3, 4]])
    np.testing.assert_array_equal(fields["tracker_id"], [17])
    assert fields["xyxy"].dtype == fields["confidence"].dtype == np.float32


def test_with_the_real_supervision():
    supervision = pytest.importorskip("supervision", reason="supervision is not installed")
    for count in (0, 2):
        result = TrackResult(
            0, np.ones((count, 4)), np.ones(count), np.zeros(count, int), np.arange(count)
        )
        detections = result.to_supervision()
        assert isinstance(detections, supervision.Detections)
        assert len(detections) == count
        assert detections.tracker_id.tolist() == list(range(count))


# ------------------------------------------------------------------------- checkpoints and configs


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (os.mkdir, (str(self.trace),))


def test_a_malicious_checkpoint_is_refused_and_not_executed(blob_config, tmp_path):
    trace, weights = tmp_path / "executed", tmp_path / "evil.pth"
    torch.save({"state_dict": {"detector.weight": Malicious(trace)}}, weights)
    with pytest.raises(CheckpointError, match=r"evil.pth: refused"):
        MOTInferencer(blob_config, weights)
    assert not trace.exists()
    with pytest.raises(pickle.UnpicklingError):  # the file is what the test says it is
        torch.load(weights, weights_only=True)


def test_config_text_in_a_checkpoint_is_not_executed(blob_config, tmp_path):
    trace, weights = tmp_path / "executed", tmp_path / "text.pth"
    text = f"import os\nos.mkdir({str(trace)!r})\nmodel = dict(type='TrackingModel')\n"
    torch.save(
        {"meta": {"cfg": text}, "state_dict": {"detector.weight": torch.tensor([3.0, 1.0])}},
        weights,
    )
    inferencer = MOTInferencer(blob_config, weights)
    assert not trace.exists()
    assert inferencer.model.detector.weight.tolist() == [3.0, 1.0]


def test_checkpoints_that_do_not_fit(blob_config, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pth does not exist"):
        MOTInferencer(blob_config, tmp_path / "none.pth")
    torch.save({"state_dict": {"backbone.conv": torch.zeros(3)}}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="a checkpoint of another architecture"):
        MOTInferencer(blob_config, tmp_path / "other.pth")


def test_models_as_path_config_and_dict_are_the_same(blob_config):
    by_path = MOTInferencer(str(blob_config), device="cpu")
    expected = by_path(blob_frames())
    for model in (by_path.cfg, by_path.cfg.to_dict()):
        assert_equal(MOTInferencer(model, device="cpu")(blob_frames()), expected)


def test_unusable_models(blob_config):
    with pytest.raises(TypeError, match="model must be a config, its path or its name, got int"):
        MOTInferencer(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected the key 'model', found none"):
        MOTInferencer({})
    cfg = MOTInferencer(blob_config, device="cpu").cfg.to_dict()
    with pytest.raises(ValueError, match=r"expected a pipeline in test_dataloader\.dataset"):
        MOTInferencer({"model": cfg["model"]})
    cfg["model"]["tracker"] = None
    with pytest.raises(ValueError, match="needs a tracker"):
        MOTInferencer(cfg, device="cpu")


def test_devices_that_are_not_there(blob_config):
    with pytest.raises(ValueError, match="expected such as 'cpu' or 'cuda:0'"):
        MOTInferencer(blob_config, device="gpu")
    with pytest.raises(ValueError, match=r"this PyTorch sees \d+ CUDA devices"):
        MOTInferencer(blob_config, device="cuda:99")


def test_a_pipeline_that_drops_a_frame(blob_config):
    inferencer = MOTInferencer(blob_config, device="cpu")
    inferencer._pipeline.insert(1, lambda sample: None)
    with pytest.raises(ValueError, match=r"frame 1: function of the test pipeline dropped it"):
        inferencer(blob_frames())


# -------------------------------------------------------------------------------------- finding


def test_configs_are_found_by_name(tmp_path, monkeypatch):
    (tmp_path / "jde").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "_base_").mkdir()
    for name in ("jde/small.py", "jde/twice.py", "other/twice.py", "_base_/hidden.py"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr("mmdeepmot.config_file.config_root", lambda: tmp_path)
    assert find_config("small") == find_config("jde/small.py") == tmp_path / "jde/small.py"
    assert find_config("other/twice") == tmp_path / "other/twice.py"
    assert find_config(tmp_path / "jde" / "twice.py") == tmp_path / "jde/twice.py"
    with pytest.raises(ValueError, match=r"several have this name.*jde/twice.py, other/twice.py"):
        find_config("twice")
    with pytest.raises(FileNotFoundError, match=r"config smal: .*did you mean small\?"):
        find_config("smal")
    with pytest.raises(FileNotFoundError, match="config hidden"):
        find_config("hidden")


def test_the_projects_configs_are_where_they_are_looked_for(repository):
    assert config_root() == repository / "configs"


def test_the_newest_checkpoint_of_a_config(tmp_path):
    def run(name: str, config: str | None, age: float) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        checkpoint = folder / "epoch_3.pth"
        checkpoint.write_bytes(b"")
        (folder / "last_checkpoint").write_text(str(checkpoint))
        if config is not None:
            (folder / config).write_text("")
        os.utime(checkpoint, (1e9 - age, 1e9 - age))
        return checkpoint

    with pytest.raises(FileNotFoundError, match=r"no checkpoint of small in .*train one"):
        find_checkpoint("configs/jde/small.py", root=tmp_path)
    own = run("small", None, 50)
    assert find_checkpoint("configs/jde/small.py", root=tmp_path) == own
    run("unrelated", "large.py", 1)
    demo = run("demo", "small.py", 20)
    assert find_checkpoint("configs/jde/small.py", root=tmp_path) == demo
    elsewhere = run("elsewhere", None, 5)
    found = find_checkpoint("configs/jde/small.py", tmp_path / "elsewhere", root=tmp_path)
    assert found == elsewhere


# --------------------------------------------------------------------------------- the real model


@pytest.fixture(scope="module")
def small_jde(repository):
    """The demo's config at a size for tests, its weights random."""
    cfg = load_config(repository / "configs" / "jde" / "jde_r18_synthmot.py").to_dict()
    pipeline = cfg["test_dataloader"]["dataset"]["pipeline"]
    for step in pipeline:
        if "size" in step:
            step["size"] = (160, 96)
    cfg["model"]["detector"]["test_cfg"]["score_thr"] = 0.4
    return cfg


def test_jde_from_the_projects_config(small_jde, tmp_path):
    torch.manual_seed(0)
    trained = {**small_jde, "model": {**small_jde["model"]}}
    detector = {**trained["model"]["detector"]}
    detector["bbox_head"] = {**detector["bbox_head"], "num_ids": 9}
    trained["model"]["detector"] = detector
    first = MOTInferencer(trained, device="cpu")
    weights = tmp_path / "epoch_1.pth"
    torch.save({"state_dict": first.model.state_dict()}, weights)
    second = MOTInferencer(small_jde, weights, device="cpu")  # num_ids=None, as in the config

    frames = [np.full((120, 200, 3), 90, np.uint8) for _ in range(5)]
    for index, image in enumerate(frames):
        image[30:100, 40 + 3 * index : 70 + 3 * index] = (30, 200, 60)
    expected = list(first.stream(frames, batch_size=2))
    assert [len(one) > 0 for one in expected[1:]] == [True] * 4
    assert_equal(second(frames, batch_size=2), expected)
    for result in expected:
        assert np.isfinite(result.bboxes).all()
        assert (result.ids >= 1).all()
        assert len(np.unique(result.ids)) == len(result)
