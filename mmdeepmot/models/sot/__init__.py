"""Parts of single-object trackers."""

from mmdeepmot.models.sot.alexnet import CaffeNet, SiamAlexNet
from mmdeepmot.models.sot.rpn import DepthwiseRPN, UpChannelRPN

__all__ = ["CaffeNet", "DepthwiseRPN", "SiamAlexNet", "UpChannelRPN"]
