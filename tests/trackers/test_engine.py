"""The engine as a whole: state, ids, invariances, bad input."""

from pathlib import Path

import numpy as np
import pytest

from mmdeepmot.registry import COSTS, STEPS, TRACKERS
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.track_table import Column
from mmdeepmot.trackers import Tracker
from mmdeepmot.trackers.steps import Step

CONFIGS = ["jde_code", "jde_paper", "sort"]


def run(tracker, frames):
    return [tracker.step(frame) for frame in frames]


def assert_same(got, expected):
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a.ids, b.ids)
        np.testing.assert_array_equal(a.bboxes, b.bboxes)
        np.testing.assert_array_equal(a.scores, b.scores)
        np.testing.assert_array_equal(a.labels, b.labels)


def frame_of(bboxes, index=0, scores=None, labels=None, embeddings=None, **kwargs):
    bboxes = np.asarray(bboxes, dtype=np.float64).reshape(-1, 4)
    scores = np.ones(len(bboxes)) if scores is None else np.asarray(scores, dtype=np.float64)
    labels = np.zeros(len(bboxes), dtype=np.int64) if labels is None else np.asarray(labels)
    return Frame(
        index, (1000, 1000), detections=Detections(bboxes, scores, labels, embeddings), **kwargs
    )


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("cut", [0, 1, 17, 40])
def test_saved_state_continues_identically(config, cut, random_scene, build_tracker, tmp_path):
    frames = random_scene(3, frames=60)
    expected = run(build_tracker(config), frames)
    first = build_tracker(config)
    run(first, frames[:cut])
    np.savez(tmp_path / "state.npz", **first.state_dict())
    saved = dict(np.load(tmp_path / "state.npz", allow_pickle=False))
    second = build_tracker(config)
    run(second, random_scene(9, frames=5))  # what it held before must not matter
    second.load_state_dict(saved)
    assert_same(run(second, frames[cut:]), expected[cut:])
    assert_same(run(first, frames[cut:]), expected[cut:])  # saving changed nothing


def test_state_of_another_tracker_is_refused(build_tracker, random_scene):
    sort, jde = build_tracker("sort"), build_tracker("jde_code")
    run(jde, random_scene(0, frames=3))
    with pytest.raises(
        ValueError, match=r"unknown \['embeddings'\].*other steps, motion or memory"
    ):
        sort.load_state_dict(jde.state_dict())
    with pytest.raises(ValueError, match=r"lacks \['time', 'last_index'\]"):
        sort.load_state_dict({})


@pytest.mark.parametrize("config", CONFIGS)
def test_ids_are_never_reused_and_reset_starts_at_one(config, random_scene, build_tracker):
    tracker, frames = build_tracker(config), random_scene(1)
    last_seen, expected = {}, run(tracker, frames)
    for t, tracks in enumerate(expected):
        assert len(set(tracks.ids.tolist())) == len(tracks)
        last_seen.update(dict.fromkeys(tracks.ids.tolist(), t))
    assert min(last_seen) >= 1
    tracker.reset()
    assert_same(run(tracker, frames), expected)


@pytest.mark.parametrize("config", CONFIGS)
def test_order_of_detections_does_not_matter(config, random_scene, build_tracker):
    """Ids of tracks are given in the order of detections: equal up to renaming."""
    rng = np.random.default_rng(0)
    frames = random_scene(2)
    shuffled = [f.with_detections(f.detections[rng.permutation(len(f.detections))]) for f in frames]
    names = {}
    for a, b in zip(
        run(build_tracker(config), frames), run(build_tracker(config), shuffled), strict=True
    ):
        p, q = np.lexsort(a.bboxes.T), np.lexsort(b.bboxes.T)
        np.testing.assert_allclose(a.bboxes[p], b.bboxes[q], rtol=1e-9)
        for i, j in zip(a.ids[p].tolist(), b.ids[q].tolist(), strict=True):
            assert names.setdefault(i, j) == j
    assert len(set(names.values())) == len(names) > 5


