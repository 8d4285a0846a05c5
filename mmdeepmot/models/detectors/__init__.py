"""Detectors."""

from mmdeepmot.models.detectors.box_detector import BoxDetector
from mmdeepmot.models.detectors.fairmot import FairMOT
from mmdeepmot.models.detectors.jde import JDE
from mmdeepmot.models.detectors.one_shot import OneShotDetector
from mmdeepmot.models.detectors.onnx_detector import OnnxDetector

__all__ = ["JDE", "BoxDetector", "FairMOT", "OneShotDetector", "OnnxDetector"]
