"""Embeddings of many people as a picture in the plane, coloured by identity.

As in Fig. 3 and 4 of FairMOT (Zhang et al., 2020), by t-SNE (van der Maaten and Hinton, 2008). The
picture shows which embeddings are near each other; distances between groups mean little.
"""

import os
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError, MissingPackageError
from mmdeepmot.visualization.colors import id_colors
from mmdeepmot.visualization.draw import Image
from mmdeepmot.visualization.figure import new_figure

_CROP_HEIGHT = 160
_CROP_WIDTH = 80


def check_projection() -> None:
    """Finds a missing library before any work is done.

    Raises:
        MissingPackageError: scikit-learn is not installed.
    """
    try:
        import sklearn.manifold  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(
            f"t-SNE needs scikit-learn, which does not import ({error}): pip install scikit-learn"
        ) from error


def project(
    embeddings: NDArray[np.floating], perplexity: float = 30.0, seed: int = 0
) -> NDArray[np.float32]:
    """Embeddings in the plane, by scikit-learn's t-SNE from a start by principal components.

    Args:
        embeddings: ``(N, D)``; they are normalised here, so that Euclidean distances go with the
            cosine, by which trackers compare.
        perplexity: About how many neighbours count; less where there are fewer than three times as
            many points.
        seed: The same seed gives the same picture.

    Returns:
        ``(N, 2)``, centred.

    Raises:
        InputError: Fewer than 4 embeddings, or one that is not finite.
        MissingPackageError: scikit-learn is not installed.
    """
    check_projection()
    from sklearn.manifold import TSNE

    if embeddings.ndim != 2 or len(embeddings) < 4:
        raise InputError(
            f"t-SNE needs embeddings (N, D) of 4 boxes or more, got {embeddings.shape}"
        )
    if not np.isfinite(embeddings).all():
        raise InputError("expected finite embeddings, got NaN or inf")
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = (embeddings / np.where(norms > 0, norms, 1)).astype(np.float32)
    perplexity = min(perplexity, (len(unit) - 1) / 3)
    points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(unit)
    return points - points.mean(axis=0)


def plot_embeddings(
    path: str | os.PathLike[str],
    points: NDArray[np.floating],
    identities: NDArray[np.integer],
    portraits: Mapping[int, Image],
    title: str,
) -> None:
    """Draws embeddings in the plane, each identity in its colour and with its number.

    Args:
        path: Image file to write.
        points: ``(N, 2)``, from :func:`project`.
        identities: ``(N,)``.
        portraits: Identity -> ``(h, w, 3)`` uint8 BGR: people to show below, framed in their
            colours.
        title: Above the picture.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    figure = new_figure(9.0, 9.0 if portraits else 7.2)
    from matplotlib.patheffects import withStroke

    grid = figure.add_gridspec(2, max(len(portraits), 1), height_ratios=(5.5, 1))
    axis = figure.add_subplot(grid[0, :] if portraits else grid[:, :])
    axis.scatter(points[:, 0], points[:, 1], s=14, c=_rgb(identities), alpha=0.75, linewidths=0)
    axis.set(xticks=[], yticks=[], title=title)
    axis.margins(0.04)
    for identity in np.unique(identities).tolist():
        label = axis.annotate(
            str(identity),
            _middle(points[identities == identity]),
            xytext=(0, 4),  # above its point, which may be the only one
            textcoords="offset points",
            ha="center",
            fontsize=9,
            weight="bold",
        )
        label.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    for column, (identity, portrait) in enumerate(portraits.items()):
        below = figure.add_subplot(grid[1, column])
        below.imshow(_portrait(portrait)[..., ::-1])
        below.set(xticks=[], yticks=[])
        below.set_title(str(identity), fontsize=9, weight="bold", pad=3)
        below.spines[:].set(color=_rgb(np.array([identity]))[0], linewidth=3)
    figure.savefig(path, dpi=120)


def _rgb(identities: NDArray[np.integer]) -> NDArray[np.floating]:
    """``(N, 3)`` in [0, 1]."""
    return id_colors(identities)[:, ::-1] / 255.0


def _middle(points: NDArray[np.floating]) -> tuple[float, float]:
    """x and y of the one of ``(N, 2)`` points that is nearest to their median."""
    x, y = points[np.square(points - np.median(points, axis=0)).sum(axis=1).argmin()].tolist()
    return x, y


def _portrait(image: Image) -> Image:
    """A person fitted into a frame of fixed size, on grey."""
    scale = min(_CROP_WIDTH / image.shape[1], _CROP_HEIGHT / image.shape[0])
    width, height = (max(1, round(scale * side)) for side in (image.shape[1], image.shape[0]))
    canvas = np.full((_CROP_HEIGHT, _CROP_WIDTH, 3), 225, dtype=np.uint8)
    left, top = (_CROP_WIDTH - width) // 2, (_CROP_HEIGHT - height) // 2
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    canvas[top : top + height, left : left + width] = cv2.resize(
        image, (width, height), interpolation=mode
    )
    return canvas
