"""Tracking of videos and streams from Python.

Not built on mmengine's ``BaseInferencer``, on purpose: that reads the model's config from the
checkpoint and executes it, loads checkpoints without restriction, and gathers all inputs and
outputs of a call in memory, where a tracker has state and a camera no end.
"""

import itertools
import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from mmdet.structures import TrackDataSample
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from numpy.typing import NDArray

from mmdeepmot.apis.locate import find_config
from mmdeepmot.apis.result import TrackResult, to_mot_rows
from mmdeepmot.engine.config import load_config
from mmdeepmot.engine.weights import load_weights
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import write_mot_text
from mmdeepmot.io.mot_classes import file_numbers
from mmdeepmot.io.video import DEFAULT_FPS, CameraSource, VideoSource, open_video
from mmdeepmot.models.detectors.onnx_detector import trained_parts
from mmdeepmot.registry import MODELS, SCOPE, TRANSFORMS
from mmdeepmot.visualization.track_video import TrackVideo
from mmdeepmot.visualization.window import check_display, show_image

Image = NDArray[np.uint8]
Backend = Literal["torch", "onnxruntime"]
Source = str | int | os.PathLike[str] | VideoSource | Iterable[Image]
_READ_AHEAD = 8
_SPEED_MEMORY = 0.9