@pytest.mark.parametrize("config", CONFIGS)
def test_shifting_the_scene_shifts_the_result(config, random_scene, build_tracker):
    frames = random_scene(5)
    shift = np.array([128.0, -64, 128, -64])
    moved = []
    for f in frames:
        d = f.detections
        moved.append(
            f.with_detections(Detections(d.bboxes + shift, d.scores, d.labels, d.embeddings))
        )
    for a, b in zip(
        run(build_tracker(config), frames), run(build_tracker(config), moved), strict=True
    ):
        np.testing.assert_array_equal(a.ids, b.ids)
        np.testing.assert_allclose(a.bboxes + shift, b.bboxes, rtol=0, atol=1e-6)


@pytest.mark.parametrize("config", ["jde_code", "jde_paper"])
def test_jde_follows_scale(config, random_scene, build_tracker):
    frames = random_scene(6)
    grown = []
    for f in frames:
        d = f.detections
        grown.append(f.with_detections(Detections(d.bboxes * 4, d.scores, d.labels, d.embeddings)))
    for a, b in zip(
        run(build_tracker(config), frames), run(build_tracker(config), grown), strict=True
    ):
        np.testing.assert_array_equal(a.ids, b.ids)
        np.testing.assert_allclose(a.bboxes * 4, b.bboxes, rtol=1e-9)


@pytest.mark.parametrize("config", CONFIGS)
def test_wild_boxes_raise_nothing(config, build_tracker):
    rng = np.random.default_rng(7)
    tracker = build_tracker(config)
    for index in range(400):
        count = int(rng.integers(0, 9)) * (rng.random() > 0.1)
        corner = rng.uniform(-1e3, 1e3, (count, 2)) * 10 ** rng.uniform(-2, 4, (count, 1))
        bboxes = np.concatenate([corner, corner + 10 ** rng.uniform(-1, 6, (count, 2))], axis=1)
        if count > 3:
            bboxes[0] = bboxes[1]  # duplicate
            bboxes[2, :2] = bboxes[3, 2:]  # touching, maybe turned inside out
        looks = rng.normal(size=(count, 8)).astype(np.float32)
        tracks = tracker.step(frame_of(bboxes, index, rng.random(count), embeddings=looks))
        assert np.isfinite(tracks.bboxes).all()


def test_no_detections_ever(build_tracker):
    for config in CONFIGS:
        tracker = build_tracker(config)
        for index in range(3):
            assert len(tracker.step(frame_of([], index))) == 0


def test_result_is_a_copy(build_tracker, random_scene):
    tracker, frames = build_tracker("jde_code"), random_scene(0, frames=6)
    tracks = run(tracker, frames[:5])[-1]
    state = tracker.state_dict()
    for array in (tracks.bboxes, tracks.scores, tracks.labels, tracks.ids):
        array[:] = -1
    for name, array in tracker.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


def test_detections_are_not_changed(build_tracker, random_scene):
    frames = random_scene(0, frames=20)
    copies = [
        (f.detections.bboxes.copy(), f.detections.scores.copy(), f.detections.embeddings.copy())
        for f in frames
    ]
    run(build_tracker("jde_code"), frames)
    for f, (bboxes, scores, embeddings) in zip(frames, copies, strict=True):
        np.testing.assert_array_equal(f.detections.bboxes, bboxes)
        np.testing.assert_array_equal(f.detections.scores, scores)
        np.testing.assert_array_equal(f.detections.embeddings, embeddings)


# ------------------------------------------------------------------------------------ bad input


BOX = [10.0, 10, 50, 100]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"bboxes": [BOX, [1, 2, np.nan, 4]]}, r"frame 4: detections.bboxes\[1\].*not finite"),
        ({"bboxes": [[-np.inf, 2, 3, 4]]}, r"detections.bboxes\[0\].*not finite"),
        ({"bboxes": [BOX, BOX], "scores": [1, np.nan]}, r"detections.scores\[1\].*not finite"),
        (
            {"bboxes": [BOX], "embeddings": np.array([[1, np.nan]])},
            r"detections.embeddings\[0\].*not finite",
        ),
        ({"bboxes": [BOX], "embeddings": np.ones((1, 2, 3))}, r"shape \(1, D\).*got \(1, 2, 3\)"),
    ],
)
def test_bad_values_are_named(kwargs, message, build_tracker):
    with pytest.raises(ValueError, match=message):
        build_tracker("jde_code").step(frame_of(index=4, **kwargs))


