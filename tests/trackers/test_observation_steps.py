"""What trackers make of their observations, worked by hand: Observe, ReUpdate, the cost
``direction``, and the options of Associate and Report that came with them."""

from itertools import pairwise

import numpy as np
import pytest
from plain_filters import AreaFilter, AspectFilter

from mmdeepmot.association.costs import cosine, direction, iou
from mmdeepmot.motion import AreaKalman, AspectKalman, Motion
from mmdeepmot.structures import Detections, Frame
from mmdeepmot.structures.history import reference_boxes
from mmdeepmot.structures.track_table import TrackState, TrackTable, TrackView
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.memory import MomentumMemory
from mmdeepmot.trackers.steps import Associate, Observe, Predict, Refine, Report, Retire, ReUpdate

TENTATIVE, TRACKED, LOST, REMOVED = TrackState


def around(*centres, size=10.0):
    """Squares ``(N, 4)`` with these centres."""
    centre = np.array(centres, dtype=np.float64).reshape(-1, 2)
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1)


def table_of(bboxes, *steps, motion=None, memory=None, **columns):
    """A table with the columns of these steps and one track a box, found in frame 0."""
    motion = motion or Motion()
    declared = motion.columns()
    for part in [*steps, *([memory] if memory else [])]:
        declared |= part.columns()
    table = TrackTable(declared)
    bboxes = np.asarray(bboxes, dtype=np.float64)
    rows = table.append(len(bboxes), states=TRACKED, observed=bboxes)
    motion.initiate(table, rows, bboxes)
    for name, values in columns.items():
        table[name] = values
    return table


def context_of(table, time, bboxes=(), motion=None, memory=None, scores=None, embeddings=None):
    bboxes = np.asarray(bboxes, dtype=np.float64).reshape(-1, 4)
    scores = np.ones(len(bboxes)) if scores is None else np.asarray(scores)
    found = Detections(bboxes, scores, np.zeros(len(bboxes), dtype=np.int64), embeddings)
    frame = Frame(time, (100, 100), detections=found)
    return FrameContext(frame, time, table, motion or Motion(), memory, found)


def see(table, step, time, rows, *centres):
    """The tracks ``rows`` are found at these centres."""
    table.observed[rows] = around(*centres)
    table.last_frames[rows] = time
    step(context_of(table, time))


# Where tracks were seen of late


@pytest.mark.parametrize(
    ("frames", "now", "best", "known"),
    [
        ([-1, -1, -1], 5, 0, False),  # nothing yet
        ([4, -1, -1], 5, 0, True),  # the only one
        ([3, 4, 2], 5, 2, True),  # K frames ago
        ([3, 4, 1], 5, 0, True),  # that one is beyond: the oldest within
        ([-1, 4, 0], 5, 1, True),
        ([0, 1, -1], 5, 1, True),  # all beyond: the newest
        ([6, 7, 8], 40, 2, True),
        ([0, -1, -1], 3, 0, True),  # frame 0 is a frame
    ],
)
def test_reference_boxes(frames, now, best, known):
    history = np.arange(12.0).reshape(1, 3, 4)
    boxes, any_known = reference_boxes(history, np.array([frames]), now)
    np.testing.assert_array_equal(boxes[0], history[0, best])
    assert any_known.tolist() == [known]


def test_reference_boxes_of_several_and_none():
    history = np.arange(16.0).reshape(2, 2, 4)
    boxes, known = reference_boxes(history, np.array([[8, 9], [-1, 9]]), 10)
    np.testing.assert_array_equal(boxes, [history[0, 0], history[1, 1]])
    assert known.all()
    boxes, known = reference_boxes(history[:0], np.zeros((0, 2), dtype=np.int64), 10)
    assert boxes.shape == (0, 4)
    assert known.shape == (0,)


# Observe


def test_observe_keeps_a_ring_and_the_way():
    step = Observe(span=3)
    table = table_of(around((0, 0)), step)
    see(table, step, 0, [0], (0, 0))
    np.testing.assert_array_equal(table["history_frames"], [[0, -1, -1]])
    np.testing.assert_array_equal(table["directions"], [[0, 0]])
    see(table, step, 1, [0], (3, 4))  # from (0, 0)
    np.testing.assert_allclose(table["directions"], [[0.6, 0.8]])
    see(table, step, 2, [0], (0, 5))  # from (0, 0)
    np.testing.assert_allclose(table["directions"], [[0, 1]])
    see(table, step, 3, [0], (5, 12))  # from (0, 0), three frames ago, then forgotten
    np.testing.assert_allclose(table["directions"], [[5 / 13, 12 / 13]])
    np.testing.assert_array_equal(table["history_frames"], [[3, 1, 2]])
    np.testing.assert_array_equal(table["history"][0], around((5, 12), (3, 4), (0, 5)))
    see(table, step, 4, [0], (3, 1))  # from (3, 4): up
    np.testing.assert_allclose(table["directions"], [[0, -1]])


