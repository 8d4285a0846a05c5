"""Training of single-object trackers on pairs of frames."""

from mmdeepmot.models.sot_training.goturn_loss import GOTURNPairLoss
from mmdeepmot.models.sot_training.pair_model import SOTPairModel
from mmdeepmot.models.sot_training.siamrpn_loss import SiamRPNPairLoss

__all__ = ["GOTURNPairLoss", "SOTPairModel", "SiamRPNPairLoss"]
