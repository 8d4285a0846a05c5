"""Text on images, from the font that Pillow carries (OpenCV's stroke fonts are hard to read)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Bgr = tuple[int, int, int]


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=4096)
def text_mask(text: str, size: int) -> NDArray[np.uint8]:
    """Coverage ``(h, w)`` uint8 of one line of text.

    Args:
        text: What to write.
        size: Font size in px; the mask's height depends on it alone, not on the letters.
    """
    font = _font(size)
    _, top, _, bottom = font.getbbox("Ag#|()")
    spacing = size / 24  # the face is set tight for small sizes on coloured ground
    positions = np.cumsum([0.0] + [font.getlength(letter) + spacing for letter in text])
    width = max(int(np.ceil(positions[-1])), 1)
    image = Image.new("L", (width, int(np.ceil(bottom - top))), 0)
    draw = ImageDraw.Draw(image)
    for letter, x in zip(text, positions.tolist(), strict=False):
        draw.text((x, -top), letter, fill=255, font=font)
    # A weight that survives video compression: coverage spread by half to the next column.
    mask = np.asarray(image)
    bold = mask.copy()
    bold[:, 1:] = np.maximum(bold[:, 1:], mask[:, :-1] // 2)
    bold.flags.writeable = False
    return bold


def put_text(
    image: NDArray[np.uint8], text: str, corner: tuple[int, int], size: int, color: Bgr
) -> None:
    """Writes one line on ``(H, W, 3)`` in place; what lies outside the image is cut off.

    Args:
        image: BGR image, changed.
        text: What to write.
        corner: Left and top of the line, px.
        size: Font size, px.
        color: BGR.
    """
    mask = text_mask(text, size)
    left, top = corner
    x0, y0 = max(left, 0), max(top, 0)
    x1 = min(left + mask.shape[1], image.shape[1])
    y1 = min(top + mask.shape[0], image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    cover = mask[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.uint16)
    region = image[y0:y1, x0:x1]
    mixed = region * (255 - cover) + np.array(color, dtype=np.uint16) * cover
    region[:] = (mixed + 127) // 255
