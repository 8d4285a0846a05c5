"""One sequence of ground truth and results, as arrays in memory."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class GtRole(IntEnum):
    """What a box of the ground truth is there for.

    COUNTED: an object that should be tracked.
    IGNORED: neither rewarded nor punished: a result that is matched to it is taken out first
        (MOT17: person on vehicle, static person, distractor, reflection).
    BYSTANDER: takes part in the matching that finds the results on ignored boxes, and in nothing
        else (MOT17: cars, occluders, pedestrians with flag 0): a result on it is a false positive.
    """

    COUNTED = 0
    IGNORED = 1
    BYSTANDER = 2


@dataclass(slots=True)
class TrackingSequence:
    """Ground truth and results of one sequence; rows in any order.

    Attributes:
        name: Name of the sequence, for messages and tables.
        gt_frames: ``(G,)`` frame of each box of the ground truth.
        gt_ids: ``(G,)`` identity.
        gt_bboxes: ``(G, 4)`` xyxy px.
        gt_roles: ``(G,)`` :class:`GtRole`.
        pred_frames: ``(P,)`` frame of each box of the results, numbered alike.
        pred_ids: ``(P,)`` identity that the tracker gave it.
        pred_bboxes: ``(P, 4)`` xyxy px.
        gt_labels: ``(G,)`` class index; None: all of one class.
        pred_labels: ``(P,)`` likewise.

    Raises:
        ValueError: Arrays of a table differ in length, a box is not finite, or an identity occurs
            twice in a frame (results; counted ground truth). Sequence and frame are named.
    """

    name: str
    gt_frames: Ints
    gt_ids: Ints
    gt_bboxes: Floats
    gt_roles: Ints
    pred_frames: Ints
    pred_ids: Ints
    pred_bboxes: Floats
    gt_labels: Ints | None = None
    pred_labels: Ints | None = None

    def __post_init__(self) -> None:
        columns = {"ids": self.gt_ids, "roles": self.gt_roles, "labels": self.gt_labels}
        self._check_table("gt", columns)
        self._check_table("pred", {"ids": self.pred_ids, "labels": self.pred_labels})
        counted = self.gt_roles == GtRole.COUNTED
        self._check_unique("ground truth", self.gt_frames[counted], self.gt_ids[counted])
        self._check_unique("results", self.pred_frames, self.pred_ids)

    @property
    def num_counted(self) -> int:
        """Number of boxes that should be tracked."""
        return int(np.count_nonzero(self.gt_roles == GtRole.COUNTED))

    def of_class(self, label: int) -> "TrackingSequence":
        """What is to be scored of one class: its results, and its boxes as those that count.

        Counted boxes of other classes become bystanders, as the benchmark treats them; ignored
        boxes are ignored for every class.

        Raises:
            ValueError: The sequence has no labels.
        """
        if self.gt_labels is None or self.pred_labels is None:
            raise ValueError(
                f"sequence {self.name}: to score classes one by one it needs gt_labels and "
                "pred_labels"
            )
        other = (self.gt_roles == GtRole.COUNTED) & (self.gt_labels != label)
        found = self.pred_labels == label
        return TrackingSequence(
            self.name,
            self.gt_frames,
            self.gt_ids,
            self.gt_bboxes,
            np.where(other, GtRole.BYSTANDER, self.gt_roles).astype(np.int64),
            self.pred_frames[found],
            self.pred_ids[found],
            self.pred_bboxes[found],
        )

    def _check_table(self, side: str, columns: dict[str, NDArray | None]) -> None:
        frames, bboxes = getattr(self, f"{side}_frames"), getattr(self, f"{side}_bboxes")
        if bboxes.shape != (len(frames), 4):
            raise ValueError(
                f"sequence {self.name}: {side}_bboxes must have shape ({len(frames)}, 4), xyxy px, "
                f"one row for each of {side}_frames; got {bboxes.shape}"
            )
        for name, column in columns.items():
            if column is not None and column.shape != frames.shape:
                raise ValueError(
                    f"sequence {self.name}: {side}_{name} must have shape {frames.shape}, as "
                    f"{side}_frames has; got {column.shape}"
                )
        bad = np.flatnonzero(~np.isfinite(bboxes).all(axis=1))
        if len(bad):
            raise ValueError(
                f"sequence {self.name}, frame {frames[bad[0]]}: {side}_bboxes must be finite, got "
                f"{bboxes[bad[0]].tolist()} ({len(bad)} such boxes in the sequence)"
            )

    def _check_unique(self, side: str, frames: Ints, ids: Ints) -> None:
        order = np.lexsort((ids, frames))
        frames, ids = frames[order], ids[order]
        twice = np.flatnonzero((frames[1:] == frames[:-1]) & (ids[1:] == ids[:-1]))
        if len(twice):
            row = twice[0]
            raise ValueError(
                f"sequence {self.name}, frame {frames[row]}: the {side} must have each identity at "
                f"most once in a frame, got identity {ids[row]} more than once ({len(twice)} such "
                "rows in the sequence)"
            )