class MOTInferencer:
    """A trained tracker, ready to be given videos.

    Args:
        model: Path of a config, name of one of the project's, or a config.
        weights: Checkpoint; loaded as plain data only, and only the weights of it are used. None:
            the model as it is built (a warning is logged).
        device: Such as ``cpu`` or ``cuda:0``; by default a GPU if there is one.
        backend: ``torch``; or ``onnxruntime``: ``weights`` is then a detector that
            ``tools/export_onnx.py`` has written, and runs in the place of the config's.

    Attributes:
        cfg: The config.
        model: The model, in evaluation mode on the device.
        classes: Names of the classes, where the config tells them.

    Raises:
        FileNotFoundError: No such config or checkpoint.
        CheckpointError: The checkpoint is damaged, unsafe or of another architecture.
        InputError: The config has no test pipeline or no tracker.

    Example::

        tracker = MOTInferencer("jde_r18_synthmot", "work_dirs/demo/iter_1000.pth")
        results = tracker("street.mp4", out_video="tracked.mp4", out_txt="tracked.txt")
        for result in tracker.stream(frames):
            print(result.frame_index, result.ids, result.bboxes)
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Config | dict,
        weights: str | os.PathLike[str] | None = None,
        device: str | None = None,
        backend: Backend = "torch",
    ) -> None:
        self.cfg = _to_config(model)
        init_default_scope(SCOPE)
        self.device = _check_device(device or get_device())
        self._pipeline = _build_pipeline(self.cfg)
        if backend == "onnxruntime":
            _put_exported(self.cfg, weights)
        elif backend != "torch":
            raise InputError(f"backend must be one of {get_args(Backend)}, got {backend!r}")
        self.model = MODELS.build(self.cfg.model)
        if backend == "onnxruntime":
            self.device = torch.device("cpu")  # of the preprocessing; the file finds its own
        elif weights is not None:
            load_weights(self.model, os.fspath(weights))
        else:
            print_log("no weights given: the model tracks with those it is built with", "current")
        self.model.to(self.device)
        self.model.eval()
        if hasattr(self.model, "set_task"):
            self.model.set_task("track")
        classes = _find(self.cfg, "classes") or ()
        self.classes: tuple[str, ...] = tuple(classes)
        self._class_numbers = file_numbers(classes)
        self._streams = 0

    def __call__(
        self,
        source: Source,
        out_video: str | os.PathLike[str] | None = None,
        out_txt: str | os.PathLike[str] | None = None,
        show: bool = False,
        batch_size: int | None = None,
        max_frames: int | None = None,
        fps: float | None = None,
    ) -> list[TrackResult]:
        """Tracks a whole video; arguments as of :meth:`run`.

        Returns:
            One result a frame. A frame that could not be read has none.
        """
        return list(self.run(source, out_video, out_txt, show, batch_size, max_frames, fps))

    def run(
        self,
        source: Source,
        out_video: str | os.PathLike[str] | None = None,
        out_txt: str | os.PathLike[str] | None = None,
        show: bool = False,
        batch_size: int | None = None,
        max_frames: int | None = None,
        fps: float | None = None,
    ) -> Generator[TrackResult, None, None]:
        """Tracks a video and yields results as they come; outputs are written on the way.

        However the iteration ends (an error, Ctrl-C, ``close()`` of the iterator), the video and
        the text are finished with what has been tracked.

        Args:
            source: What :func:`~mmdeepmot.io.video.open_video` takes (file, folder, camera
                index), an open source, or BGR frames ``(H, W, 3)`` uint8 one after another.
            out_video: ``.mp4`` file with boxes, ids and trails.
            out_txt: MOTChallenge text file.
            show: Whether to show the video in a window; q or Escape ends it.
            batch_size: Frames through the network at once, 4 by default and 1 for a camera; the
                results do not depend on it.
            max_frames: Stop after so many frames.
            fps: Frames per second instead of what the source says.

        Raises:
            FileNotFoundError: No such source.
            InputError: The source or a frame is unusable; see ``open_video``.
            NoDisplayError: ``show`` without a screen.
        """
        if show:
            check_display()
        if max_frames is not None and max_frames < 1:
            raise InputError(f"max_frames must be at least 1, got {max_frames}")
        if out_txt is not None and Path(out_txt).is_dir():
            raise InputError(f"out_txt must be a file, got the folder {out_txt}")
        if isinstance(source, (str, int, os.PathLike)):
            source = open_video(source, fps=fps, read_ahead=_READ_AHEAD)
        rate = fps or (source.fps if isinstance(source, VideoSource) else DEFAULT_FPS)
        if batch_size is None:
            batch_size = 1 if isinstance(source, CameraSource) else 4
        _check_batch_size(batch_size)
        canvas = None
        if out_video is not None or show:
            canvas = TrackVideo(out_video, rate, class_names=self.classes)
        return self._run(source, rate, batch_size, max_frames, canvas, out_txt, show)

    def _run(
        self,
        source: VideoSource | Iterable[Image],
        fps: float,
        batch_size: int,
        max_frames: int | None,
        canvas: TrackVideo | None,
        out_txt: str | os.PathLike[str] | None,
        show: bool,
    ) -> Generator[TrackResult, None, None]:
        name = _name(source)
        done: list[TrackResult] = []
        with ExitStack() as stack:
            if isinstance(source, VideoSource):
                stack.enter_context(source)
            if out_txt is not None:
                stack.callback(lambda: self._write(out_txt, done))
            if canvas is not None:
                stack.enter_context(canvas)
            numbered = _numbered(source)
            if isinstance(numbered, Generator):  # stop reading ahead before a camera is released
                stack.callback(numbered.close)
            frames = itertools.islice(numbered, max_frames)
            clock = _Speedometer()
            for image, result in self._track(frames, name, fps, batch_size):
                if out_txt is not None:
                    done.append(result)
                if canvas is not None:
                    drawn = canvas.write(
                        image,
                        result.frame_index,
                        result.bboxes,
                        result.ids,
                        labels=result.labels,
                        fps=clock.tick(),
                    )
                    if show and show_image(drawn, f"mmdeepmot: {name}"):
                        return
                yield result

    def _write(self, path: str | os.PathLike[str], results: list[TrackResult]) -> None:
        rows = to_mot_rows(results, self._class_numbers)
        write_mot_text(path, rows, with_classes=len(self._class_numbers) > 1)

    def stream(
        self,
        frames: VideoSource | Iterable[Image],
        fps: float | None = None,
        batch_size: int = 1,
    ) -> Iterator[TrackResult]:
        """Tracks frames as they come.

        One stream at a time: the model holds the tracks of one video. Starting another (or a
        call) ends the first, which says so when it is continued.

        Args:
            frames: BGR images ``(H, W, 3)`` uint8 of one size, or an open source.
            fps: Frames per second of the frames, 30 if nothing says it.
            batch_size: Frames through the network at once. With 1 every result comes before the
                next frame is fetched.

        Yields:
            One result a frame, the same as of a call.

        Raises:
            InputError: A frame is not such an image, or its size changes; the message names it.
            RuntimeError: Another stream was started meanwhile.
        """
        _check_batch_size(batch_size)
        rate = fps or (frames.fps if isinstance(frames, VideoSource) else DEFAULT_FPS)
        tracked = self._track(_numbered(frames), _name(frames), rate, batch_size)
        return (result for _, result in tracked)

    def _track(
        self, frames: Iterable[tuple[int, Image]], name: str, fps: float, batch_size: int
    ) -> Iterator[tuple[Image, TrackResult]]:
        self._streams += 1
        stream = self._streams
        for batch in _batches(frames, name, batch_size):
            if stream != self._streams:
                raise RuntimeError(
                    f"{name}: this stream ended when another one was started on the same "
                    "MOTInferencer: make one for each stream that runs at the same time"
                )
            results = self._predict(batch, {"video_id": stream, "video_name": name, "fps": fps})
            for (_, image), result in zip(batch, results, strict=True):
                yield image, result

    @torch.no_grad()
    def _predict(self, batch: list[tuple[int, Image]], meta: dict[str, Any]) -> list[TrackResult]:
        packed = [self._prepare(image, index, meta) for index, image in batch]
        sample = TrackDataSample()
        sample.video_data_samples = [one["data_samples"] for one in packed]
        clip = torch.stack([one["inputs"] for one in packed])
        (out,) = self.model.test_step({"inputs": [clip], "data_samples": [sample]})
        return [
            _to_result(index, frame.pred_track_instances)
            for (index, _), frame in zip(batch, out, strict=True)
        ]

    def _prepare(self, image: Image, index: int, meta: dict[str, Any]) -> dict[str, Any]:
        sample: dict[str, Any] | None = {
            "img": image,
            "img_path": f"{meta['video_name']}#{index + 1}",
            "ori_shape": image.shape[:2],
            "frame_id": index,
            "frame_number": index + 1,
            "annotations": _no_annotations(),
            **meta,
        }
        for transform in self._pipeline:
            sample = transform(sample)
            if sample is None:
                raise InputError(
                    f"{meta['video_name']}: frame {index + 1}: {type(transform).__name__} of the "
                    "test pipeline dropped it; a test pipeline must keep every frame"
                )
        assert sample is not None
        return sample


class _Speedometer:
    """Frames per second, smoothed."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._period: float | None = None

    def tick(self) -> float:
        now = time.perf_counter()
        period, self._last = now - self._last, now
        if self._period is None:
            self._period = period
        self._period = _SPEED_MEMORY * self._period + (1 - _SPEED_MEMORY) * period
        return 1.0 / max(self._period, 1e-6)


