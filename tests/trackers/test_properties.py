"""What must hold for every tracker of ``configs``, whatever the scene."""

import io
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenes import Moment, Scene, build, hostile, tracker_configs

from mmdeepmot.structures import Tracks
from mmdeepmot.trackers import Tracker

CONFIGS = tracker_configs()
SCALED_NOISE = ("AspectKalman", "SizeKalman", "Motion")
"""Motion models whose noise grows with the box."""

seeds = st.integers(0, 2**32 - 1)
streets = st.builds(
    Scene,
    seed=seeds,
    people=st.integers(2, 10),
    frames=st.integers(5, 60),
    missed=st.sampled_from([0.0, 0.1, 0.3]),
    false=st.sampled_from([0.0, 0.5, 3.0]),
    away=st.integers(1, 40),
    shaky=st.booleans(),
)
crowds = st.builds(
    Scene,
    seed=seeds,
    people=st.integers(55, 75),  # where the engine stops making matrices
    frames=st.integers(3, 8),
    width=st.sampled_from([1.0, 8.0]),
    shaky=st.booleans(),
)
scenes = st.one_of(streets, streets, crowds)

every_tracker = pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))
examples = pytest.mark.parametrize("count", [15, pytest.param(150, marks=pytest.mark.slow)])
"""How many scenes: few by default, many in the slow profile."""


def for_all(count: int, **values: st.SearchStrategy) -> Callable[[Callable[..., None]], None]:
    """Decorator: the function is called with ``count`` examples at once, always the same ones."""

    def run_now(check: Callable[..., None]) -> None:
        settings(
            max_examples=count,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )(given(**values)(check))()

    return run_now


def track(tracker: Tracker, moments: Iterable[Moment], start: int = 0) -> list[Tracks]:
    return [tracker.step(moment.frame(start + t)) for t, moment in enumerate(moments)]


def assert_identical(got: list[Tracks], expected: list[Tracks]) -> None:
    for a, b in zip(got, expected, strict=True):
        for name in ("ids", "bboxes", "scores", "labels"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        return dict(saved)


def test_all_trackers_are_found():
    assert {"_base_/trackers/sort", "_base_/trackers/jde_code"} <= set(CONFIGS)


@every_tracker
@examples
def test_order_of_detections_does_not_matter(config, count):
    """The same trajectories; ids, which count births in the order of detections, may be renamed."""

    @for_all(count, scene=scenes, order=seeds)
    def check(scene, order):
        moments = scene.moments()
        rng = np.random.default_rng(order)
        first = track(build(config), moments)
        second = track(build(config), [moment.permuted(rng) for moment in moments])
        there: dict[int, int] = {}
        back: dict[int, int] = {}
        for t, (a, b) in enumerate(zip(first, second, strict=True)):
            assert len(a) == len(b), f"frame {t}"
            if not len(a):
                continue
            apart = np.abs(a.bboxes[:, None] - b.bboxes).max(axis=2)
            partner = apart.argmin(axis=1)
            assert sorted(partner) == list(range(len(a))), f"frame {t}"
            np.testing.assert_allclose(a.bboxes, b.bboxes[partner], rtol=0, atol=1e-6)
            np.testing.assert_array_equal(a.scores, b.scores[partner])
            np.testing.assert_array_equal(a.labels, b.labels[partner])
            for i, j in zip(a.ids.tolist(), b.ids[partner].tolist(), strict=True):
                assert (there.setdefault(i, j), back.setdefault(j, i)) == (j, i), f"frame {t}"


@every_tracker
@examples
def test_moving_the_scene_moves_the_tracks(config, count):
    """Where no track is kept in the image, which stays where it is."""
    steps = [
        {**step, "inside": None} if isinstance(step, dict) and step["type"] == "Propagate" else step
        for step in config["steps"]
    ]
    endless = {**config, "steps": steps}
    coordinate = st.floats(-1e6, 1e6)

    @for_all(count, scene=scenes, x=coordinate, y=coordinate)
    def check(scene, x, y):
        moments, shift = scene.moments(), np.array([x, y])
        first = track(build(endless), moments)
        second = track(build(endless), [moment.moved(shift) for moment in moments])
        tolerance = 1e-6 + 1e-11 * np.abs(shift).max()  # of a coordinate, some 1e5 roundings
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a.ids, b.ids)
            np.testing.assert_allclose(
                a.bboxes + np.tile(shift, 2), b.bboxes, rtol=0, atol=tolerance
            )
            np.testing.assert_array_equal(a.scores, b.scores)


