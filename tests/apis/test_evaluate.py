"""Evaluation of a model from Python: the table of all tasks, and what is found missing."""

import json
import math

import pytest
import tiny
from mmengine.registry import init_default_scope

from mmdeepmot.apis.evaluate import Evaluation, build_metrics, check_tasks, evaluate
from mmdeepmot.engine.checkpoint import CheckpointError
from mmdeepmot.engine.config import ConfigError, load_config
from mmdeepmot.errors import InputError, MissingPackageError
from mmdeepmot.evaluation.metrics import MOTMetric
from mmdeepmot.evaluation.table import OVERALL, ScoreTable


@pytest.fixture(scope="module", autouse=True)
def _scope():
    init_default_scope("mmdeepmot")


@pytest.fixture
def place(tiny_project):
    return tiny_project


def tables() -> dict[str, ScoreTable]:
    columns = {"MOTA": 2, "Frag": 0, "IDs": 0}
    track = {"A": {"MOTA": 50.0, "Frag": 3, "IDs": 1}, OVERALL: {"MOTA": 50, "Frag": 3, "IDs": 1}}
    detection = {OVERALL: {"AP@0.5": 80.0, "Prec": 70.0}}
    embedding = {OVERALL: {"TPR@FAR=0.1": math.nan, "Boxes": 9}}
    return {
        "track": ScoreTable("one", columns, track, ("a note",)),
        "detection": ScoreTable("two", {"AP@0.5": 2, "Prec": 2}, detection),
        "embedding": ScoreTable("three", {"TPR@FAR=0.1": 2, "Boxes": 0}, embedding),
    }


def test_summary_takes_the_main_columns_of_every_task():
    assert str(Evaluation(tables(), {"FPS": 12.34, "FPSD": 20.0})).splitlines()[0]
    summary = Evaluation(tables(), {"FPSD": 20.0, "FPS": 12.34}).summary()
    assert summary.to_text().splitlines() == [
        "one",
        "two",
        "three",
        "Sequence   MOTA  IDs  AP@0.5  TPR@FAR=0.1  FPSD   FPS",
        "A         50.00    1       -            -     -     -",
        "OVERALL   50.00    1   80.00            -  20.0  12.3",
        "a note",
    ]


def test_speed_in_one_line():
    speed = {"FPSD": 24.54, "FPSA": 236.5, "FPS": 22.2}
    said = Evaluation({}, speed).speed_text()
    assert said.endswith("of the whole: FPSD 24.5, FPSA 236.5, FPS 22.2")


def test_summary_without_tracks_has_one_row():
    found = tables()
    del found["track"]
    summary = Evaluation(found, {}).summary()
    assert list(summary.rows) == [OVERALL]
    assert list(summary.columns) == ["AP@0.5", "TPR@FAR=0.1"]


def test_everything_is_saved_as_plain_json(tmp_path):
    Evaluation(tables(), {"FPS": 12.5}).save(tmp_path / "a" / "scores.json")
    saved = json.loads((tmp_path / "a" / "scores.json").read_text())
    assert saved["speed"] == {"FPS": 12.5}
    assert saved["tables"]["embedding"]["rows"] == {OVERALL: {"TPR@FAR=0.1": None, "Boxes": 9.0}}
    assert saved["tables"]["track"]["rows"]["A"]["Frag"] == 3
    assert saved["tables"]["track"]["notes"] == ["a note"]


def test_metrics_are_built_before_anything_else(monkeypatch):
    metrics = build_metrics(("detection", "track"), {"track": {"evaluator": "trackeval"}})
    assert list(metrics) == ["detection", "track"]
    assert isinstance(metrics["track"], MOTMetric) and metrics["track"].evaluator == "trackeval"
    with pytest.raises(InputError, match=r"expected some of the tasks .*got \('tracks',\)"):
        build_metrics(("tracks",))
    with pytest.raises(InputError, match=r"got \(\)"):
        build_metrics(())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="pip install motmetrics"):
        build_metrics(("track",))


def test_what_a_config_lacks(place):
    cfg = load_config("tiny.py")
    check_tasks(cfg, ("track", "embedding"))
    cfg.model.tracker = None
    check_tasks(cfg, ("detection", "embedding"))
    with pytest.raises(ConfigError, match=r"task 'track' needs `model.tracker` in tiny.py"):
        check_tasks(cfg, ("detection", "track"))
    cfg.test_dataloader = None
    with pytest.raises(ConfigError, match=r"tiny.py has no `test_dataloader`"):
        check_tasks(cfg, ("detection",))


def test_config_and_work_dir_are_left_as_they_were(place):
    cfg = load_config("tiny.py", {"work_dir": "work"})
    (place / "work").mkdir()
    (place / "work" / "tiny.py").write_text("left by the training")
    before = cfg.pretty_text
    result = evaluate(cfg, "weights.pth")
    assert cfg.pretty_text == before
    assert list(result.tables) == ["track"]
    assert result.tables["track"].rows["A"]["GT"] == 18
    assert result.speed["FPS"] > 0
    assert (place / "work" / "tiny.py").read_text() == "left by the training"
    again = evaluate(cfg, "weights.pth", build_metrics(("embedding", "track")))
    assert again.tables["track"].rows == result.tables["track"].rows


def test_averaged_weights_are_the_ones_that_are_tested(place):
    """A checkpoint of a run with EMA holds them as its weights; the hook must not undo that."""
    cfg = load_config("tiny.py", {"work_dir": "ema"})
    expected = evaluate(cfg, "weights.pth").tables["track"].rows
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type="EMAHook")]
    assert evaluate(cfg, "weights.pth").tables["track"].rows == expected


def test_a_checkpoint_of_another_architecture_is_refused(place):
    cfg = load_config("tiny.py", {"work_dir": "other", "model.detector.backbone.base_channels": 4})
    cfg.model.detector.neck.in_channels = [32, 16, 8]
    with pytest.raises(CheckpointError, match=r"weights.pth: a checkpoint of another arch.*shapes"):
        evaluate(cfg, "weights.pth")


def test_tasks_with_data_of_their_own(place):
    """Detection on one sequence alone, tracking on both; nobody asks for what is not there."""
    cfg = load_config("tiny.py", {"work_dir": "tasks"})
    own = {**cfg.test_dataloader.dataset, "sequences": ["B"]}
    missing = {**cfg.test_dataloader.dataset, "data_root": "nowhere"}
    cfg.task_dataloaders = dict(detection=dict(dataset=own), embedding=dict(dataset=missing))
    found = evaluate(cfg, "weights.pth", build_metrics(("detection", "track")))
    assert list(found.tables["track"].rows) == ["A", "B", OVERALL]
    assert found.tables["track"].overall["GT"] == 36
    assert found.tables["detection"].overall["GT"] == 18
    assert found.tables["detection"].overall["Images"] == 6
    assert found.tables["detection"].notes[-1] == "detection: on street"
    cfg.task_dataloaders = dict(track=dict(dataset=missing))
    with pytest.raises(FileNotFoundError, match="data_root nowhere"):
        evaluate(cfg, "weights.pth", build_metrics(("detection", "track")))


def test_embeddings_of_a_detector_of_boxes_alone_are_refused_before_any_work(place):
    small = load_config(tiny.ROOT / "configs/sde/synthmot/faster_rcnn_r18_sort_synthmot.py")
    cfg = load_config("tiny.py")
    cfg.model.detector = small.model.detector
    with pytest.raises(ConfigError, match=r"task 'embedding' needs .* model of tiny\.py has none"):
        evaluate(cfg, None, build_metrics(("track", "embedding")))
