"""Scores of several classes, by hand."""

import numpy as np
import pytest

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.classes import evaluate_classes
from mmdeepmot.evaluation.folder import evaluate_folder, evaluate_folder_classes
from mmdeepmot.evaluation.functional.sequence import GtRole, TrackingSequence
from mmdeepmot.evaluation.tracking import evaluate_tracking
from mmdeepmot.io.mot_classes import class_table, file_numbers, parse_classes

EVALUATORS = ("motmetrics", "trackeval")
CLASSES = ("person", "car", "bus")


def table(rows):
    """Columns of (frame, id, left, label): squares of 10 px."""
    array = np.array(rows, dtype=np.int64).reshape(-1, 4)
    left = array[:, 2].astype(float)
    boxes = np.stack([left, left * 0, left + 10, left * 0 + 10], axis=1)
    return array[:, 0], array[:, 1], boxes, array[:, 3]


def sequence(name, gt, pred, roles=None):
    frames, ids, boxes, labels = table(gt)
    roles = np.zeros(len(gt), dtype=np.int64) if roles is None else np.array(roles)
    found = table(pred)
    return TrackingSequence(name, frames, ids, boxes, roles, *found[:3], labels, found[3])


# Two persons and a car for two frames. The tracker has person 1 right, takes person 2 for a car in
# frame 2, and sees a bus that is not there.
GT = [(1, 1, 0, 0), (1, 2, 50, 0), (1, 3, 90, 1), (2, 1, 0, 0), (2, 2, 50, 0), (2, 3, 90, 1)]
PRED = [
    (1, 1, 0, 0), (1, 2, 50, 0), (1, 3, 90, 1), (2, 1, 0, 0), (2, 2, 50, 1), (2, 3, 90, 1),
    (2, 9, 150, 2),
]  # fmt: skip


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_each_class_by_itself(evaluator):
    scores = evaluate_classes([sequence("A", GT, PRED)], CLASSES, evaluator=evaluator)
    rows = scores.classes.rows
    assert list(rows) == ["person", "car", "bus", "MEAN", "OVERALL"]
    counts = {name: [row[key] for key in ("GT", "FP", "FN", "IDs")] for name, row in rows.items()}
    assert counts["person"] == [4, 0, 1, 0]
    assert counts["car"] == [2, 1, 0, 0]
    assert counts["bus"] == [0, 1, 0, 0]
    assert counts["OVERALL"] == [6, 2, 1, 0]
    assert rows["person"]["MOTA"] == pytest.approx(75)
    assert rows["car"]["MOTA"] == pytest.approx(50)
    assert rows["OVERALL"]["MOTA"] == pytest.approx(100 * (1 - 3 / 6))
    # IDF1 = 2 TP / (GT + results): person 2 * 3 / (4 + 3), car 2 * 2 / (2 + 3), bus 0
    assert rows["person"]["IDF1"] == pytest.approx(600 / 7)
    assert rows["car"]["IDF1"] == pytest.approx(80)
    assert rows["MEAN"]["IDF1"] == pytest.approx((600 / 7 + 80 + rows["bus"]["IDF1"]) / 3)
    assert np.isnan(rows["MEAN"]["FP"])
    assert scores.sequences.rows["A"]["FP"] == scores.sequences.overall["FP"] == 2


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_together_labels_do_not_count(evaluator):
    overall = evaluate_tracking([sequence("A", GT, PRED)], evaluator=evaluator).overall
    assert [overall[key] for key in ("GT", "FP", "FN", "IDs")] == [6, 1, 0, 0]


def test_sequences_and_classes_add_up_to_the_same():
    first, second = sequence("A", GT, PRED), sequence("B", GT[:4], PRED[:3])
    scores = evaluate_classes([first, second], CLASSES)
    alone = [evaluate_classes([one], CLASSES) for one in (first, second)]
    for key in ("GT", "FP", "FN", "IDs"):
        assert scores.classes.overall[key] == sum(one.classes.overall[key] for one in alone)
        assert scores.sequences.rows["B"][key] == alone[1].sequences.overall[key]
    assert scores.classes.overall == scores.sequences.overall


def test_one_class_alone_is_what_it_was():
    gt = [row for row in GT if row[3] == 0]
    pred = [row for row in PRED if row[3] == 0]
    expected = evaluate_tracking([sequence("A", gt, pred)]).overall
    found = evaluate_classes([sequence("A", gt, pred)], ("person",))
    assert found.sequences.overall == pytest.approx(expected)
    assert found.classes.rows["person"] == pytest.approx(expected)
    assert found.classes.rows["MEAN"]["HOTA"] == pytest.approx(expected["HOTA"])


