"""The picture of a loss's gradients: where each of its terms pushes the boxes of tracks.

After the picture in the appendix of Xu et al., "How To Train Your Deep Multi-Object Tracker", CVPR
2020 (Fig. 9).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.visualization.figure import new_figure

Floats = NDArray[np.floating]

_COLOURS = ("#1f6fd6", "#e0701a", "#2a9d5c", "#8e44ad")
_PAPER, _INK, _FAINT = "#f6f4ef", "#222222", "#9a958b"
_ARROW = 34.0
"""Px of the longest arrow of a panel."""

_SHORT = 0.04
"""Arrows of less than this share of the longest are left out."""

_NOTHING = 1e-5
"""Gradients (by px) below this are drawn as none."""


@dataclass(frozen=True)
class GradientCase:
    """One row of the picture: one frame, and gradients of several terms.

    Attributes:
        title: What is wrong in the frame.
        objects: ``(M, 4)`` xyxy px.
        object_colours: ``(M,)`` number of the identity that should hold each object.
        tracks: ``(N, 4)`` xyxy px.
        track_colours: ``(N,)`` number of each track's identity.
        values: Value of each term, by its name.
        gradients: ``(N, 4)`` gradient of each term by the tracks' edges, by px.
    """

    title: str
    objects: Floats
    object_colours: Sequence[int]
    tracks: Floats
    track_colours: Sequence[int]
    values: Mapping[str, float]
    gradients: Mapping[str, Floats]


def draw_loss_gradients(cases: Sequence[GradientCase], note: str = "") -> Any:
    """A matplotlib figure: a row for each case, a column for each term of the first.

    Args:
        cases: At least one.
        note: Text under the picture.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    terms = list(cases[0].gradients)
    figure = new_figure(2.9 * len(terms) + 0.4, 2.05 * len(cases) + 0.9)
    axes = figure.subplots(len(cases), len(terms), squeeze=False)
    for row, case in zip(axes, cases, strict=True):
        for axis, term in zip(row, terms, strict=True):
            _draw_panel(axis, case, term)
        row[0].set_ylabel(case.title, fontsize=11, color=_INK, labelpad=8)
    for axis, term in zip(axes[0], terms, strict=True):
        axis.set_title(term, fontsize=13, fontweight="bold", color=_INK, pad=8)
    _draw_legend(figure, note)
    return figure


def _draw_panel(axis: Any, case: GradientCase, term: str) -> None:
    _frame(axis, np.concatenate((case.objects, case.tracks)))
    for bbox, number in zip(case.objects, case.object_colours, strict=True):
        _draw_object(axis, bbox, _colour(number))
    pushes = -np.asarray(case.gradients[term])
    largest = float(np.abs(_corner_pushes(pushes)).max(initial=0.0))
    for bbox, number, push in zip(case.tracks, case.track_colours, pushes, strict=True):
        _draw_track(axis, bbox, _colour(number))
        if largest > _NOTHING:
            _draw_arrows(axis, bbox, push * (_ARROW / largest), _colour(number))
    said = f"largest {largest:.0e} / px" if largest > _NOTHING else "no gradient to speak of"
    for x, text, side, colour in (
        (0.03, f"{term} = {case.values[term]:.2f}", "left", _INK),
        (0.97, said, "right", _FAINT),
    ):
        axis.text(
            x, 0.035, text, transform=axis.transAxes, ha=side, fontsize=8.5, color=colour, zorder=9
        )  # fmt: skip


def _frame(axis: Any, bboxes: Floats) -> None:
    """Limits around all boxes with room for arrows and text; y points down, as in images."""
    left, top = bboxes[:, :2].min(axis=0) - 30
    right, bottom = bboxes[:, 2:].max(axis=0) + 30
    width = max(right - left, 1.45 * (bottom + 16 - top))
    middle = (left + right) / 2
    axis.set(
        xlim=(middle - width / 2, middle + width / 2),
        ylim=(bottom + 16, top),
        aspect="equal",
        xticks=[],
        yticks=[],
        facecolor=_PAPER,
    )
    for side in axis.spines.values():
        side.set(color="#d8d3c8", linewidth=1)


def _draw_object(axis: Any, bbox: Floats, colour: str) -> None:
    _draw_box(axis, bbox, facecolor=colour, alpha=0.14, linewidth=0, zorder=1)
    dashes = (0, (4, 2.5))
    _draw_box(axis, bbox, fill=False, edgecolor=colour, linewidth=1.4, linestyle=dashes, zorder=2)


def _draw_track(axis: Any, bbox: Floats, colour: str) -> None:
    _draw_box(axis, bbox, fill=False, edgecolor=colour, linewidth=2.2, zorder=3)


def _draw_box(axis: Any, bbox: Floats, **style: Any) -> None:
    from matplotlib.patches import Rectangle

    left, top, right, bottom = bbox.tolist()
    axis.add_patch(Rectangle((left, top), right - left, bottom - top, **style))


def _corner_pushes(push: Floats) -> Floats:
    """Pushes ``(..., 4, 2)`` of the four corners by those of the edges ``(..., 4)``."""
    x, y = push[..., [0, 2, 0, 2]], push[..., [1, 1, 3, 3]]
    return np.stack((x, y), axis=-1)


def _draw_arrows(axis: Any, bbox: Floats, push: Floats, colour: str) -> None:
    from matplotlib.patheffects import withStroke

    for corner, arrow in zip(_corner_pushes(bbox), _corner_pushes(push), strict=True):
        if np.abs(arrow).max() > _SHORT * _ARROW:
            axis.annotate(
                "",
                xy=corner + arrow,
                xytext=corner,
                arrowprops={
                    "arrowstyle": "-|>,head_width=0.22,head_length=0.42",
                    "color": colour,
                    "linewidth": 1.7,
                    "shrinkA": 0,
                    "shrinkB": 0,
                    "path_effects": [withStroke(linewidth=3.4, foreground="white")],
                },
                zorder=6,
            )


def _draw_legend(figure: Any, note: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=_COLOURS[0], linewidth=2.2, label="box of a track"),
        Patch(
            facecolor=f"{_COLOURS[0]}24", edgecolor=_COLOURS[0], linestyle="--",
            label="object that this track held before",
        ),
        Line2D(
            [], [], color=_COLOURS[0], linewidth=1.7, marker=">", markersize=6,
            label="negative gradient, by corner",
        ),
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=10,
        title=note, title_fontsize=9,
    )  # fmt: skip


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]