def test_observe_over_gaps():
    step = Observe(span=3)
    table = table_of(around((0, 0), (50, 50)), step)
    see(table, step, 0, [0, 1], (0, 0), (50, 50))
    see(table, step, 1, [0], (10, 0))
    for time in range(2, 9):
        step(context_of(table, time))  # nobody: nothing changes
    np.testing.assert_array_equal(table["directions"], [[1, 0], [0, 0]])
    np.testing.assert_array_equal(table["history_frames"], [[0, 1, -1], [0, -1, -1]])
    see(table, step, 9, [0, 1], (10, 7), (50, 49))  # from where both were seen last
    np.testing.assert_array_equal(table["directions"], [[0, 1], [0, -1]])
    # Frame 9 took the place of frame 0; what is older than three frames no longer counts.
    np.testing.assert_array_equal(table["history_frames"], [[9, 1, -1], [9, -1, -1]])
    see(table, step, 11, [0], (16, -1))
    np.testing.assert_allclose(table["directions"][0], [0.6, -0.8])


def test_observe_who_stands_still_has_no_direction():
    step = Observe(span=2)
    table = table_of(around((0, 0)), step)
    for time, centre in enumerate([(0, 0), (4, 0), (0, 0)]):
        see(table, step, time, [0], centre)
    np.testing.assert_array_equal(table["directions"], [[0, 0]])


def test_observe_new_tracks_start_without_a_past():
    """A row that another track has used before."""
    step = Observe(span=3)
    table = table_of(around((0, 0)), step)
    see(table, step, 0, [0], (0, 0))
    see(table, step, 1, [0], (9, 0))
    table.compact(np.array([False]))
    table.append(1, states=TENTATIVE, observed=around((40, 0)), last_frames=2)
    step(context_of(table, 2))
    np.testing.assert_array_equal(table["directions"], [[0, 0]])
    np.testing.assert_array_equal(table["history_frames"], [[-1, -1, 2]])


def test_observe_bad_span():
    with pytest.raises(ValueError, match="span must be at least 1, got 0"):
        Observe(span=0)


# ReUpdate


BOXES = {
    0: (10.0, 10, 30, 60),
    1: (12.0, 11, 32, 61),
    2: (14.0, 12, 34, 62),
    7: (44.0, 2, 68, 57),
    5: (20.0, 24, 43, 78),
}


def lead(motion, plan, last):
    """One track a plan ``{frame: box}``, led to frame ``last``; who is missed is lost."""
    predict, re_update, refine, retire = Predict(), ReUpdate(), Refine(), Retire()
    table = table_of([p[0] for p in plan], re_update, motion=motion)
    for time in range(1, last + 1):
        rows = [row for row, p in enumerate(plan) if time in p]
        context = context_of(table, time, [plan[row][time] for row in rows], motion)
        predict(context)
        if rows:
            context.match(np.array(rows), np.arange(len(rows)))
        re_update(context)
        refine(context)
        retire(context)
    return table


def led_plainly(plan, last, kind=AreaFilter):
    """One filter that is given imagined boxes on the line through every gap, after the fact."""
    imagined = {}
    frames = sorted(plan)
    for begin, end in pairwise(frames):
        for t in range(begin + 1, end + 1):
            share = (t - begin) / (end - begin)
            line = np.array(plan[begin]) * (1 - share) + np.array(plan[end]) * share
            imagined[t] = tuple(line)
    k = kind(plan[0])
    for t in range(1, last + 1):
        k.predict()
        if t in imagined:
            k.update(imagined[t])
    return k


def check(table, row, k, motion):
    x = k.kalman.x[:, 0]
    np.testing.assert_allclose(table["mean"][row, : len(x)], x, rtol=1e-9, atol=1e-9)
    variance = table["covariance"][row][[0, 2]].ravel()[: len(x)]
    np.testing.assert_allclose(variance, np.diag(k.kalman.P), rtol=1e-9)
    cross = np.diag(k.kalman.P[:4, 4:])
    np.testing.assert_allclose(table["covariance"][row, 1, : len(cross)], cross, rtol=1e-9)
    np.testing.assert_allclose(table.bboxes[row], k.box, rtol=1e-9)


