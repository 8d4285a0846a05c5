"""Frames from a video file, a folder of images or a camera, as one kind of thing.

``open_video`` chooses; ``VideoWriter`` (its own file) writes. Frames are ``(H, W, 3)`` uint8 BGR.
"""

import logging
import os
import queue
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.io.image import IMAGE_SUFFIXES, ImageError, read_image
from mmdeepmot.io.mot import read_seqinfo
from mmdeepmot.io.video_writer import VideoWriter

__all__ = [
    "CameraSource",
    "FileSource",
    "FolderSource",
    "VideoSource",
    "VideoWriter",
    "open_video",
    "prefetch",
]

Image = NDArray[np.uint8]
OnError = Literal["skip", "raise"]
T = TypeVar("T")

DEFAULT_FPS = 30.0
_MAX_FPS = 1000.0
_STREAM = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class VideoSource(ABC):
    """Frames in order, with what is known of them beforehand.

    Iterating gives images; ``numbered()`` gives ``(index, image)``, where the index counts from 0
    and leaves out frames that could not be read. Files and folders can be iterated again and
    again, a camera goes on where it was.

    Attributes:
        name: Name of the file or folder without suffix, or of the camera.
        size: (width, height) px of every frame.
        fps: Frames per second.
        length: Number of frames as far as known (a file's own statement), None for a camera.
        skipped: Frames left out as unreadable by the latest iteration.
    """

    def __init__(
        self,
        name: str,
        size: tuple[int, int],
        fps: float,
        length: int | None,
        read_ahead: int = 0,
    ) -> None:
        self.name = name
        self.size = size
        self.fps = fps
        self.length = length
        self.skipped = 0
        self._read_ahead = read_ahead

    @abstractmethod
    def _read(self) -> Iterator[tuple[int, str, Image]]:
        """Yields index, the words that name the frame in an error, and the image."""

    def _checked(self) -> Iterator[tuple[int, Image]]:
        self.skipped = 0
        for index, where, image in self._read():
            size = (image.shape[1], image.shape[0])
            if size != self.size:
                raise InputError(
                    f"{where}: expected {self.size[0]}x{self.size[1]} px as in the first frame, "
                    f"got {size[0]}x{size[1]}: a sequence has one image size; split it where the "
                    "size changes"
                )
            yield index, image

    def numbered(self) -> Iterator[tuple[int, Image]]:
        """Frames with their index (from 0), decoded in a thread if ``read_ahead`` > 0.

        Raises:
            InputError: The image size changes; the message names the frame.
            ImageError: A frame is unreadable and the source was opened with on_error='raise'.
        """
        frames = self._checked()
        return prefetch(frames, self._read_ahead) if self._read_ahead > 0 else frames

    def __iter__(self) -> Iterator[Image]:
        for _, image in self.numbered():
            yield image

    def close(self) -> None:  # noqa: B027 (most sources hold nothing)
        """Releases what is held (a camera)."""

    def __enter__(self) -> "VideoSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FolderSource(VideoSource):
    """Image files, one a frame.

    Args:
        paths: The images in order; at least one of them must be readable.
        name: Name of the source.
        fps: Frames per second.
        on_error: What to do with an unreadable image: 'skip' (one warning with the count and
            the frame numbers when the iteration ends) or 'raise'.
        read_ahead: Images decoded ahead in a thread; 0: none.
    """

    def __init__(
        self,
        paths: list[Path],
        name: str,
        fps: float = DEFAULT_FPS,
        on_error: OnError = "skip",
        read_ahead: int = 0,
    ) -> None:
        self._paths = paths
        self._on_error = on_error
        super().__init__(name, self._first_size(), fps, len(paths), read_ahead)

    def _first_size(self) -> tuple[int, int]:
        error: ImageError | None = None
        for path in self._paths:
            try:
                image = read_image(path)
                return image.shape[1], image.shape[0]
            except ImageError as failure:
                error = error or failure
                if self._on_error == "raise":
                    break
        raise ImageError(f"no image can be read: {error}")

    def _read(self) -> Iterator[tuple[int, str, Image]]:
        bad: list[int] = []
        first_error = ""
        try:
            for index, path in enumerate(self._paths):
                try:
                    image = read_image(path)
                except ImageError as error:
                    if self._on_error == "raise":
                        raise ImageError(f"frame {index + 1}: {error}") from None
                    bad.append(index + 1)
                    first_error = first_error or str(error)
                    self.skipped = len(bad)
                    continue
                yield index, f"frame {index + 1} ({path})", image
        finally:
            if bad:
                _warn(
                    f"{self.name}: skipped {len(bad)} unreadable of {len(self._paths)} images, "
                    f"frames {_some(bad)}; first: {first_error}"
                )


