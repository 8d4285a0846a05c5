"""Detector, follower, appearance and tracker as one model: T frames at once, tracked one by one."""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.appearance import embed_truth, embedder
from mmdeepmot.models.mot.camera import check_invertible, input_image
from mmdeepmot.models.mot.detection_source import (
    Source,
    check_detector,
    check_source,
    follower_detections,
    public_detections,
    refined_detections,
)
from mmdeepmot.models.mot.geometry import boxes_to_input, split_detections
from mmdeepmot.models.mot.propagation import Propagation
from mmdeepmot.models.mot.timings import Timings
from mmdeepmot.motion import CameraFeed
from mmdeepmot.ops import announce
from mmdeepmot.registry import CAMERAS, MODELS, TRACKERS
from mmdeepmot.structures import Detections, Frame, Tracks
from mmdeepmot.trackers.building import build_part

Task = Literal["track", "detection", "embedding"]


@MODELS.register_module()
class TrackingModel(BaseModel):
    """Multi-object tracking: networks that see, and a tracker that decides.

    Any detector goes with any follower and any appearance. Trained is the first that is there of
    detector, follower (one that detects) and reid.

    Args:
        detector: Config of a detector whose ``predict`` gives ``bboxes``, ``scores``, ``labels``
            and, for appearance, ``embeddings``. None: detections are the follower's or public.
        tracker: Config of a tracker (``type='Tracker'`` with its steps); not needed to train.
        data_preprocessor: Config; ``MOTDataPreprocessor`` by default.
        task: What ``predict`` does. ``track``: every frame gets ``pred_track_instances``
            (``instances_id`` from 1). ``detection``: ``pred_instances`` only, with the
            detector's settings for average precision if it has any. ``embedding``:
            ``pred_embeddings`` at the ground-truth boxes, to judge the appearance alone.
        camera: Config of an estimator of camera motion (``type='SparseFlow'`` or ``'ECC'``), for
            trackers with a ``Compensate`` step. It looks at the network's input, and only where
            the tracker asks; its time counts as association.
        follower: Config of a :class:`~mmdeepmot.models.mot.follower.Follower`, for trackers with a
            ``Propagate`` step.
        reid: Config of a network with ``embed(images, boxes)``, for trackers that compare
            appearances; None: the follower's if it has any, else the detector's.
        detections: ``own``: of the detector, else of the follower. ``public``: those that come with
            the dataset. ``refined``: the public ones, boxes and scores by the follower (Tracktor).
        init_cfg: mmengine's initialisation config.

    The tracker's state lives from frame to frame and starts afresh where ``frame_id`` is 0 or the
    video changes, so what comes out does not depend on the number of frames a batch.
    """

    def __init__(
        self,
        detector: dict | None = None,
        tracker: dict | None = None,
        data_preprocessor: dict | None = None,
        task: Task = "track",
        camera: dict | None = None,
        follower: dict | None = None,
        reid: dict | None = None,
        detections: Source = "own",
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = MODELS.build(data_preprocessor or {"type": "MOTDataPreprocessor"})
        super().__init__(preprocessor, init_cfg)
        announce()
        if detector is None and follower is None and reid is None:
            raise InputError("TrackingModel needs a `detector`, a `follower` or a `reid` network")
        self.detector: Any = None if detector is None else MODELS.build(detector)
        self.follower: Any = None if follower is None else MODELS.build(follower)
        self.reid: Any = None if reid is None else MODELS.build(reid)
        check_detector(self.detector, preprocessor)
        check_source(detections, self.detector, self.follower)
        self.detections = detections
        self._propagation = None if self.follower is None else Propagation(self.follower)
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

    @property
    def has_embeddings(self) -> bool:
        """Whether boxes can be given an appearance (task ``embedding``)."""
        if self.reid is not None or hasattr(self.detector, "embed"):
            return True
        return self.follower is not None and self.follower.has_embeddings

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
            return self._trained().loss(inputs, data_samples)
        if mode == "predict":
            return self.predict(inputs, data_samples or [])
        if mode == "tensor":
            return self._trained()(inputs, data_samples, mode="tensor")
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def _trained(self) -> Any:
        """The network that single images train."""
        for network in (self.detector, self.follower, self.reid):
            if network is not None and hasattr(network, "loss"):
                return network
        raise InputError(
            f"{type(self.follower).__name__} does not learn from single images: train it by "
            "DeepMOTModel (clips), or its own model, and give the weights to this one"
        )

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
        found = embed_truth((self.reid, self.detector, self.follower), clip, boxes)
        for frame, (embeddings, valid) in zip(frames, found, strict=True):
            truth = frame.gt_instances.cpu()
            valid = valid.cpu()
            frame.pred_embeddings = InstanceData(
                embeddings=embeddings.float().cpu()[valid],
                instances_ids=truth.instances_ids[valid],
                bboxes=truth.bboxes[valid],
            )

    def _detect_and_track(self, clip: Tensor, frames: list[DetDataSample]) -> None:
        start = time.perf_counter()
        encoded = self._encode(clip)
        detections = split_detections(self._detect(clip, encoded, frames))
        detected, embedded = time.perf_counter(), self.timings.embedding
        for image, view, frame, dets in zip(clip, encoded, frames, detections, strict=True):
            frame.pred_instances = InstanceData(
                bboxes=torch.from_numpy(dets.bboxes),
                scores=torch.from_numpy(dets.scores),
                labels=torch.from_numpy(dets.labels),
            )
            if self.task == "track":
                tracks = self._step(image, view, frame, dets)
                frame.pred_track_instances = InstanceData(
                    bboxes=torch.from_numpy(tracks.bboxes),
                    scores=torch.from_numpy(tracks.scores),
                    labels=torch.from_numpy(tracks.labels),
                    instances_id=torch.from_numpy(tracks.ids),
                )
        self.timings.frames += len(frames)
        self.timings.detection += detected - start
        asked = self.timings.embedding - embedded
        self.timings.association += time.perf_counter() - detected - asked

    @torch.no_grad()
    def _encode(self, clip: Tensor) -> Sequence[Any]:
        """The frames as the follower sees them, where it is asked at all."""
        detects = self.detections == "refined" or (
            self.detections == "own" and self.detector is None
        )
        if self.follower is None or not (detects or self.task == "track"):
            return [None] * len(clip)
        return self.follower.encode(clip)

    def _detect(
        self, clip: Tensor, encoded: Sequence[Any], frames: list[DetDataSample]
    ) -> list[InstanceData]:
        """Detections of T frames, in px of the original image."""
        if self.detections == "public":
            return [public_detections(frame) for frame in frames]
        if self.detections == "refined":
            return refined_detections(self.follower, encoded, frames, clip.device)
        if self.detector is not None:
            settings = {"task": "detection"} if self.task == "detection" else {}
            self.detector.predict(clip, frames, **settings)
            return [frame.pred_instances for frame in frames]
        if self.follower is None:
            raise InputError("a TrackingModel with a `reid` network alone cannot detect or track")
        return follower_detections(self.follower, encoded, frames)

    def _timed(self, embed: Callable | None) -> Callable | None:
        """The same, its time counted as embedding."""
        if embed is None:
            return None

        def timed(bboxes: Any) -> Any:
            start = time.perf_counter()
            found = embed(bboxes)
            self.timings.embedding += time.perf_counter() - start
            return found

        return timed

    def _step(
        self, image: Tensor, encoded: Any, sample: DetDataSample, detections: Detections
    ) -> Tracks:
        if self.tracker is None:
            raise InputError("task 'track' needs a tracker: give TrackingModel a `tracker` config")
        video = sample.get("video_id", sample.get("video_name"))
        if sample.frame_id == 0 or video != self._video:
            for part in (self.tracker, self._camera, self._propagation):
                if part is not None:
                    part.reset()
            self._video = video
        embed = embedder(self.reid, self.follower, image, encoded, sample)
        if embed is not None:  # the looks of two networks cannot be compared
            detections = replace(detections, embeddings=None)
        height, width = sample.ori_shape[:2]
        frame = Frame(
            index=int(sample.frame_id),
            size=(int(width), int(height)),
            fps=float(sample.get("fps", 30.0)),
            detections=detections,
            embed=self._timed(embed),
        )
        if self._camera is not None:
            frame.warp = self._camera.frame(
                frame.index,
                functools.partial(input_image, image, sample, self.data_preprocessor),
                detections.bboxes,
                sample.scale_factor,
            )
        if self._propagation is None:
            return self.tracker.step(frame)
        frame.propagate = self._propagation.frame(encoded, sample, image.device)
        tracks = self.tracker.step(frame)
        table = self.tracker.table
        self._propagation.settle(table.ids, table.bboxes, self.tracker.propagated())
        return tracks
