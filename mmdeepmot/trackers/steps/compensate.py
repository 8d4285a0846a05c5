"""The step that makes up for the motion of the camera."""

import numpy as np

from mmdeepmot.motion.affine import IDENTITY, checked_affine, move_boxes, turn_directions
from mmdeepmot.registry import STEPS
from mmdeepmot.trackers.context import FrameContext
from mmdeepmot.trackers.steps.base import Step

#: Columns of other steps that hold boxes (..., 4) xyxy px of frames before.
BOX_COLUMNS = ("observed", "history")

#: Columns of other steps that hold directions (..., 2): unit vectors, or (0, 0).
DIRECTION_COLUMNS = ("directions",)


@STEPS.register_module()
class Compensate(Step):
    """Move all tracks as the camera moved since the last frame.

    Stands after the ``Predict`` of a Kalman filter, before that of ``ConstantVelocity``.

    What moves: the motion model's state and its covariance, ``bboxes``, and the boxes and
    directions that other steps remember (:data:`BOX_COLUMNS`, :data:`DIRECTION_COLUMNS`).
    ``frame.warp`` is called once in every frame.

    Args:
        required: False: frames without ``warp`` are tracked as if the camera stood still. True:
            they are an error.
    """

    def __init__(self, required: bool = True) -> None:
        self.required = required

    def __call__(self, context: FrameContext) -> None:
        frame, table = context.frame, context.table
        if frame.warp is None:
            if self.required:
                raise ValueError(
                    f"{self.name} needs camera motion, and frame {frame.index} has no 'warp': "
                    "estimating it takes the images. Give the folder of images to the command that "
                    "tracks from detections, or camera=dict(type='SparseFlow') to the tracking "
                    "model, or Frame(..., warp=...); or track without, by "
                    "dict(type='Compensate', required=False)"
                )
            return
        affine = checked_affine(frame.warp(), self.name)
        if not len(table) or np.array_equal(affine, IDENTITY):
            return
        context.motion.warp(table, slice(0, len(table)), affine)
        for name in BOX_COLUMNS:
            if name in table:
                table[name][...] = move_boxes(table[name], affine)
        for name in DIRECTION_COLUMNS:
            if name in table:
                table[name][...] = turn_directions(table[name], affine)
