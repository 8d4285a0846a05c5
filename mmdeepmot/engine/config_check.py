"""Compare a config with the constructors that it will be given to, without building anything."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import mmengine.registry as mmengine_registries
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.runner import EpochBasedTrainLoop, Runner, TestLoop, ValLoop
from mmengine.utils import ManagerMixin
from torch.utils.data import DataLoader

from mmdeepmot import registry as registries
from mmdeepmot.config_file import ConfigError, nearest

RUNNER_KEYS = frozenset(inspect.signature(Runner.__init__).parameters) - {"self", "cfg"}
"""Top-level keys that mmengine's runner takes."""

KNOWN_KEYS = RUNNER_KEYS | {
    "activation_checkpointing",
    "compile",
    "custom_imports",
    "effective_batch_size",
    "efficient_conv_bn_eval",
    "find_unused_parameters",
    "model_wrapper_cfg",
    "runner_type",
    "sync_bn",
    "task_dataloaders",
}
"""Top-level keys that somebody reads; all others are helper variables of the config file."""

_MARKS = frozenset({"type", "_scope_", "_delete_"})
_FREE_FORM = frozenset({"custom_keys", "default_hooks", "metainfo", "backend_args"})
"""Dicts whose keys are names of the user's choice."""

_LAYER_KEYS = ("norm_cfg", "conv_cfg", "act_cfg", "upsample_cfg", "init_cfg", "plugins")
"""Dicts that mmcv takes apart itself: their types are checked, their arguments are not."""

_MODULES = {"roi_layer": "mmcv.ops", "nms": "mmcv.ops"}
"""Dicts whose type mmdet looks up in a module instead of a registry."""

_UNTYPED: dict[str, Callable] = {
    "randomness": Runner.set_randomness,
    "train_cfg": EpochBasedTrainLoop,
    "val_cfg": ValLoop,
    "test_cfg": TestLoop,
    "train_dataloader": DataLoader,
    "val_dataloader": DataLoader,
    "test_dataloader": DataLoader,
}
"""Top-level dicts that need no ``type``."""

_TAKEN_BY_CALLER = {
    "priority": "hook",
    "constructor": "optim_wrapper",
    "optimizer": "optim_wrapper",
    "paramwise_cfg": "optim_wrapper",
    "convert_to_iter_based": "param_scheduler",
    "name": "visualizer",
    "save_dir": "visualizer",
    "num_batch_per_epoch": "dataloader",
    "disable_subprocess_warning": "dataloader",
    "weight": "cost",
    "max": "cost",
    "reject": "cost",
}
"""Arguments that whoever builds the part takes out of its dict, by (part of) the key's path."""


def check_config(cfg: Config, files: Sequence[Path] = ()) -> None:
    """Raise on the first key or type that nobody would read.

    Top-level keys that are no one's are helper variables, and legal, unless they look like a
    misspelt key of the runner.

    Args:
        cfg: A loaded config; its ``custom_imports`` have been imported.
        files: The files it came from, the main one first, to name file and line.

    Raises:
        ConfigError: Names file, line, key and the nearest known name.
    """
    content = cfg._cfg_dict
    for key in content:
        if key in KNOWN_KEYS:
            continue
        near = get_close_matches(key, RUNNER_KEYS, n=1, cutoff=0.85)
        if near:
            raise ConfigError(
                f"{_place(files, key)}: unknown key '{key}' (did you mean '{near[0]}'?). If it is "
                "a helper variable, give it a name that is less like that one."
            )
    for key in content:
        if key in KNOWN_KEYS:
            _check(content[key], [key], files)


def _check(node: Any, path: list[str], files: Sequence[Path]) -> None:
    if isinstance(node, Mapping):
        if "type" in node or len(path) == 1:
            target, problem = find_target(path, node)
            if problem is not None:
                raise ConfigError(f"{_place(files, str(node['type']))}: {problem}")
            if target is not None:
                for key in node:
                    problem = _argument_problem(path, node, target, key)
                    if problem is not None:
                        raise ConfigError(f"{_place(files, key)}: {problem}")
        for key, child in node.items():
            if key not in _FREE_FORM or key == "default_hooks":
                _check(child, [*path, str(key)], files)
    elif isinstance(node, (list, tuple)):
        for index, child in enumerate(node):
            _check(child, [*path, str(index)], files)


def key_problem(path: Sequence[str], node: Mapping, key: str) -> str | None:
    """Why ``key`` may not be added to the dict at ``path``; None if it may."""
    name = ".".join(path)
    if any(part in _FREE_FORM for part in path[-2:]) or key in _MARKS:
        return None
    target, problem = find_target(path, node)
    if problem is not None:
        return problem
    if target is not None:
        return _argument_problem(path, node, target, key)
    if not node:
        return None
    return f"no key '{key}' in '{name}'{nearest(key, node)}; it has {', '.join(map(str, node))}."


def find_target(path: Sequence[str], node: Mapping) -> tuple[Callable | None, str | None]:
    """What a dict will be handed to, or why that cannot be found.

    Returns:
        Constructor (None: unknown, or not to be checked) and problem (None: none).
    """
    kind = node.get("type")
    if kind is None:
        return (_UNTYPED.get(path[0]) if len(path) == 1 else None), None
    if not isinstance(kind, str):
        return kind if callable(kind) else None, None
    expected = _expected_registry(path)
    if expected is not None and (target := _get(expected, kind)) is not None:
        return target, None
    for registry in _all_registries():
        if (target := _get(registry, kind)) is not None:
            return target, None
    for name in (kind, f"{_MODULES.get(path[-1], '')}.{kind}"):
        if not name.startswith(".") and "." in name and (target := _import(name)) is not None:
            return target, None
    names = list(_names(expected)) if expected is not None else []
    hint = nearest(kind, names) or nearest(kind, {n for r in _all_registries() for n in _names(r)})
    where = f" among the {expected.name}s" if expected is not None else ""
    return None, (
        f"{'.'.join(path)}: unknown type '{kind}'{where}{hint}. A class of your own must be "
        "registered, and its module named in custom_imports."
    )


