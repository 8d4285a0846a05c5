"""Crops of people, each with its identity: what ReID networks learn from."""

from typing import Any

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.datasets.base import MOTDataset, Transform, build_pipeline, seed_augmentation
from mmdeepmot.datasets.index import AnnotationIndex
from mmdeepmot.datasets.joint import JointDataset
from mmdeepmot.datasets.wrapper import FrameWrapper
from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATASETS


def usable_crops(
    index: AnnotationIndex, min_visibility: float, min_height: float
) -> NDArray[np.int64]:
    """Rows ``(K,)`` of boxes with an identity that are seen well enough.

    Args:
        index: Annotations.
        min_visibility: In [0, 1].
        min_height: px of the original image.
    """
    boxes = index.boxes
    usable = (boxes.identities >= 0) & ~boxes.ignore & (boxes.visibility >= min_visibility)
    usable &= boxes.bboxes[:, 3] - boxes.bboxes[:, 1] >= min_height
    usable &= boxes.bboxes[:, 2] - boxes.bboxes[:, 0] >= 1
    return np.flatnonzero(usable)


@DATASETS.register_module()
class IdentityCropDataset(FrameWrapper):
    """Tracked boxes one by one, for a pipeline that cuts them out (``CropBox``).

    An item is a box, asked for by its index or by ``(index, sample_seed)``; the pipeline sees its
    frame with this one annotation and gives ``dict(inputs=(3, h, w) uint8 BGR,
    data_samples=DetDataSample)`` with one instance.

    Args:
        dataset: A dataset of tracked boxes (``view='frames'``) or of several, or its config; its
            own pipeline is not used.
        pipeline: Transforms, or their configs.
        min_visibility: Boxes less visible than this are left out.
        min_height: Boxes less high than this (px of the original image) are left out.
        min_crops: Identities with fewer crops are left out.

    Attributes:
        identities: ``(len,)`` int64 in 0..num_identities-1, as of the dataset inside.

    Raises:
        InputError: Nothing is left.
    """

    def __init__(
        self,
        dataset: dict[str, Any] | MOTDataset | JointDataset,
        pipeline: list[dict | Transform],
        min_visibility: float = 0.3,
        min_height: float = 0.0,
        min_crops: int = 2,
    ) -> None:
        super().__init__(dataset)
        self.pipeline = build_pipeline(pipeline)
        rows = [usable_crops(part.index, min_visibility, min_height) for part in self._parts]
        identities = [
            part.index.boxes.identities[found] + part.identity_offset
            for part, found in zip(self._parts, rows, strict=True)
        ]
        owners = np.repeat(np.arange(len(rows)), [len(found) for found in rows])
        every, whose = np.concatenate(rows), np.concatenate(identities).astype(np.int64)
        count = np.bincount(whose, minlength=1)[whose]
        kept = count >= min_crops
        self._rows, self._owners, self.identities = every[kept], owners[kept], whose[kept]
        if not len(self._rows):
            raise InputError(
                f"IdentityCropDataset: no identity has {min_crops} boxes of visibility >= "
                f"{min_visibility} and height >= {min_height} px in "
                f"{', '.join(part.name for part in self._parts)}"
            )
        print_log(repr(self), logger="current")

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self)} crops of {len(np.unique(self.identities))} "
            f"identities, of {', '.join(part.name for part in self._parts)})"
        )

    def __getitem__(self, item: int | tuple[int, int]) -> dict[str, Any]:
        position, seed = item if isinstance(item, tuple | list) else (item, None)
        if not -len(self) <= position < len(self):
            raise IndexError(f"IdentityCropDataset: item {position} of {len(self)}")
        if seed is not None:
            seed_augmentation(int(seed))
        part, row = self._parts[self._owners[position]], int(self._rows[position])
        offsets = part.index.boxes.offsets
        frame = int(np.searchsorted(offsets, row, side="right")) - 1
        results: dict[str, Any] = part.frame_info(frame)
        within = slice(row - int(offsets[frame]), row - int(offsets[frame]) + 1)
        results["annotations"] = {k: v[within] for k, v in results["annotations"].items()}
        for step in self.pipeline:
            output = step(results)
            if output is None:
                raise InputError(
                    f"IdentityCropDataset: transform {step} returned None for "
                    f"{results['img_path']}: a pipeline must return a sample for every crop"
                )
            results = output
        return results
