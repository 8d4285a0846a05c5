"""Trained weights of matchers: safetensors files, those of the package and others.

A safetensors file holds tensors and texts and cannot hold code; these files are read by its library
and nothing else. Beside the tensors, a file says how it was made: command, data, seed, time.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.engine.checkpoint import CheckpointError
from mmdeepmot.engine.weights import match_weights

FOLDER = Path(__file__).parent / "weights"
SUFFIX = ".safetensors"


def load_pretrained(module: nn.Module, name: str, pretrained: bool | str | Path = True) -> None:
    """Load trained weights into a matcher as it was built.

    Args:
        module: Receives the weights, converted to its own types.
        name: Of the package's file for this architecture, without suffix.
        pretrained: True: the package's file; a path: that one; False: nothing is done.

    Raises:
        FileNotFoundError: If the file is missing.
        CheckpointError: If it is no readable safetensors file, or of another architecture.
    """
    if not pretrained:
        return
    if pretrained is True:
        path = FOLDER / f"{name}{SUFFIX}"
        if not path.is_file():
            raise FileNotFoundError(_not_shipped(type(module).__name__, name))
    else:
        path = Path(pretrained).expanduser()
    weights, _ = read_weights(path)
    match = match_weights(module, weights)
    if match.fraction < 1:
        raise CheckpointError(
            f"{path}: weights of another architecture. Expected those of {type(module).__name__} "
            f"as configured; {match.matched} tensors match. {match.describe()}. Use the options "
            "that the weights were trained with, or pretrained=False."
        )
    module.load_state_dict(weights)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, and the texts that say how it was made.

    Raises:
        FileNotFoundError: If the file is missing.
        CheckpointError: If it is no readable safetensors file.
    """
    if path.suffix != SUFFIX:
        raise CheckpointError(
            f"{path}: expected a {SUFFIX} file. A checkpoint of a training is loaded by "
            "init_cfg=dict(type='Pretrained', checkpoint=..., prefix=...)."
        )
    if not path.is_file():
        raise FileNotFoundError(f"weights {path} do not exist (pretrained expects True or a file)")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except SafetensorError as error:
        raise CheckpointError(
            f"{path}: not a readable safetensors file ({error}); it may be truncated: copy it again"
        ) from error


def save_weights(
    module: nn.Module, path: Path, made_by: Mapping[str, str], dtype: torch.dtype | None = None
) -> None:
    """Write a matcher's weights as a file for :func:`load_pretrained`.

    Args:
        module: The matcher.
        path: File to write, ``.safetensors``.
        made_by: Texts: command, data, seed, time, ...
        dtype: Type of the tensors in the file; None: as they are.
    """
    weights = {
        key: value.detach().cpu().to(dtype or value.dtype).contiguous()
        for key, value in module.state_dict().items()
    }
    atomic_write(path, save(weights, dict(made_by)))


def _not_shipped(kind: str, name: str) -> str:
    present = sorted(file.stem for file in FOLDER.glob(f"*{SUFFIX}"))
    return (
        f"there are no trained weights {name!r} for {kind} in {FOLDER}; present: "
        f"{', '.join(present) or 'none'}. Train it with tools/train.py and the config of "
        f"configs/dhn, or give pretrained the path of a {SUFFIX} file"
    )
