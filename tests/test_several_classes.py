"""Two classes all the way: files, dataset, tracker, metric, results, commands."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny
import torch
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmdeepmot.apis.result import TrackResult, to_mot_rows
from mmdeepmot.datasets.mot_challenge import MOTChallengeDataset
from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.folder import evaluate_folder_classes
from mmdeepmot.evaluation.metrics import DetectionMetric, MOTMetric
from mmdeepmot.io.mot import read_mot_text
from mmdeepmot.registry import TRACKERS
from mmdeepmot.structures import Detections, Frame

LENGTH = 6
PIPELINE = [dict(type="LoadFrame"), dict(type="LoadTracks"), dict(type="PackFrame")]
CLASSES = {"person": 4, "car": 7}


def places(t):
    """A person walks to the right over a car that drives to the left."""
    return (1, 4, 10.0 + 2 * t, 20.0, 10.0, 30.0), (2, 7, 40.0 - 3 * t, 22.0, 34.0, 26.0)


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """A sequence of two classes, and a third that is not asked for; exact detections."""
    folder = tmp_path / "street" / "A"
    for name in ("img1", "gt", "det"):
        (folder / name).mkdir(parents=True)
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname=A\nimDir=img1\nframeRate=10\nseqLength={LENGTH}\nimWidth=120\n"
        "imHeight=60\nimExt=.png\n"
    )
    gt, det = [], []
    for t in range(LENGTH):
        cv2.imwrite(str(folder / f"img1/{t + 1:06d}.png"), np.full((60, 120, 3), 90, np.uint8))
        for i, c, *box in (*places(t), (9, 5, 0.0, 0.0, 9.0, 9.0)):
            text = ",".join(f"{value:g}" for value in box)
            gt.append(f"{t + 1},{i},{text},1,{c},1")
            det.append(f"{t + 1},-1,{text},0.9,{c},-1,-1")
    (folder / "gt/gt.txt").write_text("\n".join(gt))
    (folder / "det/det.txt").write_text("\n".join(det))
    return tmp_path / "street"


def dataset(street, **options):
    return MOTChallengeDataset(
        street, PIPELINE, classes=CLASSES, with_detections="det/det.txt", **options
    )


def test_what_the_dataset_reads(street):
    data = dataset(street)
    assert data.metainfo["classes"] == ("person", "car")
    assert data.metainfo["class_numbers"] == (4, 7)
    assert len(data.metainfo["palette"]) == 2
    sample = data[2]["data_samples"]
    assert sample.gt_instances.labels.tolist() == [0, 1]
    assert sample.gt_instances.bboxes[1].tolist() == [34, 22, 68, 48]
    assert len(sample.ignored_instances) == 0
    assert sample.public_detections.labels.tolist() == [0, 1]
    cars = MOTChallengeDataset(street, PIPELINE, classes={"car": 7})
    assert cars[0]["data_samples"].gt_instances.labels.tolist() == [0]
    assert cars.num_identities == 1
    with pytest.raises(InputError, match="'tram' is no class of MOT16"):
        MOTChallengeDataset(street, PIPELINE, classes=["tram"])


def tracked(data):
    """Samples with tracks of the public detections, by overlap alone."""
    tracker = TRACKERS.build(
        {
            "type": "Tracker",
            "steps": [
                {"type": "Associate", "cost": "iou", "limit": 0.9},
                {"type": "Refine"},
                {"type": "Birth"},
                {"type": "Confirm", "hits": 1},
                {"type": "Retire"},
            ],
        }
    )
    for t in range(LENGTH):
        sample: DetDataSample = data[t]["data_samples"]
        found = sample.public_detections
        arrays = (found.bboxes.double().numpy(), found.scores.numpy(), found.labels.numpy())
        tracks = tracker.step(Frame(t, (120, 60), detections=Detections(*arrays)))
        sample.pred_instances = found
        sample.pred_track_instances = InstanceData(
            bboxes=torch.from_numpy(tracks.bboxes), scores=torch.from_numpy(tracks.scores),
            labels=torch.from_numpy(tracks.labels), instances_id=torch.from_numpy(tracks.ids),
        )  # fmt: skip
        yield sample


def test_metrics_and_result_files(street, tmp_path):
    data = dataset(street)
    track = MOTMetric(outfile_prefix=str(tmp_path / "out"), print_table=False)
    detection = DetectionMetric(print_table=False)
    evaluator = Evaluator([track, detection])
    evaluator.dataset_meta = data.metainfo
    for sample in tracked(data):
        evaluator.process([sample])
    figures = evaluator.evaluate(LENGTH)
    assert figures["track/MOTA"] == figures["track/MOTA/car"] == figures["track/IDF1/MEAN"] == 100
    assert figures["track/GT/person"] == LENGTH and figures["track/GT"] == 2 * LENGTH
    assert figures["detection/AP@0.5/car"] == pytest.approx(100)
    assert list(detection.class_table.rows) == ["person", "car", "OVERALL"]
    rows = read_mot_text(tmp_path / "out/A.txt", "result", with_classes=True)
    assert rows.classes.tolist() == [4, 7] * LENGTH
    scores = evaluate_folder_classes(tmp_path / "out", street, CLASSES)
    assert scores.classes.rows == track.class_table.rows or all(
        scores.classes.rows[name][key] == pytest.approx(value, nan_ok=True)
        for name, row in track.class_table.rows.items()
        for key, value in row.items()
    )


def test_switches_by_size_keep_classes_apart(street):
    """From the fourth frame on the person's box is called a car, of another identity."""
    counts = {}
    for classes in ("apart", "together"):
        data = dataset(street)
        metric = MOTMetric(print_table=False, classes=classes, areas=(500, 2000))
        evaluator = Evaluator([metric])
        evaluator.dataset_meta = data.metainfo
        for t, sample in enumerate(tracked(data)):
            if t >= 3:
                found = sample.pred_track_instances
                found.labels[0], found.instances_id[0] = 1, 9
            evaluator.process([sample])
        evaluator.evaluate(LENGTH)
        assert metric.area_table.overall["IDs"] == metric.table.overall["IDs"]
        assert metric.area_table.rows["small"]["GT"] == LENGTH
        counts[classes] = metric.area_table.rows["small"]["IDs"]
    assert counts == {"apart": 0, "together": 1}


