"""mmdeepmot's side: a config of ``configs/``, with single parameters changed."""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray

import mmdeepmot
from comparison.contender import Contender
from comparison.scenes import Scene
from mmdeepmot.errors import InputError
from mmdeepmot.registry import TRACKERS

ROOT = Path(__file__).resolve().parents[3]
_PLACE = re.compile(r"(?P<step>\w+)(?:\[(?P<index>\d+)\])?(?:\.(?P<key>\w+))?")


def load_config(method: str, name: str | None = None) -> dict[str, Any]:
    """The ``tracker`` of ``configs/METHOD/NAME.py`` (None: METHOD.py) as plain dicts and lists."""
    path = ROOT / "configs" / method / f"{name or method}.py"
    return Config.fromfile(path).tracker.to_dict()


def edited(tracker: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """A tracker's config with changes.

    Args:
        tracker: ``dict(type='Tracker', steps=[...], ...)``.
        edits: ``'Retire.buffer': 1`` sets a parameter of the first step of that type,
            ``'Associate[1].limit'`` of the second; ``'Associate[1]': None`` takes the step out;
            ``'motion': dict(...)`` replaces what stands beside the steps.

    Raises:
        InputError: There is no such step.
    """
    config = deepcopy(dict(tracker))
    steps = list(config["steps"])
    dropped = []
    for place, value in edits.items():
        if place in ("motion", "memory"):
            config[place] = value
            continue
        found = _PLACE.fullmatch(place)
        if found is None:
            raise InputError(f"expected STEP, STEP[N] or STEP[N].KEY, got {place!r}")
        here = [step for step in steps if step["type"] == found["step"]]
        index = int(found["index"] or 0)
        if index >= len(here):
            raise InputError(
                f"{place}: the tracker has {len(here)} steps {found['step']!r}; its steps are "
                f"{[step['type'] for step in steps]}"
            )
        if found["key"] is None and value is None:
            dropped.append(here[index])
        elif found["key"] is None:
            here[index].update(value)
        else:
            here[index][found["key"]] = value
    config["steps"] = [step for step in steps if not any(step is gone for gone in dropped)]
    return config


class OurContender(Contender):
    """A tracker of this repository.

    Args:
        setting: Name of the parameters.
        config: ``dict(type='Tracker', ...)``.
    """

    def __init__(self, setting: str, config: Mapping[str, Any]) -> None:
        self.name = f"mmdeepmot {mmdeepmot.__version__}"
        self.setting = setting
        self._config = config
        TRACKERS.build(config)  # a wrong config shows before anything is timed

    def prepare(self, scene: Scene) -> list[Any]:
        return scene.frames

    def start(self, scene: Scene) -> Callable[[Any], Any]:
        return TRACKERS.build(self._config).step

    def read(self, output: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        return output.ids, output.bboxes
