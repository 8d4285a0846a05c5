"""Networks that tell people apart by crops of them."""

from mmdeepmot.models.reid.bn_neck_head import BNNeckHead
from mmdeepmot.models.reid.crops import crop_boxes
from mmdeepmot.models.reid.reid_net import ReIDNet

__all__ = ["BNNeckHead", "ReIDNet", "crop_boxes"]
