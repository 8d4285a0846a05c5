"""Statistics of batch normalisation that all processes agree on."""

from mmengine.dist import all_reduce_params
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import _NormBase

from mmdeepmot.registry import HOOKS


@HOOKS.register_module()
class SyncStatisticsHook(Hook):
    """Running means and variances become their mean over all processes.

    At the end of each epoch and before each validation, so that every process validates with the
    statistics that the checkpoint holds. mmengine's ``SyncBuffersHook`` takes all buffers, also
    those of kinds that cannot be averaged.
    """

    def after_train_epoch(self, runner: Runner) -> None:
        """Average them."""
        norms = [one for one in runner.model.modules() if isinstance(one, _NormBase)]
        values = [value for one in norms for value in (one.running_mean, one.running_var)]
        all_reduce_params([value for value in values if value is not None], op="mean")

    def before_val_epoch(self, runner: Runner) -> None:
        """Average them."""
        self.after_train_epoch(runner)
