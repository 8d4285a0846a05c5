"""The one protocol of networks that follow targets from frame to frame.

Tracktor, SiamRPN and GOTURN are followers. A follower is trained through the DeepMOT loss by
:class:`~mmdeepmot.models.mot.deepmot.DeepMOTModel` and moves the tracks of a tracker with a
``Propagate`` step; it need not know of either. It writes :meth:`Follower.start` and
:meth:`Follower.advance` and nothing else.

All boxes are xyxy px of the network's input. N targets are one batch: no loop over targets.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """What a follower remembers of N targets: where they were, and how they looked.

    Attributes:
        ids: ``(N,)`` int64 identities, each once.
        boxes: ``(N, 4)`` where they stand in ``image``.
        image: The frame of ``boxes``, as :meth:`Follower.encode` gave it.
        near: ``(N, 4)`` where to look for them in the next frame: ``boxes``, unless the camera is
            known to have moved.
        memory: Whatever else the follower remembers of each: tensors ``(N, ...)`` by name, the same
            names for all targets (features of a template, a mean embedding, an age).
    """

    ids: Tensor
    boxes: Tensor
    image: Any
    near: Tensor
    memory: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.ids)
        rows = {"boxes": self.boxes, "near": self.near, **self.memory}
        wrong = {name: tuple(rows[name].shape) for name in rows if len(rows[name]) != count}
        if wrong or self.boxes.shape != (count, 4) or self.near.shape != (count, 4):
            raise ValueError(
                f"{count} targets need boxes and near ({count}, 4) and one row each in every "
                f"tensor of the memory, got boxes {tuple(self.boxes.shape)}, near "
                f"{tuple(self.near.shape)}, wrong rows: {wrong}"
            )

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def at(cls, image: Any, boxes: Tensor, ids: Tensor, **memory: Tensor) -> "Targets":
        """Targets at ``boxes (N, 4)`` of ``image``, to be looked for where they stand."""
        return cls(ids, boxes, image, boxes, memory)

    def moved(self, image: Any, boxes: Tensor, **memory: Tensor) -> "Targets":
        """The same targets in another frame; what ``memory`` does not name stays as it was."""
        return Targets(self.ids, boxes, image, boxes, {**self.memory, **memory})

    def looked_for(self, near: Tensor) -> "Targets":
        """The same targets, to be looked for at ``near (N, 4)`` in the next frame."""
        return replace(self, near=near)

    def __getitem__(self, rows: Tensor | slice) -> "Targets":
        """The targets of a boolean mask, an index tensor or a slice."""
        memory = {name: tensor[rows] for name, tensor in self.memory.items()}
        return Targets(self.ids[rows], self.boxes[rows], self.image, self.near[rows], memory)

    def detach(self) -> "Targets":
        """Without the way that gradients would take into the frames before."""
        memory = {name: tensor.detach() for name, tensor in self.memory.items()}
        return Targets(self.ids, self.boxes.detach(), self.image, self.near.detach(), memory)

    def and_also(self, others: "Targets") -> "Targets":
        """These, then the others; both of the same frame.

        Raises:
            ValueError: The memories have other names, or an identity stands in both.
        """
        if self.memory.keys() != others.memory.keys():
            raise ValueError(
                f"targets with memory {sorted(self.memory)} cannot be joined with others that have "
                f"{sorted(others.memory)}"
            )
        if torch.isin(others.ids, self.ids).any():
            raise ValueError("a target is followed already: an identity stands in both")
        memory = {
            name: torch.cat((tensor, others.memory[name])) for name, tensor in self.memory.items()
        }
        return Targets(
            torch.cat((self.ids, others.ids)),
            torch.cat((self.boxes, others.boxes)),
            others.image,
            torch.cat((self.near, others.near)),
            memory,
        )


@dataclass(frozen=True)
class Found:
    """What a follower sees in a frame; differentiable where that makes sense.

    Attributes:
        boxes: ``(K, 4)``.
        scores: ``(K,)`` in [0, 1]: how sure it is that there is a target.
        row_ids: ``(K,)`` int64: the identity that each row continues, each at most once; -1: none
            (the rows of a detector that does not know).
        valid: ``(K,)`` bool: rows to be used; the others are lost.
    """

    boxes: Tensor
    scores: Tensor
    row_ids: Tensor
    valid: Tensor

    def __len__(self) -> int:
        return len(self.boxes)


class Follower(BaseModule):
    """A network that follows targets; see :class:`Targets` for what passes between its methods."""

    start_sees = True
    """Whether :meth:`start` looks at its image. False spares a network the first frames of clips in
    training; ``start`` may then get None."""

    @abstractmethod
    def start(self, image: Any, boxes: Tensor, ids: Tensor) -> Targets:
        """New targets at ``boxes (N, 4)`` of ``image``, with identities ``ids (N,)``; N may be 0.

        Args:
            image: One element of what :meth:`encode` gave.
            boxes: ``(N, 4)`` xyxy px.
            ids: ``(N,)`` int64.
        """

    @abstractmethod
    def advance(self, image: Any, targets: Targets) -> tuple[Found, Targets]:
        """Finds the targets in the next frame.

        Args:
            image: The next frame, one element of what :meth:`encode` gave.
            targets: Where they were, and where to look for them (``targets.near``); may be none.

        Returns:
            What was found, one row a target (or a detection), and the targets in the next frame.
        """

    def encode(self, images: Tensor) -> Sequence[Any]:
        """What the other methods get of each of the images ``(T, 3, H, W)``, all at once.

        By default the images themselves. A network that sees whole images (a backbone) runs here,
        on T frames in one batch.
        """
        return images.unbind()

    @property
    def has_embeddings(self) -> bool:
        """Whether :meth:`embed` can be asked."""
        return type(self).embed is not Follower.embed

    def embed(self, image: Any, boxes: Tensor) -> Tensor:
        """Appearance ``(N, D)`` of any ``boxes (N, 4)`` of ``image``, L2-normalised.

        Needed where the loss or the tracker compares appearances.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no embeddings: give it a head for them, or compare boxes "
            "only"
        )
