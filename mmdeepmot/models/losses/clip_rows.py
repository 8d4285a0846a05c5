"""What the losses of trackers see of clips: followed boxes against true ones.

One form for every criterion and every follower: B clips of T frames, at most N rows (followed
boxes) and M objects a frame, padded. Which row continues which identity is known; which row lies on
which object is what a criterion finds out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

NOBODY = -1
"""The identity of padding, and of rows that continue no one."""


@dataclass(frozen=True)
class FrameRows:
    """What was followed into one frame, and what is there.

    Attributes:
        boxes: ``(N, 4)`` xyxy px of the network's input, differentiable.
        scores: ``(N,)`` in [0, 1].
        row_ids: ``(N,)`` int64, the identity that each row continues, each at most once; -1: none.
        objects: ``(M, 4)`` xyxy px, true boxes.
        object_ids: ``(M,)`` int64 from 0, each at most once.
        embeddings: ``(N, D)`` how the row's target looked up to this frame, of any length, or None.
        object_embeddings: ``(M, D)`` how the objects look in this frame, L2-normalised, or None.
    """

    boxes: Tensor
    scores: Tensor
    row_ids: Tensor
    objects: Tensor
    object_ids: Tensor
    embeddings: Tensor | None = None
    object_embeddings: Tensor | None = None

    def __post_init__(self) -> None:
        for first, others in (
            ("boxes", ("scores", "row_ids", "embeddings")),
            ("objects", ("object_ids", "object_embeddings")),
        ):
            given = {name: getattr(self, name) for name in (first, *others)}
            lengths = {name: len(value) for name, value in given.items() if value is not None}
            if len(set(lengths.values())) > 1 or given[first].shape[1:] != (4,):
                raise ValueError(
                    f"expected {first} (K, 4) and one row each in {', '.join(others)}, got "
                    f"{first} {tuple(given[first].shape)} and rows {lengths}"
                )


@dataclass(frozen=True)
class ClipRows:
    """Frames of B clips, padded; see :class:`FrameRows` for what they hold.

    Attributes:
        boxes: ``(B, T, N, 4)``.
        scores: ``(B, T, N)``.
        row_ids: ``(B, T, N)``.
        valid: ``(B, T, N)`` bool: rows that are there; False: padding.
        objects: ``(B, T, M, 4)``.
        object_ids: ``(B, T, M)``, -1: padding.
        image_sizes: ``(B, 2)`` (width, height) px.
        started: ``(B, K)`` int64, the identities that were followed from before the first frame,
            -1: padding.
        embeddings: ``(B, T, N, D)`` or None.
        object_embeddings: ``(B, T, M, D)`` or None.
    """

    boxes: Tensor
    scores: Tensor
    row_ids: Tensor
    valid: Tensor
    objects: Tensor
    object_ids: Tensor
    image_sizes: Tensor
    started: Tensor
    embeddings: Tensor | None = None
    object_embeddings: Tensor | None = None

    @property
    def present(self) -> Tensor:
        """``(B, T, M)`` bool: objects that are there."""
        return self.object_ids >= 0

    def detach(self) -> "ClipRows":
        """The same without gradients."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{k: v.detach() for k, v in values.items() if v is not None})


def pad_clips(
    clips: Sequence[Sequence[FrameRows]], image_sizes: Tensor, started: Sequence[Tensor]
) -> ClipRows:
    """Clips of equal length as one padded batch.

    Args:
        clips: B clips of T frames; B and T at least 1.
        image_sizes: ``(B, 2)`` (width, height) px.
        started: Of each clip the identities ``(K,)`` that were followed from before its first
            frame.

    Raises:
        ValueError: The clips' lengths differ, or only some frames have embeddings.
    """
    lengths = {len(clip) for clip in clips}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"expected clips of one length above 0, got {sorted(lengths)}")
    frames = [frame for clip in clips for frame in clip]

    def pad(name: str, value: float = 0) -> Tensor:
        rows = pad_sequence([getattr(one, name) for one in frames], True, value)
        return rows.unflatten(0, (len(clips), -1))

    def pad_embeddings(name: str) -> Tensor | None:
        without = [getattr(one, name) is None for one in frames]
        if any(without) and not all(without):
            raise ValueError(f"{sum(without)} of {len(frames)} frames have no {name}: all or none")
        return None if any(without) else pad(name)

    counts = torch.tensor([len(one.boxes) for one in frames], device=frames[0].boxes.device)
    boxes = pad("boxes")
    valid = torch.arange(boxes.shape[2], device=boxes.device) < counts.view(*boxes.shape[:2], 1)
    return ClipRows(
        boxes,
        pad("scores"),
        pad("row_ids", NOBODY),
        valid,
        pad("objects"),
        pad("object_ids", NOBODY),
        image_sizes,
        pad_sequence(list(started), True, NOBODY),
        pad_embeddings("embeddings"),
        pad_embeddings("object_embeddings"),
    )
