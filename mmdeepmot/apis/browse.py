"""Pictures of what a configured dataset delivers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from numpy.typing import NDArray

from mmdeepmot.datasets import JointDataset, MOTDataset
from mmdeepmot.datasets.transforms.geometry import letterbox_geometry, warp_boxes
from mmdeepmot.datasets.transforms.loading import LoadTracks
from mmdeepmot.datasets.transforms.spatial import Letterbox
from mmdeepmot.datasets.wrapper import FrameWrapper
from mmdeepmot.errors import InputError
from mmdeepmot.io.image import read_image
from mmdeepmot.visualization.annotations import draw_annotations
from mmdeepmot.visualization.draw import Image

_SMALL = 256
"""Shorter images get no title: it would cover them."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of an item with its annotations.

    Attributes:
        name: ``ITEM`` or ``ITEM_FRAME``, for a file.
        image: ``(H, W, 3)`` uint8 BGR.
    """

    name: str
    image: Image


def choose_items(count: int, wanted: int, start: int | None = None) -> list[int]:
    """Items to look at: ``wanted`` of ``count``, evenly spread, or one after another.

    Args:
        count: Number of items.
        wanted: Number of items to show.
        start: First of consecutive items; None: spread.

    Raises:
        InputError: ``start`` is no item.
    """
    if start is not None:
        if not 0 <= start < count:
            raise InputError(f"item {start}: expected one of 0..{count - 1}")
        return list(range(start, min(count, start + wanted)))
    wanted = min(wanted, count)
    return [item * count // wanted for item in range(wanted)]


def browse_items(
    dataset: Any, items: Sequence[int], *, raw: bool = False, seed: int = 0
) -> Iterator[Picture]:
    """Pictures of items, one for each frame of them.

    Args:
        dataset: A dataset of this framework with images.
        items: Positions.
        raw: Images and annotations as they are in the files, without the pipeline.
        seed: Of the augmentation.

    Raises:
        InputError: The dataset has no images, or ``raw`` and it has no frames of its own.
        ImageError: An image cannot be read.
    """
    names = dataset.metainfo.get("classes")
    original = boxes_are_original(dataset)
    for item in items:
        if raw:
            yield _raw_picture(dataset, item)
            continue
        found = dataset[item, seed + item]
        for name, image, sample in _frames(found, item):
            yield Picture(name, _draw(image, sample, names, original))


def boxes_are_original(dataset: Any) -> bool:
    """Whether ground truth stays in pixels of the original image while the image is resized.

    Pipelines of tests load the boxes after the letterbox.
    """
    inside = dataset.dataset if isinstance(dataset, FrameWrapper) else dataset
    part = inside.datasets[0] if isinstance(inside, JointDataset) else inside
    pipeline = getattr(dataset, "pipeline", None) or getattr(part, "pipeline", None) or ()
    steps = [type(step) for step in pipeline]
    if Letterbox not in steps or LoadTracks not in steps:
        return False
    return steps.index(Letterbox) < steps.index(LoadTracks)


def _raw_picture(dataset: Any, item: int) -> Picture:
    if isinstance(dataset, FrameWrapper):
        dataset = dataset.dataset
    if isinstance(dataset, JointDataset):
        part, position = dataset.locate(item)
        dataset = dataset.datasets[part]
    else:
        position = item
    if not isinstance(dataset, MOTDataset):
        raise InputError(
            f"{type(dataset).__name__} has no frames of its own: look at it through its pipeline"
        )
    info = dataset.frame_info(int(dataset.first_frames[position]))
    image = read_image(info["img_path"])
    boxes = info["annotations"]
    found = ~boxes["ignore"]
    title = f"{info['video_name']} {info['frame_number']}" if image.shape[1] >= _SMALL else None
    return Picture(
        f"{item:06d}",
        draw_annotations(
            image,
            boxes["bboxes"][found],
            boxes["identities"][found],
            labels=boxes["labels"][found],
            ignored=boxes["bboxes"][~found],
            class_names=_several(dataset.classes),
            title=title,
        ),
    )


def _several(names: Sequence[str] | None) -> Sequence[str] | None:
    """Names of classes where there is more than one."""
    return names if names is not None and len(names) > 1 else None


def _frames(item: Any, position: int) -> Iterator[tuple[str, NDArray[np.uint8], DetDataSample]]:
    """Name, BGR image ``(H, W, 3)`` and sample of each frame of an item."""
    inputs = item.get("inputs") if isinstance(item, dict) else None
    sample = item.get("data_samples") if isinstance(item, dict) else None
    if not isinstance(inputs, torch.Tensor) or inputs.ndim not in (3, 4) or sample is None:
        raise InputError(
            "expected items with images (inputs (3, H, W) or (T, 3, H, W), and data_samples), got "
            f"{type(item).__name__}: this dataset cannot be shown as images"
        )
    if isinstance(sample, TrackDataSample):
        for step, (image, frame) in enumerate(zip(inputs, sample.video_data_samples, strict=True)):
            yield f"{position:06d}_{step}", _bgr(image), frame
        return
    yield f"{position:06d}", _bgr(inputs), sample


def _bgr(image: torch.Tensor) -> NDArray[np.uint8]:
    return np.ascontiguousarray(image.permute(1, 2, 0).numpy())


def _draw(
    image: NDArray[np.uint8], sample: DetDataSample, names: Sequence[str] | None, original: bool
) -> Image:
    found = sample.gt_instances
    ignored = sample.ignored_instances.bboxes.numpy() if "ignored_instances" in sample else None
    boxes = found.bboxes.numpy()
    if original:
        (height, width), (input_height, input_width) = sample.metainfo["ori_shape"], image.shape[:2]
        matrix = letterbox_geometry((width, height), (input_width, input_height)).matrix
        boxes = warp_boxes(boxes, matrix)
        ignored = None if ignored is None else warp_boxes(ignored, matrix)
    title = None
    if image.shape[1] >= _SMALL and "video_name" in sample.metainfo:
        title = f"{sample.metainfo['video_name']} {sample.metainfo.get('frame_number', '')}"
    return draw_annotations(
        image,
        boxes,
        found.instances_ids.numpy(),
        labels=found.labels.numpy(),
        ignored=ignored,
        class_names=_several(names),
        title=title,
    )
