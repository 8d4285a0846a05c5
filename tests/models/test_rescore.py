"""Public detections with a detector's scores: which are kept, and the command that writes them."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from tracktor_small import make_tracktor, tracktor_config

from mmdeepmot.apis.rescore import kept_detections, load_scorer
from mmdeepmot.engine.config import load_config
from mmdeepmot.io.mot import MOTRows, read_mot_text, write_mot_text
from mmdeepmot.models.mot.geometry import boxes_to_input
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).parents[2]
PIPELINE = [
    {"type": "LoadFrame"},
    {"type": "Letterbox", "size": (160, 96)},
    {"type": "LoadTracks"},
    {"type": "PackFrame"},
]
TOOL = runpy.run_path(str(ROOT / "tools/dataset_converters/rescore_detections.py"))


def test_kept_by_score_and_overlap():
    bboxes = np.array([[0, 0, 10, 10], [50, 0, 60, 10], [1, 0, 11, 10], [0, 1, 10, 11.0]])
    scores = np.array([0.6, 0.4, 0.8, 0.55])
    assert kept_detections(bboxes, scores, 0.5, None).tolist() == [0, 2, 3]
    assert kept_detections(bboxes, scores, 0.5, 0.5).tolist() == [2]
    assert kept_detections(bboxes, scores, 0.9, 0.5).tolist() == []


@pytest.fixture
def street(tmp_path):
    """Sequences A and B with detections in every frame but the second, a config and weights."""
    tiny.write_street(tmp_path / "street")
    for name in "AB":
        folder = tmp_path / "street" / name
        rows = read_mot_text(folder / "gt" / "gt.txt", "gt")
        rows = rows[rows.frames != 2]
        write_mot_text(
            folder / "det" / "det.txt",
            MOTRows.from_arrays(rows.frames, np.full(len(rows), -1), rows.bboxes + 2),
        )
    model = {"type": "TrackingModel", "follower": tracktor_config(), "detections": "public"}
    text = f"model = {model!r}\ntest_dataloader = dict(dataset=dict(pipeline={PIPELINE!r}))\n"
    (tmp_path / "scorer.py").write_text(text)
    network = MODELS.build(model)
    network.follower.load_state_dict(make_tracktor().state_dict())
    torch.save({"state_dict": network.state_dict()}, tmp_path / "scorer.pth")
    return tmp_path


def rescore(street, *options):
    main = TOOL["main"]
    paths = (street / "scorer.py", street / "scorer.pth", street / "street")
    return main([*map(str, paths), "--device", "cpu", *options])


def test_boxes_stay_and_scores_are_the_detector_s(street, capsys):
    assert rescore(street, "--min-score", "0") == 0
    given = read_mot_text(street / "street" / "A" / "det" / "det.txt", "det")
    got = read_mot_text(street / "street" / "A" / "det" / "rescored.txt", "det")
    np.testing.assert_array_equal(got.frames, given.frames)
    np.testing.assert_allclose(got.bboxes, given.bboxes, atol=2e-3)
    assert "rescored.txt: 15 of 15 detections" in capsys.readouterr().out
    # The first frame by hand: the network on the image, letterboxed.
    model = load_scorer(load_config(street / "scorer.py", check=False), street / "scorer.pth")
    from mmdeepmot.datasets import MOTChallengeDataset

    frame = MOTChallengeDataset(street / "street", PIPELINE, sequences=["A"])[0]
    data = model.data_preprocessor({k: [v] for k, v in frame.items()})
    near = boxes_to_input(torch.from_numpy(given.bboxes[:3]).float(), data["data_samples"][0])
    with torch.no_grad():
        _, scores = model.follower.refine(model.follower.encode(data["inputs"])[0], near)
    np.testing.assert_allclose(got.scores[:3], scores, rtol=1e-3)
    # A threshold between two of all scores splits them.
    both = np.sort(got.scores)
    middle = str((both[4] + both[5]) / 2)
    assert rescore(street, "--min-score", middle, "--out", "det/few.txt", "--sequences", "A") == 0
    few = read_mot_text(street / "street" / "A" / "det" / "few.txt", "det")
    assert len(few) == 10
    assert few.scores.min() > both[4]
    assert not (street / "street" / "B" / "det" / "few.txt").exists()


def test_what_cannot_score_is_refused(street, capsys):
    text = (street / "scorer.py").read_text()
    model = {"type": "TrackingModel", "follower": {"type": "GOTURN", "width": 8}}
    other = f"model = {model!r}\nmodel['detections'] = 'public'\n"
    (street / "scorer.py").write_text(other + text.split("\n", 1)[1])
    assert rescore(street) == 1
    assert "whose follower detects (Tracktor" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        rescore(street, "--out", "det/det.txt")