class FileSource(VideoSource):
    """A video file, or a network stream that OpenCV opens.

    The number of frames is what the file says; one warning tells where decoding ends before that
    (a truncated file).

    Args:
        path: The file or URL.
        fps: Frames per second instead of the file's own.
        on_error: 'skip' (warn) or 'raise' when the file ends early.
        read_ahead: Frames decoded ahead in a thread; 0: none.
    """

    def __init__(
        self,
        path: str,
        fps: float | None = None,
        on_error: OnError = "skip",
        read_ahead: int = 0,
    ) -> None:
        self._path = path
        self._on_error = on_error
        capture = self._open()
        found, image = capture.read()
        own_fps = capture.get(cv2.CAP_PROP_FPS)
        length = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
        if not found:
            raise ImageError(
                f"{path}: expected a video, but its first frame cannot be decoded (damaged file, "
                "or a codec that this OpenCV lacks)"
            )
        super().__init__(
            name=Path(path).stem,
            size=(image.shape[1], image.shape[0]),
            fps=_usable_fps(own_fps, path) if fps is None else fps,
            length=length if length > 0 else None,
            read_ahead=read_ahead,
        )

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(self._path)
        if not capture.isOpened():
            raise ImageError(
                f"{self._path}: expected a video, but it cannot be opened (truncated or damaged "
                "file, or a format that this OpenCV lacks)"
            )
        return capture

    def _read(self) -> Iterator[tuple[int, str, Image]]:
        capture = self._open()
        index = 0
        try:
            while True:
                found, image = capture.read()
                if not found:
                    break
                yield index, f"frame {index + 1} of {self._path}", image  # type: ignore[misc]
                index += 1
        finally:
            capture.release()
        if self.length is not None and index < self.length:
            self.skipped = self.length - index
            message = (
                f"{self._path}: ended after frame {index} where the file announces {self.length} "
                f"frames; {self.skipped} are missing (truncated or damaged file)"
            )
            if self._on_error == "raise":
                raise ImageError(message)
            _warn(message)


class CameraSource(VideoSource):
    """A camera by its index; ends when it gives no more frames.

    Args:
        index: Index as OpenCV counts cameras.
        fps: Frames per second instead of the camera's own statement.
        read_ahead: Frames read ahead in a thread; 0: none.
    """

    def __init__(self, index: int, fps: float | None = None, read_ahead: int = 0) -> None:
        self._capture = cv2.VideoCapture(index)
        found, image = self._capture.read() if self._capture.isOpened() else (False, None)
        if not found or image is None:
            self._capture.release()
            raise ImageError(
                f"camera {index}: no frame can be read; is it connected, free, and allowed? "
                "(a file or folder of that name does not exist either)"
            )
        self._first: Image | None = image  # type: ignore[assignment]
        own_fps = self._capture.get(cv2.CAP_PROP_FPS)
        name = f"camera{index}"
        super().__init__(
            name=name,
            size=(image.shape[1], image.shape[0]),
            fps=_usable_fps(own_fps, name) if fps is None else fps,
            length=None,
            read_ahead=read_ahead,
        )

    def _read(self) -> Iterator[tuple[int, str, Image]]:
        index = 0
        while True:
            if self._first is not None:
                image, self._first = self._first, None
            else:
                found, image = self._capture.read()  # type: ignore[assignment]
                if not found:
                    _warn(f"{self.name}: gave no further frame after {index}")
                    return
            yield index, f"frame {index + 1} of {self.name}", image
            index += 1

    def close(self) -> None:
        self._capture.release()


