"""FairMOT: detection of centres and appearance on one fine feature map.

Paper: Zhang et al., "A Simple Baseline for Multi-Object Tracking" (FairMOT), 2020.
"""

from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.detectors.one_shot import OneShotDetector
from mmdeepmot.registry import MODELS


@MODELS.register_module()
class FairMOT(OneShotDetector):
    """Backbone, neck and a ``FairMOTHead`` over one feature map.

    Arguments as of :class:`OneShotDetector`; the neck may be None where the backbone itself gives
    one map.
    """

    def default_divisor(self) -> int:
        """32, the largest stride inside the paper's backbones."""
        return 32

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """The feature map ``(B, C, H / s, W / s)`` of images ``(B, 3, H, W)``, a tuple of one.

        Raises:
            InputError: If the size does not fit, or backbone and neck give several maps or one
                of another stride than the head's.
        """
        features = super().extract_feat(batch_inputs)
        stride = self.bbox_head.stride
        wanted = [(batch_inputs.shape[-2] // stride, batch_inputs.shape[-1] // stride)]
        shapes = [(f.shape[-2], f.shape[-1]) for f in features]
        if shapes != wanted:
            raise InputError(
                f"FairMOT's head has stride {stride} and expects one feature map of "
                f"{wanted[0][0]}x{wanted[0][1]} (HxW), backbone and neck gave "
                f"{', '.join(f'{h}x{w}' for h, w in shapes)}: set bbox_head.stride, or the neck's "
                "output"
            )
        return features
