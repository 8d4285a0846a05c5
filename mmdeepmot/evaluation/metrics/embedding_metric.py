"""How well embeddings of ground-truth boxes tell identities apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.by_area import area_table
from mmdeepmot.evaluation.functional.tpr_far import tpr_at_far, tpr_by_area
from mmdeepmot.evaluation.metrics.base import FrameRecord, SequenceMetric, get_array, get_field
from mmdeepmot.evaluation.table import OVERALL, ScoreTable
from mmdeepmot.registry import METRICS
from mmdeepmot.structures.boxes import box_area


@METRICS.register_module()
class EmbeddingMetric(SequenceMetric):
    """TPR at given FAR over all pairs of ``pred_embeddings`` (cosine similarity).

    Each frame has ``pred_embeddings`` with ``embeddings`` (N, D) and ``instances_ids`` (N,);
    identity -1 is left out. With ``areas`` also ``bboxes`` (N, 4) xyxy px of the original image.
    See :func:`~mmdeepmot.evaluation.functional.tpr_far.tpr_at_far`.

    Args:
        far: False accept rates; one column ``TPR@FAR=f`` each.
        global_ids: Whether identities are numbered over the whole dataset (as this framework's
            datasets do); else equal numbers in two sequences are two identities.
        max_embeddings: Above this number of boxes a random sample is compared (the caption says
            so): time grows with its square. None: never.
        prefix: Put before the name of each figure; 'embedding' by default.
        print_table: Whether to log the table.
        areas: Limits in px^2 between small, medium and large objects: pairs of two boxes of one
            size are compared.
    """

    default_prefix = "embedding"

    def __init__(
        self,
        far: Sequence[float] = (0.1, 0.01, 0.001),
        global_ids: bool = True,
        max_embeddings: int | None = 50_000,
        prefix: str | None = None,
        print_table: bool = True,
        areas: Sequence[float] | None = None,
    ) -> None:
        super().__init__(prefix, print_table, areas)
        self.far = tuple(far)
        if not self.far or not all(0 <= rate < 1 for rate in self.far):
            raise InputError(f"far must be rates in [0, 1), got {self.far}")
        self.global_ids = global_ids
        self.max_embeddings = max_embeddings

    def record(self, frame: Any, where: FrameRecord) -> dict[str, NDArray]:
        """Embeddings and identities of the frame."""
        found = get_field(
            frame,
            "pred_embeddings",
            where,
            "EmbeddingMetric scores embeddings of ground-truth boxes: use TrackingModel with "
            "task='embedding'",
        )
        ids = get_array(found, "instances_ids", where, (-1,), np.int64)
        embeddings = get_array(found, "embeddings", where, (len(ids), -1), np.float32)
        known = ids >= 0
        arrays = {"embeddings": embeddings[known], "ids": ids[known]}
        if self.areas is not None:
            bboxes = get_array(found, "bboxes", where, (len(ids), 4), np.float64)
            arrays["areas"] = box_area(bboxes[known])
        return arrays

    def compute_metrics(self, results: list[FrameRecord]) -> dict[str, float]:
        """TPR at each FAR, and what it was taken of."""
        filled = [record for record in results if len(record.arrays["ids"])]
        if not filled:
            raise InputError(
                f"none of {len(results)} frames has an embedding of a box with an identity"
            )
        ids = np.concatenate([record.arrays["ids"] for record in filled])
        if not self.global_ids:
            names = np.repeat(
                np.unique([record.sequence for record in filled], return_inverse=True)[1],
                [len(record.arrays["ids"]) for record in filled],
            )
            ids = np.unique(np.stack([names, ids]), axis=1, return_inverse=True)[1]
        embeddings = np.concatenate([record.arrays["embeddings"] for record in filled])
        scores = tpr_at_far(embeddings, ids, self.far, self.max_embeddings)
        rates = {
            f"TPR@FAR={rate:g}": float(value)
            for rate, value in zip(self.far, scores.tpr, strict=True)
        }
        counts = {"Boxes": scores.num_embeddings, "IDs": len(np.unique(ids))}
        sampled = "" if scores.num_embeddings == len(ids) else f" a random sample of {len(ids)}"
        self.table = ScoreTable(
            f"Embedding: TPR at FAR over all pairs of{sampled} ground-truth boxes (cosine). Rates "
            f"in percent, exact to {scores.resolution.max():.2g} of a point.",
            {**dict.fromkeys(rates, 2), **dict.fromkeys(counts, 0)},
            {OVERALL: {**rates, **counts}},
        )
        if self.areas is not None:
            areas = np.concatenate([record.arrays["areas"] for record in filled])
            sizes = tpr_by_area(embeddings, ids, areas, self.areas, self.far, self.max_embeddings)
            by_size = [np.full(len(rates), np.nan) if one is None else one.tpr for one in sizes]
            boxes = np.bincount(self.areas.sizes(areas), minlength=len(sizes))
            self.area_table = area_table(
                self.areas,
                "TPR at FAR over the pairs of two boxes of one size.",
                {**dict.fromkeys(rates, 2), "Boxes": 0},
                {
                    **dict(zip(rates, np.stack(by_size, axis=1).tolist(), strict=True)),
                    "Boxes": boxes.tolist(),
                },
                {**rates, "Boxes": len(ids)},
            )
        return self.figures()
