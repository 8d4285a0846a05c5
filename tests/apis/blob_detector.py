"""A detector that can be checked by hand: bright rectangles on a dark ground, no weights needed."""

import cv2
import numpy as np
import torch
from mmengine.model import BaseModule
from mmengine.structures import InstanceData

from mmdeepmot.registry import MODELS


@MODELS.register_module(force=True)
class BlobDetector(BaseModule):
    """Finds the bounding boxes of what is brighter than half, in px of the original image."""

    def __init__(self, weight: float = 0.0) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([weight, 1.0]))
        self.batch_sizes: list[int] = []

    def predict(self, clip, frames, rescale=True):
        self.batch_sizes.append(len(clip))
        for image, frame in zip(clip, frames, strict=True):
            bright = (image.mean(0).cpu().numpy() > 0.6).astype(np.uint8)
            _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
            boxes = stats[1:, :4].astype(np.float32)
            boxes[:, 2:] += boxes[:, :2]
            offset = np.tile(np.array(frame.pad_offset, np.float32), 2)
            scale = np.tile(np.array(frame.scale_factor, np.float32), 2)
            frame.pred_instances = InstanceData(
                bboxes=torch.from_numpy((boxes - offset) / scale),
                scores=torch.full((len(boxes),), 0.9),
                labels=torch.zeros(len(boxes), dtype=torch.int64),
            )
        return frames
