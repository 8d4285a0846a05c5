"""Videos of what a test tracks, written while it runs."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmdeepmot.errors import InputError
from mmdeepmot.io.image import read_image
from mmdeepmot.registry import HOOKS
from mmdeepmot.visualization import TrackVideo


@HOOKS.register_module()
class TrackVideoHook(Hook):
    """Writes ``OUT_DIR/SEQ.mp4`` with boxes, ids and trails for every sequence that is tested.

    Args:
        out_dir: Folder of the videos; made if missing.
        sequences: Names of the sequences to write; None: all.
        trail_length: Frames for which a trail is seen.
    """

    priority = "LOW"

    def __init__(
        self, out_dir: str, sequences: Sequence[str] | None = None, trail_length: int = 30
    ) -> None:
        self.out_dir = Path(out_dir)
        self.sequences = None if sequences is None else set(sequences)
        self.trail_length = trail_length
        self._name: str | None = None
        self._video: TrackVideo | None = None
        self._class_names: tuple[str, ...] | None = None

    def before_test(self, runner: Runner) -> None:
        """Learns the classes, and compares the names asked for with those of the test set.

        Raises:
            InputError: The test set has no sequence of a name that was asked for.
        """
        dataset = runner.test_dataloader.dataset
        self._class_names = getattr(dataset, "metainfo", {}).get("classes")
        parts = getattr(dataset, "datasets", [dataset])  # of a JointDataset
        if self.sequences is None or not all(hasattr(part, "index") for part in parts):
            return
        known = sorted(sequence.name for part in parts for sequence in part.index.sequences)
        unknown = sorted(self.sequences.difference(known))
        if unknown:
            near = get_close_matches(unknown[0], known, n=1)
            raise InputError(
                f"no video can be made of sequence {unknown[0]!r}: the test set has "
                f"{', '.join(known)}" + (f" (did you mean {near[0]!r}?)" if near else "")
            )

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Draws the frames of each clip on its images."""
        for clip in outputs or ():
            for frame in clip:
                if "pred_track_instances" not in frame:
                    return
                if self.sequences is None or frame.video_name in self.sequences:
                    self._write(frame)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Closes the last video."""
        self.close()

    def close(self) -> None:
        """Finishes the video that is being written, with the frames that it has."""
        if self._video is not None:
            self._video.close()
            self._video = None

    def _write(self, frame: Any) -> None:
        if frame.video_name != self._name or self._video is None:
            self.close()
            self._name = frame.video_name
            path = self.out_dir / f"{self._name}.mp4"
            self._video = TrackVideo(
                path,
                fps=float(frame.get("fps", 30.0)),
                trail_length=self.trail_length,
                class_names=self._class_names,
            )
        tracks = frame.pred_track_instances
        self._video.write(
            read_image(frame.img_path),
            int(frame.frame_id),
            tracks.bboxes.numpy(),
            tracks.instances_id.numpy(),
            labels=tracks.labels.numpy() if "labels" in tracks else None,
        )
