"""Where the detections of a frame come from."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from mmdet.models.detectors import BaseDetector
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.detecting_follower import DetectingFollower
from mmdeepmot.models.mot.geometry import boxes_to_input, in_original

Source = Literal["own", "public", "refined"]


def check_detector(detector: Any, preprocessor: Any) -> None:
    """Make sure that a detector gets what it wants and gives its boxes in px of the original image.

    Raises:
        InputError: It is one of mmdet's, which do not know that the input is shifted; or it was
            exported for images prepared in another way.
    """
    if hasattr(detector, "check_preprocessor"):
        detector.check_preprocessor(preprocessor)
    if isinstance(detector, BaseDetector) and not hasattr(detector, "embedding_maps"):
        name = type(detector).__name__
        raise InputError(
            f"TrackingModel.detector: {name} is a detector of mmdet: put it into a BoxDetector, "
            f"detector=dict(type='BoxDetector', detector=dict(type='{name}', ...))"
        )


def check_source(source: Source, detector: Any, follower: Any) -> None:
    """Make sure that a model can give such detections.

    Raises:
        InputError: An unknown source, or one that needs a network which is not there.
    """
    if source not in get_args(Source):
        raise InputError(
            f"TrackingModel.detections must be one of {get_args(Source)}, got {source!r}"
        )
    detecting = isinstance(follower, DetectingFollower)
    if source == "refined" and not detecting:
        raise InputError(
            "TrackingModel.detections='refined' needs a follower that makes detections of its own "
            f"(Tracktor), got {type(follower).__name__}: use 'public' or 'own'"
        )
    if source == "own" and detector is None and follower is not None and not detecting:
        raise InputError(
            f"{type(follower).__name__} follows and does not detect: give TrackingModel a "
            "`detector`, or detections='public' and a dataset with with_detections='det/det.txt'"
        )


@torch.no_grad()
def follower_detections(
    follower: DetectingFollower, images: Sequence[Any], samples: list[DetDataSample]
) -> list[InstanceData]:
    """A follower's own detections of T encoded images, in px of the original image."""
    found = follower.detect(images, samples)
    return [
        in_original(one.bboxes, one.scores, one.labels, sample)
        for one, sample in zip(found, samples, strict=True)
    ]


def public_detections(sample: DetDataSample) -> InstanceData:
    """What comes with the dataset, in px of the original image.

    Raises:
        InputError: Nothing comes with it.
    """
    if "public_detections" not in sample:
        raise InputError(
            f"{sample.get('video_name', 'the sequence')}: the model takes public detections and "
            "the dataset has none: set with_detections='det/det.txt' (a file in every sequence "
            "folder) in the test dataset, or detections='own' in the model"
        )
    return sample.public_detections


@torch.no_grad()
def refined_detections(
    follower: DetectingFollower,
    images: Sequence[Any],
    samples: list[DetDataSample],
    device: torch.device,
) -> list[InstanceData]:
    """Public detections of T encoded images with the follower's boxes and scores, in px of the
    original image.

    The published Tracktor treats public detections so: as proposals of its second stage.
    """
    refined = []
    for image, sample in zip(images, samples, strict=True):
        given = public_detections(sample)
        near = boxes_to_input(given.bboxes.to(device).float(), sample)
        boxes, scores = follower.refine(image, near)
        refined.append(in_original(boxes, scores, given.labels.to(device), sample))
    return refined