def _to_config(model: str | os.PathLike[str] | Config | dict) -> Config:
    if isinstance(model, Config):
        cfg = model.copy()
    elif isinstance(model, dict):
        cfg = Config(ConfigDict(model))
    elif isinstance(model, (str, os.PathLike)):
        cfg = load_config(find_config(model))
    else:
        raise TypeError(f"model must be a config, its path or its name, got {type(model).__name__}")
    if cfg.get("model") is None:
        raise InputError(f"{cfg.filename or 'config'}: expected the key 'model', found none")
    return cfg


def _put_exported(cfg: Config, file: str | os.PathLike[str] | None) -> None:
    """Let an exported detector stand for the config's."""
    if file is None:
        raise InputError(
            "backend 'onnxruntime' needs the file of tools/export_onnx.py as `weights`, got none"
        )
    if not cfg.model.get("detector"):
        raise InputError(
            f"backend 'onnxruntime' replaces model.detector, and {cfg.filename or 'the config'} "
            "has none"
        )
    cfg.model.detector = {"type": "OnnxDetector", "file": os.fspath(file)}
    others = trained_parts(cfg.model)
    if others:
        raise InputError(
            f"backend 'onnxruntime' has weights of the detector alone, and model.{others[0]} of "
            f"{cfg.filename or 'the config'} needs some too: use the backend torch, or a ReIDNet "
            "with `weights` of its own"
        )


