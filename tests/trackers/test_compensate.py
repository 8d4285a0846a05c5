"""The step Compensate: what it moves, what it asks for, and what it is good for."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mmdeepmot.motion.affine import IDENTITY, move_boxes
from mmdeepmot.registry import STEPS, TRACKERS
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.track_table import Column, TrackTable
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps import Compensate, Step

ROOT = Path(__file__).resolve().parents[2]
TURN = np.array([[0.0, -2, 100], [2, 0, 0]])  # by 90 degrees, twice as large, shifted
BOXES = np.array([[8.0, 16, 12, 24], [80, 160, 120, 240], [0, 0, 30, 60]])


@STEPS.register_module(force=True)
class ColumnsOfOthers(Step):
    """Declares what other steps remember, and does nothing."""

    def columns(self):
        return {"history": Column((2, 4)), "directions": Column((2,))}

    def __call__(self, context):
        pass


def frame(index, boxes=BOXES, warp=None):
    count = len(boxes)
    detections = Detections(boxes, np.ones(count), np.zeros(count, dtype=np.int64))
    return Frame(index, (640, 480), 30.0, detections, warp=warp)


def make_tracker(*steps, motion="AspectKalman"):
    return TRACKERS.build(
        dict(
            type="Tracker",
            motion=dict(type=motion),
            steps=[
                dict(type="Predict"),
                *steps,
                dict(type="Associate", cost="iou", limit=0.7),
                dict(type="Refine"),
                dict(type="Confirm", hits=1),
                dict(type="Birth"),
                dict(type="Retire", buffer=5, tentative_buffer=5),
                dict(type="Report", states=["tentative", "tracked"]),
            ],
        )
    )


def test_everything_that_holds_boxes_moves():
    tracker = make_tracker(dict(type="ColumnsOfOthers"), dict(type="Compensate"))
    tracker.step(frame(0, warp=lambda: IDENTITY))
    table = tracker.table
    table["history"][...] = BOXES[:, None] + [[[0.0], [7.0]]]
    table["directions"][...] = [1, 0]
    expected_history = move_boxes(table["history"], TURN)
    tracker.steps = tracker.steps[:3]
    tracker.step(frame(1, warp=lambda: TURN))
    expected = move_boxes(BOXES, TURN)
    np.testing.assert_allclose(table.bboxes, expected)
    np.testing.assert_allclose(table["observed"], expected)
    np.testing.assert_allclose(table["mean"][0, :4], [60, 20, 0.5, 16])
    np.testing.assert_allclose(table["history"], expected_history)
    np.testing.assert_allclose(table["directions"], [[0, 1]] * 3, atol=1e-15)


def test_without_motion_of_the_camera_nothing_changes():
    scene = [BOXES + step * np.array([3.0, 1, 3, 1]) for step in range(6)]
    with_step = make_tracker(dict(type="Compensate"))
    without = make_tracker()
    for index, boxes in enumerate(scene):
        one = with_step.step(frame(index, boxes, warp=IDENTITY.copy))
        other = without.step(frame(index, boxes))
        np.testing.assert_array_equal(one.bboxes, other.bboxes)
        np.testing.assert_array_equal(one.ids, other.ids)


def test_warp_is_called_once_in_every_frame_even_without_tracks():
    tracker = make_tracker(dict(type="Compensate"))
    calls = []

    def warp():
        calls.append(1)
        return TURN

    for index, boxes in enumerate([BOXES[:0], BOXES, BOXES]):
        tracker.step(frame(index, boxes, warp=warp))
    assert len(calls) == 3


def test_a_jerk_of_the_camera_costs_no_identity():
    """Everything jumps by 150 px to and fro: without the step, nobody is found again."""
    ids = {}
    for steps in ((), (dict(type="Compensate"),)):
        tracker, last = make_tracker(*steps), 0.0
        seen = set()
        for index in range(8):
            camera = 150.0 * (index % 2)
            shift = np.array([camera, camera / 2])
            warp = np.column_stack([np.eye(2), (shift - last) * [1, 1]])
            tracks = tracker.step(frame(index, BOXES + np.tile(shift, 2), lambda warp=warp: warp))
            seen |= set(tracks.ids.tolist())
            last = shift
        ids[bool(steps)] = len(seen)
    assert ids[True] == 3 < ids[False]


def test_velocity_is_of_the_scene_not_of_the_camera():
    tracker, last = make_tracker(dict(type="Compensate")), np.zeros(2)
    rng = np.random.default_rng(0)
    for index in range(30):
        camera = rng.uniform(-20, 20, 2)
        warp = np.column_stack([np.eye(2), camera - last])
        boxes = BOXES + np.tile([2.0 * index, 0], 2) + np.tile(camera, 2)
        tracker.step(frame(index, boxes, lambda warp=warp: warp))
        last = camera
    np.testing.assert_allclose(tracker.table["mean"][:, 4:6], [[2, 0]] * 3, atol=0.05)


def test_frames_without_camera_motion_are_an_error_unless_it_is_optional():
    tracker = make_tracker(dict(type="Compensate"))
    with pytest.raises(ValueError, match=r"steps\[1\] Compensate.*frame 4 has no 'warp'.*images"):
        tracker.step(frame(4))
    assert len(make_tracker(dict(type="Compensate", required=False)).step(frame(4)).ids) == 3


def test_what_is_no_affine_is_named():
    tracker = make_tracker(dict(type="Compensate"))
    with pytest.raises(ValueError, match=r"steps\[1\] Compensate.*shape \(2, 3\)"):
        tracker.step(frame(0, warp=lambda: np.eye(3)))


def test_columns_that_are_not_there_are_not_needed():
    table = TrackTable(capacity=2)
    context = FrameContext(
        frame(0, warp=lambda: TURN),
        0,
        table,
        None,
        None,
        Detections.empty(),
    )
    Compensate()(context)
    assert len(table) == 0


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", ["sort", "jde_paper", "bytetrack", "ocsort", "botsort"])
def test_a_panning_camera_makes_no_difference(name, full, random_scene):
    """The same walk under a camera that swings: the same tracks, elsewhere in the image."""
    scene = random_scene(3, frames=60)
    rng = np.random.default_rng(0)
    camera = np.cumsum(rng.normal(0, 25, (len(scene), 2)), axis=0)
    results = []
    for swings in (False, True):
        config = Config.fromfile(ROOT / f"configs/_base_/trackers/{name}.py").tracker
        kinds = [step["type"] for step in config.steps]
        if "Compensate" not in kinds:
            config.steps.insert(kinds.index("Predict") + 1, dict(type="Compensate"))
        config.motion.full_covariance = full
        tracker, out = TRACKERS.build(config), []
        for index, given in enumerate(scene):
            offset = camera[index] if swings else np.zeros(2)
            before = camera[max(index - 1, 0)] if swings else np.zeros(2)
            dets = given.detections
            moved = Detections(
                dets.bboxes + np.tile(offset, 2), dets.scores, dets.labels, dets.embeddings
            )
            warp = np.column_stack([np.eye(2), offset - before])
            tracks = tracker.step(
                Frame(index, (400, 400), 30.0, moved, warp=lambda warp=warp: warp)
            )
            out.append((tracks.ids.tolist(), tracks.bboxes - np.tile(offset, 2)))
        results.append(out)
    assert sum(len(ids) for ids, _ in results[0]) > 80
    for (ids, boxes), (other_ids, other_boxes) in zip(*results, strict=True):
        assert ids == other_ids
        np.testing.assert_allclose(boxes, other_boxes, atol=1e-6)
