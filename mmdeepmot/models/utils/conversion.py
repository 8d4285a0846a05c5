"""What the loaders of published checkpoints share: finding, renaming, checking, writing weights."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.errors import InputError

NESTS = ("state_dict", "model")
"""Entries of a checkpoint under which its weights may lie."""


@dataclass(frozen=True)
class Conversion:
    """Result of a conversion.

    Attributes:
        state: Our names and their tensors, all of the right shape.
        unmatched: Keys of the source that have no place here.
        mismatched: ``key: expected (…), got (…)`` for keys whose shape differs.
        missing: Our keys for which the source has nothing.
        unused: Keys of the source that its own network does not use.
    """

    state: dict[str, Tensor]
    unmatched: list[str]
    mismatched: list[str]
    missing: list[str]
    unused: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every key of both sides was matched."""
        return not (self.unmatched or self.mismatched or self.missing)


def read_weights(path: str | Path, belongs: Callable[[str], bool], expected: str) -> dict:
    """The weights in a checkpoint, wherever they are nested, ``module.`` prefixes removed.

    Args:
        path: Path or address.
        belongs: Tells from a key whether it is of the format that is looked for.
        expected: That format, for the message.

    Returns:
        Names and tensors.

    Raises:
        FileNotFoundError: If there is no file.
        CheckpointError: If it is damaged, or not plain data.
        InputError: If no key belongs.
    """
    content: Mapping = load_checkpoint(path)
    while nested := [key for key in NESTS if isinstance(content.get(key), Mapping)]:
        content = content[nested[0]]
    weights = {
        str(key).removeprefix("module."): value
        for key, value in content.items()
        if isinstance(value, Tensor)
    }
    if not any(map(belongs, weights)):
        raise InputError(
            f"{path} is no {expected}; found {list(weights)[:3] or 'no tensors'}: is it the file "
            "of another network?"
        )
    return weights


def convert_state(
    source: Mapping[str, Tensor],
    target: Mapping[str, Tensor],
    our_name: Callable[[str], str | None],
    is_unused: Callable[[str], bool] = lambda key: False,
) -> Conversion:
    """Renames a state dict and compares shapes.

    Args:
        source: Published names and tensors.
        target: Our state dict, whose shapes are expected. Its values are not used.
        our_name: Our name for a published one (without ``module.``); None, or a name that
            ``target`` lacks: it has none.
        is_unused: Whether the published network itself does not use a key.

    Returns:
        What could be converted, and what could not. Counters of batch normalisation, which older
        checkpoints lack and nothing is computed from, are never missing.
    """
    state: dict[str, Tensor] = {}
    unmatched: list[str] = []
    mismatched: list[str] = []
    unused: list[str] = []
    for key, value in source.items():
        plain = key.removeprefix("module.")
        ours = our_name(plain)
        if is_unused(plain):
            unused.append(key)
        elif ours is None or ours not in target:
            unmatched.append(key)
        elif value.shape != target[ours].shape:
            expected, got = tuple(target[ours].shape), tuple(value.shape)
            mismatched.append(f"{key}: expected {expected}, got {got}")
        else:
            state[ours] = value.detach().clone()
    missing = [k for k in target if k not in state and not k.endswith("num_batches_tracked")]
    return Conversion(state, unmatched, mismatched, missing, unused)


def require(problems: list[str], source: str | Path, target: str) -> None:
    """Raises with the list of what does not fit, if anything.

    Raises:
        InputError: One line a problem.
    """
    if problems:
        raise InputError(
            f"{source} does not fit {target} ({len(problems)} keys):\n  " + "\n  ".join(problems)
        )


def write_detector(out: Path, state: Mapping[str, Tensor], meta: Mapping[str, str]) -> None:
    """Writes weights of a detector as a checkpoint of a ``TrackingModel``, whole or not at all."""
    content = {
        "state_dict": {f"detector.{key}": value for key, value in state.items()},
        "meta": dict(meta),
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    atomic_write(out, buffer.getvalue())


def keep_loaded(module: nn.Module) -> None:
    """Keeps a module's parts as an initialiser has loaded them.

    mmengine initialises the parts of a module after the module itself, so that a convolution
    block would draw its weights anew.
    """
    for part in module.modules():
        if part is not module and hasattr(part, "init_weights"):
            part.is_init = True  # type: ignore[assignment]
