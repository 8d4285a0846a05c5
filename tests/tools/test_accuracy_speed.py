"""tools/benchmarks/accuracy_speed.py: tables by hand, a run that goes on, the picture."""

import math
import sys
from pathlib import Path

import cv2
import pytest
import tiny

from mmdeepmot.engine.config import load_config
from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATASETS
from mmdeepmot.visualization.trade_off import TradeOffPoint, plot_trade_off

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/benchmarks"))

from comparison.trade_off import (  # noqa: E402
    COLUMNS,
    Measurement,
    describe,
    fingerprint,
    on_scene,
    parse_scene,
    points,
    table,
)


def measurement(name="jde", scene="few", fps=20.0, mota=50.0, embedding="own"):
    scores = {**dict.fromkeys(COLUMNS, 7.0), "MOTA": mota}
    speed = {"FPSD": 25.0, "FPSA": 100.0, "FPS": fps}
    if embedding != "own":
        speed["FPSE"] = 50.0
    return Measurement(name, scene, "JDE ResNet-18", embedding, 6.25, scores, speed)


def test_table():
    text = table([measurement(), measurement("pcb", fps=14.3, embedding="PCB"),
                  measurement(scene="many", mota=math.nan)])  # fmt: skip
    assert "**few**, 6.2 objects a frame" in text and "**many**" in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [
        "| `jde` | 1 | JDE ResNet-18 | own | 50.0 | 7.0 | 7.0 | 7 | 7 | 7 | 40.0 | 0.0 | 10.0 "
        "| 20.0 |",
        "| `pcb` | 2 | JDE ResNet-18 | PCB | 50.0 | 7.0 | 7.0 | 7 | 7 | 7 | 40.0 | 20.0 | 10.0 "
        "| 14.3 |",
        "| `jde` | 1 | JDE ResNet-18 | own | - | 7.0 | 7.0 | 7 | 7 | 7 | 40.0 | 0.0 | 10.0 "
        "| 20.0 |",
    ]


def test_points():
    one, other = points([measurement(), measurement("pcb", mota=60.0)])
    assert (one.number, other.number) == (1, 2)
    assert one.figures == {"MOTA": 50.0, "IDF1": 7.0} and other.figures["MOTA"] == 60
    assert one.scene == "few, 6.2 objects a frame" and one.fps == 20


def test_picture(tmp_path):
    scenes = [TradeOffPoint(1, "few", "A", "own", 10.0, {"MOTA": 5.0, "IDF1": math.nan}),
              TradeOffPoint(2, "many", "B", "IDE", 20.0, {"MOTA": 6.0, "IDF1": 7.0})]  # fmt: skip
    plot_trade_off(tmp_path / "a.png", scenes)
    plot_trade_off(tmp_path / "b.png", scenes[:1])
    two, one = (cv2.imread(str(tmp_path / name)) for name in ("a.png", "b.png"))
    assert two.shape[1] > one.shape[1] and two.std() > 5
    with pytest.raises(InputError, match="at least one point"):
        plot_trade_off(tmp_path / "c.png", [])
    scenes[1] = TradeOffPoint(2, "many", "B", "IDE", 20.0, {"MOTA": 6.0})
    with pytest.raises(InputError, match="all points must have the figures"):
        plot_trade_off(tmp_path / "c.png", scenes)


def test_scenes():
    few = parse_scene("few people=synthmot:6.5")
    assert few.name == "few people" and few.dataset["type"] == "SynthMOTDataset"
    assert few.dataset["recipe"]["density"] == 6.5
    assert parse_scene("crowd=data/MOT20/train").dataset == {
        "type": "MOTChallengeDataset", "data_root": "data/MOT20/train"
    }  # fmt: skip
    some = parse_scene("real=data/MOT15/train:PETS*,KITTI-13").dataset
    assert some["data_root"] == "data/MOT15/train" and some["sequences"] == ["PETS*", "KITTI-13"]
    for wrong in ("few", "=street", "a=", "a=:A", "a=street:"):
        with pytest.raises(InputError, match=f"NAME=FOLDER:SEQ,SEQ, got '{wrong}'"):
            parse_scene(wrong)
    with pytest.raises(InputError, match="a number, in 'a=synthmot:x'"):
        parse_scene("a=synthmot:x")


