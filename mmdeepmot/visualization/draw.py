"""Drawings of tracks on BGR images: pure functions, the image given is never changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdeepmot.visualization.colors import contrast_colors, id_colors
from mmdeepmot.visualization.text import Bgr, put_text, text_mask
from mmdeepmot.visualization.trails import Trails

Image = NDArray[np.uint8]
Boxes = NDArray[np.floating]
Ids = NDArray[np.integer]

_TRAIL_OPACITY = 0.85
_BAR_OPACITY = 0.6


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in px of what is drawn on an image.

    Attributes:
        line: Width of boxes and trails.
        font: Size of the letters of tags.
        pad: Space around text.
    """

    line: int
    font: int
    pad: int

    @classmethod
    def for_image(cls, image: Image) -> "Style":
        """Sizes that look the same on a small and on a large image."""
        side = float(np.sqrt(image.shape[0] * image.shape[1]))
        return cls(
            line=max(1, round(side / 360)),
            font=max(10, round(side / 48)),
            pad=max(2, round(side / 320)),
        )


def draw_tracks(
    image: Image,
    bboxes: Boxes,
    ids: Ids,
    scores: NDArray[np.floating] | None = None,
    labels: NDArray[np.integer] | None = None,
    trails: Trails | None = None,
    *,
    class_names: Sequence[str] | None = None,
    frame_number: int | None = None,
    fps: float | None = None,
    style: Style | None = None,
) -> Image:
    """Boxes with id tags, trails and an information bar.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        bboxes: ``(N, 4)`` xyxy px; parts outside the image are cut off.
        ids: ``(N,)`` identity; it alone decides the colour.
        scores: ``(N,)``, written in the tag.
        labels: ``(N,)`` class, written in the tag where there are ``class_names``.
        trails: Paths of the last frames, see :class:`TrailBuffer`.
        class_names: Names of the classes.
        frame_number: Written in the bar above the image's upper left corner.
        fps: Frames per second of the processing, written there too.
        style: Line and letter sizes; by default they follow the image's size.

    Returns:
        A new image of the same shape.

    Raises:
        ValueError: The image is not ``(H, W, 3)`` uint8, or the arrays differ in length.
    """
    check_image(image)
    bboxes = _check_rows(bboxes, ids=ids, scores=scores, labels=labels)
    style = style or Style.for_image(image)
    canvas = image.copy() if trails is None else draw_trails(image, trails, style)
    ids = np.asarray(ids, dtype=np.int64)
    tags = _tags(ids, scores, labels, class_names)
    draw_tagged_boxes(canvas, bboxes, tags, id_colors(ids), style)
    parts = []
    if frame_number is not None:
        parts.append(f"frame {frame_number}")
    if fps is not None:
        parts.append(f"{fps:.1f} fps")
    if parts:
        parts.insert(1, f"{len(ids)} track" + ("" if len(ids) == 1 else "s"))
        draw_bar(canvas, [("   ".join(parts), (255, 255, 255))], style)
    return canvas


def draw_trails(image: Image, trails: Trails, style: Style | None = None) -> Image:
    """Paths of tracks that fade with age.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        trails: Segments, oldest first.
        style: Line sizes.

    Returns:
        A new image.
    """
    check_image(image)
    if len(trails) == 0:
        return image.copy()
    style = style or Style.for_image(image)
    shift = 4  # fractional bits of OpenCV's coordinates
    points = _to_fixed_point(trails.segments, shift)
    paint = image.copy()
    cover = np.zeros(image.shape[:2], dtype=np.uint8)
    unique, which = np.unique(trails.ids, return_inverse=True)
    for rows, color in zip(_groups(which), id_colors(unique).tolist(), strict=True):
        cv2.polylines(paint, list(points[rows]), False, color, style.line + 2, cv2.LINE_8, shift)
    ages, which = np.unique(-trails.ages, return_inverse=True)
    for rows, age in zip(_groups(which), -ages, strict=True):  # oldest first: newer covers older
        opacity = 255 * _TRAIL_OPACITY * max(0.0, 1.0 - age / trails.length)
        lines = list(points[rows])
        cv2.polylines(cover, lines, False, (opacity,), style.line, cv2.LINE_AA, shift)
    touched = np.flatnonzero(cover)  # few pixels: blending all of them would take longest
    weight = cover.reshape(-1, 1)[touched].astype(np.uint16)
    canvas = image.copy()
    mixed = paint.reshape(-1, 3)[touched] * weight + image.reshape(-1, 3)[touched] * (255 - weight)
    canvas.reshape(-1, 3)[touched] = (mixed + 127) // 255
    return canvas


def _groups(which: NDArray[np.integer]) -> list[NDArray[np.integer]]:
    """Row numbers of every group ``0..G-1``, each in ascending order."""
    order = np.argsort(which, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(which[order])) + 1)


def _to_fixed_point(points: NDArray[np.floating], shift: int) -> NDArray[np.int32]:
    # OpenCV wants 32 bits with ``shift`` of them fractional: far outside is far enough.
    return np.rint(np.clip(points, -30000, 30000) * (1 << shift)).astype(np.int32)


