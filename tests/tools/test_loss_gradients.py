"""The picture of the loss's gradients: what it is made of, and that it is drawn."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
CASE = {"FP": 0, "FN": 1, "IDS": 2}


def load():
    path = ROOT / "tools" / "analysis" / "loss_gradients.py"
    spec = importlib.util.spec_from_file_location("loss_gradients_tool", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load()


@pytest.fixture(scope="module")
def cases():
    matcher = tool.MODELS.build(tool.short_config("Sinkhorn:temperature=0.05,slack=0.125"))
    return tool.gradient_cases(matcher, tool.DeepMOTOptions())


def push(cases, case: str, term: str, track: int) -> np.ndarray:
    """Negative gradient by the edges (left, top, right, bottom) of a track's box."""
    return -cases[CASE[case]].gradients[term][track]


def test_a_box_that_slid_to_the_right_is_drawn_to_the_left(cases):
    left, _, right, _ = push(cases, "FP", "FP", 1)
    assert left < 0 and left + right < 0
    assert abs(push(cases, "FP", "FP", 0)).max() < 1e-3 * abs(left)  # the other is well placed
    assert not push(cases, "FP", "1 - dMOTP", 1).any()  # it is no match


def test_a_box_that_is_too_small_grows(cases):
    left, top, right, bottom = push(cases, "FN", "FN", 1)
    assert left < 0 and top < 0 < bottom and right > 0


def test_exchanged_tracks_leave_their_wrong_objects_against_precision(cases):
    case = cases[CASE["IDS"]]
    assert case.tracks[0][0] > case.tracks[1][0]  # track 0 is now on the right
    assert push(cases, "IDS", "IDS", 0)[0] < 0 < push(cases, "IDS", "IDS", 1)[0]
    assert push(cases, "IDS", "1 - dMOTP", 1)[0] < 0 < push(cases, "IDS", "1 - dMOTP", 0)[0]


def test_the_picture_is_drawn(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    cv2 = pytest.importorskip("cv2")
    out = tmp_path / "deep" / "picture.png"
    assert tool.main(["--out", str(out), "--dpi", "40", "--loss", "gate=0.25"]) == 0
    assert str(out) in capsys.readouterr().out
    picture = cv2.imread(str(out))
    assert picture.shape[1] > 500 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_a_wrong_option_is_named():
    with pytest.raises(ValueError, match=r"gate must be a distance in \(0, 1\] or None, got 3"):
        tool.MODELS.build(tool.short_config("DeepMOTLoss:gate=3"))
    with pytest.raises(ValueError, match="expected Name:key=value,key=value, got 'DeepMOTLoss:x'"):
        tool.short_config("DeepMOTLoss:x")
