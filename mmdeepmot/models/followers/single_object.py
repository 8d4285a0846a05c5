"""What followers that look at crops have in common."""

from torch import nn

from mmdeepmot.models.mot.follower import Follower


class SingleObjectFollower(Follower):
    """A follower that cuts every target out of the image.

    Args:
        norm_eval: Whether batch normalisation keeps its running statistics in training.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(self, norm_eval: bool = False, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.norm_eval = norm_eval

    def train(self, mode: bool = True) -> "SingleObjectFollower":
        """Sets the mode; with ``norm_eval`` the normalisation stays in evaluation mode."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self