def has_scale(config: dict[str, Any]) -> bool:
    """Whether a tracker knows lengths in px: by its motion's noise or by a step's threshold."""
    motion = config.get("motion") or "Motion"
    kind = motion if isinstance(motion, str) else motion["type"]
    steps = [step for step in config["steps"] if isinstance(step, dict)]
    return kind not in SCALED_NOISE or any(step.get("min_area") is not None for step in steps)


SCALE_FREE = {name: config for name, config in CONFIGS.items() if not has_scale(config)}


@pytest.mark.parametrize("config", SCALE_FREE.values(), ids=list(SCALE_FREE))
@examples
def test_scaling_the_scene_scales_the_tracks(config, count):
    @for_all(count, scene=scenes, factor=st.floats(0.05, 1000))
    def check(scene, factor):
        moments = scene.moments()
        first = track(build(config), moments)
        second = track(build(config), [moment.scaled(factor) for moment in moments])
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a.ids, b.ids)
            np.testing.assert_allclose(a.bboxes * factor, b.bboxes, rtol=1e-9, atol=1e-8 * factor)
            np.testing.assert_array_equal(a.scores, b.scores)


@every_tracker
@examples
def test_saved_state_goes_on_bit_by_bit(config, count):
    @for_all(count, scene=scenes, cuts=st.sets(st.integers(0, 59), min_size=1, max_size=6))
    def check(scene, cuts):
        moments = scene.moments()
        whole = build(config)
        expected = track(whole, moments)
        tracker, got = build(config), []
        for t, moment in enumerate(moments):
            if t in cuts:
                saved = through_a_file(tracker.state_dict())
                tracker = build(config)
                tracker.load_state_dict(saved)
            got.append(tracker.step(moment.frame(t)))
        assert_identical(got, expected)
        end, expected_end = tracker.state_dict(), whole.state_dict()
        assert end.keys() == expected_end.keys()
        for name, column in end.items():
            np.testing.assert_array_equal(column, expected_end[name], err_msg=name)


@every_tracker
@examples
def test_an_id_is_one_track(config, count):
    """Ids start at 1, are given in order and once; one that is gone never comes back."""

    @for_all(count, scene=scenes)
    def check(scene):
        tracker = build(config)
        born: dict[int, int] = {}
        ended: set[int] = set()
        living: set[int] = set()
        for t, moment in enumerate(scene.moments()):
            reported = tracker.step(moment.frame(t)).ids.tolist()
            assert len(set(reported)) == len(reported), f"frame {t}: an id twice"
            now = tracker.table.ids.tolist()
            assert len(set(now)) == len(now), f"frame {t}: two tracks with one id"
            fresh = [number for number in now if number not in living]
            assert all(number > max(born, default=0) for number in fresh), f"frame {t}: {fresh}"
            ended |= living - set(now)
            living = set(now)
            assert not ended & set(reported), f"frame {t}: back after its end"
            for number, start in zip(now, tracker.table.start_frames.tolist(), strict=True):
                assert born.setdefault(number, start) == start, f"frame {t}: {number} was replaced"
            assert set(reported) <= born.keys()
        assert min(born, default=1) == 1


@every_tracker
@examples
def test_reset_starts_anew(config, count):
    @for_all(count, scene=scenes, before=scenes)
    def check(scene, before):
        moments = scene.moments()
        expected = track(build(config), moments)
        tracker = build(config)
        track(tracker, before.moments())
        tracker.reset()
        assert_identical(track(tracker, moments), expected)


@every_tracker
@pytest.mark.parametrize("frames", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_hostile_frames_raise_nothing(config, frames):
    tracker, reported = build(config), 0
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        for t, moment in enumerate(hostile(frames, frames)):
            tracks = tracker.step(moment.frame(t))
            reported += len(tracks)
            assert np.isfinite(tracks.bboxes).all(), f"frame {t}"
            assert np.isfinite(tracks.scores).all(), f"frame {t}"
            assert (tracks.bboxes[:, 2:] > tracks.bboxes[:, :2]).all(), f"frame {t}"
            assert np.isfinite(tracker.table.bboxes).all(), f"frame {t}"
    assert reported > frames / 20  # it was tried on tracks, not on chaos alone
