"""A real JDE and its association give the same tracks whatever the number of frames at once."""

import numpy as np
import pytest
import tiny
import torch
from mmdet.structures import DetDataSample, TrackDataSample

from mmdeepmot.datasets.synthmot.generate import ensure_synthmot
from mmdeepmot.io.image import read_image

FRAMES = 18


@pytest.fixture(scope="module")
def frames(tmp_path_factory) -> torch.Tensor:
    """``(18, 3, 120, 160)`` uint8 BGR: a SynthMOT street."""
    recipe = {
        **{"train_sequences": 0, "test_sequences": 1, "train_frames": 1, "test_frames": FRAMES},
        **{"width": 160, "height": 120, "density": 5.0},
    }
    folder = ensure_synthmot(recipe, tmp_path_factory.mktemp("synthmot"))
    paths = sorted(folder.glob("test/*/img1/*.jpg"))
    return torch.stack([torch.from_numpy(read_image(path).transpose(2, 0, 1)) for path in paths])


@pytest.fixture(scope="module")
def model(frames, tmp_path_factory):
    config = tiny.write_config(tmp_path_factory.mktemp("config") / "tiny.py")
    return tiny.make_model(config, frames)


def track(model, frames: torch.Tensor, length: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ids and boxes of every frame, ``length`` frames at a time."""
    model.set_task("track")
    found = []
    height, width = frames.shape[-2:]
    for start in range(0, len(frames), length):
        clip = TrackDataSample()
        clip.video_data_samples = [
            DetDataSample(
                metainfo=dict(
                    **dict(frame_id=index, video_id=0, fps=10.0, ori_shape=(height, width)),
                    **dict(img_shape=(height, width), scale_factor=(1.0, 1.0), pad_offset=(0, 0)),
                )
            )
            for index in range(start, min(start + length, len(frames)))
        ]
        batch = {"inputs": [frames[start : start + length]], "data_samples": [clip]}
        (out,) = model.test_step(batch)
        for frame in out:
            tracks = frame.pred_track_instances
            found.append((tracks.instances_id.numpy(), tracks.bboxes.numpy()))
    return found


@pytest.fixture(scope="module")
def one_by_one(model, frames):
    return track(model, frames, 1)


def test_there_is_something_to_associate(one_by_one):
    counts = [len(ids) for ids, _ in one_by_one]
    assert len(counts) == FRAMES and min(counts[1:]) >= 2
    lives = np.unique(np.concatenate([ids for ids, _ in one_by_one]), return_counts=True)[1]
    assert lives.max() >= FRAMES - 2 and len(lives) > counts[-1]  # some live on, some come and go


@pytest.mark.parametrize("length", [4, 16])
def test_the_same_ids_and_boxes(model, frames, one_by_one, length):
    for index, (one, other) in enumerate(
        zip(one_by_one, track(model, frames, length), strict=True)
    ):
        np.testing.assert_array_equal(one[0], other[0], err_msg=f"ids of frame {index}")
        np.testing.assert_allclose(one[1], other[1], atol=1e-3, rtol=0)
