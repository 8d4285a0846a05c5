"""What a search found: a table, a config, a plot."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdeepmot.apis.search.log import Trial
from mmdeepmot.apis.search.metric import Metric
from mmdeepmot.apis.search.space import Choice, Parameter
from mmdeepmot.config_file import read_config
from mmdeepmot.visualization.figure import new_figure


def trials_text(
    trials: Sequence[Trial], metric: Metric, parameters: Sequence[Parameter], count: int = 10
) -> str:
    """The best ``count`` trials in aligned columns, and trial 0, the config as it is."""
    scored = [trial for trial in trials if trial.score is not None]
    ranked = sorted(scored, key=lambda trial: (-(trial.score or 0.0), trial.number))
    shown = ranked[:count] + [trial for trial in ranked[count:] if trial.number == 0]
    rates = list(metric.weights) if len(metric.weights) > 1 else []
    lines = [["rank", "trial", str(metric), *rates, *(p.path for p in parameters)]]
    for trial in shown:
        values = [_short(trial.parameters.get(p.path, "(as it is)")) for p in parameters]
        scores = [f"{trial.scores[rate]:.2f}" for rate in rates]
        rank = str(ranked.index(trial) + 1)
        lines.append([rank, str(trial.number), f"{trial.score:.3f}", *scores, *values])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.rjust, line, widths)) for line in lines]
    failed = [trial for trial in trials if trial.error is not None]
    if failed:
        text.append(f"{len(failed)} trials failed, trial {failed[0].number}: {failed[0].error}")
    return "\n".join(text)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def write_best(path: Path, config: Path, trial: Trial, comment: str) -> None:
    """A config that inherits another and sets the values of a trial.

    Args:
        path: Where to write it; it names ``config`` by the way from there.
        config: The config that was searched.
        trial: Whose values.
        comment: First line.
    """
    base = Path(os.path.relpath(config.resolve(), path.parent.resolve())).as_posix()
    lines = [*(f"# {line}" for line in comment.splitlines()), f"_base_ = {json.dumps(base)}"]
    if trial.parameters:
        model = read_config(config).get("model") or {}
        root = "model" if model.get("tracker") is not None else "tracker"
        lines += ["", f"{root} = _base_.{root}"]
        for path_there, value in trial.parameters.items():
            place = path_there.removeprefix("model.")
            place = place if root == "tracker" else f"model.{place}"
            lines.append(f"{_expression(place)} = {value!r}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _expression(path: str) -> str:
    """``tracker.steps.1.limit`` as Python: ``tracker.steps[1].limit``."""
    first, *keys = path.split(".")
    return first + "".join(f"[{key}]" if key.isdigit() else f".{key}" for key in keys)


def plot_search(
    path: Path, trials: Sequence[Trial], metric: Metric, parameters: Sequence[Parameter]
) -> None:
    """Score by trial with the best so far, and score by value in one panel for each parameter.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    scored = sorted((t for t in trials if t.score is not None), key=lambda trial: trial.number)
    panels = 1 + len(parameters)
    columns = min(3, panels)
    rows = math.ceil(panels / columns)
    figure = new_figure(4.2 * columns, 3.2 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    _plot_progress(axes[0], scored, metric)
    as_it_is = next((t.score for t in scored if t.number == 0), None)
    for axis, parameter in zip(axes[1:], parameters, strict=False):
        _plot_parameter(axis, [t for t in scored if t.number > 0], parameter, metric)
        if as_it_is is not None:
            axis.axhline(as_it_is, color="0.5", linestyle=":", linewidth=1)
    for axis in axes[panels:]:
        axis.set_visible(False)
    figure.savefig(path, dpi=120)


def _plot_progress(axis: Any, scored: Sequence[Trial], metric: Metric) -> None:
    best: list[float] = []
    for trial in scored:
        assert trial.score is not None
        best.append(max(trial.score, best[-1] if best else -math.inf))
    numbers = [trial.number for trial in scored]
    axis.plot(numbers, [trial.score for trial in scored], ".", color="C0", label="trial")
    axis.step(numbers, best, where="post", color="C1", label="best so far")
    axis.set(xlabel="trial (0: the config as it is)", ylabel=str(metric))
    axis.legend(loc="best", fontsize="small")


def _plot_parameter(
    axis: Any, trials: Sequence[Trial], parameter: Parameter, metric: Metric
) -> None:
    values = [trial.parameters[parameter.path] for trial in trials]
    space = parameter.space
    if isinstance(space, Choice):
        places = [space.values.index(value) for value in values]
        axis.set_xticks(range(len(space.values)), [str(value) for value in space.values])
    else:
        places = values
        if space.log:
            axis.set_xscale("log")
    colours = [trial.number for trial in trials]
    axis.scatter(places, [trial.score for trial in trials], c=colours, s=14, cmap="viridis")
    axis.set(xlabel=parameter.path, ylabel=str(metric))
