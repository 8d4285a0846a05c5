"""Does a checkpoint fit a model? Said before anything runs on half-loaded weights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import load_state_dict
from torch import Tensor, nn

from .checkpoint import CheckpointError, load_checkpoint

MOST = 0.8
"""Share of keys that must match for a checkpoint to count as one of this architecture: a
replaced classifier and the weights of a loss balancer may differ, a backbone may not."""


@dataclass(frozen=True)
class WeightMatch:
    """How the keys and shapes of a checkpoint and a model compare (BN counters left out)."""

    matched: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reshaped: tuple[str, ...]

    @property
    def fraction(self) -> float:
        """Matched keys over all keys of either side; 1 where both have none."""
        total = self.matched + len(self.missing) + len(self.unexpected) + len(self.reshaped)
        return self.matched / total if total else 1.0

    def describe(self, limit: int = 5) -> str:
        """What does not match, at most ``limit`` keys of each kind."""
        kinds = {
            "only in the model": self.missing,
            "only in the checkpoint": self.unexpected,
            "other shapes (checkpoint -> model)": self.reshaped,
        }
        parts = [
            f"{len(keys)} {kind}: {', '.join(keys[:limit])}" + (", ..." * (len(keys) > limit))
            for kind, keys in kinds.items()
            if keys
        ]
        return "; ".join(parts) or "everything matches"


def state_dict_of(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The weights in a checkpoint, without the prefix ``module.`` of wrapped models."""
    weights = checkpoint.get("state_dict", checkpoint)
    return {re.sub(r"^module\.", "", key): value for key, value in weights.items()}


def match_weights(model: nn.Module, weights: Mapping[str, Any]) -> WeightMatch:
    """Compare names and shapes."""
    wanted = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    given = {k: v for k, v in weights.items() if not k.endswith("num_batches_tracked")}
    reshaped = [
        f"{key} {_shape(given[key])} -> {_shape(wanted[key])}"
        for key in wanted.keys() & given.keys()
        if _shape(given[key]) != _shape(wanted[key])
    ]
    return WeightMatch(
        matched=len(wanted.keys() & given.keys()) - len(reshaped),
        missing=tuple(key for key in wanted if key not in given),
        unexpected=tuple(key for key in given if key not in wanted),
        reshaped=tuple(sorted(reshaped)),
    )


def _shape(value: Any) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__


def check_weights(
    model: nn.Module, checkpoint: Mapping[str, Any], name: str, strict_fraction: float = MOST
) -> WeightMatch:
    """Raise unless enough of the keys match.

    Args:
        model: The model as configured.
        checkpoint: A loaded checkpoint.
        name: Its file, for the message.
        strict_fraction: Least share of keys, of both sides together, that must match.

    Raises:
        CheckpointError: Names how many matched and the first keys that did not.
    """
    match = match_weights(model, state_dict_of(checkpoint))
    if match.fraction < strict_fraction:
        raise CheckpointError(
            f"{name}: a checkpoint of another architecture. Expected the weights of "
            f"{type(model).__name__} as configured, {match.matched} keys match "
            f"({match.fraction:.0%} of all, at least {strict_fraction:.0%} must). "
            f"{match.describe()}. Use the config that the checkpoint was trained with."
        )
    return match


def load_weights(
    model: nn.Module,
    path: str | Path,
    strict_fraction: float = MOST,
    map_location: Any = "cpu",
) -> WeightMatch:
    """Load a checkpoint's weights into a model for inference or as a start.

    Args:
        model: Receives the weights; may be wrapped for distributed training.
        path: Path or address.
        strict_fraction: Least share of keys that must match (0: any).
        map_location: As for ``torch.load``.

    Returns:
        What matched; the rest is also logged (by mmengine).

    Raises:
        FileNotFoundError: If the file is missing.
        CheckpointError: If it is damaged, unsafe, or of another architecture.
    """
    if is_model_wrapper(model):
        model = cast(nn.Module, model.module)
    checkpoint = load_checkpoint(path, map_location)
    match = check_weights(model, checkpoint, str(path), strict_fraction)
    load_state_dict(model, state_dict_of(checkpoint), strict=False)
    return match