def test_real_videos_where_they_are(tmp_path, monkeypatch):
    tool = tiny.load_tool("benchmarks/accuracy_speed")
    monkeypatch.setattr(tool, "REAL", tmp_path)
    tiny.write_street(tmp_path, ("PETS09-S2L1", "MOT17-11-540p"), frames=2)
    moving = f"real, moving camera={tmp_path}:MOT17-11-540p"
    assert tool.default_scenes() == [*tool.SCENES, moving]  # no TUD-Stadtmitte
    tiny.write_street(tmp_path, ("TUD-Stadtmitte",), frames=3)
    real, _ = (parse_scene(text) for text in tool.default_scenes()[2:])
    dataset = DATASETS.build(dict(real.dataset))
    assert [one.name for one in dataset.index.sequences] == ["PETS09-S2L1", "TUD-Stadtmitte"]
    assert len(dataset) == 5


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("sde/synthmot/cascade_rcnn_r18_pcb_jde_synthmot", ("CascadeRCNN ResNet-18", "PCB")),
        ("sde/synthmot/faster_rcnn_r18_sort_synthmot", ("FasterRCNN ResNet-18", "none")),
        ("jde/jde_darknet53", ("JDE Darknet-53", "own")),
    ],
)
def test_names_of_detector_and_embedding(config, expected):
    cfg = load_config(ROOT / f"configs/{config}.py", check=False)
    assert describe(cfg) == expected
    moved = on_scene(cfg, parse_scene("few=street"))
    assert moved.test_dataloader.dataset.data_root == "street"
    assert cfg.test_dataloader.dataset.type == "SynthMOTDataset"


def test_other_reid_weights_are_another_measurement(tmp_path):
    for name in ("detector.pth", "reid.pth"):
        (tmp_path / name).write_text("1")
    cfg = load_config(ROOT / "configs/sde/synthmot/faster_rcnn_r18_ide_jde_synthmot.py")
    cfg.model.reid.weights = str(tmp_path / "reid.pth")
    before = fingerprint(cfg, tmp_path / "detector.pth")
    assert fingerprint(cfg, tmp_path / "detector.pth") == before
    (tmp_path / "reid.pth").write_text("23")
    assert fingerprint(cfg, tmp_path / "detector.pth") != before


def test_a_run_goes_on_where_it_was(tiny_project, capfd, monkeypatch):
    tool = tiny.load_tool("benchmarks/accuracy_speed")
    line = "tiny.py=weights.pth --scene few=street:A --work-dir m --out page.md --plot p.png"
    assert tiny.call(tool, line) == 0
    first = capfd.readouterr().out
    first = first[first.index("**few**") :]  # after the log
    assert "**few**, 3.0 objects a frame" in first and "| `tiny` | 1 | JDE " in first
    assert cv2.imread("p.png") is not None
    page = Path("page.md").read_text()
    assert first.strip().splitlines()[-1] in page and "accuracy_speed.py tiny.py=weights" in page

    def refuse(*_):
        raise AssertionError("measured again")

    monkeypatch.setattr("comparison.trade_off.evaluate", refuse)
    assert tiny.call(tool, line) == 0
    assert capfd.readouterr().out == first
    line = "tiny.py=none.pth tiny.py=weights.pth --scene few=street:A --work-dir m"
    assert tiny.call(tool, line) == 1
    captured = capfd.readouterr()
    assert "1 of 2 could not be measured: tiny on few: none.pth: expected weights" in captured.err
    assert "| `tiny` | 1 |" in captured.out
