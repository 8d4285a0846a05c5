"""Public detections with the scores that a detector gives to their boxes.

Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR 2020, Appendix A.2: false positives
among public detections are reduced, before single-object trackers see them, by the scores of a
Faster R-CNN. Boxes stay as they are; what scores too little is left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from numpy.typing import NDArray

from mmdeepmot.apis.load_model import load_model
from mmdeepmot.association.suppression import greedy_nms
from mmdeepmot.datasets.base import MOTDataset
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import MOTRows
from mmdeepmot.models.mot.detecting_follower import DetectingFollower
from mmdeepmot.models.mot.detection_source import public_detections
from mmdeepmot.models.mot.geometry import boxes_to_input
from mmdeepmot.models.mot.tracking_model import TrackingModel


def load_scorer(cfg: Config, checkpoint: str | Path, device: str = "cpu") -> TrackingModel:
    """The model of a config with the weights of a checkpoint, to score boxes with.

    Raises:
        InputError: The config has no ``TrackingModel`` with a follower that detects.
        CheckpointError: The checkpoint does not fit the model.
    """
    return load_model(cfg, checkpoint, device, _check_follower)


def _check_follower(model: Any) -> None:
    follower = getattr(model, "follower", None)
    if not isinstance(follower, DetectingFollower):
        raise InputError(
            "boxes are scored by a TrackingModel whose follower detects (Tracktor, as in "
            f"configs/deepmot/detector), got {type(model).__name__} with {type(follower).__name__}"
        )


def kept_detections(
    bboxes: NDArray, scores: NDArray, min_score: float, nms: float | None
) -> NDArray[np.intp]:
    """Detections that are kept, in their order.

    Args:
        bboxes: ``(N, 4)`` xyxy px.
        scores: ``(N,)``.
        min_score: Lower scores go.
        nms: IoU above which the lower score goes; None: whatever the overlap is.
    """
    rows = np.flatnonzero(scores >= min_score)
    if nms is not None:
        rows = rows[greedy_nms(bboxes[rows], scores[rows], nms)]
    return rows


@torch.no_grad()
def rescore(
    model: TrackingModel, dataset: MOTDataset, min_score: float = 0.5, nms: float | None = None
) -> Iterator[tuple[str, int, MOTRows]]:
    """Public detections, sequence by sequence, with new scores.

    Args:
        model: From :func:`load_scorer`.
        dataset: ``view='video'``, with public detections; its clips are the batches.
        min_score: Detections that score less are left out.
        nms: See :func:`kept_detections`.

    Yields:
        Name of the sequence, number of detections that it had, those that are left.
    """
    name, given, parts = None, 0, list[MOTRows]()
    for item in range(len(dataset)):
        batch = model.data_preprocessor(pseudo_collate([dataset[item]]))
        frames = list(batch["data_samples"][0])
        for image, frame in zip(model.follower.encode(batch["inputs"][0]), frames, strict=True):
            if name is not None and frame.video_name != name:
                yield name, given, MOTRows.concatenate(parts)
                given, parts = 0, []
            name = frame.video_name
            public = public_detections(frame)
            near = boxes_to_input(public.bboxes.to(batch["inputs"].device).float(), frame)
            _, scores = model.follower.refine(image, near)
            bboxes, found = public.bboxes.cpu().numpy(), scores.double().cpu().numpy()
            rows = kept_detections(bboxes, found, min_score, nms)
            given += len(bboxes)
            number = np.full(len(rows), frame.frame_number)
            nobody = np.full(len(rows), -1)
            parts.append(MOTRows.from_arrays(number, nobody, bboxes[rows], found[rows]))
    if name is not None:
        yield name, given, MOTRows.concatenate(parts)
