"""Which person is looked for in which frame, on scenes made by hand."""

import numpy as np
import pytest

from mmdeepmot.apis.embeddings.query import Query, choose_query
from mmdeepmot.apis.embeddings.sequence import SequenceBoxes, clear_boxes, spread_rows

FPS = 2.0  # two seconds are four frames


def scene(rows: list[tuple], frames: int = 10, first_number: int = 101) -> SequenceBoxes:
    """Rows (frame, identity, height, clear), boxes of 10 px width."""
    rows = sorted(rows)
    heights = np.array([row[2] for row in rows], dtype=float)
    zero = np.zeros(len(rows))
    return SequenceBoxes(
        dataset=None,  # type: ignore[arg-type]
        name="scene",
        fps=FPS,
        size=(100, 100),
        first=0,
        numbers=np.arange(first_number, first_number + frames),
        frames=np.array([row[0] for row in rows], dtype=np.int64),
        bboxes=np.stack([zero, zero, zero + 10, heights], axis=1),
        identities=np.array([row[1] for row in rows], dtype=np.int64),
        clear=np.array([row[3] for row in rows], dtype=bool),
    )


def said(boxes: SequenceBoxes, query: Query) -> tuple:
    """(frame, identity, target frame, whether the person is there), frames by number."""
    frame, identity = boxes.frames[query.row], boxes.identities[query.row]
    if query.answer is not None:
        assert boxes.frames[query.answer] == query.target
        assert boxes.identities[query.answer] == identity
    numbers = boxes.numbers
    return numbers[frame], identity, numbers[query.target], query.answer is not None


def walk(identity: int, height: float, frames: range, clear: bool = True) -> list[tuple]:
    return [(frame, identity, height, clear) for frame in frames]


def test_the_largest_clear_person_two_seconds_later():
    boxes = scene(
        walk(1, 20, range(10))
        + walk(2, 30, range(2, 8))  # from frame 2 to frame 6, or 3 to 7
        + walk(3, 90, range(0, 10), clear=False)
        + walk(4, 80, range(0, 4))  # never four frames apart
    )
    assert said(boxes, choose_query(boxes)) == (103, 2, 107, True)


def test_the_smaller_of_the_two_boxes_decides():
    grows = [(frame, 5, 10 + 10 * frame, True) for frame in range(10)]
    boxes = scene(grows)
    assert said(boxes, choose_query(boxes)) == (106, 5, 110, True)


def test_nobody_clear_or_not_for_so_long():
    boxes = scene(walk(1, 20, range(3)) + walk(2, 30, range(5, 7)))
    assert said(boxes, choose_query(boxes)) == (101, 1, 103, True)
    boxes = scene(walk(1, 20, range(10), clear=False))
    assert said(boxes, choose_query(boxes)) == (101, 1, 105, True)
    boxes = scene([(0, 1, 20, True), (9, 1, 20, True)])  # only farther apart
    assert said(boxes, choose_query(boxes)) == (101, 1, 110, True)


def test_what_is_asked_for_is_taken():
    boxes = scene(walk(1, 20, range(10), clear=False) + walk(2, 30, range(3)))
    assert said(boxes, choose_query(boxes, (104, 1), 102)) == (104, 1, 102, True)
    assert said(boxes, choose_query(boxes, (102, 2), 110)) == (102, 2, 110, False)


def test_a_frame_is_chosen_for_a_person():
    boxes = scene(walk(1, 20, range(10)))
    assert said(boxes, choose_query(boxes, (103, 1))) == (103, 1, 107, True)
    assert said(boxes, choose_query(boxes, (109, 1))) == (109, 1, 105, True)  # before: too late
    once = scene([(1, 7, 20, True), (8, 8, 20, True)])
    assert said(once, choose_query(once, (102, 7))) == (102, 7, 106, False)
    assert said(once, choose_query(once, (109, 8))) == (109, 8, 105, False)


def test_a_person_is_chosen_for_a_frame():
    boxes = scene(walk(1, 20, range(10)) + walk(2, 30, range(0, 5)))
    assert said(boxes, choose_query(boxes, target=105)) == (101, 2, 105, True)
    assert said(boxes, choose_query(boxes, target=101)) == (105, 2, 101, True)
    assert said(boxes, choose_query(boxes, target=108)) == (104, 1, 108, True)


def test_what_cannot_be_looked_for():
    boxes = scene([*walk(1, 20, range(3)), (5, 4, 20, True)])
    with pytest.raises(ValueError, match="sequence scene has no frame 100: it has 101 to 110"):
        choose_query(boxes, target=100)
    with pytest.raises(ValueError, match=r"identity 4 is not in frame 102; there are \[1\]"):
        choose_query(boxes, (102, 4))
    with pytest.raises(ValueError, match="must be two frames, both are 102"):
        choose_query(boxes, (102, 1), 102)
    with pytest.raises(ValueError, match="nobody with an identity is seen in frame 106 and anoth"):
        choose_query(boxes, target=106)
    with pytest.raises(ValueError, match="nobody with an identity is seen in two frames"):
        choose_query(scene([(5, 4, 20, True)]))
    with pytest.raises(ValueError, match="has one frame: there is none to look in"):
        choose_query(scene([(0, 4, 20, True)], frames=1), (101, 4))


def test_clear_boxes():
    frames = np.array([0, 0, 0, 0, 1, 1, 1])
    bboxes = np.array(
        [
            [0, 0, 10, 20],
            [7.9, 0, 17.9, 20],  # 0.21 of it and of the one before
            [50, 0, 60, 20],
            [58.1, 0, 68.1, 20],  # 0.19
            [0, 0, 10, 20],  # another frame
            [95.4, 0, 105.4, 20],  # less than half inside
            [40, 40, 40, 60],  # no width
        ],
        dtype=float,
    )
    visibility = np.array([1, 1, 1, 0.69, 0.7, 1, 1])
    expected = [False, False, True, False, True, False, False]
    assert clear_boxes(frames, bboxes, visibility, (100, 100)).tolist() == expected
    order = np.array([6, 2, 4, 0, 5, 3, 1])
    shuffled = clear_boxes(frames[order], bboxes[order], visibility[order], (100, 100))
    assert shuffled.tolist() == np.array(expected)[order].tolist()
    none = np.zeros(0, dtype=np.int64)
    assert clear_boxes(none, np.zeros((0, 4)), np.zeros(0), (9, 9)).shape == (0,)


def test_rows_are_spread_over_frames():
    frames = np.repeat(np.arange(10), 3)
    assert spread_rows(frames, 30).tolist() == list(range(30))
    assert np.unique(frames[spread_rows(frames, 15)]).tolist() == [0, 2, 4, 6, 8]
    assert np.unique(frames[spread_rows(frames, 14)]).tolist() == [0, 3, 6, 9]
    assert np.unique(frames[spread_rows(frames, 1)]).tolist() == [0]
    crowded_first = np.array([0] * 5 + [1, 2, 3])
    assert len(spread_rows(crowded_first, 6)) <= 6
    assert spread_rows(np.zeros(0, dtype=np.int64), 5).tolist() == []
