"""Which person of which frame to look for, and in which other frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.apis.embeddings.sequence import SequenceBoxes
from mmdeepmot.errors import InputError
from mmdeepmot.structures.boxes import box_area

SECONDS = 2.0
"""Time between the two frames, where neither was asked for."""


@dataclass(frozen=True, slots=True)
class Query:
    """A person in one frame, and the frame to look for it.

    Attributes:
        row: Row of the person's box in the sequence.
        target: Frame to look in, from 0.
        answer: Row of the person's box in that frame; None where it is not in it.
    """

    row: int
    target: int
    answer: int | None


def choose_query(
    boxes: SequenceBoxes,
    query: tuple[int, int] | None = None,
    target: int | None = None,
) -> Query:
    """A query as it was asked for, what was left open chosen.

    Chosen is, where the frames allow it: a person who is clear to see (:func:`clear_boxes`) in both
    frames, two seconds apart or as near to it as there is, the later one the target; of several
    the one whose smaller box is the largest.

    Args:
        boxes: The sequence.
        query: Number of a frame (as in the files) and identity.
        target: Number of the frame to look in.

    Raises:
        InputError: There is no such frame or person; both frames are the same; or nobody is seen
            in two frames.
    """
    row = None if query is None else _row(boxes, *query)
    goal = None if target is None else boxes.frame_of(target)
    if row is not None and goal is not None:
        if boxes.frames[row] == goal:
            raise InputError(
                f"the query and the frame to look in must be two frames, both are {target}"
            )
        return Query(row, goal, boxes.row_of(goal, int(boxes.identities[row])))
    pair = _best_pair(boxes, row, goal)
    if pair is not None:
        return Query(pair[0], int(boxes.frames[pair[1]]), pair[1])
    if row is None:
        where = "in two frames" if goal is None else f"in frame {target} and another one"
        raise InputError(f"sequence {boxes.name}: nobody with an identity is seen {where}")
    if len(boxes.numbers) == 1:
        raise InputError(f"sequence {boxes.name} has one frame: there is none to look in")
    return Query(row, _away(boxes, int(boxes.frames[row])), None)


def _row(boxes: SequenceBoxes, number: int, identity: int) -> int:
    frame = boxes.frame_of(number)
    row = boxes.row_of(frame, identity)
    if row is None:
        there = boxes.identities[boxes.frames == frame].tolist()
        raise InputError(
            f"sequence {boxes.name}: identity {identity} is not in frame {number}; there are "
            f"{there} (numbered from 1 in the order of the ground truth's, as in tsne.png)"
        )
    return row


def _reach(boxes: SequenceBoxes) -> int:
    return max(1, min(round(SECONDS * boxes.fps), len(boxes.numbers) - 1))


def _away(boxes: SequenceBoxes, frame: int) -> int:
    """Two seconds later, or before where the sequence ends sooner."""
    later = frame + _reach(boxes)
    return later if later < len(boxes.numbers) else max(frame - _reach(boxes), 0)


def _best_pair(boxes: SequenceBoxes, row: int | None, goal: int | None) -> tuple[int, int] | None:
    """Rows of the query and of the answer."""
    for clear in (boxes.clear, np.ones_like(boxes.clear)):
        asked = clear if row is None else np.arange(len(clear)) == row
        answers = clear if goal is None else clear & (boxes.frames == goal)
        pair = _pair_at_distance(boxes, asked, answers)
        if pair is not None:
            return pair
    return None


def _pair_at_distance(
    boxes: SequenceBoxes, asked: NDArray[np.bool_], answers: NDArray[np.bool_]
) -> tuple[int, int] | None:
    """The best pair of one person's rows, ``asked`` and ``answers`` ``(N,)`` those that may be."""
    count = len(boxes.numbers)
    rows = np.full((count, int(boxes.identities.max()) + 1), -1, dtype=np.int64)
    rows[boxes.frames, boxes.identities] = np.arange(len(boxes.frames))
    # A row of nothing at the end, where -1 points to.
    area = np.append(box_area(boxes.bboxes), 0.0)
    first = np.append(asked, False)[rows]
    second = np.append(answers, False)[rows]
    reach = _reach(boxes)
    for gap in [*range(reach, 0, -1), *range(reach + 1, count)]:
        for early, late, forward in ((first, second, True), (second, first, False)):
            both = early[:-gap] & late[gap:]
            if both.any():
                smaller = np.where(both, np.minimum(area[rows[:-gap]], area[rows[gap:]]), -1.0)
                frame, identity = np.unravel_index(smaller.argmax(), smaller.shape)
                pair = int(rows[frame, identity]), int(rows[frame + gap, identity])
                return pair if forward else pair[::-1]
    return None
