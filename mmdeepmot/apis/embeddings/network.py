"""What the network says of a sequence: embeddings of boxes, and of every place of a frame."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import Tensor

from mmdeepmot.apis.embeddings.sequence import SequenceBoxes
from mmdeepmot.apis.load_model import load_model as load_network
from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.geometry import boxes_to_input
from mmdeepmot.models.mot.tracking_model import TrackingModel
from mmdeepmot.visualization.similarity import similarity_on_image


def load_model(cfg: Config, checkpoint: str | Path, device: str = "cpu") -> TrackingModel:
    """The model of a config with the weights of a checkpoint, ready to be asked.

    Raises:
        InputError: The config has no ``TrackingModel`` with a detector that gives embeddings.
        CheckpointError: The checkpoint does not fit the model.
    """
    return load_network(cfg, checkpoint, device, _check_detector)


def _check_detector(model: Any) -> None:
    detector = getattr(model, "detector", None)
    if not hasattr(detector, "embedding_maps"):
        raise InputError(
            "embeddings can be shown of a TrackingModel whose detector gives them (JDE, FairMOT), "
            f"got {type(model).__name__} with {type(detector).__name__}"
        )


@torch.no_grad()
def embed_boxes(
    model: TrackingModel,
    boxes: SequenceBoxes,
    rows: NDArray[np.int64],
    batch_size: int = 4,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Embeddings of boxes of a sequence.

    Args:
        model: From :func:`load_model`.
        boxes: The sequence.
        rows: ``(R,)`` rows of ``boxes``.
        batch_size: Frames at once.
        progress: Told how many frames are done, and of how many, after every batch.

    Returns:
        Embeddings ``(R, D)``, L2-normalised, and whether the head has a place for the box
        ``(R,)``.
    """
    frames = np.unique(boxes.frames[rows])
    parts: dict[int, tuple[Tensor, Tensor]] = {}
    for batch in _batches(frames, batch_size):
        inputs, samples = _prepare(model, boxes, batch)
        given = [
            boxes_to_input(
                torch.from_numpy(boxes.bboxes[rows[boxes.frames[rows] == frame]]).float(), sample
            ).to(inputs.device)
            for frame, sample in zip(batch, samples, strict=True)
        ]
        found = model.detector.embed(inputs, given)
        parts |= dict(zip(batch, found, strict=True))
        if progress is not None:
            progress(len(parts), len(frames))
    first = next(iter(parts.values()))[0]
    embeddings = np.zeros((len(rows), first.shape[1]), dtype=np.float32)
    valid = np.zeros(len(rows), dtype=bool)
    for frame, (values, good) in parts.items():
        here = boxes.frames[rows] == frame
        embeddings[here], valid[here] = values.float().cpu().numpy(), good.cpu().numpy()
    return embeddings, valid


@torch.no_grad()
def similarity_maps(
    model: TrackingModel, boxes: SequenceBoxes, embedding: NDArray[np.float32], frame: int
) -> list[NDArray[np.float32]]:
    """Cosine similarity of an embedding with every place of a frame (JDE paper, Fig. 4).

    Args:
        model: From :func:`load_model`.
        boxes: The sequence.
        embedding: ``(D,)``, L2-normalised.
        frame: Frame to look in, from 0.

    Returns:
        ``(H, W)`` over the original image, in [-1, 1], for each scale of the detector.
    """
    inputs, (sample,) = _prepare(model, boxes, [frame])
    maps = []
    for one in model.detector.embedding_maps(inputs):
        query = torch.from_numpy(embedding).to(one.values)
        similarity = torch.einsum("d,dhw->hw", query, one.values[0]).cpu().numpy()
        maps.append(
            similarity_on_image(
                similarity,
                one.stride,
                one.origin,
                sample.scale_factor,
                sample.pad_offset,
                boxes.size,
            )
        )
    return maps


def _batches(frames: NDArray[np.int64], size: int) -> Iterator[list[int]]:
    for start in range(0, len(frames), size):
        yield frames[start : start + size].tolist()


def _prepare(
    model: TrackingModel, boxes: SequenceBoxes, frames: Sequence[int]
) -> tuple[Tensor, list]:
    """Input ``(B, 3, H, W)`` and samples of frames, normalised and on the model's device."""
    packed = [boxes.load(frame) for frame in frames]
    data = {key: [one[key] for one in packed] for key in ("inputs", "data_samples")}
    data = model.data_preprocessor(data, training=False)
    return data["inputs"], data["data_samples"]