def test_boxes_without_area_are_left_out_with_a_warning(build_tracker, caplog):
    tracker = build_tracker("jde_code")
    look = np.eye(3, 4, dtype=np.float32)
    boxes = [[5, 5, 5, 50], BOX, [50, 50, 40, 90]]
    for index in range(2):
        tracks = tracker.step(frame_of(boxes, index, embeddings=look))
    np.testing.assert_allclose(tracks.bboxes, [BOX])
    np.testing.assert_array_equal(tracker.table["embeddings"], look[1:2])
    assert "frame 0: 2 of 3 detections have no width or height" in caplog.text
    assert (tracker.dropped, len(caplog.records)) == (4, 1)


def test_embeddings_are_normalised_and_zero_ones_survive(build_tracker):
    tracker = build_tracker("jde_code")
    boxes = [BOX, [500, 500, 540, 600]]
    for index in range(3):
        tracker.step(frame_of(boxes, index, embeddings=np.array([[3.0, 4.0], [0, 0]])))
    np.testing.assert_allclose(tracker.table["embeddings"], [[0.6, 0.8], [0, 0]], rtol=1e-6)
    np.testing.assert_array_equal(tracker.table.ids, [1, 2])


def test_missing_embeddings_say_which_step_and_what_to_set(build_tracker):
    tracker = build_tracker("jde_code")
    with pytest.raises(ValueError, match=r"steps\[6\] Birth needs embeddings.*sort\.py"):
        tracker.step(frame_of([BOX]))
    tracker.reset()
    for index in range(2):
        tracker.step(frame_of([BOX], index, embeddings=np.eye(1, 4)))
    with pytest.raises(ValueError, match=r"steps\[1\] Associate needs embeddings"):
        tracker.step(frame_of([BOX], 2))


def test_embed_is_called_at_most_once_and_only_when_needed(build_tracker):
    tracker, calls = build_tracker("jde_code"), []

    def embed(bboxes):
        calls.append(len(bboxes))
        return np.eye(len(bboxes), 4)

    for index in range(4):
        boxes = [] if index == 2 else [BOX, [500, 500, 540, 600]]
        tracks = tracker.step(frame_of(boxes, index, embed=embed))
    assert calls == [2, 2, 2]
    np.testing.assert_array_equal(tracks.ids, [1, 2])
    with pytest.raises(ValueError, match=r"embeddings must have shape \(1, D\).*got \(2, 4\)"):
        tracker.step(frame_of([BOX], 9, embed=lambda bboxes: np.eye(2, 4)))


def test_embeddings_that_change_length(build_tracker):
    tracker = build_tracker("jde_code")
    for index in range(2):
        tracker.step(frame_of([BOX], index, embeddings=np.eye(1, 4)))
    with pytest.raises(ValueError, match=r"5 values.*remember 4.*reset\(\)"):
        tracker.step(frame_of([BOX], 2, embeddings=np.eye(1, 5)))
    tracker.reset()
    tracker.step(frame_of([BOX], 0, embeddings=np.eye(1, 5)))


def test_frames_out_of_order_mean_a_forgotten_reset(build_tracker):
    tracker = build_tracker("sort")
    tracker.step(frame_of([BOX], 5))
    for index in (5, 0):
        with pytest.raises(ValueError, match=rf"frame {index} came after frame 5.*reset\(\)"):
            tracker.step(frame_of([BOX], index))
    tracker.step(frame_of([BOX], 9))  # gaps are fine


# --------------------------------------------------------------------------------------- config


