"""A config's model with trained weights, for commands that ask one of its networks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmdeepmot.engine.weights import load_weights
from mmdeepmot.errors import InputError
from mmdeepmot.registry import MODELS, SCOPE


def load_model(
    cfg: Config, checkpoint: str | Path, device: str, check: Callable[[Any], None]
) -> Any:
    """The model of a config with the weights of a checkpoint, ready to be asked.

    Args:
        cfg: With ``model``.
        checkpoint: Its weights.
        device: Where the model goes.
        check: Is given the model before its weights are read, and raises if it is of no use.

    Raises:
        InputError: The config has no model; or as ``check``.
        CheckpointError: The checkpoint does not fit the model.
    """
    init_default_scope(SCOPE)
    if not cfg.get("model"):
        raise InputError(f"{cfg.filename or 'the config'} has no `model`")
    model = MODELS.build(cfg.model)
    check(model)
    load_weights(model, checkpoint)
    return model.to(device).eval()
