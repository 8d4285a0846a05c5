"""A detector and a tracker as one model: T frames detected at once, associated one by one."""

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.camera import check_invertible, input_image
from mmdeepmot.motion import CameraFeed
from mmdeepmot.ops import announce
from mmdeepmot.registry import CAMERAS, MODELS, TRACKERS
from mmdeepmot.structures import Detections, Frame, Tracks
from mmdeepmot.trackers.building import build_part

Task = Literal["track", "detection", "embedding"]


@dataclass
class Timings:
    """Seconds spent since the last reset.

    Attributes:
        frames: Frames processed.
        detection: Network and decoding, transfer of the detections included.
        association: Tracker.
    """

    frames: int = 0
    detection: float = 0.0
    association: float = 0.0

    @property
    def fps(self) -> dict[str, float]:
        """Frames per second of the detector (``FPSD``), the association (``FPSA``) and both."""

        def rate(seconds: float) -> float:
            return self.frames / seconds if seconds > 0 else 0.0

        return {
            "FPSD": rate(self.detection),
            "FPSA": rate(self.association),
            "FPS": rate(self.detection + self.association),
        }


def split_detections(instances: Sequence[InstanceData]) -> list[Detections]:
    """Detections of T frames as arrays, moved off the device in one transfer a field.

    Args:
        instances: One a frame: ``bboxes`` (N, 4) xyxy px, ``scores`` (N,), ``labels`` (N,) and,
            where the detector makes them, ``embeddings`` (N, D).

    Returns:
        One :class:`Detections` a frame, boxes and scores in float64.
    """
    if not instances:
        return []
    ends = np.cumsum([len(one) for one in instances])[:-1]

    def rows(name: str, dtype: type) -> list[np.ndarray]:
        joined = torch.cat([getattr(one, name) for one in instances]).detach()
        if joined.is_floating_point():
            joined = joined.float()
        return np.split(joined.cpu().numpy().astype(dtype, copy=False), ends)

    boxes, scores = rows("bboxes", np.float64), rows("scores", np.float64)
    labels = rows("labels", np.int64)
    with_embeddings = all("embeddings" in one for one in instances)
    embeddings = rows("embeddings", np.float32) if with_embeddings else [None] * len(instances)
    return [Detections(*fields) for fields in zip(boxes, scores, labels, embeddings, strict=True)]


def boxes_to_input(boxes: Tensor, sample: DetDataSample) -> Tensor:
    """``(N, 4)`` xyxy boxes from px of the original image to px of the network's input.

    ``input = original * scale_factor + pad_offset``, both (x, y), from the sample's meta data.
    """
    scale = boxes.new_tensor(sample.scale_factor).repeat(2)
    offset = boxes.new_tensor(sample.pad_offset).repeat(2)
    return boxes * scale + offset


