"""What tracking says of one frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.io.mot import MOTRows


@dataclass(slots=True)
class TrackResult:
    """Tracks of one frame, as arrays of equal length.

    Attributes:
        frame_index: From 0.
        bboxes: ``(N, 4)`` float xyxy px of the original image.
        scores: ``(N,)`` float.
        labels: ``(N,)`` int, class index.
        ids: ``(N,)`` int, identity, from 1.
    """

    frame_index: int
    bboxes: NDArray[np.floating]
    scores: NDArray[np.floating]
    labels: NDArray[np.integer]
    ids: NDArray[np.integer]

    def __len__(self) -> int:
        return len(self.bboxes)

    def to_supervision(self) -> Any:
        """The tracks as ``supervision.Detections``, identities in ``tracker_id``.

        Raises:
            ModuleNotFoundError: The package supervision is not installed.
        """
        try:
            from supervision import Detections
        except ModuleNotFoundError as error:
            if error.name != "supervision":
                raise
            raise ModuleNotFoundError(
                "to_supervision() needs the package supervision: pip install supervision",
                name="supervision",
            ) from None
        return Detections(
            xyxy=self.bboxes.astype(np.float32),
            confidence=self.scores.astype(np.float32),
            class_id=self.labels.astype(np.int64),
            tracker_id=self.ids.astype(np.int64),
        )


def to_mot_rows(results: list[TrackResult], class_numbers: Sequence[int] = ()) -> MOTRows:
    """Results of a video as rows of a MOTChallenge file (frames from 1).

    Args:
        results: One a frame.
        class_numbers: Of the labels; where they are fewer than two, no class is written.
    """
    if not results:
        return MOTRows.empty()
    classes = None
    if len(class_numbers) > 1:
        classes = np.asarray(class_numbers)[np.concatenate([one.labels for one in results])]
    return MOTRows.from_arrays(
        frames=np.repeat([one.frame_index + 1 for one in results], [len(one) for one in results]),
        ids=np.concatenate([one.ids for one in results]),
        bboxes=np.concatenate([one.bboxes for one in results]),
        scores=np.concatenate([one.scores for one in results]),
        classes=classes,
    )