def _check_device(device: str) -> torch.device:
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise InputError(f"device {device!r}: expected such as 'cpu' or 'cuda:0'") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"device {device!r}: this PyTorch sees {torch.cuda.device_count()} CUDA devices; use "
            "'cpu', or install a PyTorch for CUDA"
        )
    return chosen


def _find(tree: Any, key: str) -> Any:
    """The value of a key anywhere in the test (else validation) dataset of a config."""
    if isinstance(tree, Config):
        for loader in ("test_dataloader", "val_dataloader"):
            found = _find(tree.get(loader), key)
            if found is not None:
                return found
        return tree.get("test_pipeline") if key == "pipeline" else None
    if isinstance(tree, dict):
        if tree.get(key) is not None:
            return tree[key]
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        for value in tree:
            found = _find(value, key)
            if found is not None:
                return found
    return None


def _build_pipeline(cfg: Config) -> list[Any]:
    pipeline = _find(cfg, "pipeline")
    if not pipeline:
        raise InputError(
            f"{cfg.filename or 'config'}: expected a pipeline in test_dataloader.dataset (or "
            "test_pipeline): it says how images are brought to the network's input size"
        )
    return [TRANSFORMS.build(step) for step in pipeline]


def _no_annotations() -> dict[str, NDArray]:
    """Annotations of a frame of which nothing is known, as datasets give them to transforms."""
    return {
        "bboxes": np.zeros((0, 4), dtype=np.float32),
        "labels": np.zeros(0, dtype=np.int64),
        "identities": np.zeros(0, dtype=np.int64),
        "ignore": np.zeros(0, dtype=bool),
        "visibility": np.zeros(0, dtype=np.float32),
    }


def _numbered(frames: VideoSource | Iterable[Image]) -> Iterable[tuple[int, Image]]:
    return frames.numbered() if isinstance(frames, VideoSource) else enumerate(frames)


def _name(frames: Any) -> str:
    return frames.name if isinstance(frames, VideoSource) else "stream"


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1, got {batch_size}")


def _batches(
    frames: Iterable[tuple[int, Image]], name: str, batch_size: int
) -> Iterator[list[tuple[int, Image]]]:
    """Checked frames in batches; those before a bad frame come out before its error does."""
    size: tuple[int, int] | None = None
    batch: list[tuple[int, Image]] = []
    try:
        for index, image in frames:
            size = _check_frame(image, f"{name}: frame {index + 1}", size)
            batch.append((index, image))
            if len(batch) == batch_size:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _check_frame(image: Any, where: str, size: tuple[int, int] | None) -> tuple[int, int]:
    """(width, height) of a usable frame."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
        got = (
            f"{image.dtype} {image.shape}"
            if isinstance(image, np.ndarray)
            else type(image).__name__
        )
        raise InputError(f"{where}: expected a (H, W, 3) uint8 BGR array, got {got}")
    if image.shape[2] != 3 or image.size == 0:
        raise InputError(f"{where}: expected a (H, W, 3) uint8 BGR array, got {image.shape}")
    found = (image.shape[1], image.shape[0])
    if size is not None and found != size:
        raise InputError(
            f"{where}: expected {size[0]}x{size[1]} px as in the first frame, got "
            f"{found[0]}x{found[1]}: a stream has one image size; start another where it changes"
        )
    return found


def _to_result(index: int, instances: Any) -> TrackResult:
    def array(value: Any) -> NDArray:
        return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value

    return TrackResult(
        frame_index=index,
        bboxes=array(instances.bboxes).reshape(-1, 4),
        scores=array(instances.scores),
        labels=array(instances.labels),
        ids=array(instances.instances_id),
    )
