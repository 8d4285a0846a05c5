"""Networks that tell people apart by crops of them."""

from mmdeepmot.models.reid.bn_neck_head import BNNeckHead
from mmdeepmot.models.reid.crops import crop_boxes
from mmdeepmot.models.reid.ide_head import IDEHead
from mmdeepmot.models.reid.pcb_head import PCBHead
from mmdeepmot.models.reid.reid_net import ReIDNet
from mmdeepmot.models.reid.triplet_head import TripletHead

__all__ = ["BNNeckHead", "IDEHead", "PCBHead", "ReIDNet", "TripletHead", "crop_boxes"]
