"""Figures of matplotlib, which is imported when the first one is made."""

from typing import TYPE_CHECKING

from mmdeepmot.errors import MissingPackageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of ``width`` x ``height`` inches that is drawn to files, never to a screen.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackageError(
            f"the plot needs matplotlib, which does not import ({error}): pip install matplotlib"
        ) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
