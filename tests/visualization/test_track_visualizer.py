"""The visualizer on mmengine's backends."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData

from mmdeepmot.registry import VISUALIZERS
from mmdeepmot.visualization.colors import id_colors
from mmdeepmot.visualization.track_visualizer import TrackVisualizer

IMAGE = np.full((120, 160, 3), 90, dtype=np.uint8)


def frame(index: int, left: float, score: float = 0.9, video: int = 0) -> DetDataSample:
    sample = DetDataSample(metainfo={"frame_id": index, "video_id": video})
    box = torch.tensor([[left, 30.0, left + 40.0, 100.0]])
    sample.pred_track_instances = InstanceData(
        bboxes=box,
        scores=torch.tensor([score]),
        labels=torch.tensor([0]),
        instances_id=torch.tensor([3]),
    )
    return sample


class Recorder(TrackVisualizer):
    """Keeps what would go to the backends."""

    def __init__(self, name: str = "recorder", **kwargs) -> None:
        super().__init__(name=name, **kwargs)
        self.images: dict[str, np.ndarray] = {}

    def add_image(self, name: str, image: np.ndarray, step: int = 0) -> None:
        self.images[name] = image


def test_it_is_registered_and_writes_through_a_backend(tmp_path):
    visualizer = VISUALIZERS.build(
        {
            "type": "TrackVisualizer",
            "name": "test_track_visualizer",
            "vis_backends": [{"type": "LocalVisBackend"}],
            "save_dir": str(tmp_path),
        }
    )
    assert type(visualizer) is TrackVisualizer
    visualizer.add_datasample("street", IMAGE, frame(0, 50.0), step=4)
    (file,) = tmp_path.rglob("*.png")
    assert file.name == "street_4.png"
    np.testing.assert_array_equal(cv2.imread(str(file))[65, 50], id_colors(np.array([3]))[0])


def test_images_are_rgb_in_and_out():
    visualizer = Recorder()
    image = np.zeros_like(IMAGE)
    image[..., 0] = 200  # red
    visualizer.add_datasample("one", image, frame(0, 50.0))
    drawn = visualizer.images["one"]
    np.testing.assert_array_equal(drawn[110, 150], [200, 0, 0])
    np.testing.assert_array_equal(drawn[65, 50], id_colors(np.array([3]))[0][::-1])


def test_low_scores_are_left_out():
    visualizer = Recorder()
    visualizer.add_datasample("one", IMAGE, frame(0, 50.0, score=0.3), pred_score_thr=0.5)
    np.testing.assert_array_equal(visualizer.images["one"][40:], IMAGE[40:])


def test_a_clip_gives_an_image_a_frame_with_trails():
    visualizer = Recorder()
    clip = TrackDataSample()
    clip.video_data_samples = [frame(4, 20.0), frame(5, 40.0), frame(6, 60.0)]
    visualizer.add_datasample("clip", [IMAGE] * 3, clip)
    assert sorted(visualizer.images) == ["clip/5", "clip/6", "clip/7"]
    last = visualizer.images["clip/7"].astype(int)
    assert np.abs(last[100, 45:55] - 90).max() > 20  # the trail, left of the box
    visualizer.add_datasample("other", IMAGE, frame(7, 60.0, video=1))
    np.testing.assert_array_equal(visualizer.images["other"][100, 42:55], IMAGE[100, 42:55])


def test_a_clip_needs_an_image_for_every_frame():
    clip = TrackDataSample()
    clip.video_data_samples = [frame(0, 20.0), frame(1, 40.0)]
    with pytest.raises(ValueError, match="clip: expected one image a frame, got 1 images and 2"):
        Recorder().add_datasample("clip", [IMAGE], clip)


def test_ground_truth_stands_beside_the_prediction(tmp_path):
    sample = frame(0, 50.0)
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[90.0, 30.0, 130.0, 100.0]]),
        labels=torch.tensor([0]),
        instances_ids=torch.tensor([8]),
    )
    out = tmp_path / "new" / "both.png"
    Recorder().add_datasample("both", IMAGE, sample, out_file=str(out))
    drawn = cv2.imread(str(out))
    assert drawn.shape == (120, 320, 3)
    np.testing.assert_array_equal(drawn[65, 90], id_colors(np.array([8]))[0])
    np.testing.assert_array_equal(drawn[65, 160 + 50], id_colors(np.array([3]))[0])


def test_detections_without_identities_and_frames_without_anything():
    sample = DetDataSample()
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor([[50.0, 30.0, 90.0, 100.0]]),
        scores=torch.tensor([0.5]),
        labels=torch.tensor([0]),
    )
    visualizer = Recorder()
    visualizer.add_datasample("detected", IMAGE, sample)
    np.testing.assert_array_equal(
        visualizer.images["detected"][65, 50], id_colors(np.array([0]))[0][::-1]
    )
    visualizer.add_datasample("nothing", IMAGE, None)
    np.testing.assert_array_equal(visualizer.images["nothing"], IMAGE)


def test_frames_of_a_clip_are_written_to_numbered_files(tmp_path):
    clip = TrackDataSample()
    clip.video_data_samples = [frame(0, 20.0), frame(1, 40.0)]
    Recorder().add_datasample("clip", [IMAGE] * 2, clip, out_file=str(tmp_path / "f.png"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["f_000001.png", "f_000002.png"]


def test_mmengines_own_drawing_methods_still_work():
    visualizer = TrackVisualizer(name="matplotlib")
    visualizer.set_image(np.zeros((60, 80, 3), dtype=np.uint8))
    visualizer.draw_bboxes(np.array([[10, 10, 50, 40]]), edge_colors="r")
    assert visualizer.get_image()[..., 0].max() > 100


def test_matplotlib_is_not_imported_before_it_is_needed():
    code = (
        "import sys\n"
        "import mmdeepmot.visualization\n"
        "assert 'torch' not in sys.modules\n"
        "mmdeepmot.visualization.TrackVisualizer(name='v')\n"
        "assert 'matplotlib' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_attributes_of_the_package():
    import mmdeepmot.visualization

    with pytest.raises(AttributeError, match="has no attribute 'Drawer'"):
        _ = mmdeepmot.visualization.Drawer
