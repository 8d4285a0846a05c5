"""Motion models: where tracks are expected in the next frame."""

from mmdeepmot.motion.base import Motion
from mmdeepmot.motion.block_kalman import AreaKalman, AspectKalman, BlockKalman
from mmdeepmot.motion.kalman import CHI2_95

__all__ = ["CHI2_95", "AreaKalman", "AspectKalman", "BlockKalman", "Motion"]
