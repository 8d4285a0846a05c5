"""Camera motion between the frames of a clip."""

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample

from mmdeepmot.errors import InputError
from mmdeepmot.models.data_preprocessor import MOTDataPreprocessor
from mmdeepmot.models.mot.clip_camera import clip_motions
from mmdeepmot.motion import CameraFeed
from mmdeepmot.motion.affine import move_boxes


class Scripted:
    """Gives affines in turn, and keeps what it was shown."""

    def __init__(self, affines: list[np.ndarray]) -> None:
        self.affines = affines
        self.shown: list[tuple[tuple[int, ...], list]] = []

    def reset(self) -> None:
        self.forget()

    def forget(self) -> None:
        pass

    def estimate(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        self.shown.append((image.shape, boxes.tolist()))
        return self.affines[len(self.shown) - 1]


def test_boxes_move_with_the_camera_inside_of_the_letterbox():
    zoom = np.array([[1.1, 0, 4], [0, 1.1, -3]])
    estimator = Scripted([np.eye(2, 3), zoom])
    sample = DetDataSample(
        metainfo=dict(ori_shape=(24, 40), scale_factor=(2.0, 2.0), pad_offset=(0, 8))
    )
    objects = [torch.tensor([[10.0, 20, 30, 50]]), torch.zeros(0, 4)]
    clip = torch.rand(2, 3, 64, 96)
    first, second = clip_motions(
        CameraFeed(estimator), clip, [sample] * 2, objects, MOTDataPreprocessor()
    )
    assert estimator.shown == [((48, 80, 3), [[10, 12, 30, 42]]), ((48, 80, 3), [])]
    boxes = torch.tensor([[12.0, 20, 28, 40], [50, 30, 60, 50]])
    torch.testing.assert_close(first(boxes), boxes)
    offset = np.array([0, 8, 0, 8])
    expected = move_boxes(boxes.numpy() - offset, zoom) + offset
    moved = torch.tensor(expected, dtype=torch.float32)
    torch.testing.assert_close(second(boxes), moved)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(second(boxes), moved)


def test_frames_that_were_turned_and_sheared_are_refused():
    sample = DetDataSample(metainfo=dict(ori_shape=(24, 40)))
    with pytest.raises(InputError, match="have no pad_offset, scale_factor: use Letterbox in"):
        clip_motions(
            CameraFeed(Scripted([])), torch.rand(2, 3, 64, 96), [sample] * 2,
            [torch.zeros(0, 4)] * 2, MOTDataPreprocessor(),
        )  # fmt: skip
