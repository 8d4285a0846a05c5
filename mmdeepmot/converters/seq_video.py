"""Norpix ``.seq`` files, as Caltech Pedestrian has them: images one after another.

Layout (Piotr Dollar's toolbox, ``seqIo``; little-endian): uint32 0xFEED, 24 bytes of the name
``Norpix seq`` in UTF-16, int32 version, uint32 size of the header (1024), 512 bytes of text, then
uint32 width, height, bits, real bits, bytes of an image, format, number of frames, 0, true bytes of
an image; float64 frames a second. Frames follow from byte 1024. In the formats 102 and 201 (JPEG)
and 1 and 2 (PNG) a frame is a uint32 (its size in bytes, these four included), the encoded image,
a time stamp, and sometimes padding.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mmdeepmot.converters.source import Piece
from mmdeepmot.errors import InputError

HEADER_BYTES = 1024
_MAGIC = 0xFEED
_NAME = "Norpix seq".encode("utf-16-le")
_INFO_OFFSET = 548
_INFO = struct.Struct("<9Id")
_SUFFIXES = {102: ".jpg", 201: ".jpg", 1: ".png", 2: ".png"}
_STARTS = {".jpg": b"\xff\xd8", ".png": b"\x89P"}
_BETWEEN = (8, 6, 10, 16, 12, 4, 14, 24)
"""Bytes of the time stamp and padding behind a frame, the usual first."""


@dataclass(frozen=True, slots=True)
class SeqVideo:
    """The frames of a ``.seq`` file.

    Attributes:
        frames: Where each of them lies.
        fps: Frames per second.
        problem: Where the file breaks off, or an empty text.
    """

    frames: list[Piece]
    fps: float
    problem: str = ""


def read_seq(path: Path) -> SeqVideo:
    """Find the frames of a ``.seq`` file.

    A file that breaks off gives the frames before, and says so in ``problem``. A header that says
    0 frames, as a recorder leaves it that was stopped, means all that are there.

    Raises:
        FileNotFoundError: No such file.
        InputError: It is no such file, or its frames are not JPEG or PNG.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a .seq video, found none")
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        if (
            len(header) < HEADER_BYTES
            or struct.unpack_from("<I", header)[0] != _MAGIC
            or header[4 : 4 + len(_NAME)] != _NAME
        ):
            raise InputError(
                f"{path}: expected a Norpix .seq video (0xFEED, 'Norpix seq', {HEADER_BYTES} bytes "
                f"of header), got {header[:8].hex()}...: fetch it again"
            )
        width, height, _, _, _, form, count, _, _, fps = _INFO.unpack_from(header, _INFO_OFFSET)
        if form not in _SUFFIXES:
            raise InputError(
                f"{path}: expected JPEG or PNG frames (image formats {sorted(_SUFFIXES)}), got the "
                f"image format {form}"
            )
        frames, problem = _find_frames(file, path, (width, height), _SUFFIXES[form], count)
    return SeqVideo(frames, fps if fps > 0 else 30.0, problem)


def _find_frames(
    file: BinaryIO, path: Path, size: tuple[int, int], suffix: str, count: int
) -> tuple[list[Piece], str]:
    total = path.stat().st_size
    frames: list[Piece] = []
    position = HEADER_BYTES
    while position + 4 < total:
        file.seek(position)
        length = struct.unpack("<I", file.read(4))[0]
        if length <= 4 or position + length > total:
            break
        frames.append(Piece(path, position + 4, length - 4, size, suffix))
        following = _next_frame(file, position + length, total, _STARTS[suffix])
        if following is None:
            break
        position = following
    if frames and len(frames) >= count:
        return frames[: count or None], ""
    end = frames[-1].offset + frames[-1].length if frames else HEADER_BYTES
    return frames, (
        f"{path}: expected {count or 'some'} frames, as its header says; after {len(frames)}, at "
        f"byte {end} of {total}, there is no further one: fetch it again"
    )


def _next_frame(file: BinaryIO, end: int, total: int, start: bytes) -> int | None:
    """Position of the frame behind the byte ``end``: the next that looks like one."""
    file.seek(end)
    window = file.read(max(_BETWEEN) + 4 + len(start))
    for between in _BETWEEN:
        if window[between + 4 : between + 4 + len(start)] == start:
            length = struct.unpack_from("<I", window, between)[0]
            if length > 4 and end + between + length <= total + 4:
                return end + between
    return None
