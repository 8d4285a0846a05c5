"""Video files that browsers play: H.264 through PyAV where installed, else VP9 through OpenCV."""

import importlib.util
import os
from abc import ABC, abstractmethod
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.errors import InputError, MissingPackageError

Image = NDArray[np.uint8]
Codec = Literal["auto", "h264", "vp9"]

# Values of ISO/IEC 23001-8. The matrix is BT.601's because OpenCV reads every file with that one;
# players follow the tag.
_BT709_PRIMARIES = _BT709_TRANSFER = 1
_BT601_MATRIX = 6
_LIMITED_RANGE = 1


class _Encoder(ABC):
    """Encodes frames of one even size into a file."""

    @abstractmethod
    def write(self, image: Image) -> None: ...

    @abstractmethod
    def close(self) -> None: ...


class _PyAVEncoder(_Encoder):
    """H.264, yuv420p, index at the front (a browser starts before it has the whole)."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int], crf: int) -> None:
        import av

        self._frame_class = av.VideoFrame
        self._container: Any = av.open(
            str(path), mode="w", format="mp4", options={"movflags": "+faststart"}
        )
        stream: Any = self._container.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1001)
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast"}
        context = stream.codec_context
        context.color_primaries, context.color_trc = _BT709_PRIMARIES, _BT709_TRANSFER
        context.colorspace = _BT601_MATRIX
        context.color_range = _LIMITED_RANGE
        self._stream = stream

    def write(self, image: Image) -> None:
        frame = self._frame_class.from_ndarray(image, format="bgr24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU601")
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        try:
            for packet in self._stream.encode():
                self._container.mux(packet)
        finally:
            self._container.close()


class _OpenCVEncoder(_Encoder):
    """VP9 in mp4 (OpenCV's wheels have no H.264, and browsers do not play its MPEG-4 part 2)."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        fourcc = cv2.VideoWriter.fourcc(*"VP90")
        self._writer = cv2.VideoWriter(str(path), fourcc, fps, size)
        if not self._writer.isOpened():
            raise MissingPackageError(
                f"{path}: this OpenCV cannot write VP9 video; install PyAV: pip install av"
            )

    def write(self, image: Image) -> None:
        self._writer.write(image)

    def close(self) -> None:
        self._writer.release()


class VideoWriter:
    """Writes an .mp4 file beside its destination and renames it when closed.

    Where an exception or Ctrl-C ends the ``with`` block, what was written so far is closed
    properly and kept. Frames of odd width or height are padded by one replicated column or row:
    yuv420p needs even sizes. Without any frame no file is made.

    Args:
        path: Destination, ``.mp4``; missing folders are made.
        fps: Frames per second.
        size: (width, height) px of the frames; None: as the first frame.
        codec: 'h264' (needs PyAV), 'vp9' (OpenCV, about ten times slower), or 'auto': the first
            that is there.
        crf: Quality of H.264: lower is better and larger; 17 to 28 is usual.

    Attributes:
        codec: The codec in use, 'h264' or 'vp9'.
        count: Frames written.

    Raises:
        InputError: Suffix, fps or size cannot be used, or (``write``) a frame differs from the
            size; the message names the frame.
        MissingPackageError: 'h264' was asked for and PyAV is not installed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        fps: float,
        size: tuple[int, int] | None = None,
        *,
        codec: Codec = "auto",
        crf: int = 20,
    ) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != ".mp4":
            raise InputError(f"{path}: expected a file name that ends in .mp4")
        if not 0 < fps <= 1000:
            raise InputError(f"{path}: fps must lie in (0, 1000], got {fps}")
        if size is not None and min(size) < 1:
            raise InputError(f"{path}: expected a positive (width, height), got {size}")
        self.fps = float(fps)
        self.size = size
        self.codec = _choose_codec(codec)
        self.count = 0
        self._crf = crf
        self._encoder: _Encoder | None = None
        self._part = self.path.with_name(f".{self.path.stem}.part{os.getpid()}.mp4")
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, image: Image) -> None:
        """Appends one frame ``(H, W, 3)`` uint8 BGR."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise InputError(
                f"{self.path}: frame {self.count + 1}: expected a (H, W, 3) uint8 BGR image, got "
                f"shape {image.shape}, {image.dtype}"
            )
        size = (image.shape[1], image.shape[0])
        if self.size is None:
            self.size = size
        if size != self.size:
            raise InputError(
                f"{self.path}: frame {self.count + 1}: expected {self.size[0]}x{self.size[1]} px, "
                f"got {size[0]}x{size[1]}: all frames of a video have one size"
            )
        if self._encoder is None:
            self._encoder = self._open((size[0] + size[0] % 2, size[1] + size[1] % 2))
        self._encoder.write(_pad_to_even(image))
        self.count += 1

    def _open(self, size: tuple[int, int]) -> _Encoder:
        name = "H.264 (PyAV)" if self.codec == "h264" else "VP9 (OpenCV; faster: pip install av)"
        print_log(f"writing {self.path} as {name}, {size[0]}x{size[1]}", logger="current")
        if self.codec == "h264":
            return _PyAVEncoder(self._part, self.fps, size, self._crf)
        return _OpenCVEncoder(self._part, self.fps, size)

    def close(self) -> None:
        """Finishes the file and puts it in its place; a second call does nothing."""
        encoder, self._encoder = self._encoder, None
        if encoder is None:
            if self.count == 0:
                self._part.unlink(missing_ok=True)
            return
        try:
            encoder.close()
        except Exception as error:
            raise OSError(
                f"{self.path}: the video could not be finished ({error}); what was written of it "
                f"is in {self._part}"
            ) from error
        if self.count:
            os.replace(self._part, self.path)
        else:
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _choose_codec(codec: Codec) -> Literal["h264", "vp9"]:
    if codec not in get_args(Codec):
        raise InputError(f"codec must be one of {get_args(Codec)}, got {codec!r}")
    has_pyav = importlib.util.find_spec("av") is not None
    if codec == "h264" and not has_pyav:
        raise MissingPackageError("codec 'h264' needs PyAV: pip install av (or use codec='vp9')")
    if codec == "auto":
        return "h264" if has_pyav else "vp9"
    return codec


def _pad_to_even(image: Image) -> Image:
    """``(H, W, 3)`` with one replicated row or column more where H or W is odd; contiguous."""
    below, right = image.shape[0] % 2, image.shape[1] % 2
    if below or right:
        image = np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
