"""Drawings of annotations: what a dataset says is in an image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.visualization.colors import id_colors
from mmdeepmot.visualization.draw import (
    Boxes,
    Ids,
    Image,
    Style,
    check_image,
    draw_bar,
    draw_tagged_boxes,
)

UNKNOWN_COLOR = (200, 200, 200)
IGNORED_COLOR = (96, 96, 96)


def draw_annotations(
    image: Image,
    bboxes: Boxes,
    identities: Ids,
    *,
    labels: NDArray[np.integer] | None = None,
    ignored: Boxes | None = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    style: Style | None = None,
) -> Image:
    """Boxes to find with their identities, and regions to ignore.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        bboxes: ``(N, 4)`` xyxy px.
        identities: ``(N,)``; it decides the colour. -1: unknown, light grey, ``?``.
        labels: ``(N,)`` class, written in the tag where there are ``class_names``.
        ignored: ``(K, 4)`` xyxy px, dark grey, ``ignored``.
        class_names: Names of the classes.
        title: Written in a bar above, before the counts.
        style: Line and letter sizes; by default they follow the image's size.

    Returns:
        A new image of the same shape.

    Raises:
        ValueError: The image is not ``(H, W, 3)`` uint8.
    """
    check_image(image)
    style = style or Style.for_image(image)
    canvas = image.copy()
    outside = np.zeros((0, 4)) if ignored is None else np.asarray(ignored).reshape(-1, 4)
    grey = np.full((len(outside), 3), IGNORED_COLOR, dtype=np.uint8)
    draw_tagged_boxes(canvas, outside, ["ignored"] * len(outside), grey, style)
    identities = np.asarray(identities, dtype=np.int64)
    known = identities >= 0
    colors = np.where(known[:, None], id_colors(np.maximum(identities, 0)), UNKNOWN_COLOR)
    tags = ["?" if identity < 0 else str(identity) for identity in identities.tolist()]
    if class_names is not None and labels is not None:
        names = [class_names[label] for label in np.asarray(labels).tolist()]
        tags = [f"{name} {tag}" for name, tag in zip(names, tags, strict=True)]
    boxes = np.asarray(bboxes, dtype=np.float64).reshape(-1, 4)
    draw_tagged_boxes(canvas, boxes, tags, colors.astype(np.uint8), style)
    if title is not None:
        counts = f"{len(boxes)} boxes, {int(known.sum())} known, {len(outside)} ignored"
        draw_bar(canvas, [(f"{title}   {counts}", (255, 255, 255))], style)
    return canvas
