"""The DeepMOT loss of whole scenes: boxes and identities in, terms and gradients out."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmdeepmot.evaluation.functional.faulty_scenes import BoxScene
from mmdeepmot.models.losses.box_distance import box_distance
from mmdeepmot.models.losses.deepmot import DEFAULTS, DeepMOTTerms, deepmot_loss
from mmdeepmot.models.losses.deepmot_options import DeepMOTOptions

Match = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Distances ``(T, N, M)``, masks of rows ``(T, N)`` and columns ``(T, M)`` to an assignment."""


@dataclass(frozen=True)
class SceneInputs:
    """What the loss takes of a scene, but the assignment.

    Attributes:
        distances: ``(T, N, M)``.
        row_ids: ``(T, N)`` int64, -1: padding.
        col_ids: ``(T, M)`` int64, -1: padding.
    """

    distances: Tensor
    row_ids: Tensor
    col_ids: Tensor


def scene_inputs(
    scene: BoxScene, min_iou: float = 0.0, track_bboxes: Tensor | None = None
) -> SceneInputs:
    """Distances and identities of a scene.

    Args:
        scene: T frames of N tracks and M objects.
        min_iou: Pairs that overlap less are forbidden.
        track_bboxes: ``(T, N, 4)`` xyxy px, instead of the scene's; their type and device are those
            of the distances. None: the scene's, float64.
    """
    bboxes = torch.from_numpy(scene.track_bboxes) if track_bboxes is None else track_bboxes
    objects = torch.from_numpy(scene.object_bboxes).to(bboxes)
    return SceneInputs(
        box_distance(bboxes, objects, scene.image_size, min_iou=min_iou),
        torch.from_numpy(scene.track_ids).to(bboxes.device),
        torch.from_numpy(scene.object_ids).to(bboxes.device),
    )


def scene_terms(
    scene: BoxScene,
    match: Match,
    options: DeepMOTOptions = DEFAULTS,
    min_iou: float = 0.0,
    track_bboxes: Tensor | None = None,
) -> DeepMOTTerms:
    """The terms of a scene, from its boxes; ``match`` is a matcher, the rest as above."""
    given = scene_inputs(scene, min_iou, track_bboxes)
    assignment = match(given.distances, given.row_ids >= 0, given.col_ids >= 0)
    return deepmot_loss(given.distances, assignment, given.row_ids, given.col_ids, options=options)[
        0
    ]


def scene_errors(terms: DeepMOTTerms) -> dict[str, Tensor]:
    """What is to be made small, summed over the frames: scalars by the names of the errors."""
    return {
        "FP": terms.false_positives.sum(),
        "FN": terms.misses.sum(),
        "IDS": terms.switches.sum(),
        "1 - dMOTP": 1 - terms.dmotp,
        "loss": terms.loss,
    }


def scene_gradients(
    scene: BoxScene, match: Match, options: DeepMOTOptions = DEFAULTS, min_iou: float = 0.0
) -> dict[str, Tensor]:
    """Gradient ``(T, N, 4)`` of each of :func:`scene_errors` by the tracks' boxes, xyxy px."""
    bboxes = torch.from_numpy(scene.track_bboxes).requires_grad_()
    errors = scene_errors(scene_terms(scene, match, options, min_iou, bboxes))
    gradients = {name: torch.zeros_like(bboxes) for name in errors}
    for name, error in errors.items():
        if error.requires_grad:  # not so through the exact assignment
            (gradients[name],) = torch.autograd.grad(error, bboxes, retain_graph=True)
    return gradients