def tracker_of(*steps, **kwargs):
    return TRACKERS.build({"type": "Tracker", "steps": list(steps), **kwargs})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: tracker_of("Predikt"),
            r"Tracker.steps\[0\]: no tracker step is called 'Predikt'; did you mean 'Predict'",
        ),
        (
            lambda: tracker_of("Predict", {"type": "Associate", "cost": "iuo", "limit": 0.5}),
            r"Tracker.steps\[1\] \(Associate\): .*cost\[0\]: no association cost is called 'iuo'; "
            "did you mean 'iou'",
        ),
        (
            lambda: tracker_of({"type": "Associate", "cost": "iou", "limt": 0.5}),
            r"steps\[0\]: Associate has no parameter 'limt'; did you mean 'limit'",
        ),
        (lambda: tracker_of({"type": "Associate", "cost": "iou"}), r"Associate needs \['limit'\]"),
        (
            lambda: tracker_of(
                {"type": "Associate", "cost": {"type": "iou", "fuse_scores": 1}, "limit": 1}
            ),
            r"cost\[0\]: iou has no parameter 'fuse_scores'; did you mean 'fuse_score'",
        ),
        (
            lambda: tracker_of({"type": "Associate", "cost": [], "limit": 1}),
            "at least one cost",
        ),
        (
            lambda: tracker_of({"type": "Associate", "cost": "iou", "limit": float("inf")}),
            "limit must be a finite number, got inf",
        ),
        (lambda: tracker_of({"limit": 3}), r"steps\[0\]: the key 'type' is missing"),
        (
            lambda: tracker_of(3, motion="AspectKalman"),
            r"steps\[0\]: expected dict.*tracker step.*got 3",
        ),
        (lambda: tracker_of("Predict", motion="Kalman"), "motion: no motion model is called"),
        (
            lambda: tracker_of("Predict", memory={"type": "MomentumMemory", "momentum": 2}),
            r"Tracker.memory \(MomentumMemory\): momentum must lie in \[0, 1\), got 2",
        ),
        (
            lambda: tracker_of({"type": "Predict", "states": ["active"]}),
            r"steps\[0\] \(Predict\): Predict: states must be",
        ),
        (lambda: tracker_of(), "at least one dict"),
    ],
)
def test_config_errors(build, message):
    with pytest.raises((KeyError, TypeError, ValueError), match=message):
        build()


def test_own_step_and_cost_by_name():
    """What a user registers in a file of their own works from a config like the built-in parts."""

    @COSTS.register_module(name="centre_x", force=True)
    def centre_x(tracks, detections, context, scale=1.0):
        a = tracks.bboxes[:, [0, 2]].mean(axis=1)
        b = detections.bboxes[:, [0, 2]].mean(axis=1)
        return np.abs(a[:, None] - b) / scale

    @STEPS.register_module(name="CountFrames", force=True)
    class CountFrames(Step):
        def columns(self):
            return {"frames_lived": Column(dtype=np.int64)}

        def __call__(self, context):
            context.table["frames_lived"] += 1

    tracker = tracker_of(
        {"type": "Associate", "cost": {"type": "centre_x", "scale": 10.0}, "limit": 1.0},
        "Refine",
        {"type": "Birth"},
        {"type": "Confirm", "hits": 1},
        "CountFrames",
        "Retire",
    )
    for index, x in enumerate((0, 8, 16, 30)):
        tracks = tracker.step(frame_of([[x, 0, x + 20, 40]], index))
    np.testing.assert_array_equal(tracks.ids, [2])
    np.testing.assert_array_equal(tracker.table["frames_lived"], [4, 1])
    saved = tracker.state_dict()
    np.testing.assert_array_equal(saved["frames_lived"], [4, 1])


def test_cost_of_a_wrong_shape_is_named():
    COSTS.register_module(
        name="flat", force=True, module=lambda tracks, detections, context: np.zeros(3)
    )
    tracker = tracker_of({"type": "Associate", "cost": "flat", "limit": 1.0}, "Birth")
    tracker.step(frame_of([BOX]))
    with pytest.raises(ValueError, match=r"steps\[0\] Associate: the cost .*\(1, 1\); got \(3,\)"):
        tracker.step(frame_of([BOX], 1))


def test_registry_builds_the_class():
    assert isinstance(tracker_of("Predict"), Tracker)


@pytest.mark.parametrize("name", ["sort", "jde_paper", "botsort_reid", "ocsort"])
def test_trackers_can_be_copied(name):
    """As part of a model whose weights are averaged, they are."""
    from copy import deepcopy

    from mmengine.config import Config

    config = Config.fromfile(Path(__file__).parents[2] / f"configs/_base_/trackers/{name}.py")
    tracker = TRACKERS.build(config.tracker)
    assert [type(s) for s in deepcopy(tracker).steps] == [type(s) for s in tracker.steps]
