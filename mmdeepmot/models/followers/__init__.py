"""Networks that follow targets from frame to frame."""

from mmdeepmot.models.followers.goturn import GOTURN
from mmdeepmot.models.followers.siamrpn import SiamRPN
from mmdeepmot.models.followers.tracktor import Tracktor

__all__ = ["GOTURN", "SiamRPN", "Tracktor"]
