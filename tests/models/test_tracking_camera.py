"""TrackingModel's camera motion: on the network's input, in px of the original image."""

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData
from torch import nn

from mmdeepmot.datasets.transforms.geometry import letterbox_geometry
from mmdeepmot.models.mot.camera import input_image
from mmdeepmot.models.mot.tracking_model import TrackingModel
from mmdeepmot.registry import MODELS, TRACKERS
from mmdeepmot.structures import Tracks

SIZE, INPUT = (400, 240), (320, 256)  # width, height
SHIFTS = [(0, 0), (6, -4), (10, 2), (-3, 5), (-8, 0)]
NORMALISED = dict(type="MOTDataPreprocessor", mean=[123.7, 116.3, 103.5], std=[58.4, 57.1, 57.4])


@MODELS.register_module(force=True)
class BlindDetector(nn.Module):
    """Finds nothing."""

    def predict(self, inputs, samples, task="track"):
        for sample in samples:
            sample.pred_instances = InstanceData(
                bboxes=torch.zeros(0, 4), scores=torch.zeros(0), labels=torch.zeros(0).long()
            )
        return samples


@TRACKERS.register_module(force=True)
class CameraWatcher:
    """Asks for the camera's motion in the frames of ``asks`` and writes it down."""

    def __init__(self, asks=range(100)):
        self.asks = asks

    def reset(self):
        self.seen = {}

    def step(self, frame):
        if frame.index in self.asks:
            self.seen[frame.index] = frame.warp()
        return Tracks.empty()


@MODELS.register_module(force=True)
class OwnPreprocessor(nn.Module):
    """Says nothing about how it normalises."""


def street():
    """A wide textured image, ``(H, W, 3)`` uint8."""
    rng = np.random.default_rng(0)
    total = sum(
        cell**0.5 * cv2.resize(rng.normal(size=(400 // cell, 600 // cell, 3)), (600, 400))
        for cell in (8, 16, 40)
    )
    total -= total.min()
    return (255 / total.max() * total).astype(np.uint8)


@pytest.fixture(scope="module")
def images():
    """Five frames of a camera that moves the picture by SHIFTS px, as the pipeline makes them."""
    wide, geometry = street(), letterbox_geometry(SIZE, INPUT)
    left, top = geometry.offset
    width, height = geometry.resized
    frames = []
    for x, y in SHIFTS:
        frame = wide[80 - y : 80 - y + SIZE[1], 100 - x : 100 - x + SIZE[0]]
        image = np.full((INPUT[1], INPUT[0], 3), 127, dtype=np.uint8)
        image[top : top + height, left : left + width] = cv2.resize(
            frame, geometry.resized, interpolation=cv2.INTER_AREA
        )
        frames.append(image)
    return frames


def meta(index, video):
    geometry = letterbox_geometry(SIZE, INPUT)
    return dict(
        frame_id=index,
        video_id=video,
        ori_shape=SIZE[::-1],
        fps=30,
        scale_factor=geometry.scale,
        pad_offset=geometry.offset,
    )


def watch(images, length=2, video=0, camera=None, model=None, **tracker):
    """The camera motion of every frame that the tracker asks for, ``length`` frames a batch."""
    if model is None:
        model = TrackingModel(
            dict(type="BlindDetector"),
            dict(type="CameraWatcher", **tracker),
            NORMALISED,
            camera=camera or dict(type="SparseFlow", downscale=1),
        ).eval()
    frames = torch.stack([torch.from_numpy(image.transpose(2, 0, 1).copy()) for image in images])
    for start in range(0, len(images), length):
        sample = TrackDataSample()
        sample.video_data_samples = [
            DetDataSample(metainfo=meta(index, video))
            for index in range(start, min(start + length, len(images)))
        ]
        model.test_step({"inputs": [frames[start : start + length]], "data_samples": [sample]})
    return model


@pytest.mark.parametrize("kind", ["SparseFlow", "ECC"])
def test_motion_is_in_pixels_of_the_original_image(images, kind):
    seen = watch(images, camera=dict(type=kind, downscale=1)).tracker.seen
    assert sorted(seen) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(seen[0], np.eye(2, 3))
    for index in range(1, 5):
        shift = np.subtract(SHIFTS[index], SHIFTS[index - 1])
        for point in ([0, 0], SIZE, [SIZE[0], 0]):
            moved = seen[index] @ [*point, 1.0]
            np.testing.assert_allclose(moved, point + shift, atol=0.4)


@pytest.mark.parametrize("length", [1, 3, 5])
def test_it_does_not_depend_on_the_frames_a_batch(images, length):
    expected, seen = watch(images).tracker.seen, watch(images, length).tracker.seen
    for index in range(5):
        np.testing.assert_array_equal(seen[index], expected[index])


def test_frames_that_were_not_asked_for_do_not_matter(images):
    expected, seen = watch(images).tracker.seen, watch(images, asks=[2, 4]).tracker.seen
    assert sorted(seen) == [2, 4]
    for index in seen:
        np.testing.assert_array_equal(seen[index], expected[index])


def test_nothing_is_done_for_trackers_that_do_not_ask(images, monkeypatch):
    def fail(*_):
        raise AssertionError("an image was made")

    monkeypatch.setattr("mmdeepmot.models.mot.tracking_model.input_image", fail)
    assert watch(images, asks=[]).tracker.seen == {}


def test_each_video_starts_afresh(images):
    model = watch(images)
    first = model.tracker.seen
    second = watch(images[::-1], video=1, model=model).tracker.seen
    np.testing.assert_array_equal(second[0], np.eye(2, 3))
    np.testing.assert_allclose(second[4][:, 2], -first[1][:, 2], atol=0.3)


@pytest.mark.parametrize("rgb", [True, False])
def test_the_image_is_restored_to_the_byte(images, rgb):
    preprocessor = MODELS.build(dict(NORMALISED, bgr_to_rgb=rgb))
    batch = preprocessor(
        {"inputs": [torch.from_numpy(images[1].transpose(2, 0, 1).copy())], "data_samples": []}
    )["inputs"]
    restored = input_image(batch[0], DetDataSample(metainfo=meta(0, 0)), preprocessor)
    (left, top), (width, height) = letterbox_geometry(SIZE, INPUT)[1:]
    np.testing.assert_array_equal(restored, images[1][top : top + height, left : left + width])


def test_errors_say_what_is_wrong():
    detector = dict(type="BlindDetector")
    with pytest.raises(KeyError, match=r"TrackingModel.camera: no camera motion is called 'EEC'"):
        TrackingModel(detector, camera=dict(type="EEC"))
    with pytest.raises(TypeError, match=r"TrackingModel.camera: SparseFlow has no .*'down_scale'"):
        TrackingModel(detector, camera=dict(type="SparseFlow", down_scale=2))
    own = dict(type="OwnPreprocessor")
    with pytest.raises(ValueError, match="OwnPreprocessor has no mean, std, bgr_to_rgb"):
        TrackingModel(detector, None, own, camera=dict(type="SparseFlow"))
