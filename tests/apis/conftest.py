"""A tracker whose answers are known, and videos for it."""

from pathlib import Path

import numpy as np
import pytest

CONFIG = """
_base_ = '{repository}/configs/_base_/trackers/sort.py'
default_scope = 'mmdeepmot'
custom_imports = dict(imports=['blob_detector'], allow_failed_imports=False)
model = dict(type='TrackingModel', detector=dict(type='BlobDetector'), tracker=_base_.tracker)
test_pipeline = [
    dict(type='LoadFrame'),
    dict(type='Letterbox', size=(160, 96)),
    dict(type='LoadTracks'),
    dict(type='PackFrame'),
]
test_dataloader = dict(
    batch_size=1,
    dataset=dict(type='MOTChallengeDataset', data_root='data', pipeline=test_pipeline),
)
"""


@pytest.fixture
def blob_config(tmp_path: Path, repository: Path, monkeypatch) -> Path:
    """Config of a SORT on bright rectangles; images are scaled by 1/2 and padded."""
    monkeypatch.syspath_prepend(str(repository / "tests" / "apis"))
    path = tmp_path / "blobs.py"
    path.write_text(CONFIG.format(repository=repository))
    return path


def blob_frames(count: int = 12) -> list[np.ndarray]:
    """Two rectangles that move 4 px a frame: the first right, the second left."""
    frames = []
    for index in range(count):
        image = np.full((160, 320, 3), 20, dtype=np.uint8)
        image[40:100, 20 + 4 * index : 60 + 4 * index] = 250
        image[20:80, 240 - 4 * index : 270 - 4 * index] = 220
        frames.append(image)
    return frames


def blob_boxes(index: int) -> np.ndarray:
    """The true boxes of a frame, ``(2, 4)`` xyxy px."""
    left = 4.0 * index
    return np.array([[20 + left, 40, 60 + left, 100], [240 - left, 20, 270 - left, 80]])
