"""Checkpoints are data: loaded with ``weights_only=True``, and never otherwise.

mmengine's loaders fall back to unrestricted unpickling, which executes what a file says; its
``Runner.resume`` and inferencer execute config text found in a checkpoint. Importing this module
replaces the loaders of every scheme (paths, http, s3, torchvision, open-mmlab, mmcls, ...), and
the loaded checkpoint no longer contains config text.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any

import numpy as np
import torch
from mmengine.dist import barrier, get_dist_info
from mmengine.fileio import get_file_backend
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from mmdeepmot.errors import UserError

Checkpoint = dict[str, Any]
LATEST_POINTER = "last_checkpoint"
"""File in a work dir that names its newest checkpoint (mmengine's name for it)."""


class CheckpointError(UserError, RuntimeError):
    """A checkpoint is unreadable, unsafe, or does not fit the model."""


class _History(HistoryBuffer):
    """Takes the numbers of a pickled log history.

    mmengine's own ``__setstate__`` would also install whatever functions the file names, for all
    histories of the process.
    """

    def __init__(self) -> None:
        super().__init__()

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self._log_history = np.asarray(state["_log_history"], dtype=np.float64)
        self._count_history = np.asarray(state["_count_history"], dtype=np.int64)
        self.max_length = int(state["max_length"])

    def plain(self) -> HistoryBuffer:
        """The same history as mmengine's class."""
        values, counts = self.data
        return HistoryBuffer(values, counts, max_length=self.max_length)


def _no_attribute(*_: object) -> None:
    """Stands for ``getattr``, by which histories refer to their methods; gives nothing."""


def _named(entry: Any, module: str, name: str) -> Any:
    """Let ``entry`` be found under another name by the unpickler, which goes by these fields."""
    entry.__module__, entry.__name__, entry.__qualname__ = module, name, name
    return entry


def _numpy_globals() -> list[Any]:
    """What pickled numpy numbers and arrays of numbers refer to, in numpy 1 and 2."""
    core: Any = (np._core if hasattr(np, "_core") else np.core).multiarray

    def forward(target: Callable, module: str) -> Callable:
        def call(*args: Any) -> Any:
            return target(*args)

        return _named(call, module, target.__name__)

    functions = [
        forward(target, f"numpy.{package}.multiarray")
        for package in ("core", "_core")
        for target in (core._reconstruct, core.scalar)
    ]
    dtypes = {type(np.dtype(code)) for code in "?bBhHiIlLqQefdFDU"}
    return [np.ndarray, np.dtype, *dtypes, *functions]


_ALLOWED: list[Any] = [
    slice,
    _named(_no_attribute, "builtins", "getattr"),
    _named(_History, "mmengine.logging.history_buffer", "HistoryBuffer"),
    *_numpy_globals(),
]


@contextmanager
def _allowed_globals() -> Iterator[None]:
    if hasattr(torch.serialization, "safe_globals"):
        with torch.serialization.safe_globals(_ALLOWED):
            yield
    else:  # torch 2.4
        torch.serialization.add_safe_globals(_ALLOWED)
        yield


def sanitize(checkpoint: Any) -> Any:
    """Remove config text (mmengine would execute it) and make log histories mmengine's again."""
    if not isinstance(checkpoint, dict):
        return checkpoint
    meta = checkpoint.get("meta")
    if isinstance(meta, dict):
        for key in ("cfg", "config"):
            meta.pop(key, None)
    message_hub = checkpoint.get("message_hub")
    if isinstance(message_hub, dict):
        for part in ("runtime_info", "resumed_keys"):
            if isinstance(message_hub.get(part), dict):
                message_hub[part].pop("cfg", None)
        scalars = message_hub.get("log_scalars")
        if isinstance(scalars, dict):
            for key, history in list(scalars.items()):
                if isinstance(history, _History):
                    scalars[key] = history.plain()
    return checkpoint


def _read(file: Path | IO[bytes], name: str, map_location: Any) -> Checkpoint:
    try:
        with _allowed_globals():
            checkpoint = torch.load(file, map_location=map_location, weights_only=True)
    except UnpicklingError as error:
        reason = str(error).split("WeightsUnpickler error:")[-1].strip().splitlines()
        raise CheckpointError(
            f"{name}: refused. It is damaged, or contains objects other than tensors, numbers and "
            f"texts, which could execute code ({reason[0] if reason else error}). Expected a "
            "checkpoint written by torch.save from plain weights. If you trust its origin, convert "
            "it where it was made: torch.save(dict(state_dict=model.state_dict()), file)."
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{name}: not a readable checkpoint ({type(error).__name__}: {error}). Expected a file "
            "written by torch.save; it may be truncated: copy or download it again, or use an "
            "earlier checkpoint of the same folder."
        ) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(
            f"{name}: expected a dict of weights, got {type(checkpoint).__name__}."
        )
    return sanitize(checkpoint)


def _read_safetensors(path: Path, map_location: Any) -> Checkpoint:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise CheckpointError(f"{path}: pip install safetensors to read this file.") from error
    weights = load_file(path)
    if isinstance(map_location, (str, torch.device)):
        weights = {key: value.to(map_location) for key, value in weights.items()}
    return {"state_dict": weights}


def load_local(filename: str | Path, map_location: Any = "cpu") -> Checkpoint:
    """Load a checkpoint file (torch's format, or .safetensors).

    Raises:
        FileNotFoundError: If there is none; names what is there instead.
        CheckpointError: If it is damaged or not plain data.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(_missing(path))
    if path.suffix == ".safetensors":
        return _read_safetensors(path, map_location)
    return _read(path, str(path), map_location)


def _missing(path: Path) -> str:
    if path.is_dir():
        problem, folder = f"{path} is a folder, expected a checkpoint file", path
    else:
        problem, folder = f"checkpoint {path} does not exist", path.parent
    present = [file.name for file in sorted(folder.glob("*.pth"))] if folder.is_dir() else []
    if not present:
        return f"{problem}; there is no .pth file in {folder}."
    return f"{problem}; did you mean one of {get_close_matches(path.name, present) or present[:5]}?"


def load_http(filename: str, map_location: Any = "cpu", model_dir: str | None = None) -> Checkpoint:
    """Download into torch's cache (on the first process) and load."""
    rank, _ = get_dist_info()
    if rank != 0:
        barrier()
    try:
        with _allowed_globals():
            checkpoint = torch.hub.load_state_dict_from_url(
                filename, model_dir, map_location, progress=rank == 0, weights_only=True
            )
    except UnpicklingError as error:
        raise CheckpointError(
            f"{filename}: refused, it contains objects other than tensors, numbers and texts, "
            f"which could execute code ({error})."
        ) from error
    if rank == 0:
        barrier()
    return sanitize(checkpoint)


def load_stored(filename: str, map_location: Any = "cpu") -> Checkpoint:
    """Load from a storage that mmengine has a file backend for (s3, petrel)."""
    content = get_file_backend(filename, backend_args={"backend": "petrel"}).get(filename)
    return _read(io.BytesIO(content), filename, map_location)


def load_torchvision(filename: str, map_location: Any = "cpu") -> Checkpoint:
    """Load ``torchvision://NAME``; without torchvision, from mmengine's list of addresses."""
    try:
        models = mmengine_checkpoint.get_torchvision_models()
    except (ImportError, RuntimeError):
        listed = Path(mmengine_checkpoint.mmengine.__path__[0]) / "hub/torchvision_0.12.json"
        models = mmengine_checkpoint.load_file(str(listed))
    return _load_listed(filename, models, map_location)


def load_openmmlab(filename: str, map_location: Any = "cpu") -> Checkpoint:
    """Load ``open-mmlab://NAME``."""
    models = mmengine_checkpoint.get_external_models()
    renamed = mmengine_checkpoint.get_deprecated_model_names()
    scheme, name = filename.split("://", 1)
    return _load_listed(f"{scheme}://{renamed.get(name, name)}", models, map_location)


def load_mmcls(filename: str, map_location: Any = "cpu") -> Checkpoint:
    """Load the backbone of ``mmcls://NAME``."""
    checkpoint = _load_listed(filename, mmengine_checkpoint.get_mmcls_models(), map_location)
    return mmengine_checkpoint._process_mmcls_checkpoint(checkpoint)


def _load_listed(filename: str, models: Mapping[str, str], map_location: Any) -> Checkpoint:
    name = filename.split("://", 1)[1]
    if name not in models:
        near = get_close_matches(name, models)
        raise CheckpointError(f"{filename}: unknown name; near ones: {near or 'none'}.")
    address = models[name]
    if address.startswith(("http://", "https://")):
        return load_http(address, map_location)
    return load_local(Path(mmengine_checkpoint._get_mmengine_home()) / address, map_location)


def _refuse(filename: str, map_location: Any = "cpu") -> Checkpoint:
    raise CheckpointError(
        f"{filename}: this kind of address cannot be loaded safely. Copy the file to a local path."
    )


def install() -> None:
    """Make every scheme of mmengine's ``CheckpointLoader`` load with ``weights_only=True``."""
    loaders: dict[str, Callable] = {
        "": load_local,
        "http://": load_http,
        "https://": load_http,
        r"(\S+\:)?s3://": load_stored,
        r"(\S+\:)?petrel://": load_stored,
        "modelzoo://": load_torchvision,
        "torchvision://": load_torchvision,
        "open-mmlab://": load_openmmlab,
        "openmmlab://": load_openmmlab,
        "mmcls://": load_mmcls,
    }
    for prefix in {*CheckpointLoader._schemes, *loaders}:
        CheckpointLoader.register_scheme(prefix, loaders.get(prefix, _refuse), force=True)


install()


def load_checkpoint(filename: str | Path, map_location: Any = "cpu") -> Checkpoint:
    """Load a checkpoint from a path or any address that mmengine knows, safely.

    Args:
        filename: Path, ``https://...``, ``torchvision://...``, ``open-mmlab://...``, ...
        map_location: As for ``torch.load``.

    Returns:
        The checkpoint, without config text.

    Raises:
        FileNotFoundError: If a local file is missing.
        CheckpointError: If it is damaged or not plain data.
    """
    return CheckpointLoader._get_checkpoint_loader(str(filename))(str(filename), map_location)


def find_latest_checkpoint(work_dir: str | Path) -> Path | None:
    """The newest checkpoint of a run, or None.

    It is the one that the pointer file names; where that is gone (a moved folder: the file of
    that name here), the one with the highest epoch or iteration in its name.
    """
    folder = Path(work_dir)
    pointer = folder / LATEST_POINTER
    if pointer.is_file():
        named = Path(pointer.read_text(encoding="utf-8").strip())
        for candidate in (named, folder / named.name):
            if candidate.is_file():
                return candidate
    numbered = [
        (int(match.group(1)), file.stat().st_mtime, file)
        for file in folder.glob("*.pth")
        if (match := re.fullmatch(r"(?:epoch|iter)_(\d+)\.pth", file.name))
    ]
    return max(numbered)[2] if numbered else None