def test_labels_may_be_left_out_of_the_score(street):
    data = dataset(street)
    metrics = [kind(print_table=False, classes="together") for kind in (MOTMetric, DetectionMetric)]
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = data.metainfo
    for sample in tracked(data):
        sample.pred_track_instances.labels = 1 - sample.pred_track_instances.labels
        sample.pred_instances.labels = 1 - sample.pred_instances.labels
        evaluator.process([sample])
    figures = evaluator.evaluate(LENGTH)
    assert figures["track/MOTA"] == 100
    assert figures["detection/AP@0.5"] == pytest.approx(100)
    for metric in metrics:
        assert metric.class_table is None
        with pytest.raises(InputError, match="classes must be one of"):
            type(metric)(classes="mixed")


def test_commands(street, tmp_path, capfd):
    tool = tiny.load_tool("track_dets")
    line = f"sort --dets {street} --out {tmp_path / 'out'} --jobs 1 --gt {street}"
    assert tiny.call(tool, f"{line} --classes person=4 car=7") == 1
    assert "expected in column 8 one of the classes person (4), car (7)" in capfd.readouterr().err
    assert tiny.call(tool, f"{line} --classes person=4 car=7 van=5") == 0
    text = capfd.readouterr().out
    assert [
        line.split()[0] for line in text.splitlines() if line.startswith(("per", "car", "MEAN"))
    ]
    rows = read_mot_text(tmp_path / "out/A.txt", "result", with_classes=True)
    assert set(zip(rows.ids.tolist(), rows.classes.tolist(), strict=True)) == {
        (1, 4),
        (2, 7),
        (3, 5),
    }
    test = tiny.load_tool("test")
    files = f"--results {tmp_path / 'out'} --gt {street} --classes person=4 car=7 van=5"
    assert tiny.call(test, f"--eval track {files}") == 0
    scored = capfd.readouterr().out
    assert text.endswith(scored)
    assert scored.count("OVERALL") == 3  # two tables and a note


def test_cars_that_the_benchmark_flags_0(street, tmp_path, capfd):
    truth = street / "A/gt/gt.txt"
    rows = [line.split(",") for line in truth.read_text().splitlines()]
    cars = [[*row[:6], "0", "3", "1"] for row in rows if row[7] == "7"]
    truth.write_text("\n".join(",".join(row) for row in cars))
    (tmp_path / "out").mkdir()
    found = [",".join([*row[:6], "0.9", "3", "-1", "-1"]) for row in cars]
    (tmp_path / "out/A.txt").write_text("\n".join(found))
    test = tiny.load_tool("test")
    line = f"--eval track --results {tmp_path / 'out'} --gt {street}"
    assert tiny.call(test, f"{line} --classes car") == 1
    assert "none of 1 sequences has a box that counts" in capfd.readouterr().err
    assert tiny.call(test, f"{line} --classes car --any-flag") == 0
    assert "car      100.00" in capfd.readouterr().out
    assert tiny.call(test, f"{line} --any-flag") == 2
    assert "--any-flag is for --classes" in capfd.readouterr().err


def test_results_of_the_inferencer():
    one = TrackResult(0, np.zeros((2, 4)), np.ones(2), np.array([1, 0]), np.array([5, 6]))
    assert to_mot_rows([one], (4, 7)).classes.tolist() == [7, 4]
    assert to_mot_rows([one]).classes.tolist() == [-1, -1]
