"""Tiny data sets in their original formats, and what a conversion made of them."""

import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

SIZE = (64, 48)


def encoded(suffix: str = ".jpg", size: tuple[int, int] = SIZE, seed: int = 0) -> bytes:
    """A noise image."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG" if suffix == ".jpg" else "PNG")
    return stream.getvalue()


def write_image(path: Path, size: tuple[int, int] = SIZE, seed: int = 0) -> Path:
    """A noise image of the suffix of its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(path.suffix, size, seed))
    return path


def cell(items: Sequence[Any]) -> np.ndarray:
    """A MATLAB cell ``1 x N``."""
    out = np.empty((1, len(items)), dtype=object)
    for row, item in enumerate(items):
        out[0, row] = item
    return out


def structs(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """A MATLAB struct array ``1 x N``."""
    if not rows:
        return np.zeros((0, 0))
    out = np.empty((1, len(rows)), dtype=[(name, object) for name in rows[0]])
    for number, row in enumerate(rows):
        for name, value in row.items():
            out[0, number][name] = value
    return out


def write_mat(path: Path, **variables: Any) -> Path:
    """A MATLAB file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, variables)
    return path


def write_seq(
    path: Path, frames: Sequence[bytes], gap: int = 8, count: int | None = None, fps: float = 30.0
) -> Path:
    """A Norpix .seq video of encoded JPEG images."""
    header = bytearray(1024)
    struct.pack_into("<I", header, 0, 0xFEED)
    name = "Norpix seq".encode("utf-16-le")
    header[4 : 4 + len(name)] = name
    struct.pack_into("<iI", header, 28, 3, 1024)
    total = len(frames) if count is None else count
    struct.pack_into("<9Id", header, 548, *SIZE, 24, 24, 9216, 201, total, 0, 0, fps)
    body = b"".join(struct.pack("<I", len(one) + 4) + one + bytes(gap) for one in frames)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(header) + body)
    return path


def labels(out: Path, image: str, size: tuple[int, int] = SIZE) -> list[list[float]]:
    """Rows of an image's label file: class, identity, xyxy px rounded to 1/1000."""
    file = (out / image.replace("/images/", "/labels_with_ids/")).with_suffix(".txt")
    rows = []
    for line in file.read_text().splitlines():
        kind, identity, x, y, width, height = (float(part) for part in line.split())
        box = [
            (x - width / 2) * size[0],
            (y - height / 2) * size[1],
            (x + width / 2) * size[0],
            (y + height / 2) * size[1],
        ]
        rows.append([int(kind), int(identity), *(round(value, 3) + 0.0 for value in box)])
    return rows


def listed(out: Path, name: str) -> list[str]:
    """Lines of a list file."""
    return (out / "lists" / name).read_text().split()
