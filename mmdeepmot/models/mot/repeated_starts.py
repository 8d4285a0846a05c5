"""A clip followed several times at once, each time from starts of its own.

Encoding its frames is most of what a clip costs a follower with a deep network (Tracktor), and a
frame holds few people to learn from; more starts of the same people cost little more.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from mmdeepmot.models.losses.clip_rows import FrameRows
from mmdeepmot.models.mot.following import TrueFrame


def repeated(truth: Sequence[TrueFrame], times: int) -> list[TrueFrame]:
    """Frames in which everyone stands ``times`` times, each time as somebody else.

    To be led through with :func:`~mmdeepmot.models.mot.following.lead`; :func:`separated` takes the
    copies apart. Identity i becomes ``times * i`` to ``times * i + times - 1``.
    """
    if times == 1:
        return list(truth)
    return [
        replace(
            one,
            objects=one.objects.repeat(times, 1),
            ids=torch.cat([one.ids * times + copy for copy in range(times)]),
        )
        for one in truth
    ]


def separated(frames: Sequence[FrameRows], times: int) -> list[list[FrameRows]]:
    """``times`` clips, as if each copy had been led on its own.

    Rows that continue no one (-1) are in all of them.
    """
    if times == 1:
        return [list(frames)]
    return [[_of_copy(one, copy, times) for one in frames] for copy in range(times)]


def _of_copy(frame: FrameRows, copy: int, times: int) -> FrameRows:
    rows = (frame.row_ids < 0) | (frame.row_ids % times == copy)
    objects = frame.object_ids % times == copy
    looks, object_looks = frame.embeddings, frame.object_embeddings
    return FrameRows(
        frame.boxes[rows],
        frame.scores[rows],
        frame.row_ids[rows] // times,  # -1 stays
        frame.objects[objects],
        frame.object_ids[objects] // times,
        None if looks is None else looks[rows],
        None if object_looks is None else object_looks[objects],
    )
