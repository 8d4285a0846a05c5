"""The bridge from a tracker that knows no network to a follower that knows no tracker.

A tracker holds its tracks in a table, boxes in px of the original image; a follower holds
:class:`~mmdeepmot.models.mot.follower.Targets`, boxes in px of the network's input and whatever it
remembers. Between frames they are brought in step by the tracks' ids: what the tracker ended is
dropped, what it started is started, and what it moved (averaged with a detection, say) stands where
the tracker says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
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
        self._targets: Targets | None = None  # not asked for in this frame yet
        self._ids: NDArray[np.int64] = np.zeros(0, dtype=np.int64)  # of _targets, on the host
        self._moved: list[tuple[Targets, NDArray[np.int64]]] = []  # in this frame, by each call
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
            and their ids ``(N,)``, each at most once a frame; gives the boxes found ``(N, 4)``, px
            of the original image, and their scores ``(N,)``; a track that is lost has score 0 and
            stays where it was.
        """
        self._here = _Here(image, device, *input_affine(sample))
        return self._propagate

    @torch.no_grad()
    def _propagate(self, bboxes: Floats, ids: Ints) -> tuple[Floats, Floats]:
        here, targets = self._here, self._targets
        rows = _places(self._ids, ids)
        missing = rows < 0
        if here is None or targets is None or missing.any():
            raise ValueError(
                f"the follower knows no targets with the ids {np.asarray(ids)[missing].tolist()}, "
                "or has moved them in this frame: call settle(table.ids, table.bboxes) after every "
                "step of the tracker, and ask for a track once a frame"
            )
        near, row = here.to_device(bboxes, rows)
        found, moved = self.follower.advance(here.image, targets[row].looked_for(near))
        if len(moved) != len(rows):
            raise ValueError(
                f"{type(self.follower).__name__}.advance was given {len(rows)} targets and must "
                f"give all of them back, in this order, got {len(moved)}"
            )
        self._moved.append((moved, self._ids[rows]))
        left = np.delete(np.arange(len(self._ids)), rows)
        some = torch.from_numpy(left).to(here.device) if left.size else slice(0)
        self._targets, self._ids = targets[some], self._ids[left]
        return self._by_id(found, bboxes, ids, here)

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
        self._join(here)
        rows = _places(self._ids, ids)
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

    def _join(self, here: _Here) -> None:
        """Those that were moved and those that were not, all in this frame."""
        parts, self._moved = self._moved, []
        if self._targets is not None and len(self._ids):
            parts.insert(0, (self._targets.moved(here.image, self._targets.boxes), self._ids))
        if parts:
            self._targets = reduce(Targets.and_also, (targets for targets, _ in parts))
            self._ids = np.concatenate([ids for _, ids in parts])

    def _by_id(self, found: Found, bboxes: Floats, ids: Ints, here: _Here) -> tuple[Floats, Floats]:
        """Boxes and scores of the tracks asked for, out of rows in any order."""
        usable = found.valid & (found.row_ids >= 0)
        columns = (found.boxes, found.scores[:, None], usable[:, None], found.row_ids[:, None])
        packed = torch.cat([column.detach().double() for column in columns], dim=1).cpu().numpy()
        packed = packed[packed[:, 5] > 0]
        rows = _places(ids, packed[:, 6])
        if (rows < 0).any():
            raise ValueError(
                f"{type(self.follower).__name__}.advance was not asked for the row_ids "
                f"{packed[rows < 0, 6].astype(int).tolist()}, only for {np.asarray(ids).tolist()}: "
                "a row that continues none of its targets has -1"
            )
        boxes, scores = np.array(bboxes, dtype=np.float64), np.zeros(len(ids))
        boxes[rows] = (packed[:, :4] - here.offset) / here.scale
        scores[rows] = packed[:, 4]
        return boxes, scores


def _places(known: NDArray[Any], asked: NDArray[Any]) -> NDArray[np.intp]:
    """Where each of ``asked (N,)`` stands in ``known (K,)``, each once there; -1: nowhere."""
    if not len(known):
        return np.full(len(asked), -1, dtype=np.intp)
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known, asked, sorter=order), len(known) - 1)
    rows = order[place]
    return np.where(np.asarray(known)[rows] == asked, rows, -1)
