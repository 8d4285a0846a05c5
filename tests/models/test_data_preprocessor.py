"""Batches: channel order, normalisation, padding; images and clips alike."""

import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample

from mmdeepmot.models.data_preprocessor import MOTDataPreprocessor


def bgr_image(height: int, width: int) -> torch.Tensor:
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    image[0], image[1], image[2] = 10, 20, 255
    return image


def test_image_becomes_rgb_in_0_1_and_is_padded_with_grey():
    out = MOTDataPreprocessor()(
        {"inputs": [bgr_image(33, 64)], "data_samples": [DetDataSample()]}, training=True
    )
    batch = out["inputs"]
    assert batch.shape == (1, 3, 64, 64)
    assert torch.allclose(batch[0, :, 0, 0], torch.tensor([255.0, 20.0, 10.0]) / 255)
    assert torch.all(batch[0, :, 33:] == 0.5)
    assert out["data_samples"][0].batch_input_shape == (64, 64)


def test_clip_keeps_time_and_every_frame_learns_the_shape():
    clip = torch.stack([bgr_image(32, 32), torch.full((3, 32, 32), 51, dtype=torch.uint8)])
    sample = TrackDataSample()
    sample.video_data_samples = [DetDataSample(), DetDataSample()]
    out = MOTDataPreprocessor()({"inputs": [clip], "data_samples": [sample]})
    assert out["inputs"].shape == (1, 2, 3, 32, 32)
    assert torch.allclose(out["inputs"][0, 1], torch.tensor(0.2))
    assert [f.batch_input_shape for f in out["data_samples"][0]] == [(32, 32)] * 2


def test_mean_and_std_are_in_the_order_of_the_network():
    pre = MOTDataPreprocessor(mean=(255, 20, 10), std=(1, 2, 4))
    batch = pre({"inputs": [bgr_image(32, 32)], "data_samples": None})["inputs"]
    assert torch.all(batch == 0)


def test_input_bytes_are_left_alone():
    image = bgr_image(32, 32)
    MOTDataPreprocessor(bgr_to_rgb=False)({"inputs": [image], "data_samples": None})
    assert torch.equal(image, bgr_image(32, 32))


def test_shapes_that_differ_are_an_error():
    with pytest.raises(ValueError, match="must have one shape"):
        MOTDataPreprocessor()(
            {"inputs": [bgr_image(32, 32), bgr_image(64, 32)], "data_samples": None}
        )


def test_channels_last_changes_the_memory_and_nothing_else():
    data = {"inputs": [bgr_image(33, 64), bgr_image(33, 64)], "data_samples": None}
    plain = MOTDataPreprocessor()(data)["inputs"]
    last = MOTDataPreprocessor(channels_last=True)(data)["inputs"]
    assert torch.equal(plain, last)
    assert last.is_contiguous(memory_format=torch.channels_last)
    clip = {"inputs": [torch.stack(data["inputs"])], "data_samples": None}
    frames = MOTDataPreprocessor(channels_last=True)(clip)["inputs"]
    assert frames.shape == (1, 2, 3, 64, 64)
    assert frames[0].is_contiguous(memory_format=torch.channels_last)
