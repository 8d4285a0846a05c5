"""A video of tracks, written frame by frame as they come."""

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.io.video_writer import Codec, VideoWriter
from mmdeepmot.visualization.draw import Image, draw_tracks
from mmdeepmot.visualization.trails import TrailBuffer


class TrackVideo:
    """Draws boxes, ids and trails on frames and appends them to a video file.

    A context manager: whatever ends the block, the file is closed properly.

    Args:
        path: Destination, ``.mp4``; None: frames are drawn and not written.
        fps: Frames per second of the video.
        trail_length: Frames for which a trail is seen; 0: no trails.
        class_names: Names of the classes, written in the tags where there are several.
        codec: As of :class:`~mmdeepmot.io.video.VideoWriter`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        fps: float = 30.0,
        *,
        trail_length: int = 30,
        class_names: Sequence[str] | None = None,
        codec: Codec = "auto",
    ) -> None:
        self.writer = VideoWriter(path, fps, codec=codec) if path is not None else None
        self._trails = TrailBuffer(trail_length) if trail_length > 0 else None
        self._class_names = class_names if class_names and len(class_names) > 1 else None

    def write(
        self,
        image: Image,
        frame_index: int,
        bboxes: NDArray[np.floating],
        ids: NDArray[np.integer],
        scores: NDArray[np.floating] | None = None,
        labels: NDArray[np.integer] | None = None,
        fps: float | None = None,
    ) -> Image:
        """Draws one frame, appends it, and gives it back.

        Args:
            image: ``(H, W, 3)`` uint8 BGR; not changed.
            frame_index: From 0; shown from 1. Must grow, or the trails start afresh.
            bboxes: ``(N, 4)`` xyxy px.
            ids: ``(N,)``.
            scores: ``(N,)``, shown in the tags.
            labels: ``(N,)``, shown in the tags where there are several classes.
            fps: Speed of the processing, shown in the bar.
        """
        trails = None
        if self._trails is not None:
            trails = self._trails.update(frame_index, bboxes, ids).trails()
        drawn = draw_tracks(
            image,
            bboxes,
            ids,
            scores,
            labels,
            trails,
            class_names=self._class_names,
            frame_number=frame_index + 1,
            fps=fps,
        )
        if self.writer is not None:
            self.writer.write(drawn)
        return drawn

    def close(self) -> None:
        """Finishes the file; a second call does nothing."""
        if self.writer is not None:
            self.writer.close()

    def __enter__(self) -> "TrackVideo":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