@MODELS.register_module()
class TrackingModel(BaseModel):
    """Multi-object tracking by a one-shot detector and a tracker.

    Args:
        detector: Config of a detector whose ``predict`` gives ``bboxes``, ``scores``, ``labels``
            and, for appearance, ``embeddings``; the last is needed by trackers that compare it.
        tracker: Config of a tracker (``type='Tracker'`` with its steps); not needed to train.
        data_preprocessor: Config; ``MOTDataPreprocessor`` by default.
        task: What ``predict`` does. ``track``: every frame gets ``pred_track_instances``
            (``instances_id`` from 1). ``detection``: ``pred_instances`` only, with the
            detector's settings for average precision if it has any. ``embedding``:
            ``pred_embeddings`` at the ground-truth boxes, to judge the appearance alone.
        camera: Config of an estimator of camera motion (``type='SparseFlow'`` or ``'ECC'``), for
            trackers with a ``Compensate`` step. It looks at the network's input, and only where
            the tracker asks; its time counts as association.
        init_cfg: mmengine's initialisation config.

    The tracker's state lives from frame to frame and starts afresh where ``frame_id`` is 0 or the
    video changes, so what comes out does not depend on the number of frames a batch.
    """

    def __init__(
        self,
        detector: dict,
        tracker: dict | None = None,
        data_preprocessor: dict | None = None,
        task: Task = "track",
        camera: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = MODELS.build(data_preprocessor or {"type": "MOTDataPreprocessor"})
        super().__init__(preprocessor, init_cfg)
        announce()
        self.detector = MODELS.build(detector)
        self.tracker = TRACKERS.build(tracker) if tracker is not None else None
        self._camera: CameraFeed | None = None
        if camera is not None:
            check_invertible(self.data_preprocessor)
            self._camera = CameraFeed(build_part(CAMERAS, camera, "TrackingModel.camera"))
        self.set_task(task)
        self._video: Any = None

    def set_task(self, task: Task) -> None:
        """Chooses what ``predict`` does, and sets the clock to zero."""
        if task not in get_args(Task):
            raise InputError(f"task must be one of {get_args(Task)}, got {task!r}")
        if task == "track" and self.tracker is None and not self.training:
            raise InputError("task 'track' needs a tracker: give TrackingModel a `tracker` config")
        self.task = task
        self.timings = Timings()

    def forward(
        self,
        inputs: Tensor,
        data_samples: list | None = None,
        mode: str = "tensor",
    ) -> Any:
        """Losses of images, predictions for clips, or the bare outputs of the network.

        Args:
            inputs: ``(N, 3, H, W)`` for ``mode='loss'`` and ``'tensor'``; ``(N, T, 3, H, W)`` for
                ``'predict'``, each clip consecutive frames of one sequence.
            data_samples: ``DetDataSample`` an image, or ``TrackDataSample`` a clip.
            mode: ``loss``, ``predict`` or ``tensor``.
        """
        if mode == "loss":
            return self.detector.loss(inputs, data_samples)
        if mode == "predict":
            return self.predict(inputs, data_samples or [])
        if mode == "tensor":
            return self.detector(inputs, data_samples, mode="tensor")
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def predict(self, inputs: Tensor, data_samples: list[TrackDataSample]) -> list[TrackDataSample]:
        """Predicts clips ``(N, T, 3, H, W)`` in the order given; see ``task`` for what is added."""
        if inputs.dim() != 5:
            raise InputError(
                f"prediction takes clips of shape (N, T, 3, H, W), got {tuple(inputs.shape)}: use "
                "a dataset with view='video'"
            )
        for clip, sample in zip(inputs, data_samples, strict=True):
            if self.task == "embedding":
                self._embed(clip, list(sample))
            else:
                self._detect_and_track(clip, list(sample))
        return data_samples

    def _embed(self, clip: Tensor, frames: list[DetDataSample]) -> None:
        boxes = [boxes_to_input(f.gt_instances.bboxes.to(clip.device), f) for f in frames]
        for frame, (embeddings, valid) in zip(
            frames, self.detector.embed(clip, boxes), strict=True
        ):
            truth = frame.gt_instances.cpu()
            valid = valid.cpu()
            frame.pred_embeddings = InstanceData(
                embeddings=embeddings.float().cpu()[valid],
                instances_ids=truth.instances_ids[valid],
                bboxes=truth.bboxes[valid],
            )

    def _detect_and_track(self, clip: Tensor, frames: list[DetDataSample]) -> None:
        start = time.perf_counter()
        settings = {"task": "detection"} if self.task == "detection" else {}
        self.detector.predict(clip, frames, **settings)
        detections = split_detections([frame.pred_instances for frame in frames])
        detected = time.perf_counter()
        for image, frame, dets in zip(clip, frames, detections, strict=True):
            frame.pred_instances = InstanceData(
                bboxes=torch.from_numpy(dets.bboxes),
                scores=torch.from_numpy(dets.scores),
                labels=torch.from_numpy(dets.labels),
            )
            if self.task == "track":
                tracks = self._step(image, frame, dets)
                frame.pred_track_instances = InstanceData(
                    bboxes=torch.from_numpy(tracks.bboxes),
                    scores=torch.from_numpy(tracks.scores),
                    labels=torch.from_numpy(tracks.labels),
                    instances_id=torch.from_numpy(tracks.ids),
                )
        self.timings.frames += len(frames)
        self.timings.detection += detected - start
        self.timings.association += time.perf_counter() - detected

    def _step(self, image: Tensor, sample: DetDataSample, detections: Detections) -> Tracks:
        if self.tracker is None:
            raise InputError("task 'track' needs a tracker: give TrackingModel a `tracker` config")
        video = sample.get("video_id", sample.get("video_name"))
        if sample.frame_id == 0 or video != self._video:
            self.tracker.reset()
            if self._camera is not None:
                self._camera.reset()
            self._video = video
        height, width = sample.ori_shape[:2]
        frame = Frame(
            index=int(sample.frame_id),
            size=(int(width), int(height)),
            fps=float(sample.get("fps", 30.0)),
            detections=detections,
        )
        if self._camera is not None:
            frame.warp = self._camera.frame(
                frame.index,
                functools.partial(input_image, image, sample, self.data_preprocessor),
                detections.bboxes,
                sample.scale_factor,
            )
        return self.tracker.step(frame)
