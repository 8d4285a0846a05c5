"""Appearance of a tracker's boxes, out of networks that see the network's input."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from numpy.typing import NDArray
from torch import Tensor

from mmdeepmot.models.mot.follower import Follower
from mmdeepmot.models.mot.geometry import boxes_to_input

Floats = NDArray[np.floating]


def embedder(
    reid: Any, follower: Follower | None, image: Tensor, encoded: Any, sample: DetDataSample
) -> Callable[[Floats], NDArray[np.float32]] | None:
    """The ``embed`` of a frame, of the reid network if there is one, else of the follower.

    Args:
        reid: Network with ``embed(images (1, 3, H, W), [boxes (N, 4)]) -> [(N, D)]``, or None.
        follower: Or None.
        image: ``(3, H, W)``, normalised.
        encoded: The same, as the follower's ``encode`` gave it.
        sample: Its meta data.

    Returns:
        Takes boxes ``(N, 4)`` xyxy px of the original image, gives ``(N, D)`` of unit length; None
        where neither network has embeddings.
    """
    if reid is None and (follower is None or not follower.has_embeddings):
        return None

    @torch.no_grad()
    def embed(bboxes: Floats) -> NDArray[np.float32]:
        boxes = boxes_to_input(torch.from_numpy(np.asarray(bboxes, dtype=np.float64)), sample)
        boxes = boxes.float().to(image.device)
        if reid is not None:
            (found,) = reid.embed(image[None], [boxes])
        else:
            assert follower is not None
            found = follower.embed(encoded, boxes)
        return found.float().cpu().numpy()

    return embed


def embed_truth(
    networks: tuple[Any, Any, Follower | None], clip: Tensor, boxes: list[Tensor]
) -> list[tuple[Tensor, Tensor]]:
    """Embeddings of given boxes of T frames, of the network that the tracker would ask.

    Args:
        networks: Reid network, detector, follower; the first that has embeddings is asked.
        clip: ``(T, 3, H, W)``, normalised.
        boxes: For each frame ``(N, 4)`` xyxy px of the input.

    Returns:
        For each frame embeddings ``(N, D)`` and which of them are valid ``(N,)`` bool.

    Raises:
        NotImplementedError: None of them has any.
    """
    reid, detector, follower = networks
    if reid is not None:
        found = reid.embed(clip, boxes)
    elif hasattr(detector, "embed"):
        return detector.embed(clip, boxes)
    elif follower is not None:
        images = follower.encode(clip)
        found = [follower.embed(*pair) for pair in zip(images, boxes, strict=True)]
    else:
        raise NotImplementedError(f"{type(detector).__name__} has no embeddings")
    return [(one, torch.ones(len(one), dtype=torch.bool, device=one.device)) for one in found]
