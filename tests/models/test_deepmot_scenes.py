"""dMOTA follows MOTA through a matcher, and its gradients mend the faults that it counts."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdeepmot.evaluation.functional.fault_cases import fault_cases
from mmdeepmot.evaluation.functional.faulty_scenes import faulty_scenes
from mmdeepmot.models.losses import DeepMOTOptions
from mmdeepmot.models.losses.deepmot_scene import (
    scene_errors,
    scene_gradients,
    scene_inputs,
    scene_terms,
)
from mmdeepmot.models.matchers.pretrained import FOLDER

ROOT = Path(__file__).parents[2]
SCENES, SEED = 200, 0
LEARNING = "Sinkhorn:temperature=0.05,slack=0.125"
"""A matcher whose gradient reaches what is not yet matched."""


def load():
    path = ROOT / "tools" / "analysis" / "matcher_correlation.py"
    spec = importlib.util.spec_from_file_location("matcher_correlation", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tool = load()


def matcher_of(name: str) -> Callable:
    weights = {"DHN:pretrained=True": "dhn_seq_gru"}.get(name)
    if weights and not (FOLDER / f"{weights}.safetensors").is_file():
        pytest.skip(f"no trained weights {weights} in the package")
    return tool.build_matcher(name)


def mended_share(
    scene, fault: str, term: str, match: Callable, options: DeepMOTOptions, step: float
) -> float:
    """Share of ``fault`` that a step against the gradient of ``term`` takes away.

    Only boxes of the last frame move, the most moved edge by ``step`` px.
    """
    gradient = scene_gradients(scene, match, options)[term][-1]
    if not gradient.any():
        return 0.0
    moved = torch.from_numpy(scene.track_bboxes.copy())
    moved[-1] -= step * gradient / gradient.abs().max()
    before = scene_errors(scene_terms(scene, match, options))[fault]
    after = scene_errors(scene_terms(scene, match, options, track_bboxes=moved))[fault]
    return ((before - after) / before).item()


@pytest.fixture(scope="module")
def scenes():
    return faulty_scenes(SCENES, SEED)


@pytest.fixture(scope="module")
def mota(scenes):
    return tool.true_mota(scenes)


def test_scenes_spread_over_the_range_of_mota(mota):
    counts, _ = np.histogram(mota, bins=np.linspace(0.2, 1.0, 9))
    assert (counts >= 8).all() and counts.sum() >= 0.98 * SCENES
    assert mota.max() == 1


@pytest.mark.parametrize(
    ("name", "options", "min_iou", "bar"),
    [
        ("Hungarian", {"gamma": 1}, 0.5, 0.999),
        ("Hungarian", {}, 0.5, 0.98),  # a switch counts twice
        ("Hungarian", {"gamma": 1, "gate": 0.25}, 0.0, 0.99),
        (LEARNING, {"gamma": 1}, 0.0, 0.99),
        ("InteriorPoint", {"gamma": 1}, 0.5, 0.98),
        ("DHN:pretrained=True", {"gamma": 1}, 0.5, 0.95),
        ("DHN:pretrained=True", {"gate": 0.4, "gate_width": 0.1}, 0.0, 0.95),
        ("Sinkhorn:temperature=0.05", {"gate": 0.4, "gate_width": 0.1}, 0.0, 0.95),
    ],
)
def test_dmota_follows_mota(scenes, mota, name, options, min_iou, bar):
    found = tool.soft_mota(scenes, matcher_of(name), DeepMOTOptions(**options), min_iou)
    assert np.corrcoef(found, mota)[0, 1] >= bar


def test_sharp_dmota_is_mota(scenes, mota):
    """Frame by frame the best assignment, and motmetrics' that keeps to old partners: hardly ever
    different in these scenes."""
    sharp = DeepMOTOptions(gamma=1, sharpness=1000)
    found = tool.soft_mota(scenes, matcher_of("Hungarian"), sharp, 0.5)
    assert np.mean(np.abs(found - mota) < 1e-9) > 0.97
    np.testing.assert_allclose(found, mota, atol=0.05)


@pytest.mark.parametrize("fault", ["FP", "FN", "IDS"])
def test_fault_cases_have_their_fault(fault):
    sharp = DeepMOTOptions(sharpness=1000)
    scene = fault_cases()[fault]
    terms = scene_terms(scene, matcher_of("Hungarian"), sharp, min_iou=0.5)
    counted = {name: value.item() for name, value in scene_errors(terms).items()}
    expected = {"FP": (1, 1, 0), "FN": (1, 1, 0), "IDS": (0, 0, 2)}[fault]
    assert [counted[name] for name in ("FP", "FN", "IDS")] == pytest.approx(expected)


@pytest.mark.parametrize("fault", ["FP", "FN", "IDS"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        (LEARNING, {}),
        (LEARNING, {"switches": "literal"}),
        ("Hungarian", {"gate": 0.25}),
        ("InteriorPoint", {"gate": 0.25}),
        ("DHN:pretrained=True", {"gate": 0.25}),
    ],
)
def test_one_step_against_the_gradient_of_a_fault_takes_from_it(name, options, fault):
    found = mended_share(
        fault_cases()[fault], fault, fault, matcher_of(name), DeepMOTOptions(**options), 2.0
    )
    assert found > 0.001


@pytest.mark.parametrize("fault", ["FP", "FN", "IDS"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        (LEARNING, {}),
        ("InteriorPoint:slack=0.14", {}),
        ("InteriorPoint", {"gate": 0.25}),
        ("Hungarian", {"gate": 0.25}),
        ("DHN:pretrained=True", {"gate": 0.25}),
    ],
)
def test_steps_against_the_gradient_mend_the_fault(name, options, fault):
    """What the soft counts promise holds for the counts of the metrics."""
    given = fault_cases()[fault], fault, matcher_of(name), DeepMOTOptions(**options)
    steps = tool.steps_to_mend(*given)
    assert steps is not None and steps >= 1


def test_what_has_no_gradient_mends_nothing():
    scene = fault_cases()["FP"]
    assert tool.steps_to_mend(scene, "FP", matcher_of("Hungarian"), DeepMOTOptions()) is None


@pytest.mark.parametrize("fault", ["FP", "FN"])
def test_one_step_against_the_whole_loss_takes_from_a_fault(fault):
    match = matcher_of(LEARNING)
    found = mended_share(fault_cases()[fault], fault, "loss", match, DeepMOTOptions(), 2.0)
    assert found > 0.001


def test_precision_over_all_matches_works_against_a_switch_and_over_kept_ones_does_not():
    scene, match = fault_cases()["IDS"], matcher_of(LEARNING)
    pulled = mended_share(scene, "IDS", "loss", match, DeepMOTOptions(), 2.0)
    kept = mended_share(scene, "IDS", "loss", match, DeepMOTOptions(precise_over="kept"), 2.0)
    assert pulled < 0 < kept


def test_at_gamma_2_dmota_is_even_between_a_switch_and_a_miss_with_a_false_alarm():
    """What leaves a wrong track in a column of C^c goes to delta: FN and FP for IDS."""
    scene, match = fault_cases()["IDS"], matcher_of(LEARNING)

    def mended(gamma: float) -> float:
        options = DeepMOTOptions(gamma=gamma, precision_weight=0)
        return mended_share(scene, "IDS", "loss", match, options, 2.0)

    def largest(gamma: float) -> float:
        options = DeepMOTOptions(gamma=gamma, precision_weight=0)
        return scene_gradients(scene, match, options)["loss"].abs().max().item()

    assert mended(1) < 0 < mended(3)
    assert largest(2) < 0.05 * min(largest(1), largest(3))


def test_no_gradient_passes_the_exact_assignment():
    for fault, scene in fault_cases().items():
        assert not scene_gradients(scene, matcher_of("Hungarian"))[fault].any()


def test_inputs_and_sequence_of_a_scene_agree(scenes):
    scene = scenes[-1]
    given, sequence = scene_inputs(scene), scene.sequence()
    assert len(sequence.pred_ids) == (given.row_ids >= 0).sum()
    assert len(sequence.gt_ids) == (given.col_ids >= 0).sum()
    assert given.distances.shape == (*given.row_ids.shape, given.col_ids.shape[1])
    again = faulty_scenes(SCENES, SEED)[-1]
    np.testing.assert_array_equal(again.track_bboxes, scene.track_bboxes)
    assert not np.array_equal(
        faulty_scenes(2, 1)[1].object_bboxes, faulty_scenes(2, 2)[1].object_bboxes
    )


def test_the_tool_prints_a_row_a_matcher(capsys, tmp_path):
    out = tmp_path / "table.md"
    arguments = ["--scenes", "12", "--size", "5", "--out", str(out), "--matchers", "Hungarian"]
    assert tool.main([*arguments, LEARNING]) == 0
    lines = [line for line in out.read_text().splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1 and len(lines) == 4
    hungarian, sinkhorn = ([cell.strip() for cell in line.split("|")] for line in lines[2:])
    assert hungarian[1:6] == ["`Hungarian`", "0", "100.00 / 100.00", "0.00 / 0.00", "0.00 / 0.00"]
    assert all(hungarian[column].startswith("– / ") for column in (10, 11, 12))
    alone = [int(sinkhorn[column].split(" / ")[0]) for column in (10, 11, 12)]
    assert all(1 <= steps <= 40 for steps in alone)
    assert lines[2] in capsys.readouterr().out


def test_the_tool_says_what_a_matcher_is():
    with pytest.raises(ValueError, match=r"Name:key=value,key=value, got 'Sinkhorn:0\.5'"):
        tool.build_matcher("Sinkhorn:0.5")
    assert tool.build_matcher("Sinkhorn:slack=0.3").slack == 0.3
