"""The bridge from a tracker that knows no network to a follower that knows no tracker.

A tracker holds its tracks in a table, boxes in px of the original image; a follower holds
:class:`~mmdeepmot.models.mot.follower.Targets`, boxes in px of the network's input and whatever it
remembers. Between frames they are brought in step by the tracks' ids: what the tracker ended is
dropped, what it started is started, and what it moved (averaged with a detection, say) stands where
the tracker says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from numpy.typing import NDArray
from torch import Tensor

from mmdeepmot.models.mot.follower import Follower, Found, Targets
from mmdeepmot.models.mot.geometry import input_affine

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


@dataclass(frozen=True)
class _Here:
    """The frame that is being tracked."""

    image: Any
    device: torch.device
    scale: Floats
    offset: Floats

    def to_device(self, bboxes: Floats, *columns: NDArray[Any]) -> tuple[Tensor, ...]:
        """Boxes ``(N, 4)`` px of the original as float32 px of the input, and int64 columns
        ``(N,)``, in one transfer."""
        packed = np.column_stack([bboxes * self.scale + self.offset, *columns])
        moved = torch.from_numpy(packed).to(self.device)
        return moved[:, :4].float(), *moved[:, 4:].long().unbind(1)


class Propagation:
    """Moves the tracks of one sequence by a follower.

    ::

        propagation = Propagation(follower)
        propagation.reset()                                  # before every sequence
        frame.propagate = propagation.frame(image, sample, device)
        tracker.step(frame)
        table = tracker.table
        propagation.settle(table.ids, table.bboxes, tracker.propagated())

    One transfer to the device and one back in ``propagate`` (one more to the device where tracks
    are followed that it is not asked for), one to the device in ``settle``.

    Args:
        follower: The network.
    """

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.reset()

    def reset(self) -> None:
        """Forget all targets."""
        self._targets: Targets | None = None
        self._ids: NDArray[np.int64] = np.zeros(0, dtype=np.int64)  # of _targets, on the host
        self._here: _Here | None = None

    def frame(
        self, image: Any, sample: DetDataSample, device: torch.device
    ) -> Callable[[Floats, Ints], tuple[Floats, Floats]]:
        """The ``propagate`` of the next frame.

        Args:
            image: The frame, as the follower's ``encode`` gave it.
            sample: Its meta data: ``scale_factor`` and ``pad_offset`` (x, y).
            device: Of the follower.

        Returns:
            Takes boxes ``(N, 4)`` xyxy px of the original image, where the tracks are looked for,
            and their ids ``(N,)``; gives the boxes found ``(N, 4)``, px of the original image, and
            their scores ``(N,)``; a track that is lost has score 0 and stays where it was.
        """
        self._here = _Here(image, device, *input_affine(sample))
        return self._propagate

    @torch.no_grad()
    def _propagate(self, bboxes: Floats, ids: Ints) -> tuple[Floats, Floats]:
        here, targets = self._here, self._targets
        rows = self._rows(ids)
        missing = rows < 0
        if here is None or targets is None or missing.any():
            raise ValueError(
                f"the follower knows no targets with the ids {np.asarray(ids)[missing].tolist()}: "
                "call settle(table.ids, table.bboxes) after every step of the tracker"
            )
        near, row = here.to_device(bboxes, rows)
        found, moved = self.follower.advance(here.image, targets[row].looked_for(near))
        if len(moved) != len(rows):
            raise ValueError(
                f"{type(self.follower).__name__}.advance was given {len(rows)} targets and must "
                f"give all of them back, in this order, got {len(moved)}"
            )
        if len(rows) == len(self._ids):
            self._targets = moved
            self._ids = self._ids[rows]
        else:
            rest = np.ones(len(self._ids), dtype=bool)
            rest[rows] = False
            kept = torch.from_numpy(rest.nonzero()[0]).to(here.device)
            self._targets = targets[kept].and_also(moved)
            self._ids = np.concatenate([self._ids[rest], self._ids[rows]])
        return _by_id(found, bboxes, ids, here)

    @torch.no_grad()
    def settle(self, ids: Ints, bboxes: Floats, due: NDArray[np.bool_] | None = None) -> None:
        """Take over what the tracker made of the frame.

        Args:
            ids: ``(N,)`` of all its living tracks, found or lost.
            bboxes: ``(N, 4)`` xyxy px of the original image.
            due: ``(N,)`` which of them may be asked for in the next frame. Of those not followed
                yet only these are started: a track that has to be confirmed first is known by how
                it looked when it was. None: all.
        """
        here = self._here
        if here is None:
            raise ValueError("Propagation.settle comes after Propagation.frame and Tracker.step")
        rows = self._rows(ids)
        known = rows >= 0
        new = ~known if due is None else ~known & due
        order = np.concatenate([known.nonzero()[0], new.nonzero()[0]])
        ordered, count = np.asarray(ids, dtype=np.int64)[order], int(known.sum())
        boxes, row, number = here.to_device(bboxes[order], rows[order], ordered)
        targets = None
        if self._targets is not None:
            targets = self._targets[row[:count]].moved(here.image, boxes[:count])
        if targets is None or count < len(order):
            started = self.follower.start(here.image, boxes[count:], number[count:])
            targets = started if targets is None else targets.and_also(started)
        self._targets, self._ids = targets, ordered

    def _rows(self, ids: Ints) -> NDArray[np.intp]:
        """Rows of the targets with these ids ``(N,)``, -1 where there is none."""
        order = self._ids.argsort()
        if not order.size:
            return np.full(len(ids), -1, dtype=np.intp)
        place = np.minimum(self._ids[order].searchsorted(ids), order.size - 1)
        rows = order[place]
        return np.where(self._ids[rows] == ids, rows, -1)


def _by_id(found: Found, bboxes: Floats, ids: Ints, here: _Here) -> tuple[Floats, Floats]:
    """Boxes and scores of the tracks asked for, out of rows in any order."""
    usable = found.valid & (found.row_ids >= 0)
    columns = (found.boxes, found.scores[:, None], usable[:, None], found.row_ids[:, None])
    packed = torch.cat([column.detach().double() for column in columns], dim=1).cpu().numpy()
    packed = packed[packed[:, 5] > 0]
    order = np.argsort(ids)
    place = np.searchsorted(ids, packed[:, 6], sorter=order)
    rows = order[place]
    boxes, scores = np.array(bboxes, dtype=np.float64), np.zeros(len(ids))
    boxes[rows] = (packed[:, :4] - here.offset) / here.scale
    scores[rows] = packed[:, 4]
    return boxes, scores
