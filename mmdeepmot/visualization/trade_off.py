"""Accuracy against speed: a point for each tracker, as in Fig. 3 of the JDE paper (ECCV 2020).

A column for each kind of scene (few people, many), a row for each figure; the marker says the
detector, the colour the embedding, the number the row of the table beside the picture.
"""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdeepmot.errors import InputError
from mmdeepmot.visualization.colors import id_colors
from mmdeepmot.visualization.figure import new_figure

_MARKERS = "os^Dv<>PX*hp"


@dataclass(frozen=True)
class TradeOffPoint:
    """One tracker on one scene.

    Attributes:
        number: Of the tracker, written beside the point.
        scene: Name of the scene, e.g. ``low density``.
        detector: Name of the detector.
        embedding: Name of the embedding.
        fps: Frames per second of the whole tracker.
        figures: Name -> value in percent, the same names for all points; NaN: not drawn.
    """

    number: int
    scene: str
    detector: str
    embedding: str
    fps: float
    figures: Mapping[str, float]


def plot_trade_off(path: str | os.PathLike[str], points: Sequence[TradeOffPoint]) -> None:
    """Draws points of one or several scenes.

    Args:
        path: Image file to write.
        points: In the order in which scenes, detectors and embeddings are to be named.

    Raises:
        InputError: No point, or points with other figures than the first.
        MissingPackageError: matplotlib is not installed.
    """
    if not points:
        raise InputError("a picture of accuracy against speed needs at least one point")
    names = list(points[0].figures)
    if any(list(point.figures) != names for point in points):
        raise InputError(f"all points must have the figures {names}")
    scenes = _unique(point.scene for point in points)
    markers = _styles((point.detector for point in points), list(_MARKERS))
    embeddings = _unique(point.embedding for point in points)
    colors = dict(zip(embeddings, _colors(len(embeddings)), strict=True))
    figure = new_figure(4.8 * len(scenes) + 2.2, 3.4 * len(names) + 0.4)
    grid = figure.subplots(len(names), len(scenes), squeeze=False)
    for row, name in enumerate(names):
        for column, scene in enumerate(scenes):
            axis = grid[row][column]
            for point in points:
                if point.scene != scene or math.isnan(point.figures[name]):
                    continue
                place = (point.fps, point.figures[name])
                axis.scatter(
                    *place,
                    s=46,
                    marker=markers[point.detector],
                    color=colors[point.embedding],
                    edgecolors="black",
                    linewidths=0.4,
                    zorder=2,
                )
                axis.annotate(
                    str(point.number), place, (4, 3), textcoords="offset points", fontsize=7
                )
            axis.set(xlabel="frames per second", ylabel=f"{name}, %", title=scene)
            axis.grid(alpha=0.3)
            axis.margins(0.12)
    handles = [
        *(_sample(grid[0][0], marker, "0.5", name) for name, marker in markers.items()),
        *(_sample(grid[0][0], "o", color, name) for name, color in colors.items()),
    ]
    figure.legend(handles=handles, loc="outside right upper", fontsize=8, frameon=False)
    figure.savefig(path, dpi=120)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _styles(names: Iterable[str], styles: Sequence[str]) -> dict[str, str]:
    """A style for each name, again from the first where they are used up."""
    return {name: styles[index % len(styles)] for index, name in enumerate(_unique(names))}


def _colors(count: int) -> list[tuple[float, float, float]]:
    """RGB in [0, 1]."""
    bgr = id_colors(np.arange(1, count + 1))
    return [(red / 255, green / 255, blue / 255) for blue, green, red in bgr.tolist()]


def _sample(axis: Any, marker: str, color: Any, label: str) -> Any:
    """A point for the legend, outside of the picture."""
    return axis.scatter(
        [], [], s=40, marker=marker, color=color, edgecolors="black", linewidths=0.4, label=label
    )
