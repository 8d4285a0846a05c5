"""Loading of frames and annotations, and packing for the model.

A sample travels as mmcv's dict: ``img`` (H, W, 3) BGR uint8, ``gt_bboxes`` (N, 4) float32 xyxy px,
``gt_bboxes_labels``, ``gt_instances_ids``, ``gt_visibility``, ``gt_ignore_flags``, so that image
transforms of mmcv and mmdet can stand between ours. The dataset puts in ``img_path``, the facts
about the frame, and ``annotations``.
"""

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.io.image import read_image
from mmdeepmot.registry import TRANSFORMS

BOX_KEYS = (
    "gt_bboxes",
    "gt_bboxes_labels",
    "gt_instances_ids",
    "gt_visibility",
    "gt_ignore_flags",
)


def keep_boxes(results: dict[str, Any], keep: NDArray) -> None:
    """Filter all arrays of boxes in ``results`` by one mask ``(N,)``."""
    for key in BOX_KEYS:
        if key in results:
            results[key] = results[key][keep]


@TRANSFORMS.register_module()
class LoadFrame(BaseTransform):
    """Decode ``img_path`` to ``img`` (an ``img`` that is there already is taken as it is).

    Raises:
        ImageError: The image is missing, truncated or not an image.
        InputError: It has not the size that the sequence has.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        if "img" not in results:
            results["img"] = read_image(results["img_path"])
        shape = results["img"].shape[:2]
        expected = results.get("ori_shape")
        if expected is not None and tuple(expected) != shape:
            raise InputError(
                f"{results.get('img_path', 'img')}: frame {results.get('frame_number', '?')} of "
                f"sequence {results.get('video_name', '?')} is {shape[1]}x{shape[0]} px where the "
                f"sequence is {expected[1]}x{expected[0]} px: all frames of a sequence must have "
                "one size (correct seqinfo.ini or the frame)"
            )
        results["ori_shape"] = results["img_shape"] = shape
        return results


@TRANSFORMS.register_module()
class LoadTracks(BaseTransform):
    """Put the frame's annotations into the sample, in pixels of the original image.

    Before a geometric transform they follow it (training); after it they stay in original pixels
    (testing).

    Args:
        min_visibility: Boxes less visible than this become ignored.
    """

    def __init__(self, min_visibility: float = 0.0) -> None:
        self.min_visibility = min_visibility

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        annotations = results["annotations"]
        results["gt_bboxes"] = annotations["bboxes"].copy()
        results["gt_bboxes_labels"] = annotations["labels"].copy()
        results["gt_instances_ids"] = annotations["identities"].copy()
        results["gt_visibility"] = annotations["visibility"].copy()
        ignore = annotations["ignore"] | (annotations["visibility"] < self.min_visibility)
        results["gt_ignore_flags"] = ignore
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(min_visibility={self.min_visibility})"


META_KEYS = (
    "img_path",
    "ori_shape",
    "img_shape",
    "scale_factor",
    "pad_offset",
    "homography_matrix",
    "flip",
    "frame_id",
    "frame_number",
    "video_id",
    "video_name",
    "video_length",
    "fps",
)


@TRANSFORMS.register_module()
class PackFrame(BaseTransform):
    """Pack a sample for the model.

    Returns ``dict(inputs=(3, H, W) uint8 tensor BGR, data_samples=DetDataSample)`` with
    ``gt_instances`` (bboxes (N, 4) float32 xyxy px, labels, instances_ids int64, visibility),
    ``ignored_instances`` (bboxes, labels) and, where the dataset has them,
    ``public_detections`` (bboxes (D, 4) xyxy px of the original image, scores, labels).

    Args:
        meta_keys: What goes into the metainfo, as far as the sample has it.
    """

    def __init__(self, meta_keys: tuple[str, ...] = META_KEYS) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        sample = DetDataSample(
            metainfo={key: results[key] for key in self.meta_keys if key in results}
        )
        if "gt_bboxes" in results:
            self._pack_boxes(results, sample)
        detections = results.get("public_detections")
        if detections is not None:
            sample.public_detections = InstanceData(
                **{
                    name: torch.from_numpy(np.ascontiguousarray(detections[name]))
                    for name in ("bboxes", "scores", "labels")
                }
            )
        image = np.ascontiguousarray(results["img"].transpose(2, 0, 1))
        return {"inputs": torch.from_numpy(image), "data_samples": sample}

    @staticmethod
    def _pack_boxes(results: dict[str, Any], sample: DetDataSample) -> None:
        ignore = results["gt_ignore_flags"]
        arrays = {key: torch.from_numpy(results[key][~ignore]) for key in BOX_KEYS[:4]}
        sample.gt_instances = InstanceData(
            bboxes=arrays["gt_bboxes"],
            labels=arrays["gt_bboxes_labels"],
            instances_ids=arrays["gt_instances_ids"],
            visibility=arrays["gt_visibility"],
        )
        sample.ignored_instances = InstanceData(
            bboxes=torch.from_numpy(results["gt_bboxes"][ignore]),
            labels=torch.from_numpy(results["gt_bboxes_labels"][ignore]),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(meta_keys={self.meta_keys})"
