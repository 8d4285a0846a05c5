"""Motion: where tracks are expected in the next frame, and how the camera moved."""

from mmdeepmot.motion.area_kalman import AreaKalman
from mmdeepmot.motion.aspect_kalman import AspectKalman
from mmdeepmot.motion.base import Motion
from mmdeepmot.motion.box_kalman import BoxKalman
from mmdeepmot.motion.camera import CameraFeed, CameraMotion
from mmdeepmot.motion.cmc import ECC, SparseFlow
from mmdeepmot.motion.constant_velocity import ConstantVelocity
from mmdeepmot.motion.corner_kalman import CornerKalman
from mmdeepmot.motion.kalman import CHI2_95
from mmdeepmot.motion.size_kalman import SizeKalman

__all__ = [
    "CHI2_95",
    "ECC",
    "AreaKalman",
    "AspectKalman",
    "BoxKalman",
    "CameraFeed",
    "CameraMotion",
    "ConstantVelocity",
    "CornerKalman",
    "Motion",
    "SizeKalman",
    "SparseFlow",
]