def test_ignored_boxes_are_ignored_for_every_class():
    gt = [*GT, (2, -1, 150, 0)]
    roles = [GtRole.COUNTED] * len(GT) + [GtRole.IGNORED]
    scores = evaluate_classes([sequence("A", gt, PRED, roles)], CLASSES)
    assert scores.classes.rows["bus"]["FP"] == 0
    assert scores.sequences.notes == (
        "1 results on ignored boxes (IoU >= 0.5) were removed first.",
    )


def test_labels_beyond_the_classes():
    with pytest.raises(InputError, match="results have labels from 0 to 2, and there are 2"):
        evaluate_classes([sequence("A", GT, PRED)], CLASSES[:2])
    bare = sequence("A", GT, PRED)
    bare.gt_labels = None
    with pytest.raises(ValueError, match=r"sequence A: .*needs gt_labels and pred_labels"):
        evaluate_classes([bare], CLASSES)


@pytest.fixture
def folders(tmp_path):
    """Ground truth with class numbers 4 (person) and 7 (car), and results."""
    (tmp_path / "gt/A/gt").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    truth = [f"{t},{i},{x},0,10,10,1,{(4, 7)[c]},1" for t, i, x, c in GT]
    (tmp_path / "gt/A/gt/gt.txt").write_text("\n".join(truth))
    found = [f"{t},{i},{x},0,10,10,0.9,{(4, 7)[c]},-1,-1" for t, i, x, c in PRED if c < 2]
    (tmp_path / "out/A.txt").write_text("\n".join(found))
    return tmp_path


def test_classes_of_folders(folders):
    classes = {"person": 4, "car": 7}
    scores = evaluate_folder_classes(folders / "out", folders / "gt", classes)
    assert scores.classes.rows["person"]["FN"] == scores.classes.rows["car"]["FP"] == 1
    # by MOT17's rule class 1 alone would count
    with pytest.raises(InputError, match="none of 1 sequences has a box that counts"):
        evaluate_folder(folders / "out", folders / "gt")
    with pytest.raises(InputError, match=r"out/A\.txt: expected in column 8 one of .*person \(4\)"):
        evaluate_folder_classes(folders / "out", folders / "gt", {"person": 4, "bus": 5})


def test_mot17_s_cars_are_flagged_0(folders):
    path = folders / "gt/A/gt/gt.txt"
    lines = [line.replace("1,4,1", "1,1,1").replace("1,7,1", "0,3,1") for line in
             path.read_text().splitlines()]  # fmt: skip
    path.write_text("\n".join(lines))
    found = folders / "out/A.txt"
    text = found.read_text().replace(",4,-1,-1", ",1,-1,-1").replace(",7,-1,-1", ",3,-1,-1")
    found.write_text(text)
    names = ["pedestrian", "car"]
    scores = evaluate_folder_classes(folders / "out", folders / "gt", names)
    assert scores.classes.rows["car"]["GT"] == 0
    scores = evaluate_folder_classes(folders / "out", folders / "gt", names, any_flag=True)
    assert [scores.classes.rows[name]["GT"] for name in names] == [4, 2]


def test_tables_of_classes():
    named = class_table(["car", "pedestrian"])
    assert named.numbers == (3, 1)
    assert named.labels(np.array([1, 3, 2, -1, 99])).tolist() == [1, 0, -1, 0, -1]
    assert named.to_numbers(np.array([0, 1, 1])).tolist() == [3, 1, 1]
    assert named.ignored((2, 3, 7)) == (2, 7)
    own = class_table({"cyclist": 0, "bus": 2})
    assert own.labels(np.array([0, 1, 2])).tolist() == [0, -1, 1]
    assert own.ignored((2, 7)) == ()
    assert class_table().numbers == (1,)
    assert file_numbers(["tram", "bus"]) == (1, 2)
    assert parse_classes(["a=1", "b=4"]) == {"a": 1, "b": 4}
    assert parse_classes(["pedestrian"]) == ["pedestrian"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: class_table(["tram"]), "'tram' is no class of MOT16.*classes=dict"),
        (lambda: class_table([]), "a list of names or a dict"),
        (lambda: class_table(["car", "car"]), "each class once"),
        (lambda: class_table({"a": 1, "b": 1}), "a whole number of its own"),
        (lambda: class_table({"a": -3}), "a whole number of its own"),
        (lambda: parse_classes(["a=1", "b"]), "a name and a whole number each"),
        (lambda: parse_classes(["a=x"]), "a name and a whole number each"),
    ],
)
def test_wrong_classes(call, words):
    with pytest.raises(InputError, match=words):
        call()
