"""JDE: detection and appearance in one single-shot network.

Paper: Wang et al., "Towards Real-Time Multi-Object Tracking", ECCV 2020.
"""

from torch import Tensor

from mmdeepmot.models.detectors.one_shot import OneShotDetector
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class JDE(OneShotDetector):
    """Backbone, neck and a ``JDEHead`` over feature maps of several strides.

    Arguments as of :class:`OneShotDetector`; the neck may give its maps in either order.
    """

    def default_divisor(self) -> int:
        """The head's largest stride."""
        return self.bbox_head.strides[-1]

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps ``(B, C, H, W)`` of images ``(B, 3, H', W')``, finest first."""
        features = super().extract_feat(batch_inputs)
        return tuple(sorted(features, key=lambda feature: -feature.shape[-1]))
