"""Torch and ONNX Runtime on the same images."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmdeepmot.apis.export.network import exportable
from mmdeepmot.io.image import read_image
from mmdeepmot.models.detectors.onnx_detector import OUTPUTS, open_session


@dataclass(frozen=True)
class Differences:
    """How far the results of two programs lie apart.

    Attributes:
        found: Number of detections of torch.
        unmatched: Detections that only one of both has, at another place or of another class.
        bboxes: Largest difference of a coordinate, px of the input.
        scores: Largest difference of a score.
        embeddings: Largest cosine distance of an embedding.
    """

    found: int
    unmatched: int
    bboxes: float
    scores: float
    embeddings: float

    def __str__(self) -> str:
        return (
            f"{self.found} detections, {self.unmatched} of one program only; largest difference of "
            f"boxes {self.bboxes:.2g} px, scores {self.scores:.2g}, cosine of embeddings "
            f"{self.embeddings:.2g}"
        )


def differences(
    ours: Mapping[str, NDArray], theirs: Mapping[str, NDArray], same: float = 1.0
) -> Differences:
    """Compare two sets of outputs (:data:`OUTPUTS`).

    Detections of one image and class, no coordinate of which differs by more than ``same`` px, are
    paired, the nearest and those of nearest scores first: equal scores may come in another order.
    """
    one, other = ours, theirs
    apart = np.abs(one["bboxes"][:, None] - other["bboxes"]).max(axis=-1, initial=0.0)
    comparable = one["images"][:, None] == other["images"]
    comparable &= one["labels"][:, None] == other["labels"]
    comparable &= apart <= same
    cost = apart + np.abs(one["scores"][:, None] - other["scores"])
    rows, columns = linear_sum_assignment(np.where(comparable, cost, 4 * (1 + same)))
    paired = comparable[rows, columns]
    rows, columns = rows[paired], columns[paired]
    cosine = (one["embeddings"][rows] * other["embeddings"][columns]).sum(axis=1)
    return Differences(
        found=len(apart),
        unmatched=sum(apart.shape) - 2 * len(rows),
        bboxes=float(apart[rows, columns].max(initial=0.0)),
        scores=float(np.abs(one["scores"][rows] - other["scores"][columns]).max(initial=0.0)),
        embeddings=float((1 - cosine).max(initial=0.0)),
    )


def example_images(
    preprocessor: Any, size: tuple[int, int], files: Sequence[str | Path] | None = None
) -> Tensor:
    """Images to compare on, ``(B, 3, H, W)``, normalised.

    Args:
        preprocessor: The model's.
        size: (width, height) px.
        files: Images, resized without regard to their form; None: two of noise.
    """
    if files:
        images = [cv2.resize(read_image(file), size) for file in files]
    else:
        rng = np.random.default_rng(0)
        images = list(rng.integers(0, 256, (2, size[1], size[0], 3), dtype=np.uint8))
    inputs = [torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))) for image in images]
    return preprocessor({"inputs": inputs, "data_samples": None})["inputs"]


def with_all_candidates(model: Any, task: str = "track") -> Any:
    """A copy of a model that takes every candidate for a detection, however small its score.

    A trained network finds little on noise; its candidates are decoded none the less.

    Args:
        model: A ``TrackingModel`` with a detector that is exported.
        task: Whose settings change.
    """
    model = copy.deepcopy(model)
    settings = model.detector.bbox_head.settings
    settings[task] = replace(settings[task], score_thr=0.0)
    return model


def compare(model: Any, path: str | Path, images: Tensor, task: str = "track") -> Differences:
    """Give the same images to a model's detector and to its exported file.

    Args:
        model: The ``TrackingModel`` that was exported.
        path: The file.
        images: ``(B, 3, H, W)``, normalised.
        task: As exported.
    """
    with torch.no_grad():
        ours = exportable(model.detector, task)(images)
    arrays = {name: value.numpy() for name, value in zip(OUTPUTS, ours, strict=True)}
    session, _ = open_session(path)
    theirs = session.run(list(OUTPUTS), {"inputs": images.numpy()})
    return differences(arrays, dict(zip(OUTPUTS, theirs, strict=True)))
