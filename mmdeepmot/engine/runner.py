"""mmengine's runner, for sharded and for compiled models too."""

from collections.abc import Mapping
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import EMAHook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn

from mmdeepmot.config_file import ConfigError
from mmdeepmot.registry import RUNNERS

from . import recompute  # noqa: F401  (replaces mmengine's activation checkpointing)
from .parts import find_parts
from .sharding import FullySharded, keep_states_whole


@RUNNERS.register_module()
class MOTRunner(Runner):
    """mmengine's runner; arguments as there.

    - Models of type :class:`FullySharded` are saved and resumed whole.
    - ``compile`` (True, or a dict of options of ``torch.compile`` and ``modules``, names or
      patterns; backbones and necks by default) compiles these modules. mmengine compiles the whole
      ``train_step``, which here breaks into pieces, and again for every number of objects.
    """

    def train(self) -> nn.Module:
        """As mmengine's.

        Raises:
            ConfigError: If a hook would copy a sharded model.
        """
        if isinstance(self.model, FullySharded):
            for hook in self.hooks:
                if isinstance(hook, EMAHook):
                    raise ConfigError(
                        f"{type(hook).__name__} keeps a copy of the model, which FullySharded "
                        "cannot give: leave it out of custom_hooks, or model_wrapper_cfg out of "
                        "the config"
                    )
        return super().train()

    def build_optim_wrapper(self, optim_wrapper: Any) -> OptimWrapper:
        """As mmengine's; states of sharded parameters are given and taken whole."""
        built = isinstance(optim_wrapper, OptimWrapper)
        wrapper = super().build_optim_wrapper(optim_wrapper)
        if not built and isinstance(self.model, FullySharded):
            keep_states_whole(wrapper.optimizer)
        return wrapper

    def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """As mmengine's; to be called on all processes, of which the first writes.

        What is sharded is gathered from the others, which give their part here.
        """
        if isinstance(self.model, FullySharded) and not is_main_process():
            self.model.module.state_dict()
            if kwargs.get("save_optimizer", True):
                self.optim_wrapper.state_dict()
        super().save_checkpoint(*args, **kwargs)

    def _init_model_weights(self) -> None:
        """As mmengine's; a sharded model has been initialised before it was divided."""
        if not isinstance(self.model, FullySharded):
            super()._init_model_weights()

    def _maybe_compile(self, target: str) -> None:
        """Compile the parts that ``compile`` of the config names.

        Raises:
            ConfigError: If it is neither a bool nor a dict, or a name fits no module.
        """
        wanted = self.cfg.get("compile")
        if not wanted:
            return
        if wanted is not True and not isinstance(wanted, Mapping):
            raise ConfigError(f"compile: expected True, False or a dict of options, got {wanted!r}")
        options = {} if wanted is True else dict(wanted)
        model = self.model.module if is_model_wrapper(self.model) else self.model
        parts = find_parts(model, options.pop("modules", None), "compile.modules")
        for part in parts:
            part.compile(**options)
        self.logger.info(f"{len(parts)} parts are compiled: the first iterations take longer.")
