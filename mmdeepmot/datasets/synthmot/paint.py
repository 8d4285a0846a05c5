"""Drawing in metres (or body heights) on small premultiplied BGRA sheets, and compositing them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Colour = tuple[float, float, float]  # BGR, 0 to 255
Point = tuple[float, float]

_SHIFT = 4  # fractional bits of the coordinates that OpenCV draws at


def shade(colour: Colour, factor: float) -> Colour:
    """A colour made darker (factor < 1) or lighter (factor > 1, towards white)."""
    if factor <= 1:
        return (colour[0] * factor, colour[1] * factor, colour[2] * factor)
    mix = min(factor - 1, 1.0)
    return mix_colours(colour, (255, 255, 255), mix)


def mix_colours(a: Colour, b: Colour, weight: float) -> Colour:
    """``(1 - weight) * a + weight * b``."""
    return (
        a[0] + (b[0] - a[0]) * weight,
        a[1] + (b[1] - a[1]) * weight,
        a[2] + (b[2] - a[2]) * weight,
    )


def vary(rng: np.random.Generator, colour: Colour, amount: float) -> Colour:
    """A colour with Gaussian changes of brightness and of each channel, std ``amount``."""
    change = rng.normal(0, amount) + rng.normal(0, amount * 0.6, 3)
    b, g, r = np.clip(np.array(colour) + change, 0, 255)
    return (float(b), float(g), float(r))


class Sheet:
    """A transparent drawing area with its own unit; x to the right, y **up**.

    Args:
        left, right, bottom, top: The area, in the sheet's unit.
        scale: Pixels a unit.

    Attributes:
        pixels: ``(H, W, 4)`` uint8 BGRA, premultiplied by alpha.
    """

    def __init__(self, left: float, right: float, bottom: float, top: float, scale: float) -> None:
        self.left = left
        self.top = top
        self.scale = scale
        width = max(1, int(np.ceil((right - left) * scale)))
        height = max(1, int(np.ceil((top - bottom) * scale)))
        self.pixels: Image = np.zeros((height, width, 4), np.uint8)

    def _px(self, points: NDArray[np.floating]) -> NDArray[np.int32]:
        out = np.empty(points.shape)
        out[..., 0] = (points[..., 0] - self.left) * self.scale
        out[..., 1] = (self.top - points[..., 1]) * self.scale
        return np.round(out * (1 << _SHIFT)).astype(np.int32)

    @staticmethod
    def _ink(colour: Colour) -> tuple[float, float, float, float]:
        return (*colour, 255.0)

    def polygon(self, points: list[Point] | NDArray[np.floating], colour: Colour) -> None:
        """A filled polygon."""
        corners = self._px(np.asarray(points, dtype=np.float64))
        cv2.fillPoly(self.pixels, [corners], self._ink(colour), cv2.LINE_AA, _SHIFT)

    def rect(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """A filled rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        centre = self._px(np.array([x, y]))
        size = max(1, round(radius * self.scale * (1 << _SHIFT)))
        cv2.circle(
            self.pixels,
            (int(centre[0]), int(centre[1])),
            size,
            self._ink(colour),
            -1,
            cv2.LINE_AA,
            _SHIFT,
        )

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """A filled ellipse with axes along x and y."""
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        points = np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)
        self.polygon(points, colour)

    def capsule(self, a: Point, b: Point, ra: float, rb: float, colour: Colour) -> None:
        """A limb: two discs and the band between them."""
        along = np.array([b[0] - a[0], b[1] - a[1]])
        length = float(np.hypot(*along))
        if length > 1e-9:
            side = np.array([-along[1], along[0]]) / length
            start, end = np.array(a), np.array(b)
            band = np.stack(
                [start + side * ra, end + side * rb, end - side * rb, start - side * ra]
            )
            self.polygon(band, colour)
        self.disc(*a, ra, colour)
        self.disc(*b, rb, colour)

    def line(self, a: Point, b: Point, width: float, colour: Colour) -> None:
        """A line of a width in the sheet's unit, at least a pixel thick."""
        ends = self._px(np.array([a, b]))
        cv2.line(
            self.pixels,
            (int(ends[0, 0]), int(ends[0, 1])),
            (int(ends[1, 0]), int(ends[1, 1])),
            self._ink(colour),
            max(1, round(width * self.scale)),
            cv2.LINE_AA,
            _SHIFT,
        )

    def text(self, x: float, y: float, height: float, words: str, colour: Colour) -> None:
        """Words whose baseline starts at (x, y)."""
        origin = self._px(np.array([x, y])) >> _SHIFT
        size = height * self.scale / 22.0  # Hershey duplex capitals are 22 px high
        cv2.putText(
            self.pixels,
            words,
            (int(origin[0]), int(origin[1])),
            cv2.FONT_HERSHEY_DUPLEX,
            size,
            self._ink(colour),
            max(1, round(size * 1.6)),
            cv2.LINE_AA,
        )


def over(target: Image, patch: Image, left: int, top: int) -> tuple[slice, slice] | None:
    """Lay a premultiplied BGRA patch over a BGR image, in place.

    Args:
        target: ``(H, W, 3)`` uint8.
        patch: ``(h, w, 4)`` uint8 premultiplied.
        left, top: Where the patch's corner lies in the target, px; may be outside.

    Returns:
        The (rows, columns) of the target that were painted, or None.
    """
    clipped = clip_patch(target.shape[:2], patch.shape[:2], left, top)
    if clipped is None:
        return None
    (rows, columns), (patch_rows, patch_columns) = clipped
    blend(target[rows, columns], patch[patch_rows, patch_columns])
    return rows, columns


def blend(region: Image, patch: Image) -> None:
    """``region = patch + region * (1 - alpha)``, in place; same height and width."""
    rest = cv2.bitwise_not(patch[..., 3])
    kept = cv2.multiply(region, cv2.merge([rest, rest, rest]), scale=1 / 255)
    cv2.add(kept, np.ascontiguousarray(patch[..., :3]), dst=kept)
    region[...] = kept


Window = tuple[slice, slice]


def clip_patch(
    image: tuple[int, ...], patch: tuple[int, ...], left: int, top: int
) -> tuple[Window, Window] | None:
    """The part of a (h, w) patch at (left, top) that lies in a (H, W) image: in both."""
    y0, y1 = max(top, 0), min(top + patch[0], image[0])
    x0, x1 = max(left, 0), min(left + patch[1], image[1])
    if y0 >= y1 or x0 >= x1:
        return None
    inside = (slice(y0, y1), slice(x0, x1))
    return inside, (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def noise_field(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[float, ...]
) -> NDArray[np.float32]:
    """Smooth noise, mean about 0, std about 1: a sum of octaves with cells of these sizes, px."""
    out = np.zeros(shape, np.float32)
    for cell in cells:
        rows = max(2, int(shape[0] / cell) + 2)
        columns = max(2, int(shape[1] / cell) + 2)
        coarse = rng.standard_normal((rows, columns), dtype=np.float32)
        out += cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return out / np.float32(max(1, len(cells)) ** 0.5)
