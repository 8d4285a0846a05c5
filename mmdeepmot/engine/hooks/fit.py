"""Does what is loaded fit what was configured? Asked before the first iteration."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop

from mmdeepmot.registry import HOOKS

from ..config_check import ConfigError
from ..weights import MOST, check_weights


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Refuse a checkpoint of another architecture instead of running on half-loaded weights.

    Resuming needs every key, testing most of them; a start from ``load_from`` may be partial, but
    not empty.

    Args:
        test_fraction: Least share of keys that must match for testing.
    """

    priority = "HIGHEST"

    def __init__(self, test_fraction: float = MOST) -> None:
        self.test_fraction = test_fraction

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare names and shapes.

        Raises:
            CheckpointError: If too little matches.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if runner._resume:
            fraction = 1.0
        elif isinstance(runner._train_loop, BaseLoop):
            fraction = 1e-9
        else:
            fraction = self.test_fraction
        name = str(runner._load_from or "the latest checkpoint")
        check_weights(model, checkpoint, name, fraction)


@HOOKS.register_module()
class IdentityCountHook(Hook):
    """Compare the identities of the training data with the sizes of the model's classifiers."""

    priority = "HIGHEST"

    def before_train(self, runner: Runner) -> None:
        """Check every module that has an integer ``num_ids``.

        Raises:
            ConfigError: If the data has more identities than a classifier has classes.
        """
        available = getattr(runner.train_dataloader.dataset, "num_identities", None)
        if available is None:
            return
        for name, module in runner.model.named_modules():
            num_ids = getattr(module, "num_ids", None)
            if isinstance(num_ids, int) and available > num_ids:
                raise ConfigError(
                    f"The training data has {available} identities (0 to {available - 1}), the "
                    f"classifier of {name or 'the model'} ({type(module).__name__}) has "
                    f"num_ids={num_ids}. Set num_ids=None there (as many as the data has) or at "
                    f"least {available}."
                )