def _tags(
    ids: Ids,
    scores: NDArray[np.floating] | None,
    labels: NDArray[np.integer] | None,
    class_names: Sequence[str] | None,
) -> list[str]:
    tags = [str(i) for i in ids.tolist()]
    if labels is not None and class_names is not None:
        names = [
            class_names[k] if 0 <= k < len(class_names) else str(k)
            for k in np.asarray(labels).tolist()
        ]
        tags = [f"{name} {tag}" for name, tag in zip(names, tags, strict=True)]
    if scores is not None:
        tags = [f"{tag}  {s:.2f}" for tag, s in zip(tags, np.asarray(scores).tolist(), strict=True)]
    return tags


def draw_tagged_boxes(
    canvas: Image,
    bboxes: Boxes,
    tags: list[str],
    colors: NDArray[np.uint8],
    style: Style,
) -> None:
    """Boxes with tags in place; what stands lower (nearer to the camera) comes on top."""
    texts = contrast_colors(colors)
    corners = np.rint(np.clip(bboxes, -30000, 30000)).astype(np.int64)
    for row in np.argsort(bboxes[:, 3], kind="stable").tolist():
        left, top, right, bottom = corners[row].tolist()
        color = tuple(colors[row].tolist())
        _draw_box(canvas, (left, top, right, bottom), color, style.line)
        if tags[row]:
            _draw_tag(canvas, (left, top), tags[row], color, tuple(texts[row].tolist()), style)


def _draw_box(canvas: Image, box: tuple[int, int, int, int], color: Bgr, line: int) -> None:
    """Outline whose lines lie on the border, with a thin dark rim that lifts it off."""
    left, top, right, bottom = box
    _blend_outline(canvas, box, line)
    cv2.rectangle(canvas, (left, top), (right, bottom), color, line, cv2.LINE_8)


def _blend_outline(canvas: Image, box: tuple[int, int, int, int], line: int) -> None:
    """Darkens a one pixel rim inside and outside the lines of a box."""
    height, width = canvas.shape[:2]
    left, top, right, bottom = box
    reach = line // 2 + 1
    for grow in (reach, -reach):
        x0, y0, x1, y1 = left - grow, top - grow, right + grow, bottom + grow
        if x1 <= x0 or y1 <= y0:
            continue
        columns = slice(max(x0, 0), max(min(x1 + 1, width), 0))
        rows = slice(max(y0, 0), max(min(y1 + 1, height), 0))
        for y in (y0, y1):
            if 0 <= y < height:
                canvas[y, columns] //= 2
        for x in (x0, x1):
            if 0 <= x < width:
                canvas[rows, x] //= 2


def _draw_tag(
    canvas: Image, corner: tuple[int, int], text: str, color: Bgr, text_color: Bgr, style: Style
) -> None:
    """A filled label above the box's left upper corner, moved so that it stays in the image."""
    height, width = canvas.shape[:2]
    mask = text_mask(text, style.font)
    tag_w, tag_h = mask.shape[1] + 2 * style.pad, mask.shape[0] + style.pad
    left = min(max(corner[0] - style.line // 2, 0), max(width - tag_w, 0))
    top = corner[1] + 1 - tag_h  # its foot lies on the box's upper line
    if top < 0:
        top = max(corner[1], 0)
    top = min(top, max(height - tag_h, 0))
    cv2.rectangle(canvas, (left, top), (left + tag_w - 1, top + tag_h - 1), color, -1)
    put_text(canvas, text, (left + style.pad, top + style.pad // 2), style.font, text_color)


def draw_bar(canvas: Image, parts: Sequence[tuple[str, Bgr]], style: Style) -> None:
    """Text of several colours on a darkened bar at the upper left corner."""
    size = round(style.font * 1.1)
    space, gap = 2 * style.pad, text_mask("m", size).shape[1]
    widths = [text_mask(text, size).shape[1] for text, _ in parts]
    bar_w = sum(widths) + gap * (len(parts) - 1) + 2 * space
    bar_h = text_mask("m", size).shape[0] + space
    region = canvas[:bar_h, :bar_w]
    region[:] = (region * (1.0 - _BAR_OPACITY)).astype(np.uint8)
    x = space
    for (text, color), advance in zip(parts, widths, strict=True):
        put_text(canvas, text, (x, space // 2), size, color)
        x += advance + gap


def check_image(image: Image) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(
            f"expected a (H, W, 3) uint8 BGR image, got shape {image.shape}, {image.dtype}"
        )


def _check_rows(bboxes: Boxes, **columns: NDArray | None) -> Boxes:
    bboxes = np.asarray(bboxes, dtype=np.float64)
    if bboxes.size == 0:
        bboxes = bboxes.reshape(-1, 4)
    if bboxes.ndim != 2 or bboxes.shape[1] != 4:
        raise ValueError(f"bboxes must have shape (N, 4), xyxy in pixels, got {bboxes.shape}")
    for name, column in columns.items():
        if column is not None and len(column) != len(bboxes):
            raise ValueError(f"{name} has {len(column)} rows where bboxes has {len(bboxes)}")
    return bboxes