def _argument_problem(path: Sequence[str], node: Mapping, target: Callable, key: str) -> str | None:
    if key in _MARKS or any(
        key == argument and owner in ".".join(path) for argument, owner in _TAKEN_BY_CALLER.items()
    ):
        return None
    if any(part.endswith(_LAYER_KEYS) for part in path[-2:]):
        return None
    known, is_open = accepted_arguments(target)
    name = getattr(target, "__name__", str(target))
    if key in known:
        return None
    if is_open and not get_close_matches(key, known, n=1, cutoff=0.85):
        return None
    hint = f"{nearest(key, known)}; it takes {_listing(known)}."
    return f"{'.'.join(path)}: {name} has no argument '{key}'{hint}"


def _listing(names: frozenset[str], limit: int = 12) -> str:
    return ", ".join(sorted(names)[:limit]) + (", ..." if len(names) > limit else "")


@cache
def accepted_arguments(target: Callable) -> tuple[frozenset[str], bool]:
    """Names of the keyword arguments, and whether others may be accepted too.

    ``**kwargs`` of a constructor is taken to go to the next class's constructor, but not for
    certain: such a class counts as open.
    """
    if not inspect.isclass(target):
        return _parameters(target)
    names: set[str] = set()
    is_open = False
    for base in target.__mro__:
        if base is object or "__init__" not in vars(base):
            continue
        found, passes_on = _parameters(vars(base)["__init__"])
        names |= found
        if not passes_on:
            break
        is_open = True
    if issubclass(target, ManagerMixin):
        names.add("name")
    return frozenset(names), is_open


def _parameters(function: Callable) -> tuple[frozenset[str], bool]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset(), True
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = frozenset(p.name for p in parameters if p.kind in named) - {"self", "runner"}
    return names, any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)


_REGISTRY_OF_KEY: dict[str, Registry] = {
    "dataset": registries.DATASETS,
    "datasets": registries.DATASETS,
    "pipeline": registries.TRANSFORMS,
    "transforms": registries.TRANSFORMS,
    "val_evaluator": registries.METRICS,
    "test_evaluator": registries.METRICS,
    "metrics": registries.METRICS,
    "default_hooks": registries.HOOKS,
    "custom_hooks": registries.HOOKS,
    "optim_wrapper": registries.OPTIM_WRAPPERS,
    "optimizer": registries.OPTIMIZERS,
    "param_scheduler": registries.PARAM_SCHEDULERS,
    "visualizer": registries.VISUALIZERS,
    "vis_backends": registries.VISBACKENDS,
    "log_processor": registries.LOG_PROCESSORS,
    "model_wrapper_cfg": registries.MODEL_WRAPPERS,
    "collate_fn": mmengine_registries.FUNCTIONS,
    "worker_init_fn": mmengine_registries.FUNCTIONS,
    "init_cfg": registries.WEIGHT_INITIALIZERS,
    "tracker": registries.TRACKERS,
    "steps": registries.STEPS,
    "costs": registries.COSTS,
    "cost": registries.COSTS,
    "motion": registries.MOTIONS,
    "camera": registries.CAMERAS,
    "assigner": registries.TASK_UTILS,
    "bbox_coder": registries.TASK_UTILS,
    "anchor_generator": registries.TASK_UTILS,
    "prior_generator": registries.TASK_UTILS,
    "model": registries.MODELS,
}
"""Which registry serves a key: the innermost known key of a path decides."""


def _expected_registry(path: Sequence[str]) -> Registry | None:
    names = [part for part in path if not part.isdigit()]
    if len(names) == 1 and names[0] in ("train_cfg", "val_cfg", "test_cfg"):
        return registries.LOOPS
    if names[-1] in ("sampler", "batch_sampler") and "dataloader" in names[0]:
        return registries.DATA_SAMPLERS
    for part in reversed(names):
        if part in _REGISTRY_OF_KEY:
            return _REGISTRY_OF_KEY[part]
    return None


def _all_registries() -> Iterator[Registry]:
    for module in (registries, mmengine_registries):
        for entry in vars(module).values():
            if isinstance(entry, Registry):
                yield entry


def import_all() -> None:
    """Import all modules that register something."""
    for registry in _all_registries():
        for entry in _chain(registry):
            entry.import_from_location()


def _chain(registry: Registry | None) -> Iterator[Registry]:
    while registry is not None:
        yield registry
        registry = registry.parent


def _get(registry: Registry, kind: str) -> Callable | None:
    for entry in _chain(registry):
        entry.import_from_location()
    try:
        return registry.get(kind)
    except (ImportError, AttributeError):
        return None


def _names(registry: Registry) -> set[str]:
    return {name for entry in _chain(registry) for name in entry.module_dict}


def _import(dotted: str) -> Callable | None:
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def _place(files: Sequence[Path], word: str) -> str:
    """``file:line`` where a key or a text stands in the config files, the main file if nowhere."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            is_key = isinstance(node, ast.keyword) and node.arg == word
            is_text = isinstance(node, ast.Constant) and node.value == word
            is_name = isinstance(node, ast.Name) and node.id == word
            if is_key or is_text or is_name:
                return f"{file}:{getattr(node, 'lineno', 1)}"
    return str(files[0]) if files else "config"
