"""Tracks on the visual backends of mmengine (TensorBoard, wandb, files)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.dist import master_only
from mmengine.visualization import Visualizer
from numpy.typing import NDArray

from mmdeepmot.registry import VISUALIZERS
from mmdeepmot.visualization.draw import draw_tracks
from mmdeepmot.visualization.trails import TrailBuffer
from mmdeepmot.visualization.window import check_display, show_image

Image = NDArray[np.uint8]


class _FigureToCome:
    """Stands for matplotlib's figure until something is drawn with matplotlib."""

    @staticmethod
    def get_dpi() -> float:
        return 100.0


@VISUALIZERS.register_module()
class TrackVisualizer(Visualizer):
    """Draws tracks with OpenCV and hands them to the backends.

    The general drawing methods of mmengine's ``Visualizer`` work too; matplotlib, on which they
    stand, is imported with the first ``set_image`` and not before.

    Args:
        name: Name of the instance.
        vis_backends: Configs of backends.
        save_dir: Folder of backends that write files.
        trail_length: Frames for which a trail is seen; 0: no trails.
        show_scores: Whether tags hold the score.
        **kwargs: Further arguments of ``Visualizer``.
    """

    def __init__(
        self,
        name: str = "visualizer",
        vis_backends: Any = None,
        save_dir: str | None = None,
        trail_length: int = 30,
        show_scores: bool = True,
        **kwargs: Any,
    ) -> None:
        self.ax_save: Any = None
        super().__init__(name=name, vis_backends=vis_backends, save_dir=save_dir, **kwargs)
        self.show_scores = show_scores
        self._trails = TrailBuffer(trail_length) if trail_length > 0 else None
        self._video: Any = None

    def _initialize_fig(self, fig_cfg: dict) -> tuple:
        return None, _FigureToCome(), None

    @master_only
    def set_image(self, image: Image) -> None:
        """Sets the ``(H, W, 3)`` RGB image that mmengine's drawing methods draw on."""
        if self.ax_save is None:
            self.fig_save_canvas, self.fig_save, self.ax_save = super()._initialize_fig(
                self.fig_save_cfg
            )
            self.dpi = self.fig_save.get_dpi()
        super().set_image(image)

    @master_only
    def add_datasample(
        self,
        name: str,
        image: Image | Sequence[Image],
        data_sample: Any = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        pred_score_thr: float = 0.0,
        step: int = 0,
    ) -> None:
        """Draws a frame or a clip: to the backends, or to a file or the screen where asked.

        Args:
            name: Name of the image; frames of a clip get ``/<number>`` behind it.
            image: ``(H, W, 3)`` uint8 RGB in original size; for a ``TrackDataSample`` one a frame.
            data_sample: ``DetDataSample`` with ``pred_track_instances`` (or ``pred_instances``),
                ``gt_instances``, boxes in px of the image; or a ``TrackDataSample`` of them.
            draw_gt: Whether ground truth is drawn (to the left of the prediction, if both are).
            draw_pred: Whether the prediction is drawn.
            show: Whether to show it in a window.
            wait_time: Seconds the window waits, 0: until a key is pressed.
            out_file: Image file to write; frames of a clip get ``_<number>`` behind the name.
            pred_score_thr: Predictions with a lower score are left out.
            step: Step that the backends store with it.

        Raises:
            ValueError: Images and frames of a clip differ in number.
        """
        frames = getattr(data_sample, "video_data_samples", None)
        if frames is None:
            drawn = self._draw(image, data_sample, draw_gt, draw_pred, pred_score_thr)
            self._emit(name, drawn, show, wait_time, out_file, step)
            return
        if len(image) != len(frames):
            raise ValueError(
                f"{name}: expected one image a frame, got {len(image)} images and {len(frames)} "
                "frames"
            )
        for index, (one, frame) in enumerate(zip(image, frames, strict=True)):
            drawn = self._draw(one, frame, draw_gt, draw_pred, pred_score_thr)
            number = int(frame.get("frame_id", index)) + 1
            file = None
            if out_file is not None:
                path = Path(out_file)
                file = str(path.with_name(f"{path.stem}_{number:06d}{path.suffix}"))
            self._emit(f"{name}/{number}", drawn, show, wait_time, file, step)

    def _draw(self, image: Any, sample: Any, draw_gt: bool, draw_pred: bool, floor: float) -> Image:
        """One frame, RGB in and out; ground truth and prediction side by side if both are there."""
        bgr = _flip(np.asarray(image))
        panels = []
        number = int(sample.get("frame_id", 0)) + 1 if sample is not None else None
        names = (self.dataset_meta or {}).get("classes", ())
        names = names if len(names) > 1 else None
        if draw_gt and sample is not None and "gt_instances" in sample:
            boxes, ids, _, labels = _arrays(sample.gt_instances)
            panels.append(draw_tracks(bgr, boxes, ids, None, labels, class_names=names))
        predicted = _predicted(sample) if draw_pred else None
        if predicted is not None:
            boxes, ids, scores, labels = _arrays(predicted)
            kept = scores >= floor
            boxes, ids, scores, labels = boxes[kept], ids[kept], scores[kept], labels[kept]
            panels.append(
                draw_tracks(
                    bgr,
                    boxes,
                    ids,
                    scores if self.show_scores else None,
                    labels,
                    self._update_trails(sample, boxes, ids),
                    class_names=names,
                    frame_number=number,
                )
            )
        drawn = np.concatenate(panels, axis=1) if panels else bgr
        return _flip(drawn)

    def _update_trails(self, sample: Any, boxes: NDArray, ids: NDArray) -> Any:
        if self._trails is None or "pred_track_instances" not in sample:
            return None
        video = sample.get("video_id", sample.get("video_name"))
        if video != self._video:
            self._trails.reset()
            self._video = video
        return self._trails.update(int(sample.get("frame_id", 0)), boxes, ids).trails()

    def _emit(
        self, name: str, drawn: Image, show: bool, wait: float, file: str | None, step: int
    ) -> None:
        if show:
            check_display()
            show_image(_flip(drawn), name, round(1000 * wait))
        if file is not None:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            if not cv2.imwrite(file, _flip(drawn)):
                raise OSError(f"{file}: the image could not be written")
        else:
            self.add_image(name, drawn, step)


def _flip(image: Image) -> Image:
    """RGB to BGR and back."""
    return np.ascontiguousarray(image[..., ::-1])


def _predicted(sample: Any) -> Any:
    for key in ("pred_track_instances", "pred_instances"):
        if sample is not None and key in sample:
            return getattr(sample, key)
    return None


def _arrays(instances: Any) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Boxes ``(N, 4)``, ids, scores and labels ``(N,)`` of InstanceData.

    What is lacking: scores are 1, labels 0, ids the row's number (detections have none).
    """

    def array(value: Any) -> NDArray:
        return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)

    boxes = array(instances.bboxes)
    count = len(boxes)
    defaults = {"ids": np.arange(count), "scores": np.ones(count), "labels": np.zeros(count, int)}
    names = {"ids": ("instances_id", "instances_ids"), "scores": ("scores",), "labels": ("labels",)}
    columns = {}
    for column, keys in names.items():
        present = [key for key in keys if key in instances]
        columns[column] = array(getattr(instances, present[0])) if present else defaults[column]
    return boxes, columns["ids"], columns["scores"], columns["labels"]
