"""Where in a frame a network sees the person of another one: a heat map over the image.

As in Fig. 4 of the JDE paper (Wang et al., 2020): cosine similarity of one person's embedding with
the dense embeddings of the whole frame.
"""

import os
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.visualization.draw import Boxes, Image, check_image
from mmdeepmot.visualization.figure import new_figure

COLORMAP = "turbo"
_OPACITY = 0.75
_OPAQUE_FROM = 0.5
_BACKGROUND = 0.7


def similarity_on_image(
    similarity: NDArray[np.float32],
    stride: float,
    origin: float,
    scale_factor: tuple[float, float],
    pad_offset: tuple[float, float],
    size: tuple[int, int],
) -> NDArray[np.float32]:
    """A map over cells as a map over the pixels of the original image, interpolated linearly.

    Args:
        similarity: ``(H, W)`` over cells.
        stride: px of the network's input from a cell to the next.
        origin: px of the input, x and y, that the first cell stands for.
        scale_factor: (x, y), px of the input a px of the image.
        pad_offset: (x, y) px of the input of the image's corner.
        size: (width, height) of the image.

    Returns:
        ``(height, width)``; beyond the outermost cells their value goes on.
    """
    # The centre of pixel p is p + 0.5 in coordinates of the image, whose corner is 0.
    scale = np.array(scale_factor, dtype=np.float64)
    shift = (0.5 * scale + np.array(pad_offset) - origin) / stride
    matrix = np.array([[scale[0] / stride, 0, shift[0]], [0, scale[1] / stride, shift[1]]])
    out: NDArray[np.float32] = cv2.warpAffine(  # type: ignore[assignment]
        np.ascontiguousarray(similarity, dtype=np.float32),
        matrix,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return out


def highest(maps: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The highest of several scales at every pixel, ``(H, W)``: a person can be found on any."""
    return np.maximum.reduce(list(maps))


def heat_overlay(image: Image, similarity: NDArray[np.floating]) -> Image:
    """Similarity in colours over a frame in grey.

    Colours go from 0 to 1, the same in every picture; what is not similar stays grey, and from 0.5
    on the colour is as opaque as it gets.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        similarity: ``(H, W)`` cosine; below 0 as 0.

    Returns:
        A new image.

    Raises:
        ValueError: The sizes differ, or the image is not such.
    """
    check_image(image)
    if similarity.shape != image.shape[:2]:
        raise ValueError(
            f"expected a similarity for every pixel of the image, {image.shape[:2]}, got "
            f"{similarity.shape}"
        )
    value = np.clip(similarity, 0.0, 1.0)
    colors = cv2.applyColorMap(np.rint(255 * value).astype(np.uint8), cv2.COLORMAP_TURBO)
    grey = _BACKGROUND * cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None].astype(np.float64)
    weight = _OPACITY * np.clip(value / _OPAQUE_FROM, 0.0, 1.0)[..., None]
    return np.rint((1 - weight) * grey + weight * colors).astype(np.uint8)


def plot_similarity(
    path: str | os.PathLike[str],
    frames: tuple[Image, Image],
    query: Boxes,
    similarity: NDArray[np.floating],
    answer: Boxes | None,
    titles: tuple[str, str],
) -> None:
    """Draws the query's frame and, beside it, the heat map over the other frame.

    Args:
        path: Image file to write.
        frames: ``(H, W, 3)`` uint8 BGR: the query's frame, and the one that was looked in.
        query: ``(4,)`` xyxy px, the person in the first.
        similarity: ``(H, W)`` over the second.
        answer: ``(4,)`` xyxy px, where that person is in the second (dashed); None: nowhere.
        titles: Above the two.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    height, width = frames[0].shape[:2]
    side = 7.0
    figure = new_figure(2 * side + 0.9, side * height / width + 0.5)
    axes = figure.subplots(1, 2)
    images = (frames[0], heat_overlay(frames[1], similarity))
    for axis, image, title in zip(axes, images, titles, strict=True):
        # Its range sets the colour bar; the pixels are coloured already.
        shown = axis.imshow(image[..., ::-1], cmap=COLORMAP, vmin=0.0, vmax=1.0)
        axis.set(xticks=[], yticks=[], title=title)
    _outline(axes[0], query, dashed=False)
    if answer is not None:
        _outline(axes[1], answer, dashed=True)
    bar = axes[1].inset_axes((1.012, 0.0, 0.024, 1.0))
    figure.colorbar(shown, cax=bar, label="cosine similarity")
    figure.savefig(path, dpi=120)


def _outline(axis: object, box: Boxes, dashed: bool) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    left, top, right, bottom = np.asarray(box, dtype=float) - 0.5  # pixel 0 is drawn around 0
    style = (0, (4, 2)) if dashed else "solid"
    patch = Rectangle(
        (left, top), right - left, bottom - top, fill=False, linewidth=1.8, linestyle=style,
        edgecolor="white" if dashed else "#ffd400",
    )  # fmt: skip
    patch.set_path_effects([withStroke(linewidth=3.4, foreground="black")])
    axis.add_patch(patch)  # type: ignore[attr-defined]