@pytest.mark.parametrize(
    ("motion", "kind"), [(AreaKalman, AreaFilter), (AspectKalman, AspectFilter)]
)
def test_re_update_leads_through_a_gap(motion, kind):
    plan = {t: BOXES[t] for t in (0, 1, 2, 7)}  # missed in 3, 4, 5 and 6
    table = lead(motion(), [plan], 7)
    check(table, 0, led_plainly(plan, 7, kind), motion)


def test_re_update_of_a_filter_that_holds_what_is_lost():
    """On the line the track was never lost: its height goes on changing."""
    plan = {t: BOXES[t] for t in (0, 1, 2, 7)}
    motion = AspectKalman(hold_lost_height=True)
    table = lead(motion, [plan], 7)
    check(table, 0, led_plainly(plan, 7, AspectFilter), motion)
    assert table["mean"][0, 7] > 0.1


def test_re_update_is_surer_than_a_filter_that_was_left_alone():
    plan = {t: BOXES[t] for t in (0, 1, 2, 7)}
    alone = AreaFilter(plan[0])
    for t in range(1, 8):
        alone.predict()
        if t in plan:
            alone.update(plan[t])
    table = lead(AreaKalman(), [plan], 7)
    velocities = np.diag(alone.kalman.P)[4:]
    assert (table["covariance"][0, 2, :3] < velocities).all()
    # Both go to the right at about 6 px a frame, as the boxes did.
    np.testing.assert_allclose([table["mean"][0, 4], alone.kalman.x[4, 0]], 6, atol=0.5)


def test_re_update_of_several_gaps_in_one_frame():
    plans = [
        {t: BOXES[t] for t in (0, 1, 2, 7)},  # 4 missed
        {t: BOXES[t] for t in (0, 1, 5, 7)},  # 3 missed, then 1
        {t: BOXES[t] for t in (0, 7)},  # 6 missed, from the first detection
        {t: BOXES[t % 3] for t in range(8)},  # none
        {t: BOXES[t] for t in (0, 1, 2)},  # gone
        {t: BOXES[t] for t in (0, 5, 7)},  # 4, then 1
    ]
    table = lead(AreaKalman(), plans, 7)
    for row, plan in enumerate(plans):
        check(table, row, led_plainly(plan, 7), AreaKalman)


def test_re_update_over_pairs_of_several_associations():
    """Two Associate steps leave two lists of pairs, in any order of rows."""
    step, motion = ReUpdate(), AreaKalman()
    plans = [{0: BOXES[0], 3: BOXES[2]}, {0: BOXES[1], 3: BOXES[7]}, {0: BOXES[5], 3: BOXES[0]}]
    table = table_of([p[0] for p in plans], step, motion=motion)
    for time in (1, 2, 3):
        context = context_of(table, time, [p[3] for p in plans] if time == 3 else [], motion)
        Predict()(context)
        if time == 3:
            context.match(np.array([2]), np.array([2]))
            context.match(np.array([0, 1]), np.array([0, 1]))
        step(context)
        Refine()(context)
    for row, plan in enumerate(plans):
        check(table, row, led_plainly(plan, 3), motion)


def test_re_update_nothing_to_do():
    step, motion = ReUpdate(), AreaKalman()
    table = table_of(np.zeros((0, 4)), step, motion=motion)
    step(context_of(table, 0, motion=motion))
    table = lead(AreaKalman(), [{t: BOXES[t] for t in (0, 1, 2)}], 2)
    assert "frozen_mean" not in table  # nobody was ever missed


def test_re_update_needs_a_filter():
    step = ReUpdate()
    step.name = "steps[3] ReUpdate"
    table = table_of(around((0, 0)), step)
    with pytest.raises(
        ValueError, match=r"steps\[3\] ReUpdate mends .* model Motion has none.*set"
    ):
        step(context_of(table, 1, around((0, 0))))


# The cost ``direction``


def walkers(scores=None):
    """Four tracks at time 3, all seen at (0, 0) in frame 0: to the right, down, still, new."""
    step = Observe(span=3)
    table = table_of(around((0, 0), (0, 0), (0, 0), (0, 0)), step)
    see(table, step, 0, [0, 1, 2], (0, 0), (0, 0), (0, 0))
    see(table, step, 2, [0, 1, 2, 3], (10, 0), (0, 10), (0, 0), (0, 0))
    places = around((30, 0), (0, 30), (-30, 0), (-30, -30), (0, 0))
    context = context_of(table, 3, places, scores=scores)
    return TrackView(table, slice(0, 4)), context.detections, context


