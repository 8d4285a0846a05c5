"""nms: plain PyTorch against a loop, torchvision and mmcv."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mmdeepmot.ops.implementations import Operators
from mmdeepmot.ops.nms import BLOCK, nms


def oracle(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> list[int]:
    """Greedy suppression, one pair of boxes after another."""
    corners = boxes.tolist()
    kept: list[int] = []
    for candidate in scores.argsort(descending=True).tolist():
        if all(_iou(corners[candidate], corners[other], offset) <= iou_threshold for other in kept):
            kept.append(candidate)
    return kept


def _iou(a: list[float], b: list[float], offset: int) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]) + offset)
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]) + offset)
    areas = [(c[2] - c[0] + offset) * (c[3] - c[1] + offset) for c in (a, b)]
    return width * height / (sum(areas) - width * height)


def crowd(number: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Overlapping boxes (N, 4) xyxy and distinct scores (N,)."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(number, 2, generator=generator) * 60 * number**0.5 / 4
    extent = torch.rand(number, 2, generator=generator) * 60 + 20
    scores = (torch.randperm(number, generator=generator) + 1) / (number + 1)
    return torch.cat((corner, corner + extent), 1), scores


def test_hand_case() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 0, 10, 8]])
    scores = torch.tensor([0.8, 0.9, 0.1, 0.7])
    # IoU(1, 0) = 90 / 110 = 0.818, IoU(1, 3) = 72 / 108 = 0.667, IoU(0, 3) = 0.8
    assert nms(boxes, scores, 0.5).tolist() == [1, 2]
    assert nms(boxes, scores, 0.7).tolist() == [1, 3, 2]
    assert nms(boxes, scores, 0.81).tolist() == [1, 3, 2]
    assert nms(boxes, scores, 0.82).tolist() == [1, 0, 3, 2]


def test_limits() -> None:
    boxes, scores = crowd(50)
    assert nms(boxes, scores, 1.0).tolist() == scores.argsort(descending=True).tolist()
    assert nms(boxes[:1].repeat(50, 1), scores, 0.99).tolist() == [int(scores.argmax())]
    assert nms(boxes[:0], scores[:0], 0.5).tolist() == []
    assert nms(boxes[:0], scores[:0], 0.5).dtype == torch.int64


def test_exactly_at_the_threshold_stays() -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 2]])
    assert nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist() == [0, 1]


def test_empty_boxes_and_equal_scores() -> None:
    boxes = torch.tensor([[5.0, 5, 5, 5], [5, 5, 5, 5], [0, 0, 9, 9]])
    assert nms(boxes, torch.ones(3), 0.5).tolist() == [0, 1, 2]


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("iou_threshold", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("number", [1, 37, BLOCK, 2 * BLOCK + 3])
def test_equals_the_loop(number: int, iou_threshold: float, offset: int) -> None:
    boxes, scores = crowd(number)
    expected = oracle(boxes.double(), scores, iou_threshold, offset)
    assert nms(boxes.double(), scores, iou_threshold, offset).tolist() == expected


def test_permutation() -> None:
    boxes, scores = crowd(3 * BLOCK)
    order = torch.randperm(len(boxes))
    expected = nms(boxes, scores, 0.4)
    assert torch.equal(order[nms(boxes[order], scores[order], 0.4)], expected)


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("iou_threshold", [0.1, 0.5, 0.8])
def test_equals_torchvision(
    torchvision_operators: Operators, iou_threshold: float, offset: int
) -> None:
    boxes, scores = crowd(3000)
    expected = torchvision_operators.nms(boxes, scores, iou_threshold, offset)
    assert torch.equal(nms(boxes, scores, iou_threshold, offset), expected)


@pytest.mark.usefixtures("_compiled_mmcv")
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("iou_threshold", [0.1, 0.5, 0.8])
def test_equals_compiled_mmcv(iou_threshold: float, offset: int) -> None:
    import mmcv.ops

    boxes, scores = crowd(3000)
    _, expected = mmcv.ops.nms(boxes, scores, iou_threshold, offset=offset)
    assert torch.equal(nms(boxes, scores, iou_threshold, offset), expected)


def test_mmcv_nms() -> None:
    import mmcv.ops

    boxes, scores = crowd(60)
    expected = oracle(boxes, scores, 0.3)
    dets, kept = mmcv.ops.nms(boxes, scores, iou_threshold=0.3)
    assert kept.tolist() == expected
    assert torch.equal(dets, torch.cat((boxes[expected], scores[expected, None]), 1))
    dets, kept = mmcv.ops.nms(boxes.numpy(), scores.numpy(), 0.3, score_threshold=0.5, max_num=4)
    assert isinstance(kept, np.ndarray)
    assert kept.tolist() == [box for box in expected if scores[box] > 0.5][:4]


def test_mmcv_batched_nms_keeps_classes_apart() -> None:
    import mmcv.ops

    boxes, scores = crowd(60)
    labels = torch.arange(60) % 2
    _, kept = mmcv.ops.batched_nms(boxes, scores, labels, dict(type="nms", iou_threshold=0.3))
    separate = [
        int(box)
        for label in (0, 1)
        for box in (labels == label)
        .nonzero()
        .squeeze(1)[oracle(boxes[labels == label], scores[labels == label], 0.3)]
    ]
    assert kept.tolist() == sorted(separate, key=lambda box: -float(scores[box]))