def open_video(
    source: str | int | os.PathLike[str],
    *,
    fps: float | None = None,
    on_error: OnError = "skip",
    read_ahead: int = 0,
) -> VideoSource:
    """Opens whatever holds frames.

    Args:
        source: Video file; image file; folder of images (in natural order: 2 before 10);
            MOTChallenge sequence folder (``seqinfo.ini`` or ``img1``); camera index (int or
            digits); URL of a stream.
        fps: Frames per second instead of what the source says (a folder: 30).
        on_error: Unreadable frames are skipped with one counted warning, or raise.
        read_ahead: Frames that a background thread decodes ahead, so that decoding overlaps
            with the network; 0: decode in the caller's thread.

    Raises:
        FileNotFoundError: No such file or folder, or no images in the folder.
        ImageError: Nothing in it can be decoded (a ValueError).
        InputError: A setting is out of range.
    """
    if fps is not None and not 0 < fps <= _MAX_FPS:
        raise InputError(f"fps must lie in (0, {_MAX_FPS:g}], got {fps}")
    if on_error not in ("skip", "raise"):
        raise InputError(f"on_error must be 'skip' or 'raise', got {on_error!r}")
    if isinstance(source, int):
        return CameraSource(source, fps, read_ahead)
    path = Path(source)
    if path.is_dir():
        paths, own_fps = _folder_images(path)
        name = path.resolve().name
        return FolderSource(paths, name, fps or own_fps, on_error, read_ahead)
    if path.is_file():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return FolderSource([path], path.stem, fps or DEFAULT_FPS, on_error, read_ahead)
        return FileSource(str(path), fps, on_error, read_ahead)
    text = os.fspath(source)
    if text.isdecimal():
        return CameraSource(int(text), fps, read_ahead)
    if _STREAM.match(text):
        return FileSource(text, fps, on_error, read_ahead)
    raise FileNotFoundError(
        f"{text}: expected a video file, a folder of images or a camera index, found nothing there"
    )


def prefetch(items: Iterable[T], depth: int) -> Iterator[T]:
    """The same items, produced ``depth`` ahead by a background thread.

    An exception of the producer reaches the consumer at its place in the order. The thread ends
    when the items do or when the consumer stops iterating.
    """
    if depth < 1:
        raise InputError(f"depth must be at least 1, got {depth}")
    ready: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def hand_over(going_on: bool, item: T | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                ready.put((going_on, item), timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def produce() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                if not hand_over(True, item):
                    break
            else:
                hand_over(False, None)
        except BaseException as error:
            hand_over(False, error)
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def consume() -> Iterator[T]:
        thread = threading.Thread(target=produce, name="prefetch", daemon=True)
        thread.start()
        try:
            while True:
                going_on, item = ready.get()
                if going_on:
                    yield item  # type: ignore[misc]
                elif isinstance(item, BaseException):
                    raise item
                else:
                    return
        finally:
            stopped.set()
            thread.join(timeout=5)

    return consume()


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Sort key by which ``frame2`` comes before ``frame10``."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdecimal() else (1, part.lower()) for part in parts]


def _folder_images(folder: Path) -> tuple[list[Path], float]:
    """Images of a folder or sequence folder in natural order, and its frames per second."""
    own_fps = DEFAULT_FPS
    images = folder
    if (folder / "seqinfo.ini").is_file() or (folder / "img1").is_dir():
        info = read_seqinfo(folder)
        own_fps, images = info.fps, info.image_dir
    elif folder.name == "img1" and (folder.parent / "seqinfo.ini").is_file():
        own_fps = read_seqinfo(folder.parent).fps
    if not images.is_dir():
        raise FileNotFoundError(
            f"{images}: expected the folder of the sequence's images, found none"
        )
    paths = [path for path in images.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
    if not paths:
        inside = sorted(path.name for path in images.iterdir() if path.is_dir())
        hint = f"; it holds the folders {_some(inside)}: name one of them" if inside else ""
        raise FileNotFoundError(
            f"{images}: expected images ({', '.join(IMAGE_SUFFIXES)}), found none{hint}"
        )
    return sorted(paths, key=lambda path: natural_key(path.name)), own_fps


def _usable_fps(fps: float, where: str) -> float:
    if 0 < fps <= _MAX_FPS:
        return float(fps)
    _warn(f"{where}: states {fps} frames/s; taken to be {DEFAULT_FPS:g}")
    return DEFAULT_FPS


def _some(items: list, most: int = 8) -> str:
    head = ", ".join(str(item) for item in items[:most])
    return head if len(items) <= most else f"{head}, ... ({len(items)} in all)"


def _warn(message: str) -> None:
    print_log(message, logger="current", level=logging.WARNING)
