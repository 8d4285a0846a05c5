"""What datasets have in common that make other items of the frames of a dataset inside."""

from typing import Any

from torch.utils.data import Dataset

from mmdeepmot.datasets.base import MOTDataset
from mmdeepmot.datasets.joint import JointDataset
from mmdeepmot.registry import DATASETS


class FrameWrapper(Dataset):
    """A dataset of tracked boxes, or of several, as other items.

    Args:
        dataset: The dataset inside, or its config.

    Attributes:
        dataset: The dataset inside.
    """

    def __init__(self, dataset: dict[str, Any] | MOTDataset | JointDataset) -> None:
        inside: Any = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.dataset = inside
        self._parts: list[MOTDataset] = (
            inside.datasets if isinstance(inside, JointDataset) else [inside]
        )

    @property
    def metainfo(self) -> dict[str, Any]:
        """As of the dataset inside."""
        return self.dataset.metainfo

    @property
    def num_identities(self) -> int:
        """As of the dataset inside, also of identities that no item shows."""
        return self.dataset.num_identities
