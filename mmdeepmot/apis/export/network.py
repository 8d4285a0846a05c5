"""One-shot detectors as modules that can be traced: images to detections, all in one graph.

What comes out: :data:`~mmdeepmot.models.detectors.onnx_detector.OUTPUTS`.
"""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdeepmot.apis.export.deform_conv import replace_deform_convs
from mmdeepmot.apis.export.suppression import batched_nms
from mmdeepmot.errors import InputError
from mmdeepmot.models.detectors import JDE, FairMOT
from mmdeepmot.models.heads.center_decode import boxes_at, local_maxima
from mmdeepmot.models.heads.coding import decode_boxes
from mmdeepmot.models.heads.task_settings import settings_for

Outputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


class ExportableJDE(nn.Module):
    """A JDE from images ``(B, 3, H, W)``, normalised, to detections.

    As ``predict`` of the head does it, before boxes are dropped for their shape, which is judged
    in px of the original image.

    Args:
        detector: The trained detector.
        task: ``'track'`` or ``'detection'``: which settings apply.
    """

    def __init__(self, detector: JDE, task: str) -> None:
        super().__init__()
        self.detector = detector
        self.settings = settings_for(detector.bbox_head.settings, task)

    def forward(self, images: Tensor) -> Outputs:
        """Image, box, score, label and embedding of N detections."""
        head: Any = self.detector.bbox_head
        settings = self.settings
        maps, embeddings = head(self.detector.extract_feat(images))
        shapes = [(int(m.shape[-2]), int(m.shape[-1])) for m in maps]
        grid = head.grid([torch.empty(1, 0, *shape) for shape in shapes])
        anchors = grid.boxes()
        starts = torch.tensor([0, *(h * w for h, w in shapes[:-1])]).cumsum(0)
        scale, cell = grid.scale_and_cell(torch.arange(len(anchors)))
        places = starts[scale] + cell

        deltas, logits = head.flatten(maps)
        scores = logits.softmax(dim=-1)[..., 1]
        scores, numbers = scores.topk(min(settings.nms_pre, len(anchors)), dim=1)
        deltas = deltas.gather(1, numbers[..., None].expand(-1, -1, 4))
        boxes = decode_boxes(anchors[numbers], deltas)
        image, kept = batched_nms(boxes, scores, settings.nms_iou, settings.score_thr)

        dense = torch.cat([m.flatten(2) for m in embeddings], dim=2).transpose(1, 2)
        place = places[numbers[image, kept]]
        labels = torch.zeros_like(image)
        appearance = F.normalize(dense[image, place].float(), dim=-1)
        return image, boxes[image, kept], scores[image, kept], labels, appearance


class ExportableFairMOT(nn.Module):
    """A FairMOT from images ``(B, 3, H, W)``, normalised, to detections.

    Args:
        detector: The trained detector.
        task: ``'track'`` or ``'detection'``: which settings apply.
    """

    def __init__(self, detector: FairMOT, task: str) -> None:
        super().__init__()
        self.detector = detector
        self.settings = settings_for(detector.bbox_head.settings, task)

    def forward(self, images: Tensor) -> Outputs:
        """Image, box, score, label and embedding of N detections."""
        head: Any = self.detector.bbox_head
        (feature,) = self.detector.extract_feat(images)
        logits = head.heatmap(feature).float()
        height, width = int(feature.shape[-2]), int(feature.shape[-1])
        peaks = logits.masked_fill(~local_maxima(logits), -torch.inf).flatten(1)
        number = min(self.settings.max_per_img, head.num_classes * height * width)
        values, places = peaks.topk(number, dim=1)
        scores = values.sigmoid()
        image, rank = (scores > self.settings.score_thr).nonzero().unbind(1)
        place = places[image, rank]
        cells = place % (height * width)
        found = head.values_at(feature, image, cells)
        boxes = boxes_at(cells, found.offsets, found.sizes, width, head.stride, head.box)
        labels = place.div(height * width, rounding_mode="floor")
        appearance = F.normalize(found.embeddings, dim=-1)
        return image, boxes, scores[image, rank], labels, appearance


_EXPORTABLE: dict[type, type[nn.Module]] = {JDE: ExportableJDE, FairMOT: ExportableFairMOT}


def exportable(detector: nn.Module, task: str = "track") -> nn.Module:
    """A copy of a detector in exportable form, on the CPU, ready to be asked.

    Args:
        detector: ``JDE`` or ``FairMOT``.
        task: ``'track'``, or ``'detection'`` for the settings of average precision.

    Raises:
        InputError: If it is another network.
    """
    kind = next((kind for kind in _EXPORTABLE if isinstance(detector, kind)), None)
    if kind is None:
        known = ", ".join(one.__name__ for one in _EXPORTABLE)
        raise InputError(
            f"expected a model whose `detector` is one of {known}, got {type(detector).__name__}: "
            "only one-shot detectors are exported"
        )
    network = copy.deepcopy(detector).cpu().float()
    replace_deform_convs(network)
    return _EXPORTABLE[kind](network, task).eval()
