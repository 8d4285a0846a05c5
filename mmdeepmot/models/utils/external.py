"""Networks whose weights come from elsewhere and do not learn: no part of a model's checkpoints."""

from typing import Any

from torch import nn


def keep_out_of_checkpoints(module: nn.Module) -> None:
    """Leaves a module out of the state dicts of whatever holds it, and does not miss it in them.

    So a checkpoint holds what was trained, whatever helped to train it.
    """
    module._register_state_dict_hook(_leave_out)
    module.register_load_state_dict_post_hook(_not_missed)


def _leave_out(module: nn.Module, state: dict[str, Any], prefix: str, _: Any) -> None:
    for key in [key for key in state if key.startswith(prefix)]:
        del state[key]


def _not_missed(module: nn.Module, keys: Any) -> None:
    own = {name for name, _ in (*module.named_parameters(), *module.named_buffers())}
    for key in list(keys.missing_keys):
        if any(key == name or key.endswith(f".{name}") for name in own):
            keys.missing_keys.remove(key)