TURNS = np.array(
    [
        [-0.5, 0.0, 0.5, 0.25, 0.0],  # straight on, right angle, back, half back, no step
        [0.0, -0.5, 0.0, 0.25, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)


def test_direction():
    np.testing.assert_allclose(direction(*walkers()), TURNS, atol=1e-7)


def test_direction_times_score():
    scores = np.array([1, 0.5, 0.25, 0.4, 0.9])
    cost = direction(*walkers(scores), fuse_score=True)
    np.testing.assert_allclose(cost, TURNS * scores, atol=1e-7)


def test_direction_counts_from_where_the_track_was_some_frames_ago():
    """Seen in frames 0 to 2; at time 4 frame 1 lies three frames back: not the last one."""
    step = Observe(span=3)
    table = table_of(around((0, 0)), step)
    for time, centre in enumerate([(0, 0), (10, 0), (10, 10)]):
        see(table, step, time, [0], centre)
    context = context_of(table, 4, around((20, 10)))  # from (10, 0) by 45 degrees, as it went
    view = TrackView(table, slice(0, 1))
    assert direction(view, context.detections, context)[0, 0] == pytest.approx(-0.5, abs=1e-7)
    context.time = 6  # beyond the span: from (10, 10), seen last: to the right, 45 degrees off
    assert direction(view, context.detections, context)[0, 0] == pytest.approx(-0.25)


@pytest.mark.parametrize("fuse_score", [False, True])
def test_direction_of_listed_pairs(fuse_score):
    tracks, detections, context = walkers(np.linspace(0.1, 0.9, 5))
    matrix = direction(tracks, detections, context, fuse_score)
    rows, columns = np.array([0, 0, 1, 3, 2]), np.array([4, 1, 3, 0, 2])
    listed = direction.at(tracks, detections, context, rows, columns, fuse_score)
    np.testing.assert_array_equal(listed, matrix[rows, columns])


def test_direction_of_nothing():
    tracks, detections, context = walkers()
    assert direction(tracks, detections[:0], context).shape == (4, 0)
    none = TrackView(tracks.table, slice(0, 0))
    assert direction(none, detections, context).shape == (0, 5)


def test_direction_needs_observe():
    table = table_of(around((0, 0)))
    context = context_of(table, 1, around((0, 0)))
    with pytest.raises(KeyError, match=r"'history'.*a motion, memory or step must declare it"):
        direction(TrackView(table, slice(0, 1)), context.detections, context)


# Where tracks were last seen


def test_iou_of_observed_boxes():
    table = table_of(around((0, 0), (50, 0)))
    table.bboxes[:] += 5  # expected elsewhere: a quarter of the square in common, 25 / 175
    context = context_of(table, 1, around((0, 0), (55, 0)), scores=[1, 0.5])
    view = TrackView(table, slice(0, 2))
    expected = iou(view, context.detections, context)
    np.testing.assert_allclose(expected[0], [1 - 25 / 175, 1])
    seen = iou(view, context.detections, context, boxes="observed")
    np.testing.assert_allclose(seen, [[0, 1], [1, 1 - 50 / 150]])
    seen = iou(view, context.detections, context, boxes="observed", fuse_score=True)
    np.testing.assert_allclose(seen, [[0, 1], [1, 1 - 0.5 * 50 / 150]])
    for form in (None, 0.9):
        rows, columns = np.array([0, 1]), np.array([0, 1])
        if form is None:
            value = iou.at(view, context.detections, context, rows, columns, boxes="observed")
        else:
            rows, columns, value = iou.near(
                view, context.detections, context, form, boxes="observed"
            )
        np.testing.assert_array_equal(rows, [0, 1])
        np.testing.assert_array_equal(columns, [0, 1])
        np.testing.assert_allclose(value, [0, 1 - 50 / 150])


# Associate: ages


def pairs_of(context):
    rows, columns = context.take_pending()
    return rows.tolist(), columns.tolist()


def test_cascade_prefers_who_was_seen_of_late():
    """One detection at 4: the track at 4 was seen three frames ago, that at 0 in the last one."""
    bboxes = around((4, 0), (0, 0))
    table = table_of(bboxes, last_frames=[7, 9], states=[LOST, TRACKED])
    context = context_of(table, 10, around((4, 0)))
    Associate("iou", 0.8)(context)
    assert pairs_of(context) == ([0], [0])
    context = context_of(table, 10, around((4, 0)))
    Associate("iou", 0.8, cascade=True)(context)
    assert pairs_of(context) == ([1], [0])
    np.testing.assert_array_equal(context.free_tracks, [True, False])


def test_cascade_solves_each_age_as_a_whole_and_keeps_the_order_of_rows():
    """Ages 3, 1, 1, 2. Of the two of age 1 the one at 3 is nearer to the detection at 2 (9/11),
    but the one at 0 is in reach of no other (8/12), and the one at 3 is of that at 6 (7/13)."""
    table = table_of(around((40, 0), (3, 0), (0, 0), (20, 0)), last_frames=[7, 9, 9, 8])
    context = context_of(table, 10, around((41, 0), (2, 0), (21, 0), (6, 0)))
    Associate("iou", 0.7, cascade=True)(context)
    assert pairs_of(context) == ([0, 1, 2, 3], [0, 3, 1, 2])


def test_cascade_among_wanted_states():
    """Rows count in the whole table, not among those that take part."""
    states = [TENTATIVE, LOST, TENTATIVE, TRACKED]
    bboxes = around((0, 0), (0, 0), (0, 0), (1.1, 0))
    table = table_of(bboxes, states=states, last_frames=[9, 8, 9, 9])
    context = context_of(table, 10, around((0, 0), (50, 0), (2, 0)))
    Associate("iou", 0.5, cascade=True, states=["tracked", "lost"])(context)
    # The tracked one takes 2, 0.9 px away; the lost one gets what is left.
    assert pairs_of(context) == ([1, 3], [0, 2])
    np.testing.assert_array_equal(context.free_tracks, [True, False, True, False])


def test_cascade_without_candidates():
    table = table_of(around((0, 0)), last_frames=9)
    context = context_of(table, 10, around((80, 0)))
    Associate("iou", 0.8, cascade=True)(context)
    assert not context.pending


def test_max_age():
    table = table_of(around((0, 0), (30, 0), (60, 0)), last_frames=[9, 8, 7])
    found = around((0, 0), (30, 0), (60, 0))
    for max_age, rows in ((1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (None, [0, 1, 2])):
        context = context_of(table, 10, found)
        Associate("iou", 0.5, max_age=max_age)(context)
        assert pairs_of(context) == (rows, rows)
    context = context_of(table, 10, found)
    Associate("iou", 0.5, max_age=0)(context)
    assert not context.pending


def test_alone_below_limit():
    with pytest.raises(
        ValueError, match=r"alone must be finite and at least the limit 0\.7, got 0\.5"
    ):
        Associate("iou", 0.7, alone=0.5)
    with pytest.raises(ValueError, match=r"alone must be finite .* got inf"):
        Associate("iou", 0.7, alone=np.inf)
    Associate("iou", 0.7, alone=0.7)


def test_alone_changes_who_is_left():
    """SORT solves first and gives weak pairs up afterwards; their people then have nobody.

    Tracks at 0 and 3, detections at 1 and -5. Overlaps of the first: 9/11 and 5/15, of the second
    8/12 and none. The largest sum is 5/15 + 8/12; with the bound 0.5 its first part is given up.
    """
    table = table_of(around((0, 0), (3, 0)))
    for alone, expected in ((1.0, ([1], [0])), (None, ([0], [0])), (0.5, ([0], [0]))):
        context = context_of(table, 1, around((1, 0), (-5, 0)))
        Associate("iou", 0.5, alone=alone)(context)
        assert pairs_of(context) == expected
        assert context.free_tracks.sum() == 1


# Associate: the smaller of two costs


LOOKS = np.eye(3, dtype=np.float32)


def test_least_of_two_costs():
    """BoT-SORT, Eq. 12 and 13, cell by cell: costs of the pairs (track, detection).

    Tracks at 0 and 30 look like e0 and e1. Detections: 0 at 4, looks like e0: IoU 6/14, cost 8/14
    by overlap and 0 by look, but too far for the look to count; 1 at 30, looks like e2: overlap 0,
    look 1 (too large); 2 at 31, looks like e1: overlap 2/11, look 0.
    """
    memory = MomentumMemory()
    table = table_of(around((0, 0), (30, 0)), memory=memory)
    memory.initiate(table, slice(0, 2), LOOKS[[0, 1]])
    found = around((4, 0), (30, 0), (31, 0))
    look = dict(type="cosine", weight=0.5, max=0.25, near=0.5)
    context = context_of(table, 1, found, memory=memory, embeddings=LOOKS[[0, 2, 1]])
    step = Associate(["iou", look], 1.0, fuse="min")
    view = TrackView(table, slice(0, 2))
    rows, columns, cost = step._terms.pairs(view, context.detections, context, 1.0)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 0), (1, 1), (1, 2)]
    np.testing.assert_allclose(cost, [8 / 14, 0, 0], atol=1e-7)
    near = [dict(type="iou"), {**look, "near": 0.6}]
    rows, columns, cost = Associate(near, 1.0, fuse="min")._terms.pairs(
        view, context.detections, context, 1.0
    )
    np.testing.assert_allclose(cost, [0, 0, 0], atol=1e-7)


def test_least_of_two_costs_with_weights():
    """A cosine distance of 0.2 counts half; 0.3 is too large and does not count."""
    memory = MomentumMemory()
    table = table_of(around((0, 0)), memory=memory)
    memory.initiate(table, slice(0, 1), LOOKS[:1])
    looks = np.array([[0.8, 0.6, 0], [0.7, np.sqrt(0.51), 0]], dtype=np.float32)
    context = context_of(table, 1, around((2, 0), (2, 0)), memory=memory, embeddings=looks)
    look = dict(type="cosine", weight=0.5, max=0.25, near=0.5)
    pairs = Associate(["iou", look], 1.0, fuse="min")._terms.pairs
    _, _, cost = pairs(TrackView(table, slice(0, 1)), context.detections, context, 1.0)
    np.testing.assert_allclose(cost, [0.1, 4 / 12], atol=1e-6)


def test_bad_fusion():
    with pytest.raises(ValueError, match=r"fuse must be one of \('sum', 'min'\), got 'max'"):
        Associate("iou", 0.7, fuse="max")


def test_cosine_near():
    """``1 - IoU`` of squares 2 and 4 px apart: 4/12 and 8/14; beyond 0.5 nothing counts."""
    memory = MomentumMemory()
    table = table_of(around((0, 0)), memory=memory)
    memory.initiate(table, slice(0, 1), LOOKS[:1])
    looks = LOOKS[[0, 0, 1]]
    context = context_of(table, 1, around((2, 0), (4, 0), (0, 0)), memory=memory, embeddings=looks)
    view, detections = TrackView(table, slice(0, 1)), context.detections
    np.testing.assert_allclose(cosine(view, detections, context), [[0, 0, 1]])
    np.testing.assert_allclose(cosine(view, detections, context, near=0.5), [[0, np.inf, 1]])
    rows, columns = np.array([0, 0, 0]), np.array([2, 1, 0])
    listed = cosine.at(view, detections, context, rows, columns, near=0.5)
    np.testing.assert_allclose(listed, [1, np.inf, 0])


# Report


def test_report_observed_boxes_for_one_frame_longer():
    table = table_of(around((0, 0), (30, 0), (60, 0)), last_frames=[5, 4, 3])
    table.bboxes[:] += 1
    context = context_of(table, 5)
    Report(boxes="observed", max_age=1)(context)
    assert context.tracks.ids.tolist() == [1, 2]
    np.testing.assert_array_equal(context.tracks.bboxes, around((0, 0), (30, 0)))
    Report(max_age=1)(context)
    np.testing.assert_array_equal(context.tracks.bboxes, around((0, 0), (30, 0)) + 1)
    Report(boxes="observed")(context)
    assert context.tracks.ids.tolist() == [1]


def test_report_of_lost_tracks():
    table = table_of(around((0, 0), (30, 0)), last_frames=[5, 4], states=[TRACKED, LOST])
    context = context_of(table, 5)
    for states, expected in ((["tracked"], [1]), (["tracked", "lost"], [1, 2])):
        Report(states, max_age=1)(context)
        assert context.tracks.ids.tolist() == expected


def test_reported_boxes_are_the_callers():
    table = table_of(around((0, 0)), last_frames=5)
    context = context_of(table, 5)
    Report(boxes="observed")(context)
    context.tracks.bboxes[:] = 0
    np.testing.assert_array_equal(table.observed, around((0, 0)))


def test_report_bad_boxes():
    with pytest.raises(ValueError, match="boxes must be 'bboxes' or 'observed', got 'seen'"):
        Report(boxes="seen")
