"""Settings of decoding by task: tracking, and detection for average precision."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, TypeVar

from torch import Tensor

from mmdeepmot.errors import InputError

S = TypeVar("S", bound="TaskSettings")


@dataclass(frozen=True)
class TaskSettings:
    """What any head decides by when maps become detections.

    Attributes:
        score_thr: Score above which a place is a candidate.
        min_area: Boxes of a smaller area, px^2 of the original image, are dropped.
        max_aspect: Boxes with a larger width / height are dropped; None: none.
    """

    score_thr: float = 0.5
    min_area: float = 200.0
    max_aspect: float | None = 1.6

    @classmethod
    def from_config(cls: type[S], cfg: Mapping[str, Any], where: str) -> S:
        """Settings of a config; unknown keys are an error that names ``where``."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(cfg) - known)
        if unknown:
            near = get_close_matches(unknown[0], known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise InputError(f"{where} has no key {unknown[0]!r}{hint}; it has {sorted(known)}")
        return cls(**cfg)

    def admit(self, boxes: Tensor) -> Tensor:
        """Which of ``boxes`` ``(N, 4)`` xyxy px have an acceptable shape, ``(N,)`` bool.

        Without width or height (a network that predicts sizes as they are may say so) none has.
        """
        width, height = (boxes[:, 2:] - boxes[:, :2]).unbind(-1)
        good = (width > 0) & (height > 0) & (width * height >= self.min_area)
        if self.max_aspect is not None:
            good &= width <= self.max_aspect * height
        return good


def settings_by_task(
    kind: type[S], test_cfg: Mapping[str, Any] | None, detection: Mapping[str, Any]
) -> dict[str, S]:
    """Settings by task: ``track`` as given, ``detection`` with ``det_cfg``'s changes.

    Args:
        kind: Class of the settings.
        test_cfg: Its keys, and ``det_cfg``.
        detection: The changes where there is no ``det_cfg``.
    """
    cfg = dict(test_cfg or {})
    changes = cfg.pop("det_cfg", None)
    track = kind.from_config(cfg, "test_cfg")
    changes = detection if changes is None else changes
    kind.from_config(changes, "test_cfg.det_cfg")
    return {"track": track, "detection": replace(track, **changes)}


def settings_for(settings: Mapping[str, S], task: str) -> S:
    """The settings of a task.

    Raises:
        ValueError: If there is no such task.
    """
    if task not in settings:
        raise ValueError(f"task must be one of {sorted(settings)}, got {task!r}")
    return settings[task]
