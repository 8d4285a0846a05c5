"""Images: size without decoding, and decoding with errors that name the file."""

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mmdeepmot.errors import InputError

_EXIF_ORIENTATION = 0x0112
_EXIF_SIDEWAYS = (5, 6, 7, 8)

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class ImageError(InputError):
    """An image file that cannot be read: missing, truncated, or not an image."""


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """(width, height) px of an image, from its header alone.

    An orientation tag is honoured, as by :func:`read_image`.

    Raises:
        ImageError: The file is missing or has no header of a known image format.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            if image.getexif().get(_EXIF_ORIENTATION) in _EXIF_SIDEWAYS:
                width, height = height, width
    except FileNotFoundError:
        raise ImageError(f"{path}: image not found") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ImageError(
            f"{path}: expected an image file, but its header cannot be read ({error})"
        ) from None
    return width, height


def _is_complete(data: bytes) -> bool:
    """Whether an encoded JPEG or PNG reaches its end marker (other formats: assumed).

    OpenCV decodes a truncated JPEG to an image whose lower part is grey, without a word. The
    marker counts only after the last start of a scan: an embedded thumbnail has an end as well.
    """
    if data.startswith(b"\xff\xd8"):
        return data.find(b"\xff\xd9", max(data.rfind(b"\xff\xda"), 0)) >= 0
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND" in data[-4096:]
    return True


def read_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Decode an image to ``(H, W, 3)`` BGR uint8.

    Raises:
        ImageError: The file is missing, empty, truncated or not an image; the message names it.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{path}: image not found") from None
    except OSError as error:
        raise ImageError(f"{path}: image cannot be read ({error.strerror})") from None
    return decode_image(data, str(path))


def decode_image(data: bytes, where: str) -> NDArray[np.uint8]:
    """Decode the bytes of an image file to ``(H, W, 3)`` BGR uint8.

    Args:
        data: The encoded image.
        where: Where it comes from, for messages.

    Raises:
        ImageError: It is empty, truncated or not an image.
    """
    if len(data) == 0:
        raise ImageError(f"{where}: image file is empty (0 bytes)")
    if not _is_complete(data):
        raise ImageError(
            f"{where}: image is truncated ({len(data)} bytes, no end marker): fetch it again"
        )
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(
            f"{where}: expected an image, but it cannot be decoded ({len(data)} bytes)"
        )
    return image  # type: ignore[return-value]
